/* SPDX-License-Identifier: MIT */
/* MsgSend in all its forms: what the client gives and gets. */
#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>

/* ---- scenario 1 ---- */

static void client_of_scenario_1(Peer *me) {
        char reply[16] = "----------------";
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "0123456789", 10, reply, sizeof(reply)), 7);
        ck_assert_mem_eq(reply, "pong------------", 16);
        connect_free(coid);
}

START_TEST(scenario_1_status_and_reply_bytes_come_back) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_scenario_1, chid, 0);
        struct _msg_info info;
        char message[32];
        int rcvid = MsgReceive(chid, message, sizeof(message), &info);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(info.msglen, 10);
        ck_assert_mem_eq(message, "0123456789", 10);
        ck_assert_ok(MsgReply(rcvid, 7, "pong", 4));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- scenario 5 ---- */

static void client_of_scenario_5(Peer *me) {
        char reply[8] = "--------";
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, reply, 4), 0);
        ck_assert_mem_eq(reply, "0123----", 8);
        connect_free(coid);
}

START_TEST(scenario_5_reply_is_cut_at_the_reply_area) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_scenario_5, chid, 0);
        char message[4];
        struct _msg_info info;
        int rcvid = MsgReceive(chid, message, sizeof(message), &info);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(info.dstmsglen, 4);
        ck_assert_ok(MsgReply(rcvid, 0, "0123456789", 10));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- scenario 6 ---- */

static void client_sends_one(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), me->number);
        connect_free(coid);
}

START_TEST(scenario_6_send_blocked_until_received_then_reply_blocked) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_one, chid, 3);
        char message[4];
        int rcvid;

        wait_for_state(client.pid, "SEND");
        rcvid = MsgReceive(chid, message, sizeof(message), NULL);
        ck_assert_int_gt(rcvid, 0);
        wait_for_state(client.pid, "REPLY");
        ck_assert_ok(MsgReply(rcvid, 3, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- scenarios 17, 18 ---- */

static void client_of_scenario_17(Peer *me) {
        iov_t parts[3];
        int coid = peer_connect(me);

        SETIOV_CONST(&parts[0], "abc", 3);
        SETIOV_CONST(&parts[1], "defgh", 5);
        SETIOV_CONST(&parts[2], "ij", 2);
        ck_assert_int_eq(MsgSendvs(coid, parts, 3, NULL, 0), 0);
        connect_free(coid);
}

START_TEST(scenario_17_parts_are_contiguous_across_both_sides) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_scenario_17, chid, 0);
        char first[4] = "----", second[16] = "----------------";
        struct _msg_info info;
        iov_t parts[2];
        int rcvid;

        SETIOV(&parts[0], first, 4);
        SETIOV(&parts[1], second, 16);
        rcvid = MsgReceivev(chid, parts, 2, &info);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(info.msglen, 10);
        ck_assert_mem_eq(first, "abcd", 4);
        ck_assert_mem_eq(second, "efghij----------", 16);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void client_sends_nothing(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, NULL, 0, NULL, 0), 18);
        ck_assert_int_eq(MsgSendv(coid, NULL, 0, NULL, 0), 18);
        connect_free(coid);
}

START_TEST(scenario_18_zero_length_send) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_nothing, chid, 0);

        for (int i = 0; i < 2; i++) {
                struct _msg_info info;
                int rcvid = MsgReceive(chid, NULL, 0, &info);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_int_eq(info.msglen, 0);
                ck_assert_int_eq(info.srcmsglen, 0);
                ck_assert_int_eq(info.dstmsglen, 0);
                ck_assert_ok(MsgReply(rcvid, 18, "ignored", 7));
        }
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- errors ---- */

static void client_of_scenario_22(Peer *me) {
        char *edge = memory_edge(4);
        char reply[4];
        iov_t parts[2];
        int coid = peer_connect(me);

        ck_assert_fails(MsgSend(coid, memory_bad(), 16, reply, 4), EFAULT);
        ck_assert_fails(MsgSend(coid, edge, 5, reply, 4), EFAULT);
        ck_assert_r(MsgSend_r(coid, edge, 5, reply, 4), -EFAULT);
        SETIOV_CONST(&parts[0], "good", 4);
        SETIOV(&parts[1], memory_bad(), 4);
        ck_assert_fails(MsgSendvs(coid, parts, 2, reply, 4), EFAULT);
        ck_assert_fails(MsgSendvs(coid, memory_bad(), 2, reply, 4), EFAULT);
        ck_assert_fails(MsgSend(coid, memory_bad(), 100000, reply, 4), EFAULT);
        ck_assert_fails(MsgSend(coid, edge, 1 << 20, reply, 4), EFAULT);
        /* a last one that is good shows that the server saw none of those */
        ck_assert_int_eq(MsgSend(coid, edge, 4, reply, 4), 22);
        connect_free(coid);
}

