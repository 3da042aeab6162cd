/* SPDX-License-Identifier: MIT */
/* TimerTimeout and timer_timeout: no call ends before its time, and no time is forgotten. */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull

static void arm(int flags, uint64_t ns) {
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, flags, NULL, &ns, NULL));
}

#define SEND_REPLY (_NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY)

static void no_message(int chid) {
        char bytes[64];

        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
        ck_assert_fails(MsgReceive(chid, bytes, sizeof(bytes), NULL), ETIMEDOUT);
}

static int receive_message(int chid) {
        char message[16];
        int rcvid = MsgReceive(chid, message, sizeof(message), NULL);

        ck_assert_int_gt(rcvid, 0);
        return rcvid;
}

/* ---- MsgSend ---- */

START_TEST(scenario_65_send_blocked_times_out) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        int coid = connect_side(0, chid);
        uint64_t begun = now_ns();

        arm(SEND_REPLY, 100 * MS);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 100 * MS);
        begun = now_ns();
        arm(_NTO_TIMEOUT_SEND, 20 * MS);
        ck_assert_r(MsgSend_r(coid, "x", 1, NULL, 0), -ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 20 * MS);
        no_message(chid); /* neither the messages nor a pulse are left */
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void client_times_out(Peer *me) {
        int coid = peer_connect(me);
        uint64_t begun = now_ns();

        arm(SEND_REPLY, 50 * MS);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), me->number);
        ck_assert_uint_ge(now_ns() - begun, 50 * MS);
        peer_say(me, 1);
        connect_free(coid);
}

START_TEST(scenario_66_reply_blocked_times_out_without_unblock) {
        int chid = channel_new(0);
        Peer client = peer_start(client_times_out, chid, ETIMEDOUT);
        int rcvid = receive_message(chid);

        ck_assert_int_eq(peer_hear(&client), 1);
        ck_assert_fails(MsgReply(rcvid, 0, NULL, 0), ESRCH);
        no_message(chid);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void check_reply_timeout_with_unblock(int error, int expected) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Peer client = peer_start(client_times_out, chid, expected);
        struct _pulse pulse;
        struct _msg_info info;
        int rcvid = receive_message(chid);

        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_UNBLOCK);
        ck_assert_int_eq(pulse.value.sival_int, rcvid);
        ck_assert_ok(MsgInfo(rcvid, &info));
        ck_assert_int_ne(info.flags & _NTO_MI_UNBLOCK_REQ, 0);
        wait_for_state(client.pid, "REPLY");
        ck_assert(!peer_has_spoken(&client));
        ck_assert_ok(MsgError(rcvid, error));
        peer_end(&client);
        channel_free(chid);
}

START_TEST(scenario_67_reply_blocked_with_unblock_asks_the_server_and_waits) {
        check_reply_timeout_with_unblock(EAGAIN, EAGAIN);
}
END_TEST

START_TEST(scenario_60_msgerror_minus_1_gives_etimedout_for_a_timeout) {
        check_reply_timeout_with_unblock(-1, ETIMEDOUT);
}
END_TEST

static void client_limits_send_only(Peer *me) {
        int coid = peer_connect(me);

        arm(_NTO_TIMEOUT_SEND, 200 * MS);
        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 5);
        connect_free(coid);
}

START_TEST(a_timeout_of_send_alone_does_not_end_reply) {
        int chid = channel_new(0);
        Peer client = peer_start(client_limits_send_only, chid, 0);
        int rcvid = receive_message(chid);
        struct timespec pause = { .tv_nsec = 300 * MS };

        /* not waiting for a condition: letting the limit pass is the point */
        nanosleep(&pause, NULL);
        wait_for_state(client.pid, "REPLY");
        ck_assert_ok(MsgReply(rcvid, 5, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void client_limits_reply_only(Peer *me) {
        int coid = peer_connect(me);
        uint64_t begun = now_ns();

        arm(_NTO_TIMEOUT_REPLY, 30 * MS);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 30 * MS);
        connect_free(coid);
}

START_TEST(a_timeout_of_reply_alone_does_not_end_send) {
        int chid = channel_new(0);
        Peer client = peer_start(client_limits_reply_only, chid, 0);
        struct timespec pause = { .tv_nsec = 60 * MS };

        wait_for_state(client.pid, "SEND");
        nanosleep(&pause, NULL); /* past the limit */
        wait_for_state(client.pid, "SEND");
        receive_message(chid);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(a_send_with_null_time_polls) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);

        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, SEND_REPLY, NULL, NULL, NULL));
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), ETIMEDOUT);
        no_message(chid);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

/* ---- MsgReceive ---- */

