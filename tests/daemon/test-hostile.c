/* SPDX-License-Identifier: MIT */
/* Garbage on the control socket costs the one who sent it, nobody else. */
#include "suite.h"
#include "wire.h"

#include "base/fdmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIDE(n) (0x40000000 + (n))

static void expect_alive(Client *bystander) {
        ck_assert_int_ge(channel_create(bystander, 0), 1);
}

START_TEST(a_record_of_any_other_size_ends_the_session) {
        char bytes[400] = { 0 };
        Client bystander, client;

        daemon_start(NULL);
        bystander = client_start(0, 0);
        for (size_t n = 1; n <= sizeof(bytes); n += 21) {
                if (n == sizeof(WireRequest))
                        continue;
                client = client_start(0, 0);
                ck_assert_int_eq(fdmsg_send(client.socket, bytes, n, NULL, 0, 0), 0);
                client_expect_ended(&client);
                client_kill(&client);
        }
        expect_alive(&bystander);
        client_kill(&bystander);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(unknown_requests_and_uninvited_descriptors_end_the_session) {
        const WireRequest bad[] = {
                { .op = WIRE_OPS_N },
                { .op = UINT32_MAX },
                { .op = WIRE_CHANNEL_CREATE, .pad = 1 },
                { .op = WIRE_CHANNEL_CREATE, .fds = 1 },
                { .op = WIRE_CONNECT_ADOPT, .connect_adopt.coid = 4 },
        };
        WireRequest request = { .op = WIRE_CHANNEL_CREATE };
        Client client;

        daemon_start(NULL);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                client = client_start(0, 0);
                tell(&client, bad[i]);
                client_expect_ended(&client);
                client_kill(&client);
        }
        client = client_start(0, 0);
        ck_assert_int_eq(ask_with_fd(&client, request, STDIN_FILENO, NULL, NULL), EPROTO);
        client_expect_ended(&client);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

/* Requests of the right size and random content, from a fixed seed. */
START_TEST(random_requests_harm_nobody_else) {
        Client bystander, client;
        WireRequest request;
        WireReply reply;
        unsigned seed = 1;
        uint32_t *words = (uint32_t *)&request;

        daemon_start((const char *const[]){ "--max-bytes", "64M", NULL });
        bystander = client_start(0, 0);
        client = client_start(0, 0);
        for (int i = 0; i < 20000; i++) {
                for (size_t k = 0; k < sizeof(request) / sizeof(*words); k++)
                        words[k] = rand_r(&seed) % 5 ? (uint32_t)rand_r(&seed) % 9
                                                     : (uint32_t)rand_r(&seed) * 2;
                request.op = 1u + (unsigned)rand_r(&seed) % (WIRE_OPS_N - 1);
                request.fds = request.pad = 0;
                if (request.op == WIRE_CONNECT_ADOPT || request.op == WIRE_STATUS)
                        continue;
                if (request.op == WIRE_CONNECT_DETACH || request.op == WIRE_CONNECT_NUMBER)
                        tell(&client, request);
                else
                        (void)ask(&client, request, &reply, NULL);
        }
        client_kill(&client);
        daemon_expect_none("links"); /* it may have used up what its user may hold */
        expect_alive(&bystander);
        client_kill(&bystander);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(who_does_not_read_replies_is_shown_out) {
        WireRequest request = { .op = WIRE_CLIENT_INFO, .client_info.scoid = -1 };
        Client bystander, client;

        daemon_start(NULL);
        bystander = client_start(0, 0);
        client = client_start(0, 0);
        for (int r = 0, i = 0; r == 0 && i < 100000; i++)
                r = fdmsg_send(client.socket, &request, sizeof(request), NULL, 0, 0);
        client_expect_ended(&client);
        expect_alive(&bystander);
        client_kill(&client);
        client_kill(&bystander);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(who_connects_and_says_nothing_is_bounded) {
        enum { N = 2100 };
        static int sockets[N];
        WireRequest request = { .op = WIRE_GREET, .greet = { WIRE_VERSION, LAYOUT_VERSION, 0 } };
        Client bystander, extra;
        int last;

        daemon_start(NULL);
        bystander = client_start(0, 0);
        for (last = 0; last < N; last++) {
                sockets[last] = wire_connect();
                if (sockets[last] < 0)
                        break;
        }
        if (last == N) { /* else we ran out of descriptors first */
                extra = (Client){ .socket = sockets[N - 1] };
                client_expect_ended(&extra);
                ck_assert_int_ne(fdmsg_send(extra.socket, &request, sizeof(request), NULL, 0, 0), 0);
        }
        expect_alive(&bystander);
        while (last-- > 0)
                close(sockets[last]);
        client_kill(&bystander);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

SUITE_MAIN("hostile", a_record_of_any_other_size_ends_the_session,
           unknown_requests_and_uninvited_descriptors_end_the_session, random_requests_harm_nobody_else,
           who_does_not_read_replies_is_shown_out, who_connects_and_says_nothing_is_bounded)
