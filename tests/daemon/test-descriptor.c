/* SPDX-License-Identifier: MIT */
/* Connections that are file descriptors: close, dup, inheritance. */
#include "suite.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PRIVATE 0x1000

typedef struct Pair {
        Client server, client;
        WireReplyConnect connect;
        ShmLink *link;
        int fd; /* the coid */
} Pair;

static Pair pair_start(uint32_t flags) {
        Pair pair;
        Fds fds;

        daemon_start(NULL);
        pair.server = client_start(0, 0);
        pair.client = client_start(0, 0);
        channel_create(&pair.server, 0);
        ck_assert_int_eq(attach(&pair.client, &pair.server, 1, flags, 0, &pair.connect, &fds), 0);
        ck_assert_int_ge(fds.fd[2], 0);
        pair.link = map_fd(&fds.fd[0], LINK_BYTES);
        pair.fd = fds.fd[2];
        fds.fd[2] = -1;
        fds_close(&fds);
        news_expect(&pair.server, WIRE_NEWS_LANE_OPEN, NULL);
        return pair;
}

static void pair_end(Pair *pair) {
        client_kill(&pair->client);
        client_kill(&pair->server);
        close(pair->fd);
        daemon_expect_empty();
        daemon_stop();
}

static void number(Client *client, uint32_t connection, int32_t coid) {
        tell(client, (WireRequest){ .op = WIRE_CONNECT_NUMBER, .connect_number = { connection, coid } });
}

static int adopt(Client *client, int fd, int32_t coid, WireReplyConnect *ret_connect, Fds *fds) {
        WireReply reply;
        int status = ask_with_fd(client, (WireRequest){ .op = WIRE_CONNECT_ADOPT, .connect_adopt.coid = coid },
                                 fd, &reply, fds);

        *ret_connect = reply.connect;
        return status;
}

static int coid_of(Client *client, int32_t from) {
        WireRequest request = { .op = WIRE_SERVER_INFO, .server_info = { 0, from, 1 } };
        WireReply reply;
        int status = ask(client, request, &reply, NULL);

        return status ? -status : reply.server_info.coid;
}

