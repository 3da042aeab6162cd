/* SPDX-License-Identifier: MIT */
/* Signals that meet a blocked client, with and without _NTO_CHF_UNBLOCK. */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Seen {
        volatile int ready; /* the handler is installed */
        volatile int handlers;
        volatile int returned; /* MsgSend has */
        volatile int handlers_at_return;
} Seen;

static Seen *seen;

static void count_signal(int signo) {
        seen->handlers++;
}

static void catch_signal(int flags) {
        struct sigaction action = { .sa_handler = count_signal, .sa_flags = flags };

        ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
        seen->ready = 1;
}

/* number: the errno expected, or 0 for success. Catches SIGUSR1. */
static void client_is_interrupted_with(Peer *me, int flags) {
        char reply[4];
        int coid;
        long r;

        catch_signal(flags);
        coid = peer_connect(me);
        errno = 0;
        r = MsgSend(coid, "m", 1, reply, sizeof(reply));
        seen->handlers_at_return = seen->handlers;
        seen->returned = 1;
        if (me->number) {
                ck_assert_int_eq(r, -1);
                ck_assert_int_eq(errno, me->number);
        } else {
                ck_assert_int_eq(r, 0);
        }
        connect_free(coid);
}

static void client_is_interrupted(Peer *me) {
        client_is_interrupted_with(me, 0);
}

static void client_is_interrupted_restart(Peer *me) {
        client_is_interrupted_with(me, SA_RESTART);
}

static void setup(void) {
        seen = memory_shared(sizeof(*seen));
}

static int receive_message(int chid) {
        char message[4];
        int rcvid = MsgReceive(chid, message, sizeof(message), NULL);

        ck_assert_int_gt(rcvid, 0);
        return rcvid;
}

static void receive_unblock(int chid, int rcvid, const Peer *client) {
        struct _pulse pulse;
        struct _msg_info info;

        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_UNBLOCK);
        ck_assert_int_eq(pulse.value.sival_int, rcvid);
        ck_assert_ok(MsgInfo(rcvid, &info));
        ck_assert_int_eq(pulse.scoid, info.scoid);
        ck_assert_int_eq(info.pid, client->pid);
}

static void no_more(int chid) {
        char bytes[64];

        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
        ck_assert_fails(MsgReceive(chid, bytes, sizeof(bytes), NULL), ETIMEDOUT);
}

/* ---- with UNBLOCK ---- */

typedef struct Held {
        int chid;
        int rcvid;
        Peer client;
} Held;

/* The state after scenario 57: a message is held, the client has had a signal, the pulse was received. */
static Held hold_interrupted(PeerMain run, int error) {
        Held held = { .chid = channel_new(_NTO_CHF_UNBLOCK) };

        setup();
        held.client = peer_start(run, held.chid, error);
        held.rcvid = receive_message(held.chid);
        wait_for_state(held.client.pid, "REPLY");
        kill(held.client.pid, SIGUSR1);
        receive_unblock(held.chid, held.rcvid, &held.client);
        return held;
}

static void let_go(Held *held) {
        peer_end(&held->client);
        channel_free(held->chid);
}

START_TEST(scenario_57_a_signal_makes_an_unblock_pulse_and_the_client_stays) {
        Held held = hold_interrupted(client_is_interrupted, 0);

        wait_for_state(held.client.pid, "REPLY");
        ck_assert_int_eq(seen->returned, 0);
        ck_assert_int_eq(seen->handlers, 0); /* the handler waits for the reply, too */
        ck_assert_ok(MsgReply(held.rcvid, 0, NULL, 0));
        let_go(&held);
        ck_assert_int_eq(seen->handlers, 1);
}
END_TEST