START_TEST(scenario_22_bad_sender_buffer_is_efault_and_the_receiver_sleeps_on) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_scenario_22, chid, 0);
        struct _msg_info info;
        char message[16];
        int rcvid = MsgReceive(chid, message, sizeof(message), &info);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(info.srcmsglen, 4);
        ck_assert_ok(MsgReply(rcvid, 22, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_24_lengths_beyond_ssize_max_are_eoverflow) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        char bytes[4];
        iov_t parts[2];

        SETIOV(&parts[0], bytes, SSIZE_MAX);
        SETIOV(&parts[1], bytes, 2);
        ck_assert_fails(MsgSend(coid, bytes, (size_t)SSIZE_MAX + 1, NULL, 0), EOVERFLOW);
        ck_assert_fails(MsgSend(coid, bytes, 1, bytes, (size_t)SSIZE_MAX + 1), EOVERFLOW);
        ck_assert_fails(MsgSendv(coid, parts, 2, NULL, 0), EOVERFLOW);
        ck_assert_fails(MsgSendsv(coid, bytes, 1, parts, 2), EOVERFLOW);
        ck_assert_r(MsgSend_r(coid, bytes, (size_t)SSIZE_MAX + 1, NULL, 0), -EOVERFLOW);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_25_coid_never_attached_is_ebadf) {
        int chid = channel_new(0);

        ck_assert_fails(MsgSend(_NTO_SIDE_CHANNEL + 77, "x", 1, NULL, 0), EBADF);
        ck_assert_fails(MsgSend(0, "x", 1, NULL, 0), EBADF); /* a descriptor, but no connection */
        ck_assert_fails(MsgSend(-1, "x", 1, NULL, 0), EBADF);
        ck_assert_fails(MsgSend(INT_MAX, "x", 1, NULL, 0), EBADF);
        ck_assert_fails(MsgSend(INT_MIN, "x", 1, NULL, 0), EBADF);
        ck_assert_r(MsgSend_r(_NTO_SIDE_CHANNEL + 77, "x", 1, NULL, 0), -EBADF);
        channel_free(chid);
}
END_TEST

/* A bad reply buffer: the client's call fails, whatever the server hears. */
static void client_with_bad_reply_buffer(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_fails(MsgSend(coid, "x", 1, memory_bad(), 8), EFAULT);
        ck_assert_fails(MsgSend(coid, "x", 1, memory_edge(4), 8), EFAULT);
        /* not one byte of it is touched by a reply of 0 bytes */
        ck_assert_int_eq(MsgSend(coid, "x", 1, memory_bad(), 8), 5);
        connect_free(coid);
}