START_TEST(scenario_68_receive_with_null_time_polls) {
        int chid = channel_new(0);
        struct _pulse pulse;

        for (int i = 0; i < 3; i++) {
                ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
                ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
                ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
                ck_assert_r(MsgReceivePulse_r(chid, &pulse, sizeof(pulse), NULL), -ETIMEDOUT);
        }
        channel_free(chid);
}
END_TEST

START_TEST(scenario_69_what_is_queued_comes_before_the_timeout) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;

        ck_assert_ok(MsgSendPulse(coid, 10, 69, 0));
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 69);
        ck_assert_ok(MsgSendPulse(coid, 10, 70, 0));
        arm(_NTO_TIMEOUT_RECEIVE | TIMER_ABSTIME, 1); /* long ago */
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 70);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void *pulse_when_receiving(void *arg) {
        wait_for_state(getpid(), "RECEIVE");
        ck_assert_ok(MsgSendPulse(*(int *)arg, 10, 1, 0));
        return NULL;
}

START_TEST(scenario_70_a_call_that_does_not_block_forgets_the_timeout) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _server_info info;
        struct _pulse pulse;
        Thread sender;

        arm(_NTO_TIMEOUT_RECEIVE, 1);
        ck_assert_int_eq(ConnectServerInfo(0, coid, &info), coid);
        sender = thread_start(pulse_when_receiving, &coid);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        thread_end(sender);
        /* a call that blocked forgets it, too */
        ck_assert_ok(MsgSendPulse(coid, 10, 2, 0));
        arm(_NTO_TIMEOUT_RECEIVE, 1);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        sender = thread_start(pulse_when_receiving, &coid);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        thread_end(sender);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(receive_times_out_relative) {
        int chid = channel_new(0);
        struct _pulse pulse;
        uint64_t begun = now_ns();

        arm(_NTO_TIMEOUT_RECEIVE, 50 * MS);
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 50 * MS);
        begun = now_ns();
        arm(_NTO_TIMEOUT_RECEIVE, 30 * MS);
        ck_assert_fails(MsgReceivePulse(chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 30 * MS);
        channel_free(chid);
}
END_TEST

static uint64_t clock_ns(clockid_t id) {
        struct timespec now;

        clock_gettime(id, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

START_TEST(receive_times_out_absolute_on_either_clock) {
        static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME };
        int chid = channel_new(0);
        struct _pulse pulse;

        for (int i = 0; i < 2; i++) {
                uint64_t end = clock_ns(clocks[i]) + 40 * MS;

                ck_assert_ok(TimerTimeout(clocks[i], _NTO_TIMEOUT_RECEIVE | (int)TIMER_ABSTIME, NULL, &end, NULL));
                ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
                ck_assert_uint_ge(clock_ns(clocks[i]), end);
                end = 20 * MS;
                ck_assert_ok(TimerTimeout(clocks[i], _NTO_TIMEOUT_RECEIVE, NULL, &end, NULL));
                ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
        }
        channel_free(chid);
}
END_TEST

START_TEST(receive_timeout_does_not_end_other_states) {
        int chid = channel_new(0);
        Peer client = peer_start(client_limits_send_only, chid, 0);
        int rcvid = receive_message(chid);

        /* armed for a state in which this call never blocks */
        arm(_NTO_TIMEOUT_RECEIVE, 1);
        ck_assert_ok(MsgReply(rcvid, 5, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- the rest ---- */

START_TEST(timer_timeout_is_the_same_with_timespec) {
        int chid = channel_new(0);
        struct timespec time = { .tv_nsec = 40 * MS };
        struct sigevent event;
        struct _pulse pulse;
        uint64_t begun = now_ns();

        memset(&event, 0, sizeof(event));
        SIGEV_UNBLOCK_INIT(&event);
        ck_assert_ok(timer_timeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, &event, &time, NULL));
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 40 * MS);
        ck_assert_r(timer_timeout_r(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL), EOK);
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
        clock_gettime(CLOCK_REALTIME, &time);
        ck_assert_ok(timer_timeout(CLOCK_REALTIME, _NTO_TIMEOUT_RECEIVE | (int)TIMER_ABSTIME, &event,
                                   &time, NULL));
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
        time.tv_nsec = 1000000000;
        ck_assert_fails(timer_timeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &time, NULL), EINVAL);
        time.tv_nsec = -1;
        ck_assert_r(timer_timeout_r(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &time, NULL), EINVAL);
        channel_free(chid);
}
END_TEST

START_TEST(bad_arguments_are_einval) {
        int chid = channel_new(0);
        struct sigevent event;
        uint64_t time = 1;

        memset(&event, 0, sizeof(event));
        SIGEV_PULSE_INIT(&event, 1, 300, 1, 1); /* no priority */
        ck_assert_fails(TimerTimeout(CLOCK_THREAD_CPUTIME_ID, _NTO_TIMEOUT_RECEIVE, NULL, &time, NULL),
                        EINVAL);
        ck_assert_fails(TimerTimeout(99, _NTO_TIMEOUT_RECEIVE, NULL, &time, NULL), EINVAL);
        ck_assert_r(TimerTimeout_r(99, _NTO_TIMEOUT_RECEIVE, NULL, &time, NULL), EINVAL);
        ck_assert_fails(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, &event, &time, NULL), EINVAL);
        SIGEV_UNBLOCK_INIT(&event);
        ck_assert_r(TimerTimeout_r(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, &event, &time, NULL), EOK);
        channel_free(chid);
}
END_TEST

