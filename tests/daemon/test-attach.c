/* SPDX-License-Identifier: MIT */
/* Side-channel connections: what client and server learn, and what is refused. */
#include "suite.h"
#include "wire.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SIDE(n) (0x40000000 + (n))
#define NOSHARE 0x40
#define PRIVATE 0x1000
#define DISCONNECT 0x8

START_TEST(the_server_hears_of_a_client_before_the_client_has_its_answer) {
        Client server, client;
        WireReplyConnect connect;
        WireNewsLaneOpen news;
        ShmLink *mine, *theirs;
        Fds fds, news_fds;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&server, 0x20), 1);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(1), &connect, &fds), 0);
        ck_assert(news_is_there(&server));
        ck_assert_uint_eq(server.notice->news, 1);
        news = news_expect(&server, WIRE_NEWS_LANE_OPEN, &news_fds).lane_open;
        ck_assert_int_eq(connect.server_pid, server.pid);
        ck_assert_uint_eq(connect.channel_flags, 0x20);
        ck_assert_int_eq(news.scoid, connect.scoid);
        ck_assert_int_eq(news.scoid, 0x10000);
        ck_assert_uint_eq(news.lane, connect.lane);
        ck_assert_uint_eq(news.link, connect.link);
        ck_assert_uint_eq(news.bell, connect.bell);
        ck_assert_int_eq(news.client.pid, client.pid);
        ck_assert_int_eq(memcmp(news.token, connect.token, sizeof(news.token)), 0);
        ck_assert_int_eq(news_fds.fd[1], -1); /* it has its first bell since ChannelCreate */
        mine = map_fd(&fds.fd[0], LINK_BYTES);
        theirs = map_fd(&news_fds.fd[0], LINK_BYTES);
        ck_assert_int_eq(memcmp(mine->token, connect.token, LINK_TOKEN_BYTES), 0);
        ck_assert_uint_eq(mine->magic, LAYOUT_MAGIC);
        mine->probe_at = 1234;
        ck_assert_uint_eq(theirs->probe_at, 1234);
        ck_assert_uint_eq(mine->connections[connect.index], CONNECTION_LIVE);
        detach(&client, connect.id);
        word_expect(&mine->connections[connect.index], CONNECTION_FREE);
        fds_close(&fds);
        client_kill(&client);
        client_kill(&server);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(a_process_may_be_connected_to_itself) {
        Client self;
        WireReplyConnect connect;
        ShmLink *link;
        Fds fds;

        daemon_start(NULL);
        self = client_start(0, 0);
        channel_create(&self, 0);
        ck_assert_int_eq(attach(&self, NULL, 1, 0, SIDE(1), &connect, &fds), 0);
        news_expect(&self, WIRE_NEWS_LANE_OPEN, NULL);
        link = map_fd(&fds.fd[0], LINK_BYTES);
        ck_assert_uint_eq(link->connections[connect.index], CONNECTION_LIVE);
        fds_close(&fds);
        client_kill(&self);
        word_expect(&link->server_gone, 1);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(further_connections_cost_no_descriptor_and_share_the_scoid) {
        Client server, client;
        WireReplyConnect first, second, apart;
        Fds fds;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, 0);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(1), &first, NULL), 0);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(2), &second, &fds), 0);
        ck_assert(fds.fd[0] == -1 && fds.fd[1] == -1 && fds.fd[2] == -1);
        ck_assert_int_eq(second.scoid, first.scoid);
        ck_assert_uint_ne(second.index, first.index);
        ck_assert_uint_ne(second.id, first.id);
        ck_assert_int_eq(attach(&client, &server, 1, NOSHARE, SIDE(3), &apart, &fds), 0);
        ck_assert(fds.fd[0] == -1 && fds.fd[1] == -1);
        ck_assert_int_ne(apart.scoid, first.scoid);
        ck_assert_uint_ne(apart.lane, first.lane);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        ck_assert(!news_is_there(&server));
        client_kill(&server);
        client_kill(&client);
        daemon_stop();
}
END_TEST

