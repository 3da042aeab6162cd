/* SPDX-License-Identifier: MIT */
/* Day: the daemon may die at any moment of it; what the clients see is checked all the same. */
#include "day.h"

#include "daemon/flags.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>

#define SIDE            0x40000001
#define NOSHARE         0x0040u
#define DISCONNECT      0x0008u
#define COID_DISCONNECT 0x0040u

/* News may come twice, nothing else does; the far side of what it names is checked by those who know it. */
static WireNews expect_news(Client *client, WireNewsKind kind) {
        WireNews news, seen = { .kind = WIRE_NEWS_N };

        do {
                seen = news_next(client);
                news = seen;
        } while (news.kind != kind);
        return news;
}

typedef struct Day {
        Client server, client, heir;
        WireReplyConnect side, again, file;
        int32_t chid;
        ShmLink *link;
        Fds file_fds;
} Day;

static void play_channels(Client *server) {
        WireRequest request = { .op = WIRE_CHANNEL_DESTROY };
        int32_t first = channel_create(server, 0), second = channel_create(server, COID_DISCONNECT);

        ck_assert_int_eq(second, first + 1);
        request.channel_destroy.chid = first;
        ck_assert_int_eq(ask(server, request, NULL, NULL), 0);
        ck_assert_int_eq(ask(server, request, NULL, NULL), EINVAL);
}

static void play_flags(Client *client, int32_t coid) {
        WireRequest request = { .op = WIRE_CONNECT_FLAGS, .connect_flags = { .coid = coid, .mask = 1, .bits = 1 } };
        WireReply reply;

        ck_assert_int_eq(ask(client, request, &reply, NULL), 0);
        ck_assert_uint_eq(reply.flags.flags & 1, 0);
        ck_assert_int_eq(ask(client, request, &reply, NULL), 0);
        ck_assert_uint_eq(reply.flags.flags & 1, 1);
}

/* A pulse that the server delivers to its client, by way of a connection of the client to itself. */
static void play_events(Day *day) {
        WireRequest request = { .op = WIRE_EVENT_DELIVER,
                                .event_deliver = { .scoid = day->side.scoid, .coid = SIDE, .priority = 10 } };
        int32_t chid = channel_create(&day->client, 0);

        ck_assert_int_eq(attach(&day->client, NULL, chid, 0, SIDE + 9, NULL, NULL), 0);
        for (uint64_t i = 1; i <= 3; i++) {
                request.event_deliver.event = (WireEvent){ .notify = EVENT_PULSE, .what = SIDE + 9, .value = i,
                                                           .code = 7, .priority = -1 };
                ck_assert_int_eq(ask(&day->server, request, NULL, NULL), 0);
        }
        for (uint64_t i = 1; i <= 3; i++)
                ck_assert_uint_eq(expect_news(&day->client, WIRE_NEWS_PULSE).pulse.value, i);
        free(daemon_status()); /* whatever is killed by now has a successor that has begun */
        while (news_is_there(&day->client))
                ck_assert_uint_ne(news_any(&day->client).kind, WIRE_NEWS_PULSE);
}

static void play_growth(Client *client, Client *server, uint32_t link) {
        WireRequest request = { .op = WIRE_LINK_GROW, .link_grow = { .link = link, .kind = WIRE_EXTENT_SLOTS } };
        WireReply reply;
        Fds fds;

        for (uint32_t i = 1; i <= 4; i++) {
                request.link_grow.kind = i % 2 ? WIRE_EXTENT_SLOTS : WIRE_EXTENT_BULK;
                request.link_grow.bytes = i % 2 ? 0 : EXTENT_BULK_MIN;
                ck_assert_int_eq(ask(client, request, &reply, &fds), 0);
                ck_assert_uint_eq(reply.extent.extent, i);
                ck_assert_int_ge(fds.fd[0], 0);
                fds_close(&fds);
                while (expect_news(server, WIRE_NEWS_LINK_EXTENT).link_extent.extent != i)
                        ;
        }
}

static int32_t coid_at_or_above(Client *client, int32_t coid) {
        WireRequest request = { .op = WIRE_SERVER_INFO, .server_info = { .coid = coid, .dead = 1 } };
        WireReply reply;
        int status = ask(client, request, &reply, NULL);

        return status ? -status : reply.server_info.coid;
}