static void *receive_without_limit(void *arg) {
        struct _pulse pulse;

        ck_assert_int_eq(MsgReceive(*(int *)arg, &pulse, sizeof(pulse), NULL), 0);
        return NULL;
}

START_TEST(a_timeout_is_the_threads_own) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Thread other;

        arm(_NTO_TIMEOUT_RECEIVE, 1);
        other = thread_start(receive_without_limit, &chid);
        wait_for_state(getpid(), "RECEIVE");
        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        thread_end(other);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

#define RACES 300

static void *answer_all(void *arg) {
        int chid = *(int *)arg;

        for (;;) {
                struct _pulse pulse;
                int rcvid = MsgReceive(chid, &pulse, sizeof(pulse), NULL);

                if (rcvid == 0)
                        return NULL;
                if (rcvid > 0)
                        MsgReply(rcvid, 0, &pulse, sizeof(int));
        }
}

/* Time-outs about as long as a round trip: either outcome is right, a third one is not. */
START_TEST(timeouts_that_race_with_replies_leave_nothing_behind) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Thread server = thread_start(answer_all, &chid);

        for (int i = 0; i < RACES; i++) {
                int back = -1;

                arm(SEND_REPLY, (uint64_t)(i % 100) * 1000);
                if (MsgSend(coid, &i, sizeof(i), &back, sizeof(back)) == 0)
                        ck_assert_int_eq(back, i);
                else
                        ck_assert_int_eq(errno, ETIMEDOUT);
        }
        ck_assert_int_eq(MsgSend(coid, "last", 4, NULL, 0), 0);
        ck_assert_ok(MsgSendPulse(coid, 1, 1, 0));
        thread_end(server);
        no_message(chid);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

typedef struct TwoWays {
        int first, second; /* coids */
        volatile int given_up;
} TwoWays;

static void *send_here_then_there(void *argument) {
        TwoWays *ways = argument;

        arm(_NTO_TIMEOUT_SEND, 20 * MS);
        ck_assert_fails(MsgSend(ways->first, "first", 6, NULL, 0), ETIMEDOUT);
        ways->given_up = 1;
        ck_assert_int_eq(MsgSend(ways->second, "second", 7, NULL, 0), 2);
        return NULL;
}

START_TEST(a_message_given_up_on_one_channel_and_sent_to_another_comes_there) {
        int first = channel_new(0);
        int second = channel_new(0);
        TwoWays ways = { connect_side(0, first), connect_side(0, second), 0 };
        Thread client = thread_start(send_here_then_there, &ways);
        int rcvid;

        wait_for_word(&ways.given_up, 1);
        wait_for_state(getpid(), "SEND");
        no_message(first);
        rcvid = receive_message(second);
        ck_assert_ok(MsgReply(rcvid, 2, NULL, 0));
        thread_end(client);
        connect_free(ways.first);
        connect_free(ways.second);
        channel_free(first);
        channel_free(second);
}
END_TEST

HARNESS_MAIN("timeout", scenario_65_send_blocked_times_out,
             scenario_66_reply_blocked_times_out_without_unblock,
             scenario_67_reply_blocked_with_unblock_asks_the_server_and_waits,
             scenario_60_msgerror_minus_1_gives_etimedout_for_a_timeout,
             a_timeout_of_send_alone_does_not_end_reply, a_timeout_of_reply_alone_does_not_end_send,
             a_send_with_null_time_polls, scenario_68_receive_with_null_time_polls,
             scenario_69_what_is_queued_comes_before_the_timeout,
             scenario_70_a_call_that_does_not_block_forgets_the_timeout, receive_times_out_relative,
             receive_times_out_absolute_on_either_clock,
             receive_timeout_does_not_end_other_states, timer_timeout_is_the_same_with_timespec,
             bad_arguments_are_einval, a_timeout_is_the_threads_own,
             timeouts_that_race_with_replies_leave_nothing_behind,
             a_message_given_up_on_one_channel_and_sent_to_another_comes_there)
