/* SPDX-License-Identifier: MIT */
/* The process manager between users: what an ordinary one may do, and to whom. */
#include "../harness.h"

#include <errno.h>
#include <sys/neutrino.h>
#include <sys/procmgr.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SOMEBODY 65531
#define ANOTHER  65532
#define BOTH     (PROCMGR_ADN_ROOT | PROCMGR_ADN_NONROOT)

static void run_as(uid_t uid, PeerMain run, long number) {
        Peer peer = peer_start_as(uid, run, getpid(), 1, number);

        peer_end(&peer);
}

static void forbid_myself(Peer *me) {
        unsigned what = BOTH | PROCMGR_AID_PUBLIC_CHANNEL;

        channel_free(channel_new(0));
        ck_assert_int_eq(procmgr_ability(0, what | PROCMGR_AOP_DENY, PROCMGR_AID_EOL), EOK);
        ck_assert_int_eq(procmgr_ability(0, what | PROCMGR_AOP_ALLOW, PROCMGR_AID_EOL), EPERM);
        ck_assert_fails(ChannelCreate(0), EPERM);
}

START_TEST(who_forbids_himself_something_does_not_get_it_back) {
        run_as(SOMEBODY, forbid_myself, 0);
}
END_TEST

static void take_io(Peer *me) {
        ck_assert_int_eq(procmgr_ability(0, PROCMGR_ADN_NONROOT | PROCMGR_AOP_ALLOW | PROCMGR_AID_IO,
                                         PROCMGR_AID_EOL), EPERM);
        ck_assert_r(procmgr_ability_create("users/mine", 0), -EPERM);
        ck_assert_fails(procmgr_event_trigger(PROCMGR_EVENT_SYNC), EPERM);
}

START_TEST(nobody_takes_what_is_root_s) {
        run_as(SOMEBODY, take_io, 0);
}
END_TEST

static void forbid_parent(Peer *me) {
        struct rlimit limit = { 0, 0 };

        ck_assert_int_eq(procmgr_ability(me->server, BOTH | PROCMGR_AOP_DENY | PROCMGR_AID_PUBLIC_CHANNEL,
                                         PROCMGR_AID_EOL), EPERM);
        ck_assert_fails(prlimit(me->server, RLIMIT_CHANNELS_NP, &limit, NULL), EPERM);
}

START_TEST(nobody_forbids_another_user) {
        int chid = channel_new(0);

        run_as(ANOTHER, forbid_parent, 0);
        channel_free(chid);
}
END_TEST

/* What root allows a user's process it has after it has become that user. */
static void become_somebody(Peer *me) {
        ck_assert_int_eq(procmgr_ability(0, PROCMGR_ADN_NONROOT | PROCMGR_AOP_ALLOW | PROCMGR_AID_PUBLIC_CHANNEL,
                                         PROCMGR_ADN_ROOT | PROCMGR_AOP_DENY | PROCMGR_AID_PUBLIC_CHANNEL,
                                         PROCMGR_AID_EOL), EOK);
        ck_assert_fails(ChannelCreate(0), EPERM);
        ck_assert_ok(setuid(SOMEBODY));
        channel_free(channel_new(0));
}

START_TEST(root_prepares_for_being_somebody) {
        run_as(0, become_somebody, 0);
}
END_TEST

static void raise_limit(Peer *me) {
        struct rlimit limit = { 2, 2 }, more = { 3, 3 };

        ck_assert_ok(setrlimit(RLIMIT_CHANNELS_NP, &limit));
        ck_assert_fails(setrlimit(RLIMIT_CHANNELS_NP, &more), EPERM);
        limit.rlim_cur = 1;
        ck_assert_ok(setrlimit(RLIMIT_CHANNELS_NP, &limit));
}

START_TEST(a_hard_limit_is_hard) {
        run_as(SOMEBODY, raise_limit, 0);
}
END_TEST

/* ---- timers ---- */

static int pulse_timer(int coid) {
        struct sigevent event;
        timer_t timer;

        SIGEV_PULSE_INIT(&event, coid, 10, 1, 0);
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
                return errno;
        ck_assert_ok(timer_delete(timer));
        return EOK;
}

static void time_a_stranger(Peer *me) {
        int own = channel_new(0), self = connect_side(0, own), coid = peer_connect(me);

        ck_assert_int_eq(pulse_timer(self), EOK);
        ck_assert_int_eq(pulse_timer(coid), (int)me->number);
        connect_free(coid);
        connect_free(self);
        channel_free(own);
}

START_TEST(timers_send_no_pulses_to_strangers) {
        int chid = channel_new(0);

        run_as(0, time_a_stranger, EOK);
        run_as(SOMEBODY, time_a_stranger, EPERM);
        channel_free(chid);
}
END_TEST

int main(void) {
        return harness_main_users("procmgr-users",
                                  HARNESS_TESTS(who_forbids_himself_something_does_not_get_it_back,
                                                nobody_takes_what_is_root_s, nobody_forbids_another_user,
                                                root_prepares_for_being_somebody, a_hard_limit_is_hard,
                                                timers_send_no_pulses_to_strangers));
}