START_TEST(bad_reply_buffer_is_efault_for_the_client) {
        int chid = channel_new(0);
        Peer client = peer_start(client_with_bad_reply_buffer, chid, 0);
        char message[4];

        for (int i = 0; i < 3; i++) {
                int rcvid = MsgReceive(chid, message, sizeof(message), NULL);

                ck_assert_int_gt(rcvid, 0);
                MsgReply(rcvid, 5, "12345678", i < 2 ? 8 : 0);
        }
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- the sixteen forms ---- */

typedef struct Form {
        const char *name;
        bool send_parts, reply_parts;
        long (*bb)(int, const void *, size_t, void *, size_t);
        long (*bv)(int, const void *, size_t, const iov_t *, size_t);
        long (*vb)(int, const iov_t *, size_t, void *, size_t);
        long (*vv)(int, const iov_t *, size_t, const iov_t *, size_t);
} Form;

static const Form forms[] = {
        { "MsgSend", false, false, .bb = MsgSend },
        { "MsgSendnc", false, false, .bb = MsgSendnc },
        { "MsgSendsv", false, true, .bv = MsgSendsv },
        { "MsgSendsvnc", false, true, .bv = MsgSendsvnc },
        { "MsgSendvs", true, false, .vb = MsgSendvs },
        { "MsgSendvsnc", true, false, .vb = MsgSendvsnc },
        { "MsgSendv", true, true, .vv = MsgSendv },
        { "MsgSendvnc", true, true, .vv = MsgSendvnc },
};
static const Form forms_r[] = {
        { "MsgSend_r", false, false, .bb = MsgSend_r },
        { "MsgSendnc_r", false, false, .bb = MsgSendnc_r },
        { "MsgSendsv_r", false, true, .bv = MsgSendsv_r },
        { "MsgSendsvnc_r", false, true, .bv = MsgSendsvnc_r },
        { "MsgSendvs_r", true, false, .vb = MsgSendvs_r },
        { "MsgSendvsnc_r", true, false, .vb = MsgSendvsnc_r },
        { "MsgSendv_r", true, true, .vv = MsgSendv_r },
        { "MsgSendvnc_r", true, true, .vv = MsgSendvnc_r },
};
#define N_FORMS 8

/* Sends "abcdef", in three parts (one of them empty) where the form takes parts; gets 6 bytes back. */
static long form_send(const Form *form, int coid, char reply[8]) {
        iov_t send[3], back[3];

        SETIOV_CONST(&send[0], "ab", 2);
        SETIOV(&send[1], NULL, 0);
        SETIOV_CONST(&send[2], "cdef", 4);
        SETIOV(&back[0], reply, 1);
        SETIOV(&back[1], NULL, 0);
        SETIOV(&back[2], reply + 1, 5);
        if (form->bb)
                return form->bb(coid, "abcdef", 6, reply, 6);
        if (form->bv)
                return form->bv(coid, "abcdef", 6, back, 3);
        if (form->vb)
                return form->vb(coid, send, 3, reply, 6);
        return form->vv(coid, send, 3, back, 3);
}

static void client_of_all_forms(Peer *me) {
        int coid = peer_connect(me);
        char reply[8];

        for (int i = 0; i < N_FORMS; i++) {
                memset(reply, '-', sizeof(reply));
                ck_assert_msg(form_send(&forms[i], coid, reply) == 40, "%s", forms[i].name);
                ck_assert_mem_eq(reply, "FEDCBA--", 8);
                ck_assert_fails(form_send(&forms[i], coid, reply), EIO);
                memset(reply, '-', sizeof(reply));
                ck_assert_r(form_send(&forms_r[i], coid, reply), 40);
                ck_assert_mem_eq(reply, "FEDCBA--", 8);
                ck_assert_r(form_send(&forms_r[i], coid, reply), -EIO);
        }
        connect_free(coid);
        for (int i = 0; i < N_FORMS; i++) {
                ck_assert_fails(form_send(&forms[i], coid, reply), EBADF);
                ck_assert_r(form_send(&forms_r[i], coid, reply), -EBADF);
        }
}

static void receive_abcdef(int chid, bool fails) {
        char message[16];
        struct _msg_info info;
        int rcvid = MsgReceive(chid, message, sizeof(message), &info);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(info.msglen, 6);
        ck_assert_int_eq(info.dstmsglen, 6);
        ck_assert_mem_eq(message, "abcdef", 6);
        if (fails)
                ck_assert_ok(MsgError(rcvid, EIO));
        else
                ck_assert_ok(MsgReply(rcvid, 40, "FEDCBA987", 9));
}

START_TEST(all_sixteen_forms_send_the_same_and_say_errors_their_way) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_all_forms, chid, 0);

        for (int i = 0; i < 4 * N_FORMS; i++)
                receive_abcdef(chid, i % 2 == 1);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- many parts ---- */

#define MANY_PARTS 3000

static void client_with_many_parts(Peer *me) {
        unsigned char *bytes = malloc(MANY_PARTS * 100), *back = calloc(MANY_PARTS, 100);
        iov_t *send = calloc(MANY_PARTS, sizeof(*send)), *reply = calloc(MANY_PARTS, sizeof(*reply));
        int coid = peer_connect(me);

        pattern_fill(bytes, MANY_PARTS * 100, 1);
        for (size_t i = 0; i < MANY_PARTS; i++) {
                SETIOV(&send[i], bytes + i * 100, 100);
                SETIOV(&reply[i], back + i * 100, 100);
        }
        ck_assert_int_eq(MsgSendv(coid, send, MANY_PARTS, reply, MANY_PARTS), 0);
        ck_assert(pattern_is(back, MANY_PARTS * 100, 2));
        connect_free(coid);
        free(bytes);
        free(back);
        free(send);
        free(reply);
}

