/* SPDX-License-Identifier: MIT */
/* MsgReply, MsgError, MsgWrite: how a server answers. */
#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/neutrino.h>

static int receive_one(int chid) {
        char message[16];
        int rcvid = MsgReceive(chid, message, sizeof(message), NULL);

        ck_assert_int_gt(rcvid, 0);
        return rcvid;
}

static void client_expects_status(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), me->number);
        connect_free(coid);
}

static void *reply_in_thread(void *arg) {
        ck_assert_ok(MsgReply(*(int *)arg, 9, NULL, 0));
        return NULL;
}

START_TEST(scenario_9_any_thread_of_the_server_may_reply) {
        int chid = channel_new(0);
        Peer client = peer_start(client_expects_status, chid, 9);
        int rcvid = receive_one(chid);

        thread_end(thread_start(reply_in_thread, &rcvid));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_10_a_second_reply_is_esrch) {
        int chid = channel_new(0);
        Peer client = peer_start(client_expects_status, chid, 1);
        int rcvid = receive_one(chid);

        ck_assert_ok(MsgReply(rcvid, 1, NULL, 0));
        ck_assert_fails(MsgReply(rcvid, 2, NULL, 0), ESRCH);
        peer_end(&client);
        ck_assert_fails(MsgReply(rcvid, 2, NULL, 0), ESRCH);
        channel_free(chid);
}
END_TEST

START_TEST(every_call_with_a_stale_or_invented_rcvid_is_esrch) {
        int chid = channel_new(0);
        Peer client = peer_start(client_expects_status, chid, 1);
        int rcvid = receive_one(chid);
        int stale[] = { rcvid, rcvid + 1, 1, 12345, INT_MAX, 0, -1, INT_MIN };
        struct _msg_info info;
        char bytes[4] = "";
        iov_t part;

        SETIOV(&part, bytes, 4);
        ck_assert_ok(MsgReply(rcvid, 1, NULL, 0));
        for (size_t i = 0; i < sizeof(stale) / sizeof(*stale); i++) {
                ck_assert_fails(MsgReply(stale[i], 0, NULL, 0), ESRCH);
                ck_assert_fails(MsgReplyv(stale[i], 0, &part, 1), ESRCH);
                ck_assert_fails(MsgError(stale[i], EIO), ESRCH);
                ck_assert_fails(MsgRead(stale[i], bytes, 4, 0), ESRCH);
                ck_assert_fails(MsgReadv(stale[i], &part, 1, 0), ESRCH);
                ck_assert_fails(MsgWrite(stale[i], bytes, 4, 0), ESRCH);
                ck_assert_fails(MsgWritev(stale[i], &part, 1, 0), ESRCH);
                ck_assert_fails(MsgInfo(stale[i], &info), ESRCH);
                ck_assert_fails(MsgCurrent(stale[i]), ESRCH);
                ck_assert_r(MsgReply_r(stale[i], 0, NULL, 0), ESRCH);
                ck_assert_r(MsgReplyv_r(stale[i], 0, &part, 1), ESRCH);
                ck_assert_r(MsgError_r(stale[i], EIO), ESRCH);
                ck_assert_r(MsgRead_r(stale[i], bytes, 4, 0), -ESRCH);
                ck_assert_r(MsgReadv_r(stale[i], &part, 1, 0), -ESRCH);
                ck_assert_r(MsgWrite_r(stale[i], bytes, 4, 0), -ESRCH);
                ck_assert_r(MsgWritev_r(stale[i], &part, 1, 0), -ESRCH);
                ck_assert_r(MsgInfo_r(stale[i], &info), ESRCH);
                ck_assert_r(MsgCurrent_r(stale[i]), ESRCH);
        }
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- MsgError ---- */

static void client_expects_errno(Peer *me) {
        int coid = peer_connect(me);
        char reply[4] = "----";

        ck_assert_fails(MsgSend(coid, "x", 1, reply, 4), me->number);
        ck_assert_mem_eq(reply, "----", 4);
        connect_free(coid);
}

START_TEST(scenario_11_msgerror_fails_the_client_with_that_errno) {
        int chid = channel_new(0);
        int errors[] = { EIO, ENOSYS, EINTR, ESRVRFAULT, ENOREMOTE, 12345 };

        for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
                Peer client = peer_start(client_expects_errno, chid, errors[i]);
                int rcvid = receive_one(chid);

                ck_assert_ok(MsgError(rcvid, errors[i]));
                ck_assert_fails(MsgError(rcvid, errors[i]), ESRCH);
                peer_end(&client);
        }
        channel_free(chid);
}
END_TEST