START_TEST(what_cannot_be_is_refused_with_the_right_error) {
        Client server, client;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, PRIVATE);
        channel_create(&server, 0);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(1), NULL, NULL), EPERM);
        ck_assert_int_eq(attach(&server, &server, 1, 0, SIDE(1), NULL, NULL), 0);
        ck_assert_int_eq(attach(&client, &server, 9, 0, SIDE(1), NULL, NULL), ESRCH);
        ck_assert_int_eq(attach(&client, &(Client){ .pid = 1 }, 1, 0, SIDE(1), NULL, NULL), ESRCH);
        ck_assert_int_eq(attach(&client, &server, 2, 0, SIDE(0), NULL, NULL), EINVAL);
        ck_assert_int_eq(attach(&client, &server, 2, 0, 5, NULL, NULL), EINVAL);
        ck_assert_int_eq(attach(&client, &server, 2, 0x10000, SIDE(1), NULL, NULL), EINVAL);
        ck_assert_int_eq(attach(&client, &server, 2, 0, SIDE(1), NULL, NULL), 0);
        ck_assert_int_eq(attach(&client, &server, 2, 0, SIDE(1), NULL, NULL), EEXIST);
        client_kill(&server);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

static int client_info(Client *server, int32_t scoid) {
        return ask(server, (WireRequest){ .op = WIRE_CLIENT_INFO, .client_info.scoid = scoid }, NULL, NULL);
}

static int scoid_detach(Client *server, int32_t scoid) {
        return ask(server, (WireRequest){ .op = WIRE_SCOID_DETACH, .scoid_detach.scoid = scoid }, NULL,
                   NULL);
}

START_TEST(the_last_detach_closes_the_lane) {
        Client server, client;
        WireReplyConnect first, second;
        WireNewsLaneClose news;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, 0);
        attach(&client, &server, 1, 0, SIDE(1), &first, NULL);
        attach(&client, &server, 1, 0, SIDE(2), &second, NULL);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        detach(&client, first.id);
        ck_assert_int_eq(client_info(&client, -1), 0); /* so the detach is done */
        ck_assert(!news_is_there(&server));
        detach(&client, second.id);
        news = news_expect(&server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close;
        ck_assert_int_eq(news.scoid, first.scoid);
        ck_assert_uint_eq(news.died, 0);
        ck_assert_int_eq(client_info(&server, first.scoid), EINVAL);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(1), &second, NULL), 0);
        ck_assert_int_ne(second.scoid, first.scoid);
        client_kill(&server);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(with_disconnect_the_scoid_stays_until_detached) {
        Client server, client;
        WireReplyConnect first, second;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, DISCONNECT);
        attach(&client, &server, 1, 0, SIDE(1), &first, NULL);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        detach(&client, first.id);
        news_expect(&server, WIRE_NEWS_LANE_CLOSE, NULL);
        ck_assert_int_eq(client_info(&server, first.scoid), 0);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(1), &second, NULL), 0);
        ck_assert_int_ne(second.scoid, first.scoid);
        ck_assert_uint_ne(second.lane, first.lane);
        ck_assert_int_eq(scoid_detach(&server, first.scoid), 0);
        ck_assert_int_eq(scoid_detach(&server, first.scoid), EINVAL);
        client_kill(&client);
        ck_assert_int_eq(client_info(&server, second.scoid), 0);
        client_kill(&server);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(a_detached_scoid_kills_the_clients_connections) {
        Client server, client;
        WireReplyConnect connect;
        WireNewsCoidDeath death;
        ShmLink *link;
        Fds fds;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, 0);
        attach(&client, &server, 1, 0, SIDE(1), &connect, &fds);
        link = map_fd(&fds.fd[0], LINK_BYTES);
        ck_assert_int_eq(scoid_detach(&server, connect.scoid), 0);
        ck_assert_uint_eq(link->connections[connect.index], CONNECTION_DEAD);
        death = news_expect(&client, WIRE_NEWS_COID_DEATH, NULL).coid_death;
        ck_assert_uint_eq(death.connection, connect.id);
        ck_assert_int_eq(death.coid, SIDE(1));
        detach(&client, connect.id);
        word_expect(&link->connections[connect.index], CONNECTION_FREE);
        fds_close(&fds);
        client_kill(&server);
        client_kill(&client);
        daemon_stop();
}
END_TEST

static int server_info(Client *client, int32_t pid, int32_t coid, bool dead, WireReplyServerInfo *ret) {
        WireRequest request = { .op = WIRE_SERVER_INFO, .server_info = { pid, coid, dead } };
        WireReply reply;
        int status = ask(client, request, &reply, NULL);

        *ret = reply.server_info;
        return status;
}

