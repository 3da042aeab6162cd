/* SPDX-License-Identifier: MIT */
/* Cancellation points are real ones, and a cancelled call leaves nothing behind. */
#include "harness.h"

#include <errno.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

typedef struct Sending {
        int coid;
        bool no_cancel;
        volatile int cleaned;
        volatile long result;
} Sending;

static void note_cleanup(void *arg) {
        ((Sending *)arg)->cleaned = 1;
}

static void *send_once(void *arg) {
        Sending *sending = arg;

        pthread_cleanup_push(note_cleanup, sending);
        if (sending->no_cancel)
                sending->result = MsgSendnc(sending->coid, "x", 1, NULL, 0);
        else
                sending->result = MsgSend(sending->coid, "x", 1, NULL, 0);
        pthread_cleanup_pop(0);
        return NULL;
}

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

START_TEST(cancelled_in_send_leaves_the_queue) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Sending sending = { .coid = connect_side(0, chid) };

        for (int i = 0; i < 20; i++) {
                Thread thread = thread_start(send_once, &sending);

                wait_for_state(getpid(), "SEND");
                ck_assert_int_eq(pthread_cancel(thread.id), 0);
                ck_assert_ptr_eq(thread_end(thread), PTHREAD_CANCELED);
                ck_assert_int_eq(sending.cleaned, 1);
                no_message(chid);
        }
        connect_free(sending.coid);
        channel_free(chid);
}
END_TEST

START_TEST(cancelled_in_reply_without_unblock_goes_at_once) {
        int chid = channel_new(0);
        Sending sending = { .coid = connect_side(0, chid) };

        for (int i = 0; i < 20; i++) {
                Thread thread = thread_start(send_once, &sending);
                int rcvid = receive_message(chid);

                wait_for_state(getpid(), "REPLY");
                ck_assert_int_eq(pthread_cancel(thread.id), 0);
                ck_assert_ptr_eq(thread_end(thread), PTHREAD_CANCELED);
                ck_assert_fails(MsgReply(rcvid, 0, NULL, 0), ESRCH);
        }
        no_message(chid);
        connect_free(sending.coid);
        channel_free(chid);
}
END_TEST

START_TEST(cancelled_in_reply_with_unblock_asks_the_server_first) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Sending sending = { .coid = connect_side(0, chid) };

        for (int i = 0; i < 20; i++) {
                Thread thread = thread_start(send_once, &sending);
                int rcvid = receive_message(chid);
                struct _pulse pulse;

                wait_for_state(getpid(), "REPLY");
                ck_assert_int_eq(pthread_cancel(thread.id), 0);
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, _PULSE_CODE_UNBLOCK);
                ck_assert_int_eq(pulse.value.sival_int, rcvid);
                wait_for_state(getpid(), "REPLY");
                ck_assert_ok(MsgError(rcvid, EINTR));
                ck_assert_ptr_eq(thread_end(thread), PTHREAD_CANCELED);
        }
        no_message(chid);
        connect_free(sending.coid);
        channel_free(chid);
}
END_TEST

static void *send_when_cancelled(void *arg) {
        int old;

        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        pthread_cancel(pthread_self());
        pthread_setcancelstate(old, &old);
        return send_once(arg);
}

START_TEST(a_request_that_is_pending_acts_before_anything_is_sent) {
        int chid = channel_new(0);
        Sending sending = { .coid = connect_side(0, chid) };

        ck_assert_ptr_eq(thread_end(thread_start(send_when_cancelled, &sending)), PTHREAD_CANCELED);
        no_message(chid);
        connect_free(sending.coid);
        channel_free(chid);
}
END_TEST

