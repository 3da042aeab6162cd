/* SPDX-License-Identifier: MIT */
/* Pulses: small, queued, never waited for. */
#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/neutrino.h>

START_TEST(scenario_42_a_pulse_arrives_with_code_and_value) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;

        ck_assert_ok(MsgSendPulse(coid, 10, 5, 0x1234));
        memset(&pulse, 0xee, sizeof(pulse));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.type, _PULSE_TYPE);
        ck_assert_int_eq(pulse.subtype, _PULSE_SUBTYPE);
        ck_assert_int_eq(pulse.code, 5);
        ck_assert_int_eq(pulse.value.sival_int, 0x1234);
        ck_assert_int_ne(pulse.scoid & _NTO_CONNECTION_SCOID, 0);
        ck_assert(pulse.zero[0] == 0 && pulse.zero[1] == 0 && pulse.zero[2] == 0);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(values_of_all_sizes_and_signs) {
        static const int values[] = { 0, 1, -1, INT_MAX, INT_MIN, 0x55aa55aa };
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;

        for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
                ck_assert_r(MsgSendPulse_r(coid, 10, (int)i, values[i]), EOK);
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, (int)i);
                ck_assert_int_eq(pulse.value.sival_int, values[i]);
        }
        ck_assert_ok(MsgSendPulsePtr(coid, 10, 127, &chid));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 127);
        ck_assert_ptr_eq(pulse.value.sival_ptr, &chid);
        ck_assert_r(MsgSendPulsePtr_r(coid, 10, 1, NULL), EOK);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_ptr_eq(pulse.value.sival_ptr, NULL);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void client_pulses(Peer *me) {
        int coid = peer_connect(me);

        for (int i = 0; i < me->number; i++)
                ck_assert_ok(MsgSendPulse(coid, 10, i % 128, i));
        connect_free(coid);
}

START_TEST(scenario_43_pulses_queue_without_blocking_and_arrive_in_order) {
        int chid = channel_new(0);
        Peer client = peer_start(client_pulses, chid, 900);
        struct _pulse pulse;

        peer_end(&client); /* nobody has received: it has not waited, and its pulses outlive it */
        for (int i = 0; i < 900; i++) {
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.value.sival_int, i);
                ck_assert_int_eq(pulse.code, i % 128);
        }
        channel_free(chid);
}
END_TEST

START_TEST(scenario_44_a_small_buffer_loses_the_pulse) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;

        ck_assert_ok(MsgSendPulse(coid, 10, 1, 1));
        ck_assert_fails(MsgReceive(chid, &pulse, 4, NULL), EFAULT);
        ck_assert_ok(MsgSendPulse(coid, 10, 2, 2));
        ck_assert_fails(MsgReceivePulse(chid, &pulse, sizeof(pulse) - 1, NULL), EFAULT);
        ck_assert_ok(MsgSendPulse(coid, 10, 3, 3));
        ck_assert_r(MsgReceive_r(chid, &pulse, 4, NULL), -EFAULT);
        ck_assert_ok(MsgSendPulse(coid, 10, 4, 4));
        ck_assert_r(MsgReceivePulse_r(chid, memory_bad(), sizeof(pulse), NULL), -EFAULT);
        ck_assert_ok(MsgSendPulse(coid, 10, 5, 5));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 5);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void client_sends_one(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "m", 1, NULL, 0), me->number);
        connect_free(coid);
}