START_TEST(server_info_walks_over_the_connections) {
        Client server, client;
        WireReplyServerInfo info;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, 0);
        channel_create(&server, 0);
        attach(&client, &server, 1, 0, SIDE(9), NULL, NULL);
        attach(&client, &server, 2, 0, SIDE(5), NULL, NULL);
        ck_assert_int_eq(server_info(&client, 0, SIDE(5), true, &info), 0);
        ck_assert_int_eq(info.coid, SIDE(5));
        ck_assert_int_eq(info.pid, server.pid);
        ck_assert_int_eq(info.chid, 2);
        ck_assert_int_eq(server_info(&client, 0, SIDE(6), true, &info), 0);
        ck_assert_int_eq(info.coid, SIDE(9));
        ck_assert_int_eq(server_info(&client, 0, SIDE(10), true, &info), EINVAL);
        ck_assert_int_eq(server_info(&server, client.pid, 0, true, &info), 0);
        ck_assert_int_eq(server_info(&server, 1, 0, true, &info), ESRCH);
        ask(&server, (WireRequest){ .op = WIRE_CHANNEL_DESTROY, .channel_destroy.chid = 2 }, NULL, NULL);
        ck_assert_int_eq(server_info(&client, 0, SIDE(5), true, &info), 0);
        ck_assert_uint_eq(info.flags, 2);
        ck_assert_int_eq(server_info(&client, 0, SIDE(5), false, &info), 0);
        ck_assert_int_eq(info.coid, SIDE(9));
        client_kill(&server);
        client_kill(&client);
        daemon_stop();
}
END_TEST

static int connect_flags(Client *client, int32_t coid, uint32_t mask, uint32_t bits, uint32_t *ret_before) {
        WireRequest request = { .op = WIRE_CONNECT_FLAGS, .connect_flags = { 0, coid, mask, bits } };
        WireReply reply;
        int status = ask(client, request, &reply, NULL);

        *ret_before = reply.flags.flags;
        return status;
}

START_TEST(connect_flags_tell_what_was_before) {
        Client self;
        uint32_t before;

        daemon_start(NULL);
        self = client_start(0, 0);
        channel_create(&self, 0);
        attach(&self, NULL, 1, 0x100, SIDE(1), NULL, NULL);
        ck_assert_int_eq(connect_flags(&self, SIDE(1), 1, 1, &before), 0);
        ck_assert_uint_eq(before, 0x100);
        ck_assert_int_eq(connect_flags(&self, SIDE(1), 0, 0xffff, &before), 0);
        ck_assert_uint_eq(before, 0x101);
        ck_assert_int_eq(connect_flags(&self, SIDE(1), 2, 2, &before), 0); /* DEAD is not for asking */
        ck_assert_int_eq(connect_flags(&self, SIDE(1), 0, 0, &before), 0);
        ck_assert_uint_eq(before, 0x101);
        ck_assert_int_eq(connect_flags(&self, SIDE(2), 0, 0, &before), EBADF);
        ck_assert_int_eq(connect_flags(&self, SIDE(1), 0x10000, 0, &before), EINVAL);
        client_kill(&self);
        daemon_stop();
}
END_TEST

static int grow(Client *client, uint32_t link, uint32_t kind, uint64_t bytes, WireReplyExtent *ret,
                Fds *fds) {
        WireRequest request = { .op = WIRE_LINK_GROW, .link_grow = { link, kind, bytes } };
        WireReply reply;
        int status = ask(client, request, &reply, fds);

        *ret = reply.extent;
        return status;
}

