/* SPDX-License-Identifier: MIT */
/* What the others learn when a process dies, and that nothing of it stays. */
#include "suite.h"
#include "wire.h"

#include "shm/slot.h"

#include <errno.h>

#define SIDE(n) (0x40000000 + (n))
#define DISCONNECT 0x8
#define COID_DISCONNECT 0x40

START_TEST(a_dead_server_fails_those_who_wait_for_it) {
        Client server, client;
        WireReplyConnect connect;
        WireReplyExtent extent;
        WireReply reply;
        ShmLink *link;
        ShmSlot *more;
        Fds fds;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, 0);
        attach(&client, &server, 1, 0, SIDE(1), &connect, &fds);
        link = map_fd(&fds.fd[0], LINK_BYTES);
        ask(&client, (WireRequest){ .op = WIRE_LINK_GROW, .link_grow = { connect.link, 0, 0 } }, &reply,
            &fds);
        extent = reply.extent;
        more = map_fd(&fds.fd[0], extent.bytes);
        slot_send(&link->slots[3]);
        slot_send(&more[EXTENT_SLOTS - 1]);
        client_kill(&server);
        word_expect(&link->server_gone, 1);
        ck_assert_uint_eq(news_expect(&client, WIRE_NEWS_COID_DEATH, NULL).coid_death.connection,
                          connect.id);
        ck_assert_uint_eq(link->connections[connect.index], CONNECTION_DEAD);
        ck_assert_uint_eq(slot_state(slot_peek(&link->slots[3])), SLOT_DONE);
        ck_assert_int_eq(link->slots[3].status, -ESRCH);
        ck_assert_uint_eq(slot_state(slot_peek(&more[EXTENT_SLOTS - 1])), SLOT_DONE);
        ck_assert_uint_eq(slot_state(slot_peek(&link->slots[0])), SLOT_IDLE);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(2), NULL, NULL), ESRCH);
        detach(&client, connect.id);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(1), NULL, NULL), ESRCH);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(a_dead_connection_keeps_its_number_until_detached) {
        Client server, client;
        WireReplyConnect connect;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&client, COID_DISCONNECT);
        channel_create(&server, 0);
        attach(&client, &server, 1, 0, SIDE(1), &connect, NULL);
        client_kill(&server);
        news_expect(&client, WIRE_NEWS_COID_DEATH, NULL);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(1), NULL, NULL), EEXIST);
        detach(&client, connect.id);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(1), NULL, NULL), 0);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(a_dead_clients_lanes_close_before_its_link) {
        Client server, client;
        WireReplyConnect first, second;
        WireNewsLaneClose close_1, close_2;
        ShmLink *link;
        Fds fds;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, DISCONNECT);
        channel_create(&server, 0);
        attach(&client, &server, 1, 0, SIDE(1), &first, NULL);
        attach(&client, &server, 2, 0, SIDE(2), &second, NULL);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, &fds);
        link = map_fd(&fds.fd[0], LINK_BYTES);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        client_kill(&client);
        close_1 = news_expect(&server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close;
        close_2 = news_expect(&server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close;
        ck_assert(close_1.died && close_2.died);
        ck_assert_int_eq(close_1.scoid + close_2.scoid, first.scoid + second.scoid);
        ck_assert_uint_eq(link->client_gone, 1);
        ck_assert_uint_eq(news_expect(&server, WIRE_NEWS_LINK_CLOSE, NULL).link_close.link, first.link);
        word_expect(&server.notice->news, 5);
        client_kill(&server);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(a_destroyed_channel_leaves_the_link_and_other_channels_alone) {
        Client server, client;
        WireReplyConnect first, second;
        ShmLink *link;
        Fds fds;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, 0);
        channel_create(&server, 0);
        attach(&client, &server, 1, 0, SIDE(1), &first, &fds);
        link = map_fd(&fds.fd[0], LINK_BYTES);
        attach(&client, &server, 2, 0, SIDE(2), &second, NULL);
        ask(&server, (WireRequest){ .op = WIRE_CHANNEL_DESTROY, .channel_destroy.chid = 1 }, NULL, NULL);
        ck_assert_uint_eq(link->connections[first.index], CONNECTION_DEAD);
        ck_assert_uint_eq(link->connections[second.index], CONNECTION_LIVE);
        ck_assert_uint_eq(link->server_gone, 0);
        ck_assert_int_eq(news_expect(&client, WIRE_NEWS_COID_DEATH, NULL).coid_death.coid, SIDE(1));
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(3), NULL, NULL), ESRCH);
        fds_close(&fds);
        client_kill(&client);
        client_kill(&server);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

/* Everybody connected with everybody, then dying in some order. */
START_TEST(a_crowd_dies_and_nothing_stays) {
        enum { N = 8 };
        Client crowd[N];

        daemon_start(NULL);
        for (int i = 0; i < N; i++) {
                crowd[i] = client_start(0, 0);
                channel_create(&crowd[i], i % 2 ? DISCONNECT : 0);
                channel_create(&crowd[i], COID_DISCONNECT);
        }
        for (int i = 0; i < N; i++)
                for (int j = 0; j < N; j++) {
                        ck_assert_int_eq(attach(&crowd[i], &crowd[j], 1, 0, SIDE(1 + j), NULL, NULL), 0);
                        ck_assert_int_eq(attach(&crowd[i], &crowd[j], 2, 0x40, SIDE(50 + j), NULL, NULL), 0);
                        ck_assert_int_eq(attach(&crowd[i], &crowd[j], 2, 0, 0, NULL, NULL), 0);
                }
        for (int i = 0; i < N; i++)
                client_kill(&crowd[(i * 3) % N]);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(the_daemon_can_stop_with_everybody_alive) {
        Client server, client;
        Fds fds;

        daemon_start(NULL);
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, DISCONNECT);
        attach(&client, &server, 1, 0, SIDE(1), NULL, NULL);
        attach(&client, &server, 1, 0, 0, NULL, &fds);
        daemon_stop();
        client_expect_ended(&client);
        client_kill(&server);
        client_kill(&client);
}
END_TEST

SUITE_MAIN("death", a_dead_server_fails_those_who_wait_for_it,
           a_dead_connection_keeps_its_number_until_detached,
           a_dead_clients_lanes_close_before_its_link,
           a_destroyed_channel_leaves_the_link_and_other_channels_alone,
           a_crowd_dies_and_nothing_stays, the_daemon_can_stop_with_everybody_alive)