START_TEST(scenario_45_msgreceivepulse_passes_over_messages) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Peer client = peer_start(client_sends_one, chid, 45);
        struct _pulse pulse;
        iov_t parts[2];
        int rcvid;

        wait_for_state(client.pid, "SEND");
        ck_assert_ok(MsgSendPulse(coid, 1, 1, 0));
        ck_assert_ok(MsgSendPulse(coid, 2, 2, 0));
        ck_assert_int_eq(MsgReceivePulse(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 2);
        SETIOV(&parts[0], &pulse, 8);
        SETIOV(&parts[1], (char *)&pulse + 8, sizeof(pulse) - 8);
        ck_assert_int_eq(MsgReceivePulsev(chid, parts, 2, NULL), 0);
        ck_assert_int_eq(pulse.code, 1);
        wait_for_state(client.pid, "SEND");
        rcvid = MsgReceive(chid, &pulse, sizeof(pulse), NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 45, NULL, 0));
        peer_end(&client);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void *receive_a_pulse(void *arg) {
        struct _pulse pulse;

        ck_assert_int_eq(MsgReceivePulse(*(int *)arg, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 9);
        return NULL;
}

START_TEST(a_thread_waiting_for_pulses_sleeps_through_messages) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Thread waiter = thread_start(receive_a_pulse, &chid);
        Peer client;
        char message[4];
        int rcvid;

        wait_for_state(getpid(), "RECEIVE");
        client = peer_start(client_sends_one, chid, 3);
        wait_for_state(client.pid, "SEND");
        rcvid = MsgReceive(chid, message, sizeof(message), NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 3, NULL, 0));
        peer_end(&client);
        ck_assert_ok(MsgSendPulse(coid, 10, 9, 0));
        thread_end(waiter);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_46_the_higher_priority_first_between_pulses_and_messages) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Peer client = peer_start(client_sends_one, chid, 46);
        struct _pulse pulse;
        int rcvid;

        wait_for_state(client.pid, "SEND");
        ck_assert_ok(MsgSendPulse(coid, 20, 1, 0));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        rcvid = MsgReceive(chid, &pulse, sizeof(pulse), NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 46, NULL, 0));
        peer_end(&client);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(pulses_and_messages_of_one_priority_arrive_in_order) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;
        Peer client;
        int rcvid;

        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        client = peer_start(client_sends_one, chid, 0);
        wait_for_state(client.pid, "SEND");
        ck_assert_ok(MsgSendPulse(coid, -1, 2, 0)); /* -1: the caller's own, 10 */
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 1);
        rcvid = MsgReceive(chid, &pulse, sizeof(pulse), NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 2);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_47_info_is_not_touched_by_a_pulse) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _msg_info info, before;
        struct _pulse pulse;

        memset(&info, 0x5a, sizeof(info));
        before = info;
        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), &info), 0);
        ck_assert_mem_eq(&info, &before, sizeof(info));
        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        ck_assert_int_eq(MsgReceivePulse(chid, &pulse, sizeof(pulse), &info), 0);
        ck_assert_mem_eq(&info, &before, sizeof(info));
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_56_priority_0_becomes_1) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;

        ck_assert_ok(MsgSendPulse(coid, 0, 1, 0));
        ck_assert_ok(MsgSendPulse(coid, 1, 2, 0)); /* the same priority, later */
        ck_assert_ok(MsgSendPulse(coid, 2, 3, 0));
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, i == 0 ? 3 : i);
        }
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(priorities_and_codes_out_of_range_are_einval) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);

        ck_assert_fails(MsgSendPulse(coid, -2, 1, 0), EINVAL);
        ck_assert_fails(MsgSendPulse(coid, 256, 1, 0), EINVAL);
        ck_assert_fails(MsgSendPulse(coid, 10, 128, 0), EINVAL);
        ck_assert_fails(MsgSendPulse(coid, 10, -129, 0), EINVAL);
        ck_assert_r(MsgSendPulse_r(coid, 10, 300, 0), EINVAL);
        ck_assert_fails(MsgSendPulse(_NTO_SIDE_CHANNEL + 50, 10, 1, 0), EBADF);
        ck_assert_fails(MsgSendPulse(-1, 10, 1, 0), EBADF);
        ck_assert_r(MsgSendPulsePtr_r(-1, 10, 1, NULL), EBADF);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void client_imitates_the_system(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_fails(MsgSendPulse(coid, 10, _PULSE_CODE_DISCONNECT, 0), EPERM);
        ck_assert_fails(MsgSendPulse(coid, 10, -1, 0), EPERM);
        ck_assert_fails(MsgSendPulsePtr(coid, 10, -128, NULL), EPERM);
        connect_free(coid);
}