static void number(Client *client, uint32_t connection, int32_t coid) {
        tell(client, (WireRequest){ .op = WIRE_CONNECT_NUMBER, .connect_number = { connection, coid } });
}

static void expect_live(const WireReplyConnect *connect, const ShmLink *link) {
        ck_assert_uint_eq(link->connections[connect->index], CONNECTION_LIVE);
}

static void play_attaches(Day *day) {
        Fds fds;

        day->chid = channel_create(&day->server, DISCONNECT);
        ck_assert_int_gt(day->chid, 0);
        ck_assert_int_eq(attach(&day->client, &day->server, day->chid, 0, SIDE, &day->side, &fds), 0);
        ck_assert_int_ge(fds.fd[1], 0);
        day->link = map_fd(&fds.fd[0], LINK_BYTES);
        fds_close(&fds);
        expect_live(&day->side, day->link);
        ck_assert_int_eq(expect_news(&day->server, WIRE_NEWS_LANE_OPEN).lane_open.scoid, day->side.scoid);
        ck_assert_int_eq(attach(&day->client, &day->server, day->chid, NOSHARE, SIDE + 1, &day->again, NULL), 0);
        ck_assert_int_ne(day->again.scoid, day->side.scoid);
        ck_assert_int_eq(attach(&day->client, &day->server, day->chid, 0, 0, &day->file, &day->file_fds), 0);
        ck_assert_int_ge(day->file_fds.fd[2], 0);
        expect_live(&day->file, day->link);
        ck_assert_int_eq(attach(&day->client, &day->server, 77, 0, 0, NULL, NULL), ESRCH);
}

static void play_numbers(Day *day) {
        WireRequest adopt = { .op = WIRE_CONNECT_ADOPT, .connect_adopt.coid = 5 };
        WireReply reply;

        number(&day->client, day->file.id, 9);
        number(&day->client, day->file.id, 8);
        ck_assert_int_eq(coid_at_or_above(&day->client, 0), 8);
        play_flags(&day->client, 8);
        ck_assert_int_eq(ask_with_fd(&day->heir, adopt, day->file_fds.fd[2], &reply, NULL), 0);
        ck_assert_int_eq(coid_at_or_above(&day->heir, 0), 5);
        play_growth(&day->client, &day->server, day->side.link);
}

static void play_ends(Day *day) {
        WireRequest forget = { .op = WIRE_SCOID_DETACH, .scoid_detach.scoid = day->side.scoid };

        detach(&day->client, day->again.id);
        while (expect_news(&day->server, WIRE_NEWS_LANE_CLOSE).lane_close.scoid != day->again.scoid)
                ;
        ck_assert_int_eq(coid_at_or_above(&day->client, SIDE + 1), SIDE + 9);
        ck_assert_int_eq(ask(&day->server, forget, NULL, NULL), 0);
        while (expect_news(&day->client, WIRE_NEWS_COID_DEATH).coid_death.connection != day->side.id)
                ;
        ck_assert_uint_eq(day->link->connections[day->side.index], CONNECTION_DEAD);
        fds_close(&day->file_fds);
        daemon_expect_none("lifelines");
}

void busy_day(void) {
        Day day = { .chid = 0 };
        int32_t chid;

        day.server = client_start(0, 0);
        day.client = client_start(0, 0);
        day.heir = client_start(0, 0);
        play_channels(&day.server);
        play_attaches(&day);
        play_events(&day);
        play_numbers(&day);
        play_ends(&day);
        chid = channel_create(&day.client, DISCONNECT);
        ck_assert_int_eq(attach(&day.server, &day.client, chid, 0, SIDE + 5, NULL, NULL), 0);
        ck_assert_int_eq(attach(&day.heir, &day.client, chid, 0, SIDE + 5, NULL, NULL), 0);
        client_kill(&day.heir);
        while (expect_news(&day.client, WIRE_NEWS_LANE_CLOSE).lane_close.died != 1)
                ;
        expect_news(&day.client, WIRE_NEWS_LINK_CLOSE);
        client_kill(&day.client);
        expect_news(&day.server, WIRE_NEWS_COID_DEATH);
        client_kill(&day.server);
        daemon_expect_empty();
}