START_TEST(scenario_12_msgerror_eok_returns_0) {
        int chid = channel_new(0);
        Peer client = peer_start(client_expects_status, chid, 0);
        int rcvid = receive_one(chid);

        ck_assert_r(MsgError_r(rcvid, EOK), EOK);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void client_uses_r_form(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_r(MsgSend_r(coid, "x", 1, NULL, 0), -EIO);
        ck_assert_r(MsgSend_r(coid, "x", 1, NULL, 0), 13);
        connect_free(coid);
}

START_TEST(scenario_13_r_form_returns_the_negative_errno_and_leaves_errno_alone) {
        int chid = channel_new(0);
        Peer client = peer_start(client_uses_r_form, chid, 0);

        ck_assert_ok(MsgError(receive_one(chid), EIO));
        ck_assert_ok(MsgReply(receive_one(chid), 13, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void client_is_restarted(Peer *me) {
        char reply[4] = "----";
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "again", 5, reply, 4), 14);
        ck_assert_mem_eq(reply, "done", 4);
        connect_free(coid);
}

START_TEST(scenario_14_msgerror_erestart_resends) {
        int chid = channel_new(0);
        Peer client = peer_start(client_is_restarted, chid, 0);

        for (int i = 0; i < 4; i++) {
                char message[8];
                struct _msg_info info;
                int rcvid = MsgReceive(chid, message, sizeof(message), &info);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_int_eq(info.msglen, 5);
                ck_assert_mem_eq(message, "again", 5);
                if (i < 3) {
                        ck_assert_int_eq(MsgWrite(rcvid, "xxxx", 4, 0), 4);
                        ck_assert_ok(MsgError(rcvid, ERESTART));
                } else {
                        ck_assert_ok(MsgReply(rcvid, 14, "done", 4));
                }
        }
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(msgerror_minus_1_without_an_unblock_request_is_eintr) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Peer client = peer_start(client_expects_errno, chid, EINTR);

        ck_assert_ok(MsgError(receive_one(chid), -1));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- MsgWrite ---- */

static void client_with_eight_bytes(Peer *me) {
        char reply[12] = "------------";
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, reply, 8), 0);
        ck_assert_mem_eq(reply, "abcdefgh----", 12);
        connect_free(coid);
}

START_TEST(scenario_15_msgwrite_twice_then_an_empty_reply) {
        int chid = channel_new(0);
        Peer client = peer_start(client_with_eight_bytes, chid, 0);
        int rcvid = receive_one(chid);

        ck_assert_int_eq(MsgWrite(rcvid, "abcd", 4, 0), 4);
        ck_assert_int_eq(MsgWrite(rcvid, "efgh", 4, 4), 4);
        wait_for_state(client.pid, "REPLY");
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(msgwrite_in_any_order_and_from_parts) {
        int chid = channel_new(0);
        Peer client = peer_start(client_with_eight_bytes, chid, 0);
        int rcvid = receive_one(chid);
        iov_t parts[3];

        SETIOV_CONST(&parts[0], "c", 1);
        SETIOV(&parts[1], NULL, 0);
        SETIOV_CONST(&parts[2], "def", 3);
        ck_assert_int_eq(MsgWrite(rcvid, "gh", 2, 6), 2);
        ck_assert_r(MsgWritev_r(rcvid, parts, 3, 2), 4);
        ck_assert_r(MsgWrite_r(rcvid, "ab", 2, 0), 2);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(a_reply_with_data_starts_at_offset_0_over_what_was_written) {
        int chid = channel_new(0);
        Peer client = peer_start(client_with_eight_bytes, chid, 0);
        int rcvid = receive_one(chid);

        ck_assert_int_eq(MsgWrite(rcvid, "xxxxefgh", 8, 0), 8);
        ck_assert_ok(MsgReply(rcvid, 0, "abcd", 4));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* What nobody wrote keeps what the client had there. */
static void client_with_a_hole(Peer *me) {
        char reply[8] = "--------";
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, reply, 8), 0);
        ck_assert_mem_eq(reply, "----ef--", 8);
        connect_free(coid);
}

START_TEST(bytes_before_the_first_write_stay_as_they_were) {
        int chid = channel_new(0);
        Peer client = peer_start(client_with_a_hole, chid, 0);
        int rcvid = receive_one(chid);

        ck_assert_int_eq(MsgWrite(rcvid, "ef", 2, 4), 2);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void client_with_four_bytes(Peer *me) {
        char reply[8] = "--------";
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, reply, 4), 0);
        ck_assert_mem_eq(reply + 2, "01----", 6);
        connect_free(coid);
}

START_TEST(scenario_16_msgwrite_is_cut_at_the_end_of_the_reply_area) {
        int chid = channel_new(0);
        Peer client = peer_start(client_with_four_bytes, chid, 0);
        int rcvid = receive_one(chid);

        ck_assert_int_eq(MsgWrite(rcvid, "0123456789", 10, 2), 2);
        ck_assert_int_eq(MsgWrite(rcvid, "0123456789", 10, 4), 0);
        ck_assert_int_eq(MsgWrite(rcvid, "0123456789", 10, SSIZE_MAX), 0);
        ck_assert_int_eq(MsgWrite(rcvid, "0123456789", 10, SIZE_MAX), 0);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

typedef struct Access {
        int rcvid;
        int index;
} Access;

#define ACCESSES 8
#define PIECE    1000

static void *access_in_thread(void *arg) {
        const Access *access = arg;
        size_t offset = (size_t)access->index * PIECE;
        char bytes[PIECE];

        for (int i = 0; i < 50; i++) {
                ck_assert_int_eq(MsgRead(access->rcvid, bytes, PIECE, offset), PIECE);
                ck_assert(pattern_is_at(bytes, PIECE, 1, offset));
                ck_assert_int_eq(MsgWrite(access->rcvid, bytes, PIECE, offset), PIECE);
        }
        return NULL;
}

static void client_mirrored(Peer *me) {
        char *bytes = memory_shared(ACCESSES * PIECE), *back = memory_shared(ACCESSES * PIECE);
        int coid = peer_connect(me);

        pattern_fill(bytes, ACCESSES * PIECE, 1);
        ck_assert_int_eq(MsgSend(coid, bytes, ACCESSES * PIECE, back, ACCESSES * PIECE), 0);
        ck_assert_mem_eq(bytes, back, ACCESSES * PIECE);
        connect_free(coid);
}

START_TEST(all_threads_read_and_write_one_message_at_once) {
        int chid = channel_new(0);
        Peer client = peer_start(client_mirrored, chid, 0);
        int rcvid = receive_one(chid);
        Thread threads[ACCESSES];
        Access accesses[ACCESSES];

        for (int i = 0; i < ACCESSES; i++) {
                accesses[i] = (Access){ rcvid, i };
                threads[i] = thread_start(access_in_thread, &accesses[i]);
        }
        for (int i = 0; i < ACCESSES; i++)
                thread_end(threads[i]);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- statuses ---- */

static const long statuses[] = { 0, 1, -1, -5, INT_MAX, INT_MIN, LONG_MAX, LONG_MIN };
#define STATUSES (sizeof(statuses) / sizeof(*statuses))

static void client_of_statuses(Peer *me) {
        int coid = peer_connect(me);

        for (size_t i = 0; i < STATUSES; i++) {
                ck_assert_int_eq(MsgSend_r(coid, "x", 1, NULL, 0), statuses[i]);
        }
        /* a status is no error, whatever its value, in the plain form */
        errno = 0;
        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 100);
        ck_assert_int_eq(errno, 0);
        connect_free(coid);
}

START_TEST(every_status_comes_back_whole) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_statuses, chid, 0);

        for (size_t i = 0; i < STATUSES; i++)
                ck_assert_ok(MsgReply(receive_one(chid), statuses[i], NULL, 0));
        ck_assert_ok(MsgReply(receive_one(chid), 100, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- faults ---- */

static void client_fails_somehow(Peer *me) {
        char reply[100];
        int coid = peer_connect(me);

        for (long i = 0; i < me->number; i++)
                ck_assert_fails(MsgSend(coid, "x", 1, reply, sizeof(reply)), ESRVRFAULT);
        connect_free(coid);
}

START_TEST(bad_reply_data_is_esrvrfault_for_server_and_client) {
        int chid = channel_new(0);
        Peer client = peer_start(client_fails_somehow, chid, 3);
        iov_t parts[2];
        int rcvid;

        SETIOV_CONST(&parts[0], "good", 4);
        SETIOV(&parts[1], memory_bad(), 4);
        ck_assert_fails(MsgReply(receive_one(chid), 0, memory_bad(), 10), ESRVRFAULT);
        ck_assert_fails(MsgReplyv(receive_one(chid), 0, parts, 2), ESRVRFAULT);
        rcvid = receive_one(chid);
        ck_assert_r(MsgReply_r(rcvid, 0, memory_edge(5), 10), ESRVRFAULT);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void client_is_patient(Peer *me) {
        char reply[100];
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "0123456789", 10, reply, sizeof(reply)), 0);
        connect_free(coid);
}

START_TEST(bad_buffers_of_msgread_and_msgwrite_are_esrvrfault_and_the_client_waits_on) {
        int chid = channel_new(0);
        Peer client = peer_start(client_is_patient, chid, 0);
        int rcvid = receive_one(chid);

        ck_assert_fails(MsgRead(rcvid, memory_bad(), 10, 0), ESRVRFAULT);
        ck_assert_fails(MsgWrite(rcvid, memory_bad(), 10, 0), ESRVRFAULT);
        ck_assert_r(MsgRead_r(rcvid, memory_bad(), 10, 0), -ESRVRFAULT);
        ck_assert_r(MsgWrite_r(rcvid, memory_bad(), 10, 0), -ESRVRFAULT);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- MsgPause, and what is not supported ---- */

START_TEST(msgpause_gives_the_restart_pulse_with_its_cookie_at_once) {
        int chid = channel_new(_NTO_CHF_MSG_PAUSING);
        Peer client = peer_start(client_expects_status, chid, 6);
        int rcvid = receive_one(chid);
        struct _pulse pulse;

        ck_assert_ok(MsgPause(rcvid, 0x12345678));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_RESTART);
        ck_assert_int_eq(pulse.value.sival_int, 0x12345678);
        ck_assert_r(MsgPause_r(rcvid, 7), EOK);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.value.sival_int, 7);
        ck_assert_ok(MsgReply(rcvid, 6, NULL, 0));
        ck_assert_fails(MsgPause(rcvid, 1), ESRCH);
        ck_assert_r(MsgPause_r(rcvid, 1), ESRCH);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(msgpause_needs_the_channel_flag) {
        int chid = channel_new(0);
        Peer client = peer_start(client_expects_status, chid, 6);
        int rcvid = receive_one(chid);

        ck_assert_fails(MsgPause(rcvid, 1), ENOTSUP);
        ck_assert_ok(MsgReply(rcvid, 6, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(what_is_not_supported_says_so) {
        int chid = channel_new(0);
        Peer client = peer_start(client_expects_status, chid, 6);
        int rcvid = receive_one(chid);
        uint32_t key;
        iov_t part = { 0 };

        ck_assert_fails(MsgReadiov(rcvid, &part, 1, 0, _NTO_READIOV_SEND), ENOTSUP);
        ck_assert_r(MsgReadiov_r(rcvid, &part, 1, 0, _NTO_READIOV_SEND), -ENOTSUP);
        ck_assert_fails(MsgKeyData(rcvid, _NTO_KEYDATA_CALCULATE, 0, &key, &part, 1), ENOTSUP);
        ck_assert_r(MsgKeyData_r(rcvid, _NTO_KEYDATA_CALCULATE, 0, &key, &part, 1), ENOTSUP);
        ck_assert_ok(MsgCurrent(rcvid));
        ck_assert_r(MsgCurrent_r(rcvid), EOK);
        ck_assert_ok(MsgReply(rcvid, 6, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("reply", scenario_9_any_thread_of_the_server_may_reply,
             scenario_10_a_second_reply_is_esrch,
             every_call_with_a_stale_or_invented_rcvid_is_esrch,
             scenario_11_msgerror_fails_the_client_with_that_errno,
             scenario_12_msgerror_eok_returns_0,
             scenario_13_r_form_returns_the_negative_errno_and_leaves_errno_alone,
             scenario_14_msgerror_erestart_resends,
             msgerror_minus_1_without_an_unblock_request_is_eintr,
             scenario_15_msgwrite_twice_then_an_empty_reply, msgwrite_in_any_order_and_from_parts,
             a_reply_with_data_starts_at_offset_0_over_what_was_written,
             bytes_before_the_first_write_stay_as_they_were,
             scenario_16_msgwrite_is_cut_at_the_end_of_the_reply_area,
             all_threads_read_and_write_one_message_at_once, every_status_comes_back_whole,
             bad_reply_data_is_esrvrfault_for_server_and_client,
             bad_buffers_of_msgread_and_msgwrite_are_esrvrfault_and_the_client_waits_on,
             msgpause_gives_the_restart_pulse_with_its_cookie_at_once,
             msgpause_needs_the_channel_flag, what_is_not_supported_says_so)
