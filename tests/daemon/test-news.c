/* SPDX-License-Identifier: MIT */
/* A process that does not read its news costs itself. */
#include "suite.h"
#include "wire.h"

#include <errno.h>

#define SIDE(n) (0x40000000 + (n))
#define NOSHARE 0x40
/* A link holds 4096 connections, a news socket about twice that: several clients fill it. */
#define MANY    3000
#define LAST    1000 /* of the last client */
#define CLIENTS 6

typedef struct Crowd {
        Client server;
        Client clients[CLIENTS];
        WireReplyConnect connects[CLIENTS][MANY];
} Crowd;

static Crowd crowd;

static int n_of(int client) {
        return client == CLIENTS - 1 ? LAST : MANY;
}

static void crowd_start(void) {
        daemon_start(NULL);
        crowd.server = client_start(0, 0);
        channel_create(&crowd.server, 0);
        for (int i = 0; i < CLIENTS; i++) {
                crowd.clients[i] = client_start(0, 0);
                for (int k = 0; k < n_of(i); k++)
                        ck_assert_int_eq(attach(&crowd.clients[i], &crowd.server, 1, NOSHARE, SIDE(1 + k),
                                                &crowd.connects[i][k], NULL), 0);
        }
}

static void crowd_end(void) {
        for (int i = 0; i < CLIENTS; i++)
                client_kill(&crowd.clients[i]);
        client_kill(&crowd.server);
        daemon_expect_empty();
        daemon_stop();
}

START_TEST(nothing_is_lost_and_the_order_is_kept) {
        WireNews news;
        Fds fds;

        crowd_start();
        for (int i = 0; i < CLIENTS; i++)
                for (int k = 0; k < n_of(i); k++) {
                        news = news_expect(&crowd.server, WIRE_NEWS_LANE_OPEN, &fds);
                        ck_assert_int_eq(news.lane_open.scoid, crowd.connects[i][k].scoid);
                        ck_assert((fds.fd[0] >= 0) == (k == 0));
                        fds_close(&fds);
                }
        ck_assert_uint_eq(crowd.server.notice->news, (CLIENTS - 1) * MANY + LAST);
        ck_assert(!news_is_there(&crowd.server));
        crowd_end();
}
END_TEST

START_TEST(what_is_over_before_it_was_told_is_never_told) {
        Client *last = &crowd.clients[CLIENTS - 1];
        unsigned n[WIRE_NEWS_N] = { 0 };
        WireReplyConnect again;

        crowd_start();
        client_kill(last); /* whose lanes have not been told yet */
        for (int i = 0; i < 200; i++) {
                ck_assert_int_eq(attach(&crowd.clients[0], &crowd.server, 1, NOSHARE, SIDE(4000 - i), &again,
                                        NULL), 0);
                detach(&crowd.clients[0], again.id);
        }
        ck_assert_int_eq(channel_create(&crowd.clients[0], 0), 1); /* so all that is done */
        for (int i = 0; i < (CLIENTS - 1) * MANY; i++)
                n[news_any(&crowd.server).kind]++;
        while (news_is_there(&crowd.server))
                n[news_any(&crowd.server).kind]++;
        ck_assert_uint_eq(n[WIRE_NEWS_LANE_OPEN], (CLIENTS - 1) * MANY);
        ck_assert_uint_eq(n[WIRE_NEWS_LANE_CLOSE], 0);
        ck_assert_uint_eq(n[WIRE_NEWS_LINK_CLOSE], 0);
        crowd_end();
}
END_TEST

SUITE_MAIN("news", nothing_is_lost_and_the_order_is_kept, what_is_over_before_it_was_told_is_never_told)
