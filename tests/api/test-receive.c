/* SPDX-License-Identifier: MIT */
/* MsgReceive, MsgRead and MsgInfo: what the server sees of a message, and in which order. */
#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>

static void client_sends_hundred(Peer *me) {
        char bytes[100];
        int coid = peer_connect(me);

        pattern_fill(bytes, sizeof(bytes), 5);
        ck_assert_int_eq(MsgSend(coid, bytes, sizeof(bytes), NULL, 0), 0);
        connect_free(coid);
}

START_TEST(scenario_2_small_buffer_gets_the_beginning_and_both_lengths) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_hundred, chid, 0);
        struct _msg_info info;
        char bytes[12] = { [10] = 'x', [11] = 'y' };
        int rcvid = MsgReceive(chid, bytes, 10, &info);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(info.msglen, 10);
        ck_assert_int_eq(info.srcmsglen, 100);
        ck_assert(pattern_is(bytes, 10, 5));
        ck_assert(bytes[10] == 'x' && bytes[11] == 'y');
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_3_msgread_gets_the_rest) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_hundred, chid, 0);
        char bytes[200];
        int rcvid = MsgReceive(chid, bytes, 10, NULL);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(MsgRead(rcvid, bytes, 100, 10), 90);
        ck_assert(pattern_is_at(bytes, 90, 5, 10));
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_4_msgread_at_and_past_the_end_is_0) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_hundred, chid, 0);
        char bytes[200];
        int rcvid = MsgReceive(chid, bytes, 10, NULL);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(MsgRead(rcvid, bytes, 100, 100), 0);
        ck_assert_int_eq(MsgRead(rcvid, bytes, 100, 101), 0);
        ck_assert_int_eq(MsgRead(rcvid, bytes, 100, SSIZE_MAX), 0);
        ck_assert_int_eq(MsgRead(rcvid, bytes, 100, SIZE_MAX), 0);
        ck_assert_int_eq(MsgRead(rcvid, bytes, 0, 0), 0);
        ck_assert_int_eq(MsgRead(rcvid, bytes, 100, 99), 1);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(msgreadv_scatters_from_any_offset_any_number_of_times) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_hundred, chid, 0);
        char first[7], second[30];
        iov_t parts[2];
        int rcvid = MsgReceive(chid, NULL, 0, NULL);

        ck_assert_int_gt(rcvid, 0);
        SETIOV(&parts[0], first, sizeof(first));
        SETIOV(&parts[1], second, sizeof(second));
        for (size_t offset = 0; offset < 100; offset++) {
                ssize_t expected = offset + 37 > 100 ? (ssize_t)(100 - offset) : 37;

                ck_assert_int_eq(MsgReadv(rcvid, parts, 2, offset), expected);
                ck_assert(pattern_is_at(first, expected < 7 ? (size_t)expected : 7, 5, offset));
                if (expected > 7)
                        ck_assert(pattern_is_at(second, (size_t)expected - 7, 5, offset + 7));
        }
        ck_assert_r(MsgReadv_r(rcvid, parts, 2, 0), 37);
        ck_assert_r(MsgRead_r(rcvid, first, 7, 0), 7);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        ck_assert_r(MsgReadv_r(rcvid, parts, 2, 0), -ESRCH);
        ck_assert_r(MsgRead_r(rcvid, first, 7, 0), -ESRCH);
        ck_assert_fails(MsgReadv(rcvid, parts, 2, 0), ESRCH);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- order ---- */

