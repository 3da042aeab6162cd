/* SPDX-License-Identifier: MIT */
/* Limits: EAGAIN at the limit, what is given back can be had again, other users notice nothing. */
#include "suite.h"
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIDE(n) (0x40000000 + (n))

START_TEST(channels_end_at_the_limit) {
        WireRequest destroy = { .op = WIRE_CHANNEL_DESTROY, .channel_destroy.chid = 2 };
        Client client;

        daemon_start((const char *const[]){ "--max-channels", "3", NULL });
        client = client_start(0, 0);
        for (int i = 1; i <= 3; i++)
                ck_assert_int_eq(channel_create(&client, 0), i);
        ck_assert_int_eq(channel_create(&client, 0), -EAGAIN);
        ck_assert_int_eq(ask(&client, destroy, NULL, NULL), 0);
        ck_assert_int_ge(channel_create(&client, 0), 1);
        ck_assert_int_eq(channel_create(&client, 0), -EAGAIN);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(connections_end_at_the_limit_and_leave_no_trace) {
        WireReplyConnect connect;
        Client client;
        Fds fds;

        daemon_start((const char *const[]){ "--max-connections", "2", NULL });
        client = client_start(0, 0);
        channel_create(&client, 0);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(1), NULL, NULL), 0);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, 0, &connect, &fds), 0);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(3), NULL, NULL), EAGAIN);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, 0, NULL, NULL), EAGAIN);
        ck_assert_int_eq(attach(&client, NULL, 1, 0x40, SIDE(3), NULL, NULL), EAGAIN);
        detach(&client, connect.id);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(3), NULL, NULL), 0);
        fds_close(&fds);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(links_end_at_the_limit) {
        Client server, client;
        Fds fds;

        daemon_start((const char *const[]){ "--max-links", "1", NULL });
        server = client_start(0, 0);
        client = client_start(0, 0);
        channel_create(&server, 0);
        channel_create(&client, 0);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(1), NULL, NULL), 0);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(2), NULL, NULL), EAGAIN);
        client_hang_up(&client);
        daemon_expect_none("links");
        client_kill(&client);
        client = client_start(0, 0);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE(2), NULL, &fds), 0);
        ck_assert_int_ge(fds.fd[1], 0);
        fds_close(&fds);
        client_kill(&client);
        client_kill(&server);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(a_refused_attach_leaves_first_descriptors_for_the_next) {
        Client client;
        Fds fds;

        daemon_start((const char *const[]){ "--max-connections", "1", NULL });
        client = client_start(0, 0);
        channel_create(&client, 0);
        channel_create(&client, 0);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(1), NULL, NULL), 0);
        ck_assert_int_eq(attach(&client, NULL, 2, 0, SIDE(2), NULL, NULL), EAGAIN);
        detach(&client, 1);
        ck_assert_int_eq(attach(&client, NULL, 2, 0, SIDE(2), NULL, &fds), 0);
        ck_assert_int_ge(fds.fd[1], 0); /* the second channel's bell */
        fds_close(&fds);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(bytes_end_at_the_limit) {
        WireRequest grow = { .op = WIRE_LINK_GROW, .link_grow = { 0, WIRE_EXTENT_BULK, 1 << 20 } };
        WireReplyConnect connect;
        Client client;

        daemon_start((const char *const[]){ "--max-bytes", "3M", NULL });
        client = client_start(0, 0);
        channel_create(&client, 0);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(1), &connect, NULL), 0);
        grow.link_grow.link = connect.link;
        ck_assert_int_eq(ask(&client, grow, NULL, NULL), 0);
        ck_assert_int_eq(ask(&client, grow, NULL, NULL), 0);
        ck_assert_int_eq(ask(&client, grow, NULL, NULL), EAGAIN);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(processes_end_at_the_limit_but_tools_may_look) {
        Client first, second;

        daemon_start((const char *const[]){ "--max-processes", "1", NULL });
        first = client_start(0, 0);
        second = client_connect(0);
        ck_assert_int_eq(greet(&second, 0), EAGAIN);
        free(daemon_status());
        client_kill(&first);
        daemon_expect_empty();
        ck_assert_int_eq(greet(&second, 0), 0);
        client_kill(&second);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(one_user_at_its_limit_leaves_the_others_alone) {
        Client mine, other;

        if (geteuid() != 0)
                return;
        daemon_start((const char *const[]){ "--max-channels", "1", NULL });
        mine = client_start(0, 0);
        other = client_start(UID_OTHER, 0);
        ck_assert_int_eq(channel_create(&other, 0), 1);
        ck_assert_int_eq(channel_create(&other, 0), -EAGAIN);
        ck_assert_int_eq(channel_create(&mine, 0), 1);
        client_kill(&mine);
        client_kill(&other);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

static int name_attach(Client *client, const char *text) {
        WireRequest request = { .op = WIRE_PATH_ATTACH,
                                .path_attach = { .chid = 1, .bytes = (uint32_t)strlen(text) } };
        int fd = memfd_create("name", MFD_CLOEXEC), status;

        ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
        status = ask_with_fd(client, request, fd, NULL, NULL);
        close(fd);
        return status;
}

START_TEST(names_end_at_the_limit) {
        Client client;

        daemon_start((const char *const[]){ "--max-paths", "2", NULL });
        client = client_start(0, 0);
        channel_create(&client, 0);
        ck_assert_int_eq(name_attach(&client, "/dev/a"), 0);
        ck_assert_int_eq(name_attach(&client, "/dev/b"), 0);
        ck_assert_int_eq(name_attach(&client, "/dev/c"), EAGAIN);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(sockets_that_say_nothing_end_at_the_limit) {
        Client client, extra;
        enum { MOST = 8 };
        int silent[MOST + 1];

        daemon_start((const char *const[]){ "--max-sessions", "8", NULL });
        client = client_start(0, 0); /* has said what it is */
        for (int i = 0; i <= MOST; i++)
                silent[i] = wire_connect();
        extra = (Client){ .socket = silent[MOST] };
        client_expect_ended(&extra);
        ck_assert_int_eq(channel_create(&client, 0), 1);
        for (int i = 0; i <= MOST; i++)
                close(silent[i]);
        daemon_expect_room(); /* they may still be counted */
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(descriptors_end_at_the_limit) {
        Client client;
        int r = 0;

        daemon_start((const char *const[]){ "--max-fds", "40", NULL });
        client = client_start(0, 0);
        for (int i = 0; i < 40 && r >= 0; i++) {
                r = channel_create(&client, 0);
                if (r >= 0)
                        r = -attach(&client, NULL, r, 0, 0, NULL, NULL); /* one lifeline each */
        }
        ck_assert_int_eq(r, -EAGAIN);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

/* Ids of connections tell the order in which they were made. */
static uint32_t attached_as(Client *client) {
        WireReply reply;

        ck_assert_int_eq(recv(client->socket, &reply, sizeof(reply), 0), sizeof(reply));
        ck_assert_int_eq(reply.status, 0);
        return reply.connect.id;
}

START_TEST(who_comes_among_many_of_another_user_is_served_second) {
        enum { MANY = 8 };
        WireRequest request = { .op = WIRE_CONNECT_ATTACH, .connect_attach = { 0, 1, 0, SIDE(1) } };
        Client many[MANY], other;
        uint32_t id, earlier = 0;

        if (geteuid() != 0)
                return;
        daemon_start(NULL);
        for (int i = 0; i < MANY; i++) {
                many[i] = client_start(0, 0);
                channel_create(&many[i], 0);
        }
        other = client_start(UID_OTHER, 0);
        channel_create(&other, 0);
        daemon_freeze(true);
        for (int i = 0; i < MANY; i++) {
                if (i == MANY / 2) /* whichever end the loop begins at */
                        tell(&other, request);
                tell(&many[i], request);
        }
        daemon_freeze(false);
        id = attached_as(&other);
        for (int i = 0; i < MANY; i++)
                earlier += attached_as(&many[i]) < id;
        ck_assert_uint_le(earlier, 1);
        for (int i = 0; i < MANY; i++)
                client_kill(&many[i]);
        client_kill(&other);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(a_link_holds_4096_connections) {
        WireReplyConnect connect;
        Client client;

        daemon_start(NULL);
        client = client_start(0, 0);
        channel_create(&client, 0);
        for (int i = 1; i <= 4096; i++)
                ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(i), &connect, NULL), 0);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(5000), NULL, NULL), EAGAIN);
        detach(&client, connect.id);
        ck_assert_int_eq(attach(&client, NULL, 1, 0, SIDE(5000), NULL, NULL), 0);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

SUITE_MAIN("quota", channels_end_at_the_limit, connections_end_at_the_limit_and_leave_no_trace,
           links_end_at_the_limit, a_refused_attach_leaves_first_descriptors_for_the_next,
           bytes_end_at_the_limit, processes_end_at_the_limit_but_tools_may_look,
           one_user_at_its_limit_leaves_the_others_alone, names_end_at_the_limit,
           sockets_that_say_nothing_end_at_the_limit, descriptors_end_at_the_limit,
           who_comes_among_many_of_another_user_is_served_second, a_link_holds_4096_connections)