START_TEST(negative_codes_are_the_systems_except_to_oneself) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Peer client = peer_start(client_imitates_the_system, chid, 0);
        struct _pulse pulse;

        peer_end(&client);
        ck_assert_ok(MsgSendPulse(coid, 10, -5, 55));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, -5);
        ck_assert_int_eq(pulse.value.sival_int, 55);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(a_full_queue_is_eagain_and_recovers) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;
        int n = 0;

        while (n < 1000000 && MsgSendPulse(coid, 10, 1, n) == 0)
                n++;
        ck_assert_int_eq(errno, EAGAIN);
        ck_assert_int_ge(n, 1024);
        ck_assert_r(MsgSendPulse_r(coid, 10, 1, n), EAGAIN);
        for (int i = 0; i < n; i++) {
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.value.sival_int, i);
        }
        ck_assert_ok(MsgSendPulse(coid, 10, 2, 0));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 2);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

/* Many senders at once: each one's pulses keep their order. */
#define SENDERS 4
#define EACH    3000

static void client_pulses_hard(Peer *me) {
        int coid = peer_connect(me);

        for (int i = 0; i < EACH; i++)
                while (MsgSendPulse(coid, 10, (int)me->number, i) != 0)
                        ck_assert_int_eq(errno, EAGAIN);
        connect_free(coid);
}

START_TEST(pulses_of_many_processes_keep_each_ones_order) {
        int chid = channel_new(0);
        Peer clients[SENDERS];
        int next[SENDERS] = { 0 };
        struct _pulse pulse;

        for (int i = 0; i < SENDERS; i++)
                clients[i] = peer_start(client_pulses_hard, chid, i);
        for (int i = 0; i < SENDERS * EACH; i++) {
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_lt(pulse.code, SENDERS);
                ck_assert_int_eq(pulse.value.sival_int, next[pulse.code]++);
        }
        for (int i = 0; i < SENDERS; i++)
                peer_end(&clients[i]);
        channel_free(chid);
}
END_TEST

static int handler_coid;

static void pulse_from_handler(int signo) {
        int saved = errno;

        MsgSendPulse(handler_coid, 10, 33, signo);
        errno = saved;
}

START_TEST(a_signal_handler_may_send_pulses) {
        struct sigaction action = { .sa_handler = pulse_from_handler };
        int chid = channel_new(0);
        struct _pulse pulse;

        handler_coid = connect_side(0, chid);
        sigaction(SIGUSR1, &action, NULL);
        for (int i = 0; i < 50; i++) {
                raise(SIGUSR1);
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, 33);
                ck_assert_int_eq(pulse.value.sival_int, SIGUSR1);
        }
        connect_free(handler_coid);
        channel_free(chid);
}
END_TEST

static void attach_twice(Peer *me) {
        int coid;

        connect_free(peer_connect(me));
        coid = peer_connect(me);
        ck_assert_ok(MsgSendPulse(coid, 10, 7, 0));
        peer_say(me, 1);
        peer_hear(me);
        connect_free(coid);
}

/* The server learns of the end of the first connection before it learns of the second. */
START_TEST(a_pulse_is_not_lost_with_an_earlier_connection_of_its_process) {
        int chid = channel_new(0);
        Peer peer = peer_start(attach_twice, chid, 0);
        struct _pulse pulse;

        peer_hear(&peer);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 7);
        peer_say(&peer, 1);
        peer_end(&peer);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("pulse", a_pulse_is_not_lost_with_an_earlier_connection_of_its_process,
             scenario_42_a_pulse_arrives_with_code_and_value,
             values_of_all_sizes_and_signs,
             scenario_43_pulses_queue_without_blocking_and_arrive_in_order,
             scenario_44_a_small_buffer_loses_the_pulse,
             scenario_45_msgreceivepulse_passes_over_messages,
             a_thread_waiting_for_pulses_sleeps_through_messages,
             scenario_46_the_higher_priority_first_between_pulses_and_messages,
             pulses_and_messages_of_one_priority_arrive_in_order,
             scenario_47_info_is_not_touched_by_a_pulse, scenario_56_priority_0_becomes_1,
             priorities_and_codes_out_of_range_are_einval,
             negative_codes_are_the_systems_except_to_oneself, a_full_queue_is_eagain_and_recovers,
             pulses_of_many_processes_keep_each_ones_order, a_signal_handler_may_send_pulses)