/* Messages have priority 10; pulses carry their own, in the same queue. */
START_TEST(scenario_7_the_highest_priority_is_received_first) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Peer client = peer_start(client_sends_hundred, chid, 0);
        struct _pulse pulse[8];
        int rcvid;

        wait_for_state(client.pid, "SEND");
        ck_assert_ok(MsgSendPulse(coid, 9, 9, 0));
        ck_assert_ok(MsgSendPulse(coid, 11, 11, 0));
        ck_assert_ok(MsgSendPulse(coid, 20, 20, 0));
        ck_assert_int_eq(MsgReceive(chid, pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse->code, 20);
        ck_assert_int_eq(MsgReceive(chid, pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse->code, 11);
        rcvid = MsgReceive(chid, pulse, sizeof(pulse), NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(MsgReceive(chid, pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse->code, 9);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void client_sends_its_number(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, &me->number, sizeof(me->number), NULL, 0), me->number);
        connect_free(coid);
}

#define CLIENTS_IN_ORDER 5

START_TEST(scenario_8_equal_priorities_are_received_in_order_of_arrival) {
        int chid = channel_new(0);
        Peer clients[CLIENTS_IN_ORDER];

        for (long i = 0; i < CLIENTS_IN_ORDER; i++) {
                clients[i] = peer_start(client_sends_its_number, chid, i);
                wait_for_state(clients[i].pid, "SEND");
        }
        for (long i = 0; i < CLIENTS_IN_ORDER; i++) {
                long number = -1;
                int rcvid = MsgReceive(chid, &number, sizeof(number), NULL);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_int_eq(number, i);
                ck_assert_ok(MsgReply(rcvid, number, NULL, 0));
        }
        for (long i = 0; i < CLIENTS_IN_ORDER; i++)
                peer_end(&clients[i]);
        channel_free(chid);
}
END_TEST

/* ---- who ---- */

typedef struct Told {
        int coid;
        int uid;
} Told;

static Told *told;

static void client_that_tells_who_it_is(Peer *me) {
        char reply[77];
        int first = peer_connect(me);
        int coid = peer_connect(me);

        told->coid = coid;
        ck_assert_int_eq(MsgSend(coid, "who", 3, reply, sizeof(reply)), 0);
        connect_free(coid);
        connect_free(first);
}

static void check_info(const struct _msg_info *info, const Peer *client, int chid) {
        ck_assert_uint_eq(info->nd, ND_LOCAL_NODE);
        ck_assert_uint_eq(info->srcnd, ND_LOCAL_NODE);
        ck_assert_int_eq(info->pid, client->pid);
        ck_assert_int_ge(info->tid, 1);
        ck_assert_int_eq(info->chid, chid);
        ck_assert_int_eq(info->coid, told->coid);
        ck_assert_int_ne(info->scoid & _NTO_CONNECTION_SCOID, 0);
        ck_assert_int_eq(info->priority, 10);
        ck_assert_int_eq(info->flags & _NTO_MI_UNBLOCK_REQ, 0);
        ck_assert_int_eq(info->srcmsglen, 3);
        ck_assert_int_eq(info->dstmsglen, 77);
}

START_TEST(scenario_19_msginfo_tells_who_sends_and_changes_nothing) {
        struct _msg_info received, asked;
        int other = channel_new(0), chid = channel_new(0);
        Peer client;
        char message[2];
        int rcvid;

        told = memory_shared(sizeof(*told));
        client = peer_start(client_that_tells_who_it_is, chid, 0);
        rcvid = MsgReceive(chid, message, sizeof(message), &received);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(received.msglen, 2);
        check_info(&received, &client, chid);
        memset(&asked, 0xee, sizeof(asked));
        ck_assert_ok(MsgInfo(rcvid, &asked));
        check_info(&asked, &client, chid);
        ck_assert_int_eq(asked.tid, received.tid);
        ck_assert_int_eq(asked.scoid, received.scoid);
        ck_assert_r(MsgInfo_r(rcvid, &asked), EOK);
        ck_assert_fails(MsgInfo(rcvid, NULL), EFAULT);
        wait_for_state(client.pid, "REPLY");
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        ck_assert_fails(MsgInfo(rcvid, &asked), ESRCH);
        ck_assert_r(MsgInfo_r(rcvid, &asked), ESRCH);
        peer_end(&client);
        channel_free(chid);
        channel_free(other);
}
END_TEST

static void *send_from_thread(void *arg) {
        ck_assert_int_eq(MsgSend(*(int *)arg, "t", 1, NULL, 0), 0);
        return NULL;
}

static void client_with_two_threads(Peer *me) {
        int coid = peer_connect(me);
        Thread second = thread_start(send_from_thread, &coid);

        send_from_thread(&coid);
        thread_end(second);
        connect_free(coid);
}

START_TEST(scenario_20_threads_of_one_client_have_different_rcvids) {
        int chid = channel_new(0);
        Peer client = peer_start(client_with_two_threads, chid, 0);
        struct _msg_info a, b;
        char message[4];
        int first = MsgReceive(chid, message, sizeof(message), &a);
        int second = MsgReceive(chid, message, sizeof(message), &b);

        ck_assert_int_gt(first, 0);
        ck_assert_int_gt(second, 0);
        ck_assert_int_ne(first, second);
        ck_assert_int_eq(a.pid, b.pid);
        ck_assert_int_eq(a.scoid, b.scoid);
        ck_assert_int_eq(a.coid, b.coid);
        ck_assert_int_ne(a.tid, b.tid);
        ck_assert_ok(MsgReply(second, 0, NULL, 0));
        ck_assert_ok(MsgReply(first, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void client_sends_many(Peer *me) {
        int coid = peer_connect(me);

        for (long i = 0; i < me->number; i++)
                ck_assert_int_eq(MsgSend(coid, &i, sizeof(i), NULL, 0), i);
        connect_free(coid);
}

/* The number may come back on QNX; what must hold is that an answered one is dead for good. */
START_TEST(scenario_21_an_rcvid_may_come_back_but_a_late_reply_never_hits_the_next_message) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_many, chid, 1000);
        int previous = 0;

        for (long i = 0; i < 1000; i++) {
                long number = -1;
                int rcvid = MsgReceive(chid, &number, sizeof(number), NULL);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_int_eq(number, i);
                if (previous && previous != rcvid)
                        ck_assert_fails(MsgReply(previous, -1, NULL, 0), ESRCH);
                ck_assert_ok(MsgReply(rcvid, number, NULL, 0));
                previous = rcvid;
        }
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- errors ---- */

static void client_expects_esrvrfault(Peer *me) {
        char bytes[2000];
        int coid = peer_connect(me);

        memset(bytes, 1, sizeof(bytes));
        for (long i = 0; i < me->number; i++)
                ck_assert_fails(MsgSend(coid, bytes, sizeof(bytes), NULL, 0), ESRVRFAULT);
        connect_free(coid);
}

START_TEST(scenario_23_bad_receive_buffer_is_efault_and_the_client_gets_esrvrfault) {
        int chid = channel_new(0);
        Peer client = peer_start(client_expects_esrvrfault, chid, 4);
        iov_t parts[2];
        char good[4];

        SETIOV(&parts[0], good, 4);
        SETIOV(&parts[1], memory_bad(), 100);
        ck_assert_fails(MsgReceive(chid, memory_bad(), 100, NULL), EFAULT);
        ck_assert_fails(MsgReceive(chid, memory_edge(1000), 2000, NULL), EFAULT);
        ck_assert_fails(MsgReceivev(chid, parts, 2, NULL), EFAULT);
        ck_assert_r(MsgReceive_r(chid, memory_bad(), 100, NULL), -EFAULT);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_26_chid_never_created_is_esrch) {
        int chid = channel_new(0);
        char message[16];
        struct _msg_info info;
        iov_t part;

        SETIOV(&part, message, sizeof(message));
        ck_assert_fails(MsgReceive(chid + 1, message, sizeof(message), &info), ESRCH);
        ck_assert_fails(MsgReceive(0, message, sizeof(message), &info), ESRCH);
        ck_assert_fails(MsgReceive(-2, message, sizeof(message), &info), ESRCH);
        ck_assert_fails(MsgReceive(INT_MAX, message, sizeof(message), &info), ESRCH);
        ck_assert_fails(MsgReceivev(chid + 1, &part, 1, &info), ESRCH);
        ck_assert_fails(MsgReceivePulse(chid + 1, message, sizeof(message), &info), ESRCH);
        ck_assert_fails(MsgReceivePulsev(chid + 1, &part, 1, &info), ESRCH);
        ck_assert_r(MsgReceive_r(chid + 1, message, sizeof(message), &info), -ESRCH);
        ck_assert_r(MsgReceivev_r(chid + 1, &part, 1, &info), -ESRCH);
        ck_assert_r(MsgReceivePulse_r(chid + 1, message, sizeof(message), &info), -ESRCH);
        ck_assert_r(MsgReceivePulsev_r(chid + 1, &part, 1, &info), -ESRCH);
        channel_free(chid);
        ck_assert_fails(MsgReceive(chid, message, sizeof(message), &info), ESRCH);
}
END_TEST

START_TEST(scenario_27_info_may_be_null) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_many, chid, 2);
        long number;
        iov_t part;
        int rcvid = MsgReceive(chid, &number, sizeof(number), NULL);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        SETIOV(&part, &number, sizeof(number));
        rcvid = MsgReceivev(chid, &part, 1, NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 1, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(lengths_beyond_ssize_max_are_eoverflow_when_receiving) {
        int chid = channel_new(0);
        char bytes[4];
        iov_t parts[2];

        SETIOV(&parts[0], bytes, SSIZE_MAX);
        SETIOV(&parts[1], bytes, 2);
        ck_assert_fails(MsgReceive(chid, bytes, (size_t)SSIZE_MAX + 1, NULL), EOVERFLOW);
        ck_assert_fails(MsgReceivev(chid, parts, 2, NULL), EOVERFLOW);
        channel_free(chid);
}
END_TEST

START_TEST(chid_minus_1_dissociates_and_returns_at_once) {
        int chid = channel_new(0);

        ck_assert_int_eq(MsgReceive(-1, NULL, 0, NULL), 0);
        ck_assert_r(MsgReceive_r(-1, NULL, 0, NULL), 0);
        channel_free(chid);
}
END_TEST

/* ---- holding ---- */

#define HELD 20

START_TEST(one_thread_may_hold_many_messages_and_answer_in_any_order) {
        int chid = channel_new(0);
        Peer clients[HELD];
        long numbers[HELD];
        int rcvids[HELD];

        for (long i = 0; i < HELD; i++)
                clients[i] = peer_start(client_sends_its_number, chid, i);
        for (int i = 0; i < HELD; i++) {
                rcvids[i] = MsgReceive(chid, &numbers[i], sizeof(numbers[i]), NULL);
                ck_assert_int_gt(rcvids[i], 0);
                for (int k = 0; k < i; k++)
                        ck_assert_int_ne(rcvids[i], rcvids[k]);
        }
        for (int i = HELD - 1; i >= 0; i--)
                ck_assert_ok(MsgReply(rcvids[i], numbers[i], NULL, 0));
        for (int i = 0; i < HELD; i++)
                peer_end(&clients[i]);
        channel_free(chid);
}
END_TEST

#define RECEIVERS 6
#define EACH_SENDS 500

static int shared_chid;
static int n_served;

static void *receiver(void *arg) {
        for (;;) {
                struct _pulse pulse;
                long number = 0;
                iov_t parts[2];
                int rcvid;

                SETIOV(&parts[0], &number, sizeof(number));
                SETIOV(&parts[1], &pulse, sizeof(pulse));
                rcvid = MsgReceivev(shared_chid, parts, 2, NULL);
                ck_assert_int_ge(rcvid, 0);
                if (rcvid == 0)
                        return NULL;
                __atomic_fetch_add(&n_served, 1, __ATOMIC_RELAXED);
                ck_assert_ok(MsgReply(rcvid, number, NULL, 0));
        }
}

START_TEST(any_number_of_threads_receives_and_each_message_goes_to_one) {
        int chid = shared_chid = channel_new(0);
        int coid = connect_side(0, chid);
        Thread threads[RECEIVERS];
        Peer clients[4];

        for (int i = 0; i < RECEIVERS; i++)
                threads[i] = thread_start(receiver, NULL);
        for (int i = 0; i < 4; i++)
                clients[i] = peer_start(client_sends_many, chid, EACH_SENDS);
        for (int i = 0; i < 4; i++)
                peer_end(&clients[i]);
        ck_assert_int_eq(n_served, 4 * EACH_SENDS);
        for (int i = 0; i < RECEIVERS; i++)
                ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        for (int i = 0; i < RECEIVERS; i++)
                thread_end(threads[i]);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(several_channels_of_a_process_are_independent) {
        int chids[4], coids[4];
        Peer client;
        struct _pulse pulse;
        long number;
        int rcvid;

        for (int i = 0; i < 4; i++) {
                chids[i] = channel_new(0);
                coids[i] = connect_side(0, chids[i]);
                for (int k = 0; k < i; k++)
                        ck_assert_int_ne(chids[i], chids[k]);
        }
        client = peer_start(client_sends_its_number, chids[2], 44);
        wait_for_state(client.pid, "SEND");
        for (int i = 3; i >= 0; i--)
                ck_assert_ok(MsgSendPulse(coids[i], 1, i, 0));
        for (int i = 0; i < 4; i++) {
                ck_assert_int_eq(MsgReceivePulse(chids[i], &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, i);
        }
        rcvid = MsgReceive(chids[2], &number, sizeof(number), NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, number, NULL, 0));
        peer_end(&client);
        for (int i = 0; i < 4; i++) {
                connect_free(coids[i]);
                channel_free(chids[i]);
        }
}
END_TEST

static void come_and_go(Peer *me) {
        connect_free(peer_connect(me));
}

static void come_with_a_pulse(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_ok(MsgSendPulse(coid, 10, 7, 0));
        peer_say(me, 1);
        peer_hear(me);
        connect_free(coid);
}

/* They all rang at the same place, one after the other, and the server learns of all of them at once. */
START_TEST(those_who_came_and_went_before_take_nothing_along) {
        int chid = channel_new(0);
        struct _pulse pulse;
        Peer peer;

        for (int i = 0; i < 3; i++) {
                peer = peer_start(come_and_go, chid, 0);
                peer_end(&peer);
                wait_for_oblivion(peer.pid);
        }
        peer = peer_start(come_with_a_pulse, chid, 0);
        peer_hear(&peer);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 7);
        peer_say(&peer, 1);
        peer_end(&peer);
        channel_free(chid);
}
END_TEST

/* ---- who sends again and again is expected; who comes in between must be heard, too ---- */

#define BURSTS     300
#define BURST_LONG 6

static void sends_bursts_here_and_there(Peer *me) {
        int first = peer_connect(me);
        int second = connect_side(me->server, (int)me->number);

        for (int i = 0; i < BURSTS * BURST_LONG; i++) {
                int coid = i / BURST_LONG % 2 ? second : first;
                int back = -1;

                ck_assert_int_eq(MsgSend(coid, &i, sizeof(i), &back, sizeof(back)), coid == first ? 1 : 2);
                ck_assert_int_eq(back, i);
                if (i % (5 * BURST_LONG) < BURST_LONG)
                        ck_assert_ok(MsgSendPulse(coid, -1, 1, i));
        }
        connect_free(first);
        connect_free(second);
}

typedef struct Answering {
        int chid, status;
        int messages, pulses; /* still to come */
} Answering;

static void *answer_bursts(void *argument) {
        Answering *a = argument;

        while (a->messages > 0 || a->pulses > 0) {
                union {
                        struct _pulse pulse;
                        int number;
                } bytes;
                int rcvid = MsgReceive(a->chid, &bytes, sizeof(bytes), NULL);

                ck_assert_int_ge(rcvid, 0);
                if (rcvid == 0)
                        a->pulses--;
                else
                        a->messages--;
                if (rcvid > 0)
                        ck_assert_ok(MsgReply(rcvid, a->status, &bytes, sizeof(int)));
        }
        return NULL;
}

START_TEST(senders_that_take_turns_in_bursts_are_all_heard) {
        int chids[2] = { channel_new(0), channel_new(0) };
        Peer clients[2];
        Thread threads[2];
        Answering answering[2];

        /* first the processes: a fork beside a thread of ours may come while that holds a lock of a sanitizer's */
        for (int i = 0; i < 2; i++)
                clients[i] = peer_start(sends_bursts_here_and_there, chids[0], chids[1]);
        for (int i = 0; i < 2; i++) {
                answering[i] = (Answering){ chids[i], i + 1, BURSTS * BURST_LONG, BURSTS / 5 * BURST_LONG };
                threads[i] = thread_start(answer_bursts, &answering[i]);
        }
        for (int i = 0; i < 2; i++) {
                peer_end(&clients[i]);
                thread_end(threads[i]);
        }
        channel_free(chids[0]);
        channel_free(chids[1]);
}
END_TEST

HARNESS_MAIN("receive", those_who_came_and_went_before_take_nothing_along,
             scenario_2_small_buffer_gets_the_beginning_and_both_lengths,
             scenario_3_msgread_gets_the_rest, scenario_4_msgread_at_and_past_the_end_is_0,
             msgreadv_scatters_from_any_offset_any_number_of_times,
             scenario_7_the_highest_priority_is_received_first,
             scenario_8_equal_priorities_are_received_in_order_of_arrival,
             scenario_19_msginfo_tells_who_sends_and_changes_nothing,
             scenario_20_threads_of_one_client_have_different_rcvids,
             scenario_21_an_rcvid_may_come_back_but_a_late_reply_never_hits_the_next_message,
             scenario_23_bad_receive_buffer_is_efault_and_the_client_gets_esrvrfault,
             scenario_26_chid_never_created_is_esrch, scenario_27_info_may_be_null,
             lengths_beyond_ssize_max_are_eoverflow_when_receiving,
             chid_minus_1_dissociates_and_returns_at_once,
             one_thread_may_hold_many_messages_and_answer_in_any_order,
             any_number_of_threads_receives_and_each_message_goes_to_one,
             several_channels_of_a_process_are_independent,
             senders_that_take_turns_in_bursts_are_all_heard)