static void check_no_cancel(unsigned flags) {
        int chid = channel_new(flags);
        Sending sending = { .coid = connect_side(0, chid), .no_cancel = true, .result = -1 };
        Thread thread = thread_start(send_once, &sending);
        int rcvid;

        wait_for_state(getpid(), "SEND");
        ck_assert_int_eq(pthread_cancel(thread.id), 0);
        rcvid = receive_message(chid);
        wait_for_state(getpid(), "REPLY");
        no_message(chid); /* no request to unblock either */
        ck_assert_ok(MsgReply(rcvid, 8, NULL, 0));
        thread_end(thread);
        ck_assert_int_eq(sending.result, 8);
        connect_free(sending.coid);
        channel_free(chid);
}

START_TEST(nc_forms_are_no_cancellation_points) {
        check_no_cancel(0);
        check_no_cancel(_NTO_CHF_UNBLOCK);
}
END_TEST

static void *send_with_cancel_disabled(void *arg) {
        int old;

        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        return send_once(arg);
}

START_TEST(a_thread_that_disabled_cancellation_is_left_alone) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Sending sending = { .coid = connect_side(0, chid), .result = -1 };
        Thread thread = thread_start(send_with_cancel_disabled, &sending);
        int rcvid = receive_message(chid);

        wait_for_state(getpid(), "REPLY");
        ck_assert_int_eq(pthread_cancel(thread.id), 0);
        wait_for_state(getpid(), "REPLY");
        no_message(chid);
        ck_assert_ok(MsgReply(rcvid, 4, NULL, 0));
        ck_assert_ptr_eq(thread_end(thread), NULL);
        ck_assert_int_eq(sending.result, 4);
        connect_free(sending.coid);
        channel_free(chid);
}
END_TEST

static void *receive_for_ever(void *arg) {
        struct _pulse pulse;

        for (;;)
                ck_assert_int_eq(MsgReceive(*(int *)arg, &pulse, sizeof(pulse), NULL), 0);
        return NULL;
}

START_TEST(msgreceive_is_a_cancellation_point) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;

        for (int i = 0; i < 20; i++) {
                Thread thread = thread_start(receive_for_ever, &chid);

                wait_for_state(getpid(), "RECEIVE");
                ck_assert_int_eq(pthread_cancel(thread.id), 0);
                ck_assert_ptr_eq(thread_end(thread), PTHREAD_CANCELED);
                /* the channel works on for others */
                ck_assert_ok(MsgSendPulse(coid, 10, i, 0));
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, i);
        }
        connect_free(coid);
        channel_free(chid);
}
END_TEST

/* Cancels in the midst of traffic: what is left must be exactly nothing. */
static void *send_until_cancelled(void *arg) {
        for (;;)
                MsgSend(*(int *)arg, "x", 1, NULL, 0);
        return NULL;
}

static void *answer_all(void *arg) {
        for (;;) {
                struct _pulse pulse;
                int rcvid = MsgReceive(*(int *)arg, &pulse, sizeof(pulse), NULL);

                if (rcvid == 0 && pulse.code == 1)
                        return NULL;
                if (rcvid > 0)
                        MsgReply(rcvid, 0, NULL, 0);
        }
}

#define CANCELS 100

START_TEST(cancels_in_the_midst_of_traffic) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Thread server = thread_start(answer_all, &chid);

        for (int i = 0; i < CANCELS; i++) {
                Thread thread = thread_start(send_until_cancelled, &coid);

                for (volatile int k = 0; k < i * 1000; k++)
                        ;
                ck_assert_int_eq(pthread_cancel(thread.id), 0);
                ck_assert_ptr_eq(thread_end(thread), PTHREAD_CANCELED);
        }
        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 0);
        ck_assert_ok(MsgSendPulse(coid, 1, 1, 0));
        thread_end(server);
        no_message(chid);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("cancel", cancelled_in_send_leaves_the_queue,
             cancelled_in_reply_without_unblock_goes_at_once,
             cancelled_in_reply_with_unblock_asks_the_server_first,
             a_request_that_is_pending_acts_before_anything_is_sent,
             nc_forms_are_no_cancellation_points, a_thread_that_disabled_cancellation_is_left_alone,
             msgreceive_is_a_cancellation_point, cancels_in_the_midst_of_traffic)
