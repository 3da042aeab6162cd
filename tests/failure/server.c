/* SPDX-License-Identifier: MIT */
/* Server: what receives, reads, writes and replies, while what it needs fails. */
#include "trial.h"

#include <errno.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

/* Bits of lanes whose news could not be taken yet. */
#define EARLY_RINGING 2100

static int chid, coid;

/* ---- what a server does ---- */

static Peer client; /* of the trial; it sends so many trial_bytes as it is told */

/* What has no memory or no descriptor left says EAGAIN; then it is tried again. */
static void send_as_told(Peer *me) {
        long n;

        coid = 0;
        while ((n = peer_hear(me)) > 0) {
                if (coid == 0)
                        coid = peer_connect(me);
                pattern_fill(trial_bytes, (size_t)n, 3);
                memset(trial_back, 0, sizeof(trial_back));
                while (MsgSend(coid, trial_bytes, (size_t)n, trial_back, (size_t)n) < 0)
                        ck_assert_msg(errno == EAGAIN || errno == ENOMEM, "a client got %s", strerror(errno));
                ck_assert(pattern_is(trial_back, (size_t)n, 3));
                ck_assert_ok(MsgSendPulse(coid, -1, 5, (int)n));
                peer_say(me, 0);
        }
        connect_free(coid);
}

static void serve_nobody_yet(Peer *me) {
        (void)me;
        chid = channel_new(0);
        client = peer_start(send_as_told, chid, 0);
}

/* Has the client do it, and waits for its word that it is done. */
static void tell_client(long n) {
        inject_pause();
        peer_say(&client, n);
        inject_resume();
}

static void hear_client(void) {
        inject_pause();
        peer_hear(&client);
        inject_resume();
}

/* A message that never comes is a client that waits for ever. */
static int receive_in_time(void *to, size_t n) {
        const uint64_t patience = 10000000000u;

        TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &patience, NULL);
        return MsgReceive(chid, to, n, NULL);
}

static int serve(size_t n) {
        struct _pulse pulse;
        int rcvid;

        tell_client((long)n);
        rcvid = receive_in_time(trial_bytes, 1000); /* the rest is fetched */
        if (rcvid < 0)
                return errno;
        if (n > 1000 && MsgRead(rcvid, trial_bytes + 1000, n - 1000, 1000) != (ssize_t)n - 1000)
                return errno;
        if (MsgWrite(rcvid, trial_bytes, n / 2, 0) != (ssize_t)n / 2)
                return errno;
        if (MsgReply(rcvid, 0, trial_bytes, n) < 0)
                return errno;
        hear_client();
        if (receive_in_time(&pulse, sizeof(pulse)) != 0)
                return errno;
        ck_assert_int_eq(pulse.code, 5);
        ck_assert_int_eq(pulse.value.sival_int, (int)n);
        return EOK;
}

static int serve_few_bytes(Peer *me) {
        (void)me;
        return serve(10);
}

static int serve_many_bytes(Peer *me) {
        (void)me;
        return serve(200000);
}

static void serve_before(Peer *me) {
        serve_nobody_yet(me);
        ck_assert_int_eq(serve(10), EOK);
}

static void end_client(Peer *me) {
        (void)me;
        peer_say(&client, 0);
        peer_end(&client);
}

/* The news of a client whose first message is under way must not get lost. */
START_TEST(msg_receive_from_a_new_client) {
        static const Scenario scenario = { serve_nobody_yet, serve_few_bytes, NULL, { 0 }, end_client,
                                           .kept = EARLY_RINGING };

        try_all(&scenario, NULL);
}
END_TEST

START_TEST(msg_receive_of_few_bytes) {
        static const Scenario scenario = { serve_before, serve_few_bytes, NULL, { 0 }, end_client,
                                           .needs_nothing = true };

        try_all(&scenario, NULL);
}
END_TEST

START_TEST(msg_receive_of_many_bytes) {
        static const Scenario scenario = { serve_before, serve_many_bytes, NULL, { 0 }, end_client,
                                           .kept = EARLY_RINGING };

        try_all(&scenario, NULL);
}
END_TEST

/* ---- pulses of the system ---- */

static void come_and_go(Peer *me) {
        while (peer_hear(me) > 0) {
                coid = peer_connect(me);
                connect_free(coid);
                peer_say(me, 0);
        }
}

static void expect_visitors(Peer *me) {
        (void)me;
        chid = channel_new(_NTO_CHF_DISCONNECT);
        client = peer_start(come_and_go, chid, 0);
}

static int see_one_go(Peer *me) {
        struct _pulse pulse;

        (void)me;
        tell_client(1);
        hear_client();
        if (receive_in_time(&pulse, sizeof(pulse)) != 0)
                return errno;
        ck_assert_int_eq(pulse.code, _PULSE_CODE_DISCONNECT);
        return ConnectDetach(pulse.scoid) < 0 ? errno : EOK;
}

START_TEST(the_pulse_of_a_client_that_goes) {
        static const Scenario scenario = { expect_visitors, see_one_go, NULL, { 0 }, end_client,
                                           .kept = EARLY_RINGING };

        try_all(&scenario, NULL);
}
END_TEST

HARNESS_MAIN("failure/server", msg_receive_from_a_new_client, msg_receive_of_few_bytes,
             msg_receive_of_many_bytes, the_pulse_of_a_client_that_goes)
