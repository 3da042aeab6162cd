/* SPDX-License-Identifier: MIT */
/* Abilities, limits and events of the system over the wire: what no library would ask, and what outlives the daemon. */
#include "suite.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BOTH (ABILITY_ROOT | ABILITY_NONROOT)

static WireRequest ability(uint32_t number, uint32_t op) {
        return (WireRequest){ .op = WIRE_ABILITY, .ability = { .ability = number, .op = op } };
}

static const WireRequest channel = { .op = WIRE_CHANNEL_CREATE };

static WireRequest watch(uint32_t events) {
        return (WireRequest){ .op = WIRE_EVENT_WATCH, .event_watch.events = events };
}

/* ---- what makes no sense ---- */

START_TEST(an_ability_must_be_one) {
        Client client;

        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_int_eq(ask(&client, ability(5, ABILITY_DENY), NULL, NULL), EINVAL);
        ck_assert_int_eq(ask(&client, ability(5, BOTH | ABILITY_DENY | ABILITY_ALLOW), NULL, NULL), EINVAL);
        ck_assert_int_eq(ask(&client, ability(5, BOTH | 1), NULL, NULL), EINVAL);
        ck_assert_int_eq(ask(&client, ability(ABILITIES_N, BOTH | ABILITY_DENY), NULL, NULL), EINVAL);
        ck_assert_int_eq(ask(&client, ability(UINT32_MAX, BOTH | ABILITY_DENY), NULL, NULL), EINVAL);
        ck_assert_int_eq(ask(&client, ability(ABILITY_ALL, BOTH | ABILITY_DENY | ABILITY_SUBRANGE), NULL, NULL),
                         EINVAL);
        ck_assert_int_eq(ask(&client, channel, NULL, NULL), 0);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

START_TEST(a_name_has_an_end) {
        WireRequest request = { .op = WIRE_ABILITY_NAME, .ability_name.create = 1 };
        Client client;
        WireReply reply;
        int first;

        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_int_eq(ask(&client, request, NULL, NULL), EINVAL);
        memset(request.ability_name.name, 'n', ABILITY_NAME);
        ck_assert_int_eq(ask(&client, request, NULL, NULL), EINVAL);
        request.ability_name.name[ABILITY_NAME - 1] = '\0';
        ck_assert_int_eq(ask(&client, request, &reply, NULL), 0);
        first = reply.ability_name.ability;
        ck_assert_int_ge(first, ABILITY_CUSTOM);
        ck_assert_int_lt(first, ABILITIES_N);
        client_kill(&client);
        daemon_stop();
}
END_TEST

/* 128 of them, each with a number of its own, and no more. */
START_TEST(names_run_out) {
        WireRequest request = { .op = WIRE_ABILITY_NAME, .ability_name.create = 1 };
        bool seen[ABILITIES_N] = { false };
        Client client;
        WireReply reply;

        daemon_start(NULL);
        client = client_start(0, 0);
        for (unsigned i = 0; i < ABILITIES_N - ABILITY_CUSTOM; i++) {
                snprintf(request.ability_name.name, ABILITY_NAME, "name %u", i);
                ck_assert_int_eq(ask(&client, request, &reply, NULL), 0);
                ck_assert(!seen[reply.ability_name.ability]);
                seen[reply.ability_name.ability] = true;
        }
        strcpy(request.ability_name.name, "one more");
        ck_assert_int_eq(ask(&client, request, NULL, NULL), EAGAIN);
        request.ability_name.create = 0;
        ck_assert_int_eq(ask(&client, request, NULL, NULL), ENOENT);
        client_kill(&client);
        daemon_stop();
}
END_TEST

START_TEST(only_a_client_is_asked_about) {
        WireRequest request = { .op = WIRE_ABLE, .able = { .scoid = 12345, .ability = 5 } };
        Client client;

        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_int_eq(ask(&client, request, NULL, NULL), EINVAL);
        request.able.scoid = -1;
        ck_assert_int_eq(ask(&client, request, NULL, NULL), 0);
        request.able.ability = ABILITIES_N;
        ck_assert_int_eq(ask(&client, request, NULL, NULL), EPERM);
        request.able.ability = UINT32_MAX;
        ck_assert_int_eq(ask(&client, request, NULL, NULL), EPERM);
        client_kill(&client);
        daemon_stop();
}
END_TEST

/* ---- watches ---- */

static void expect_hangup(int fd) {
        struct pollfd hangup = { .fd = fd };

        ck_assert_int_eq(poll(&hangup, 1, WIRE_WAIT_MS), 1);
        ck_assert(hangup.revents & POLLHUP);
        close(fd);
}

/* Unless the process says that it has lost it. */
START_TEST(a_watch_has_one_socket) {
        const WireRequest anew = { .op = WIRE_EVENT_WATCH, .event_watch = { .events = 1, .fresh = 1 } };
        Client client;
        WireReply reply;
        Fds fds;
        int first;

        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_int_eq(ask(&client, watch(0), &reply, NULL), 0);
        ck_assert_uint_eq(reply.fds, 0);
        ck_assert_int_eq(ask(&client, watch(1), &reply, &fds), 0);
        ck_assert_uint_eq(reply.fds, WIRE_FD_EVENTS);
        first = fds.fd[0];
        ck_assert_int_eq(ask(&client, watch(UINT32_MAX), &reply, NULL), 0);
        ck_assert_uint_eq(reply.fds, 0);
        ck_assert_int_eq(ask(&client, anew, &reply, &fds), 0);
        ck_assert_uint_eq(reply.fds, WIRE_FD_EVENTS);
        expect_hangup(first);
        ck_assert_int_eq(ask(&client, watch(0), &reply, NULL), 0);
        expect_hangup(fds.fd[0]);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

/* Who does not read loses the newest, and keeps nobody waiting. */
START_TEST(a_watcher_that_does_not_read_holds_nothing_up) {
        const WireRequest trigger = { .op = WIRE_EVENT_TRIGGER, .event_trigger.events = 1 };
        Client watcher, other;
        WireSystemEvent event;
        WireReply reply;
        Fds fds;

        daemon_start(NULL);
        watcher = client_start(0, 0);
        other = client_start(0, 0);
        ck_assert_int_eq(ask(&watcher, watch(1), &reply, &fds), 0);
        for (int i = 0; i < 5000; i++)
                ck_assert_int_eq(ask(&other, trigger, NULL, NULL), 0);
        ck_assert_int_eq(read(fds.fd[0], &event, sizeof(event)), sizeof(event));
        ck_assert_uint_eq(event.event, 1);
        ck_assert_int_eq(event.pid, other.pid);
        client_kill(&watcher);
        while (read(fds.fd[0], &event, sizeof(event)) > 0)
                ;
        close(fds.fd[0]);
        client_kill(&other);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

/* ---- the next daemon ---- */

START_TEST(what_is_forbidden_stays_so_under_the_next_daemon) {
        WireRequest limit = { .op = WIRE_LIMIT, .limit = { .set = 1, .soft = 7, .hard = 9 } };
        const WireRequest anew = { .op = WIRE_EVENT_WATCH, .event_watch = { .events = 1, .fresh = 1 } };
        Client client;
        WireReply reply;
        Fds fds;

        daemon_use_store();
        daemon_start(NULL);
        client = client_start(0, 0);
        ck_assert_int_eq(ask(&client, ability(ABILITY_PUBLIC_CHANNEL, BOTH | ABILITY_DENY | ABILITY_LOCK), NULL, NULL),
                         0);
        ck_assert_int_eq(ask(&client, limit, NULL, NULL), 0);
        ck_assert_int_eq(ask(&client, watch(1), &reply, &fds), 0);
        daemon_kill();
        daemon_start_again(NULL);
        expect_hangup(fds.fd[0]);
        ck_assert_int_eq(ask(&client, channel, NULL, NULL), EPERM);
        ck_assert_int_eq(ask(&client, ability(ABILITY_PUBLIC_CHANNEL, BOTH | ABILITY_ALLOW), NULL, NULL), EPERM);
        limit.limit.set = 0;
        ck_assert_int_eq(ask(&client, limit, &reply, NULL), 0);
        ck_assert_uint_eq(reply.limit.soft, 7);
        ck_assert_uint_eq(reply.limit.hard, 9);
        ck_assert_int_eq(ask(&client, anew, &reply, &fds), 0);
        ck_assert_uint_eq(reply.fds, WIRE_FD_EVENTS);
        close(fds.fd[0]);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

SUITE_MAIN("ability", an_ability_must_be_one, a_name_has_an_end, names_run_out, only_a_client_is_asked_about,
           a_watch_has_one_socket, a_watcher_that_does_not_read_holds_nothing_up,
           what_is_forbidden_stays_so_under_the_next_daemon)
