/* SPDX-License-Identifier: MIT */
/* Greeting, channels, and who may ask what. */
#include "suite.h"
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

START_TEST(a_greeting_gives_a_process_its_memory_and_its_news) {
        Client client;

        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_uint_eq(client.greet.uid, geteuid());
        ck_assert_uint_eq(client.greet.priority_max, geteuid() == 0 ? 255 : 63);
        ck_assert_uint_ne(client.greet.process, 0);
        ck_assert_uint_eq(client.notice->news, 0);
        ck_assert(!news_is_there(&client));
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(another_version_is_refused_and_the_session_ended) {
        WireRequest request = { .op = WIRE_GREET, .greet = { WIRE_VERSION, LAYOUT_VERSION + 1, 0 } };
        Client client;

        daemon_start(NULL);
        client = client_connect(0);
        ck_assert_int_eq(ask(&client, request, NULL, NULL), EPROTO);
        client_expect_ended(&client);
        client_kill(&client);
        daemon_stop();
}
END_TEST

START_TEST(a_second_greeting_ends_the_session) {
        Client client;

        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_int_eq(greet(&client, 0), EPROTO);
        client_expect_ended(&client);
        daemon_expect_empty();
        client_kill(&client);
        daemon_stop();
}
END_TEST

START_TEST(nothing_may_be_asked_before_the_greeting) {
        Client client;

        daemon_start(NULL);
        for (uint32_t op = WIRE_GREET + 1; op < WIRE_OPS_N; op++) {
                client = client_connect(0);
                tell(&client, (WireRequest){ .op = op });
                client_expect_ended(&client);
                client_kill(&client);
        }
        daemon_stop();
}
END_TEST

START_TEST(an_observer_may_only_look) {
        Client client;
        char *text;

        daemon_start(NULL);
        text = daemon_status();
        ck_assert_ptr_nonnull(strstr(text, "\"processes\": []"));
        free(text);
        client = client_connect(0);
        ck_assert_int_eq(greet(&client, WIRE_GREET_OBSERVER), 0);
        ck_assert_int_eq(ask(&client, (WireRequest){ .op = WIRE_CHANNEL_CREATE }, NULL, NULL), EPROTO);
        client_expect_ended(&client);
        client_kill(&client);
        daemon_stop();
}
END_TEST

START_TEST(a_closed_socket_is_the_end_of_a_program_though_the_process_lives) {
        Client client;

        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&client, 0), 1);
        client_hang_up(&client);
        daemon_expect_empty();
        client_kill(&client);
        daemon_stop();
}
END_TEST

START_TEST(a_process_that_greets_anew_ends_what_it_was) {
        Client old = { .socket = -1, .news = -1 }, new = old;

        daemon_start(NULL);
        old.socket = wire_connect();
        new.socket = wire_connect();
        ck_assert_int_eq(greet(&old, 0), 0);
        ck_assert_int_eq(greet(&new, 0), 0);
        ck_assert_int_eq(channel_create(&new, 0), 1);
        client_expect_ended(&old);
        client_hang_up(&new);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(the_first_channel_is_1_and_numbers_do_not_come_back_soon) {
        WireRequest destroy = { .op = WIRE_CHANNEL_DESTROY, .channel_destroy.chid = 2 };
        Client client;

        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&client, 0), 1);
        ck_assert_int_eq(channel_create(&client, 0), 2);
        ck_assert_int_eq(ask(&client, destroy, NULL, NULL), 0);
        ck_assert_int_eq(ask(&client, destroy, NULL, NULL), EINVAL);
        ck_assert_int_eq(channel_create(&client, 0), 3);
        ck_assert_int_eq(channel_create(&client, 0x10000), -EINVAL);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(a_client_knows_its_own_credentials) {
        WireRequest request = { .op = WIRE_CLIENT_INFO, .client_info.scoid = -1 };
        Client client;
        WireReply reply;

        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_int_eq(ask(&client, request, &reply, NULL), 0);
        ck_assert_int_eq(reply.client_info.pid, client.pid);
        ck_assert_int_eq(reply.client_info.sid, getsid(0));
        ck_assert_uint_eq(reply.client_info.euid, geteuid());
        ck_assert_uint_eq(reply.client_info.ruid, getuid());
        ck_assert_uint_eq(reply.client_info.egid, getegid());
        request.client_info.scoid = 0x10000;
        ck_assert_int_eq(ask(&client, request, &reply, NULL), EINVAL);
        client_kill(&client);
        daemon_stop();
}
END_TEST

SUITE_MAIN("greet", a_greeting_gives_a_process_its_memory_and_its_news,
           another_version_is_refused_and_the_session_ended, a_second_greeting_ends_the_session,
           nothing_may_be_asked_before_the_greeting, an_observer_may_only_look,
           a_closed_socket_is_the_end_of_a_program_though_the_process_lives,
           a_process_that_greets_anew_ends_what_it_was,
           the_first_channel_is_1_and_numbers_do_not_come_back_soon, a_client_knows_its_own_credentials)