START_TEST(thousands_of_parts_on_both_sides) {
        int chid = channel_new(0);
        Peer client = peer_start(client_with_many_parts, chid, 0);
        unsigned char *bytes = malloc(MANY_PARTS * 100);
        iov_t *parts = calloc(MANY_PARTS * 2, sizeof(*parts));
        int rcvid;

        for (size_t i = 0; i < MANY_PARTS * 2; i++)
                SETIOV(&parts[i], bytes + i * 50, 50);
        rcvid = MsgReceivev(chid, parts, MANY_PARTS * 2, NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert(pattern_is(bytes, MANY_PARTS * 100, 1));
        pattern_fill(bytes, MANY_PARTS * 100, 2);
        ck_assert_ok(MsgReplyv(rcvid, 0, parts, MANY_PARTS * 2));
        peer_end(&client);
        channel_free(chid);
        free(bytes);
        free(parts);
}
END_TEST

/* ---- a process that sends to itself ---- */

static void *echo_once(void *arg) {
        char message[64];
        struct _msg_info info;
        int rcvid = MsgReceive(*(int *)arg, message, sizeof(message), &info);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(info.pid, getpid());
        ck_assert_ok(MsgReply(rcvid, 9, message, (size_t)info.msglen));
        return NULL;
}

START_TEST(a_process_sends_to_itself) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Thread server = thread_start(echo_once, &chid);
        char reply[8] = "--------";

        ck_assert_int_eq(MsgSend(coid, "hello", 5, reply, sizeof(reply)), 9);
        ck_assert_mem_eq(reply, "hello---", 8);
        thread_end(server);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(receive_areas_may_overlap_what_was_sent) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Thread server = thread_start(echo_once, &chid);
        char both[8] = "12345678";

        ck_assert_int_eq(MsgSend(coid, both, 4, both + 2, 6), 9);
        ck_assert_mem_eq(both, "12123478", 8);
        thread_end(server);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

/* ---- errno ---- */

#define ERRNO_ROUNDS 300

static void client_that_watches_errno(Peer *me) {
        int coid = peer_connect(me);

        for (int i = 0; i < ERRNO_ROUNDS; i++)
                ck_assert_r(MsgSend_r(coid, "x", 1, NULL, 0), i);
        connect_free(coid);
}

/* Both sides really block in some of the rounds: waiting must not show either. */
START_TEST(r_forms_that_succeed_leave_errno_alone) {
        int chid = channel_new(0);
        Peer client = peer_start(client_that_watches_errno, chid, 0);
        char message[4];

        for (int i = 0; i < ERRNO_ROUNDS; i++) {
                int rcvid;

                errno = 4711;
                rcvid = MsgReceive_r(chid, message, sizeof(message), NULL);
                ck_assert_int_eq(errno, 4711);
                ck_assert_int_gt(rcvid, 0);
                if (i % 50 == 0)
                        wait_for_state(client.pid, "REPLY");
                ck_assert_r(MsgReply_r(rcvid, i, NULL, 0), EOK);
        }
        peer_end(&client);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("send", scenario_1_status_and_reply_bytes_come_back,
             scenario_5_reply_is_cut_at_the_reply_area,
             scenario_6_send_blocked_until_received_then_reply_blocked,
             scenario_17_parts_are_contiguous_across_both_sides, scenario_18_zero_length_send,
             scenario_22_bad_sender_buffer_is_efault_and_the_receiver_sleeps_on,
             scenario_24_lengths_beyond_ssize_max_are_eoverflow,
             scenario_25_coid_never_attached_is_ebadf, bad_reply_buffer_is_efault_for_the_client,
             all_sixteen_forms_send_the_same_and_say_errors_their_way,
             thousands_of_parts_on_both_sides, a_process_sends_to_itself,
             receive_areas_may_overlap_what_was_sent, r_forms_that_succeed_leave_errno_alone)