START_TEST(scenario_58_msginfo_shows_the_request) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        struct _msg_info info;
        Peer client;
        int rcvid;

        setup();
        client = peer_start(client_is_interrupted, chid, EINTR);
        rcvid = receive_message(chid);
        ck_assert_ok(MsgInfo(rcvid, &info));
        ck_assert_int_eq(info.flags & _NTO_MI_UNBLOCK_REQ, 0);
        wait_for_state(client.pid, "REPLY");
        kill(client.pid, SIGUSR1);
        receive_unblock(chid, rcvid, &client);
        ck_assert_ok(MsgInfo(rcvid, &info));
        ck_assert_int_ne(info.flags & _NTO_MI_UNBLOCK_REQ, 0);
        ck_assert_ok(MsgError(rcvid, EINTR));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_59_msgerror_eintr_after_the_handler_has_run) {
        Held held = hold_interrupted(client_is_interrupted, EINTR);

        ck_assert_ok(MsgError(held.rcvid, EINTR));
        let_go(&held);
        ck_assert_int_eq(seen->handlers_at_return, 1);
}
END_TEST

START_TEST(scenario_60_msgerror_minus_1_gives_eintr_for_a_signal) {
        Held held = hold_interrupted(client_is_interrupted, EINTR);

        ck_assert_ok(MsgError(held.rcvid, -1));
        let_go(&held);
}
END_TEST

START_TEST(the_unblock_protocol_is_the_same_with_sa_restart) {
        Held held = hold_interrupted(client_is_interrupted_restart, EIO);

        wait_for_state(held.client.pid, "REPLY");
        ck_assert_int_eq(seen->handlers, 0);
        ck_assert_ok(MsgError(held.rcvid, EIO));
        let_go(&held);
        ck_assert_int_eq(seen->handlers_at_return, 1);
}
END_TEST

START_TEST(a_second_signal_while_one_is_pending_makes_no_second_pulse) {
        Held held = hold_interrupted(client_is_interrupted, EINTR);

        kill(held.client.pid, SIGUSR1);
        kill(held.client.pid, SIGUSR1);
        wait_for_state(held.client.pid, "REPLY");
        no_more(held.chid);
        ck_assert_ok(MsgError(held.rcvid, EINTR));
        no_more(held.chid);
        let_go(&held);
}
END_TEST

START_TEST(the_server_may_read_and_write_while_the_request_is_pending) {
        Held held = hold_interrupted(client_is_interrupted, 0);
        char byte;

        ck_assert_int_eq(MsgRead(held.rcvid, &byte, 1, 0), 1);
        ck_assert_int_eq(byte, 'm');
        ck_assert_int_eq(MsgWrite(held.rcvid, "abcd", 4, 0), 4);
        ck_assert_ok(MsgReply(held.rcvid, 0, NULL, 0));
        let_go(&held);
}
END_TEST

/* The pulse is queued, the server answers first, then finds the pulse. */
START_TEST(scenario_63_a_pulse_after_the_reply_is_recognised_by_msginfo) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        struct _msg_info info;
        struct _pulse pulse;
        uint64_t end;
        Peer client;
        int rcvid;

        setup();
        client = peer_start(client_is_interrupted, chid, 0);
        rcvid = receive_message(chid);
        wait_for_state(client.pid, "REPLY");
        kill(client.pid, SIGUSR1);
        end = now_ns() + 10000000000u;
        do {
                ck_assert_ok(MsgInfo(rcvid, &info));
                ck_assert_msg(now_ns() < end, "MsgInfo never shows the request, unless it is received");
        } while (!(info.flags & _NTO_MI_UNBLOCK_REQ));
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
        if (MsgReceive(chid, &pulse, sizeof(pulse), NULL) == 0) {
                ck_assert_int_eq(pulse.code, _PULSE_CODE_UNBLOCK);
                ck_assert_fails(MsgInfo(pulse.value.sival_int, &info), ESRCH);
        }
        channel_free(chid);
}
END_TEST

START_TEST(scenario_64_a_killed_client_is_an_unblock_pulse_and_then_esrch) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Peer client;
        struct _pulse pulse;
        int rcvid;

        setup();
        client = peer_start(client_is_interrupted, chid, 0);
        rcvid = receive_message(chid);
        wait_for_state(client.pid, "REPLY");
        peer_kill(&client);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_UNBLOCK);
        ck_assert_int_eq(pulse.value.sival_int, rcvid);
        ck_assert_fails(MsgReply(rcvid, 0, NULL, 0), ESRCH);
        channel_free(chid);
}
END_TEST