START_TEST(a_link_grows_for_both_sides) {
        Client server, client;
        WireReplyConnect connect;
        WireReplyExtent extent;
        WireNewsExtent news;
        Fds fds, news_fds;
        char *mine, *theirs;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, 0);
        attach(&client, &server, 1, 0, SIDE(1), &connect, NULL);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        ck_assert_int_eq(grow(&client, connect.link, WIRE_EXTENT_BULK, 131072, &extent, &fds), 0);
        news = news_expect(&server, WIRE_NEWS_LINK_EXTENT, &news_fds).link_extent;
        ck_assert_uint_eq(extent.extent, 1);
        ck_assert_uint_eq(news.extent, 1);
        ck_assert_uint_eq(news.link, connect.link);
        ck_assert_uint_eq(news.bytes, 131072);
        mine = map_fd(&fds.fd[0], 131072);
        theirs = map_fd(&news_fds.fd[0], 131072);
        mine[131071] = 'x';
        ck_assert_int_eq(theirs[131071], 'x');
        ck_assert_int_eq(grow(&client, connect.link, WIRE_EXTENT_SLOTS, 0, &extent, &fds), 0);
        ck_assert_uint_eq(extent.extent, 2);
        ck_assert_uint_eq(extent.bytes, EXTENT_SLOTS * SLOT_STRIDE);
        fds_close(&fds);
        ck_assert_int_eq(grow(&client, connect.link, WIRE_EXTENT_BULK, 131073, &extent, NULL), EINVAL);
        ck_assert_int_eq(grow(&client, connect.link, WIRE_EXTENT_BULK, 4096, &extent, NULL), EINVAL);
        ck_assert_int_eq(grow(&client, connect.link, 7, 131072, &extent, NULL), EINVAL);
        ck_assert_int_eq(grow(&server, connect.link, WIRE_EXTENT_SLOTS, 0, &extent, NULL), ESRCH);
        client_kill(&server);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(each_further_user_rings_a_bell_of_its_own) {
        Client server, root, other;
        WireReplyConnect by_root, by_other;
        Fds fds, news_fds;

        if (geteuid() != 0)
                return;
        daemon_start(NULL);
        server = client_start(0, 0);
        root = client_start(0, 0);
        other = client_start(UID_OTHER, 0);
        ck_assert_uint_eq(other.greet.priority_max, 63);
        channel_create(&server, 0);
        ck_assert_int_eq(attach(&root, &server, 1, 0, SIDE(1), &by_root, NULL), 0);
        ck_assert_int_eq(attach(&other, &server, 1, 0, SIDE(1), &by_other, &fds), 0);
        ck_assert_int_ge(fds.fd[1], 0);
        ck_assert_uint_ne(by_other.bell, by_root.bell);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        ck_assert_uint_eq(news_expect(&server, WIRE_NEWS_LANE_OPEN, &news_fds).lane_open.client.euid,
                          UID_OTHER);
        ck_assert_int_ge(news_fds.fd[1], 0);
        map_fd(&news_fds.fd[1], BELL_BYTES);
        fds_close(&fds);
        fds_close(&news_fds);
        client_kill(&root);
        client_kill(&other);
        client_kill(&server);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(one_bell_serves_all_where_the_server_can_wait_on_one_only) {
        Client server, other;
        WireReplyConnect by_self, by_other;

        if (geteuid() != 0)
                return;
        daemon_start(NULL);
        server = client_start(0, WIRE_GREET_ONE_BELL);
        other = client_start(UID_OTHER, 0);
        channel_create(&server, 0);
        ck_assert_int_eq(attach(&server, NULL, 1, 0, SIDE(1), &by_self, NULL), 0);
        ck_assert_int_eq(attach(&other, &server, 1, 0, SIDE(1), &by_other, NULL), 0);
        ck_assert_uint_eq(by_other.bell, by_self.bell);
        client_kill(&other);
        client_kill(&server);
        daemon_stop();
}
END_TEST

START_TEST(what_belongs_to_another_user_is_out_of_reach) {
        Client server, other;
        WireReplyServerInfo info;
        char *text;

        if (geteuid() != 0)
                return;
        daemon_start(NULL);
        server = client_start(0, 0);
        other = client_start(UID_OTHER, 0);
        channel_create(&server, 0);
        channel_create(&other, 0);
        attach(&server, NULL, 1, 0, SIDE(1), NULL, NULL);
        attach(&other, NULL, 1, 0, SIDE(1), NULL, NULL);
        ck_assert_int_eq(server_info(&other, server.pid, 0, true, &info), EPERM);
        ck_assert_int_eq(server_info(&server, other.pid, 0, true, &info), 0);
        text = daemon_status();
        ck_assert_ptr_nonnull(strstr(text, "\"uid\": 65533"));
        free(text);
        client_kill(&other);
        client_kill(&server);
        daemon_stop();
}
END_TEST

SUITE_MAIN("attach", the_server_hears_of_a_client_before_the_client_has_its_answer,
           a_process_may_be_connected_to_itself,
           further_connections_cost_no_descriptor_and_share_the_scoid,
           what_cannot_be_is_refused_with_the_right_error, the_last_detach_closes_the_lane,
           with_disconnect_the_scoid_stays_until_detached,
           a_detached_scoid_kills_the_clients_connections, server_info_walks_over_the_connections,
           connect_flags_tell_what_was_before, a_link_grows_for_both_sides,
           each_further_user_rings_a_bell_of_its_own,
           one_bell_serves_all_where_the_server_can_wait_on_one_only,
           what_belongs_to_another_user_is_out_of_reach)