START_TEST(closing_the_last_copy_detaches) {
        Pair pair = pair_start(0);
        int copy = dup(pair.fd);

        close(pair.fd);
        ck_assert_int_eq(coid_of(&pair.client, 0), -EINVAL); /* no number yet; and time has passed */
        ck_assert_uint_eq(pair.link->connections[pair.connect.index], CONNECTION_LIVE);
        close(copy);
        word_expect(&pair.link->connections[pair.connect.index], CONNECTION_FREE);
        ck_assert_uint_eq(news_expect(&pair.server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close.died, 0);
        pair.fd = -1;
        pair_end(&pair);
}
END_TEST

START_TEST(the_number_is_told_afterwards_and_moves_to_who_has_it_now) {
        Pair pair = pair_start(0);
        WireReplyConnect second;
        Fds fds;

        number(&pair.client, pair.connect.id, 5);
        ck_assert_int_eq(coid_of(&pair.client, 0), 5);
        ck_assert_int_eq(attach(&pair.client, &pair.server, 1, 0, 0, &second, &fds), 0);
        number(&pair.client, second.id, 5); /* the first one was duplicated elsewhere, then closed */
        ck_assert_int_eq(coid_of(&pair.client, 0), 5);
        ck_assert_int_eq(coid_of(&pair.client, 6), -EINVAL);
        detach(&pair.client, second.id);
        ck_assert_int_eq(coid_of(&pair.client, 0), -EINVAL);
        fds_close(&fds);
        pair_end(&pair);
}
END_TEST

START_TEST(an_inherited_descriptor_is_a_connection_of_the_heir) {
        Pair pair = pair_start(0x100);
        Client child = client_start(0, 0);
        WireReplyConnect heir, again;
        ShmLink *link;
        Fds fds;

        ck_assert_int_eq(adopt(&child, pair.fd, 5, &heir, &fds), 0);
        ck_assert_int_ne(heir.scoid, pair.connect.scoid);
        ck_assert_uint_eq(heir.flags, 0x100);
        ck_assert_int_eq(news_expect(&pair.server, WIRE_NEWS_LANE_OPEN, NULL).lane_open.client.pid,
                         child.pid);
        link = map_fd(&fds.fd[0], LINK_BYTES);
        fds_close(&fds);
        ck_assert_uint_eq(link->connections[heir.index], CONNECTION_LIVE);
        ck_assert_int_eq(adopt(&child, pair.fd, 7, &again, NULL), 0); /* dup: the same connection */
        ck_assert_uint_eq(again.id, heir.id);
        ck_assert_int_eq(coid_of(&child, 0), 5);
        client_kill(&pair.client); /* the descriptor lives on in the child */
        ck_assert_uint_eq(news_expect(&pair.server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close.died, 1);
        ck_assert_uint_eq(link->connections[heir.index], CONNECTION_LIVE);
        close(pair.fd);
        pair.fd = -1;
        word_expect(&link->connections[heir.index], CONNECTION_FREE);
        client_kill(&child);
        pair_end(&pair);
}
END_TEST

/* exec: the old program's connection ends, the descriptor waits for the new one. */
START_TEST(a_descriptor_without_users_waits_for_the_next) {
        Pair pair = pair_start(0);
        Client next;
        WireReplyConnect connect;

        client_kill(&pair.client);
        news_expect(&pair.server, WIRE_NEWS_LANE_CLOSE, NULL);
        news_expect(&pair.server, WIRE_NEWS_LINK_CLOSE, NULL);
        next = client_start(0, 0);
        ck_assert_int_eq(adopt(&next, pair.fd, 5, &connect, NULL), 0);
        client_kill(&next);
        pair_end(&pair);
}
END_TEST

START_TEST(what_is_no_connection_cannot_be_adopted) {
        Pair pair = pair_start(0);
        WireReplyConnect connect;
        int null = open("/dev/null", O_RDONLY), ends[2];

        ck_assert_int_eq(pipe(ends), 0);
        ck_assert_int_eq(adopt(&pair.client, null, 5, &connect, NULL), EBADF);
        ck_assert_int_eq(adopt(&pair.client, ends[0], 5, &connect, NULL), EBADF);
        ck_assert_int_eq(adopt(&pair.client, pair.client.socket, 5, &connect, NULL), EBADF);
        ck_assert_int_eq(adopt(&pair.server, pair.fd, -1, &connect, NULL), EINVAL);
        ask(&pair.server, (WireRequest){ .op = WIRE_CHANNEL_DESTROY, .channel_destroy.chid = 1 }, NULL, NULL);
        ck_assert_int_eq(adopt(&pair.server, pair.fd, 5, &connect, NULL), EBADF);
        ck_assert_int_eq(adopt(&pair.client, pair.fd, 5, &connect, NULL), EBADF);
        pair_end(&pair);
}
END_TEST

/* What a program writes into its descriptor goes nowhere and wakes nobody. */
START_TEST(bytes_written_into_a_descriptor_do_no_harm) {
        Pair pair = pair_start(0);
        char byte = 'x';

        (void)fcntl(pair.fd, F_SETFL, O_NONBLOCK);
        while (write(pair.fd, &byte, 1) == 1)
                continue;
        number(&pair.client, pair.connect.id, 5);
        ck_assert_int_eq(coid_of(&pair.client, 0), 5);
        close(pair.fd);
        pair.fd = -1;
        word_expect(&pair.link->connections[pair.connect.index], CONNECTION_FREE);
        pair_end(&pair);
}
END_TEST

SUITE_MAIN("descriptor", closing_the_last_copy_detaches,
           the_number_is_told_afterwards_and_moves_to_who_has_it_now,
           an_inherited_descriptor_is_a_connection_of_the_heir,
           a_descriptor_without_users_waits_for_the_next, what_is_no_connection_cannot_be_adopted,
           bytes_written_into_a_descriptor_do_no_harm)