static void client_has_no_handler(Peer *me) {
        int coid = peer_connect(me);

        MsgSend(coid, "m", 1, NULL, 0);
        peer_say(me, 1); /* never reached by a client that a signal ends */
        connect_free(coid);
}

START_TEST(a_signal_that_ends_the_process_ends_it_while_blocked) {
        int chid = channel_new(0);
        Peer client = peer_start(client_has_no_handler, chid, 0);
        int rcvid = receive_message(chid);
        int status;

        wait_for_state(client.pid, "REPLY");
        kill(client.pid, SIGTERM);
        status = peer_wait(&client);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        wait_for_oblivion(client.pid);
        ck_assert_fails(MsgReply(rcvid, 0, NULL, 0), ESRCH);
        channel_free(chid);
}
END_TEST

static void client_ignores(Peer *me) {
        sigset_t mask;
        int coid;

        signal(SIGUSR1, SIG_IGN);
        sigemptyset(&mask);
        sigaddset(&mask, SIGUSR2);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        coid = peer_connect(me);
        ck_assert_int_eq(MsgSend(coid, "m", 1, NULL, 0), 8);
        connect_free(coid);
}

START_TEST(ignored_and_masked_signals_do_not_unblock) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Peer client = peer_start(client_ignores, chid, 0);
        int rcvid = receive_message(chid);
        struct _msg_info info;

        wait_for_state(client.pid, "REPLY");
        kill(client.pid, SIGUSR1);
        kill(client.pid, SIGUSR2);
        wait_for_state(client.pid, "REPLY");
        no_more(chid);
        ck_assert_ok(MsgInfo(rcvid, &info));
        ck_assert_int_eq(info.flags & _NTO_MI_UNBLOCK_REQ, 0);
        ck_assert_ok(MsgReply(rcvid, 8, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- without UNBLOCK ---- */

static void check_reply_interrupted(PeerMain run) {
        int chid = channel_new(0);
        Peer client;
        int rcvid;

        setup();
        client = peer_start(run, chid, EINTR);
        rcvid = receive_message(chid);
        wait_for_state(client.pid, "REPLY");
        kill(client.pid, SIGUSR1);
        peer_end(&client);
        ck_assert_int_eq(seen->handlers_at_return, 1);
        no_more(chid);
        ck_assert_fails(MsgReply(rcvid, 0, NULL, 0), ESRCH);
        channel_free(chid);
}

START_TEST(scenario_61_reply_blocked_without_unblock_is_eintr_at_once) {
        check_reply_interrupted(client_is_interrupted);
}
END_TEST

/* QNX has no SA_RESTART: a handled signal ends the wait whatever its flags. */
START_TEST(reply_blocked_without_unblock_is_eintr_with_sa_restart_too) {
        check_reply_interrupted(client_is_interrupted_restart);
}
END_TEST

static void check_send_interrupted(PeerMain run, unsigned flags) {
        int chid = channel_new(flags);
        Peer client;

        setup();
        client = peer_start(run, chid, EINTR);
        wait_for_state(client.pid, "SEND");
        kill(client.pid, SIGUSR1);
        peer_end(&client);
        ck_assert_int_eq(seen->handlers_at_return, 1);
        no_more(chid);
        channel_free(chid);
}

START_TEST(scenario_62_send_blocked_is_eintr_without_a_pulse) {
        check_send_interrupted(client_is_interrupted, _NTO_CHF_UNBLOCK);
        check_send_interrupted(client_is_interrupted, 0);
        check_send_interrupted(client_is_interrupted_restart, _NTO_CHF_UNBLOCK);
}
END_TEST

/* After EINTR the same thread sends again; the late reply to the first must not meet the second. */
static void client_sends_again(Peer *me) {
        char reply[8] = "--------";
        int coid;

        catch_signal(0);
        coid = peer_connect(me);
        ck_assert_fails(MsgSend(coid, "1", 1, reply, 8), EINTR);
        ck_assert_int_eq(MsgSend(coid, "2", 1, reply, 8), 2);
        ck_assert_mem_eq(reply, "second--", 8);
        connect_free(coid);
}

START_TEST(a_late_reply_never_meets_the_next_message) {
        int chid = channel_new(0);
        Peer client;
        char message[4];
        int first, second;

        setup();
        client = peer_start(client_sends_again, chid, 0);
        first = MsgReceive(chid, message, sizeof(message), NULL);
        ck_assert_int_gt(first, 0);
        wait_for_state(client.pid, "REPLY");
        kill(client.pid, SIGUSR1);
        second = MsgReceive(chid, message, sizeof(message), NULL);
        ck_assert_int_gt(second, 0);
        ck_assert_int_eq(message[0], '2');
        ck_assert_fails(MsgWrite(first, "late", 4, 0), ESRCH);
        ck_assert_fails(MsgReply(first, 1, "late", 4), ESRCH);
        ck_assert_ok(MsgReply(second, 2, "second", 6));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- storms ---- */

#define STORM_MESSAGES 3000

static void client_in_a_storm(Peer *me) {
        int coid;

        catch_signal(0);
        coid = peer_connect(me);
        for (int done = 0; done < STORM_MESSAGES;) {
                int back = -1;
                long r = MsgSend(coid, &done, sizeof(done), &back, sizeof(back));

                if (r == -1) {
                        ck_assert_int_eq(errno, EINTR);
                        continue;
                }
                ck_assert_int_eq(r, 0);
                ck_assert_int_eq(back, done);
                done++;
        }
        seen->returned = 1;
        connect_free(coid);
}

/* Answers all; pulses of requests are looked at as the protocol says. */
static void *storm_server(void *arg) {
        int chid = *(int *)arg;

        for (;;) {
                union {
                        struct _pulse pulse;
                        int number;
                } in;
                int rcvid = MsgReceive(chid, &in, sizeof(in), NULL);

                if (rcvid == 0 && in.pulse.code == 1)
                        return NULL;
                if (rcvid > 0)
                        MsgReply(rcvid, 0, &in.number, sizeof(in.number));
        }
}

static void run_storm(unsigned flags) {
        int chid = channel_new(flags);
        int coid = connect_side(0, chid);
        Thread server = thread_start(storm_server, &chid);
        Peer client;

        setup();
        client = peer_start(client_in_a_storm, chid, 0);
        wait_for_word(&seen->ready, 1);
        while (!seen->returned)
                kill(client.pid, SIGUSR1);
        peer_end(&client);
        ck_assert_ok(MsgSendPulse(coid, 1, 1, 0));
        thread_end(server);
        connect_free(coid);
        channel_free(chid);
}

START_TEST(a_storm_of_signals_loses_nothing) {
        run_storm(0);
}
END_TEST

START_TEST(a_storm_of_signals_loses_nothing_with_unblock) {
        run_storm(_NTO_CHF_UNBLOCK);
}
END_TEST

HARNESS_MAIN("unblock", scenario_57_a_signal_makes_an_unblock_pulse_and_the_client_stays,
             scenario_58_msginfo_shows_the_request,
             scenario_59_msgerror_eintr_after_the_handler_has_run,
             scenario_60_msgerror_minus_1_gives_eintr_for_a_signal,
             the_unblock_protocol_is_the_same_with_sa_restart,
             a_second_signal_while_one_is_pending_makes_no_second_pulse,
             the_server_may_read_and_write_while_the_request_is_pending,
             scenario_63_a_pulse_after_the_reply_is_recognised_by_msginfo,
             scenario_64_a_killed_client_is_an_unblock_pulse_and_then_esrch,
             a_signal_that_ends_the_process_ends_it_while_blocked,
             ignored_and_masked_signals_do_not_unblock,
             scenario_61_reply_blocked_without_unblock_is_eintr_at_once,
             reply_blocked_without_unblock_is_eintr_with_sa_restart_too,
             scenario_62_send_blocked_is_eintr_without_a_pulse,
             a_late_reply_never_meets_the_next_message, a_storm_of_signals_loses_nothing,
             a_storm_of_signals_loses_nothing_with_unblock)
