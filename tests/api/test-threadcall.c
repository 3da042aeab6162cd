/* SPDX-License-Identifier: MIT */
/* Thread calls: threads by number. */
#include "../harness.h"

#include <errno.h>
#include <limits.h>
#include <sys/neutrino.h>
#include <unistd.h>

static const uint64_t SOON = 20000000; /* 20 ms */

static void *give_back(void *arg) {
        return arg;
}

/* Until somebody cancels it. */
static void *stay(void *arg) {
        for (;;)
                pause();
        return NULL;
}

static int start(void *(*func)(void *), void *arg) {
        int tid = ThreadCreate(0, func, arg, NULL);

        ck_assert_int_gt(tid, 0);
        return tid;
}

static void *join(int tid) {
        void *status = NULL;

        ck_assert_ok(ThreadJoin(tid, &status));
        return status;
}

START_TEST(a_thread_runs_and_is_joined) {
        int word, tid = start(give_back, &word);

        ck_assert_ptr_eq(join(tid), &word);
        ck_assert_fails(ThreadJoin(tid, NULL), ESRCH);
}
END_TEST

START_TEST(numbers_differ) {
        int a = start(give_back, NULL), b = start(give_back, NULL);

        ck_assert_int_ne(a, b);
        join(a);
        join(b);
}
END_TEST

/* The number is the one that a server sees. */
static void *send_to(void *chid) {
        int coid = connect_side(0, *(int *)chid);

        ck_assert_ok(MsgSend(coid, NULL, 0, NULL, 0));
        connect_free(coid);
        return NULL;
}

START_TEST(the_number_is_the_one_a_server_sees) {
        int chid = channel_new(0);
        struct _msg_info info;
        int tid = start(send_to, &chid);
        int rcvid = MsgReceive(chid, NULL, 0, &info);

        ck_assert_int_eq(info.tid, tid);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        join(tid);
        channel_free(chid);
}
END_TEST

static void *status_of_exit;

static void keep(void *status) {
        status_of_exit = status;
}

START_TEST(attributes_are_kept) {
        struct _thread_attr attr = { .__stacksize = 4 * PTHREAD_STACK_MIN, .__exitfunc = keep };
        struct _thread_attr bad = { .__stacksize = 1 };
        int word, tid = ThreadCreate(0, give_back, &word, &attr);

        ck_assert_ptr_eq(join(tid), &word);
        ck_assert_ptr_eq(status_of_exit, &word);
        ck_assert_r(ThreadCreate_r(0, give_back, NULL, &bad), -EINVAL);
}
END_TEST

START_TEST(a_detached_thread_is_not_joined) {
        struct _thread_attr attr = { .__flags = PTHREAD_CREATE_DETACHED };
        int tid = ThreadCreate(0, stay, NULL, &attr);

        ck_assert_fails(ThreadJoin(tid, NULL), EINVAL);
        ck_assert_fails(ThreadDetach(tid), EINVAL);
        ck_assert_ok(ThreadCancel(tid, NULL));
        while (ThreadCancel(tid, NULL) == 0)
                sched_yield();
        ck_assert_int_eq(errno, ESRCH);
}
END_TEST

START_TEST(detaching_later_is_the_same) {
        int tid = start(stay, NULL);

        ck_assert_r(ThreadDetach_r(tid), EOK);
        ck_assert_fails(ThreadJoin(tid, NULL), EINVAL);
        ck_assert_ok(ThreadCancel(tid, NULL));
        while (ThreadCancel(tid, NULL) == 0)
                sched_yield();
        ck_assert_fails(ThreadDetach(tid), ESRCH);
}
END_TEST

START_TEST(a_cancelled_thread_says_so) {
        int tid = start(stay, NULL);

        ck_assert_ok(ThreadCancel(tid, NULL));
        ck_assert_ptr_eq(join(tid), PTHREAD_CANCELED);
}
END_TEST

START_TEST(a_timeout_ends_the_join_and_another_may_try) {
        int tid = start(stay, NULL);

        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_JOIN, NULL, &SOON, NULL));
        ck_assert_fails(ThreadJoin(tid, NULL), ETIMEDOUT);
        ck_assert_ok(ThreadDestroy(tid, -1, NULL));
        ck_assert_ptr_eq(join(tid), PTHREAD_CANCELED);
}
END_TEST

static void *end_myself(void *arg) {
        ThreadDestroy(0, -1, arg);
        return NULL;
}

START_TEST(a_thread_ends_itself_with_a_status) {
        int word;

        ck_assert_ptr_eq(join(start(end_myself, &word)), &word);
}
END_TEST

START_TEST(all_others_can_be_ended) {
        int a = start(stay, NULL), b = start(stay, NULL);

        ck_assert_ok(ThreadDestroy(-1, 200, NULL)); /* nobody has this priority */
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_JOIN, NULL, &SOON, NULL));
        ck_assert_fails(ThreadJoin(a, NULL), ETIMEDOUT);
        ck_assert_ok(ThreadDestroy(-1, -1, NULL));
        ck_assert_ptr_eq(join(a), PTHREAD_CANCELED);
        ck_assert_ptr_eq(join(b), PTHREAD_CANCELED);
}
END_TEST

static void *join_too(void *arg) {
        return (void *)(long)ThreadJoin_r(*(int *)arg, NULL);
}

/* One of the two waits; the other is told. Whoever comes first, the status is handed out once. */
START_TEST(one_thread_joins) {
        int tid = start(stay, NULL);
        Thread thread = thread_start(join_too, &tid);
        long mine, theirs;

        ck_assert_ok(ThreadCancel(tid, NULL));
        mine = ThreadJoin_r(tid, NULL);
        theirs = (long)thread_end(thread);
        ck_assert_msg((mine == EOK) + (theirs == EOK) == 1, "%ld and %ld", mine, theirs);
        ck_assert(mine + theirs == EBUSY || mine + theirs == ESRCH);
}
END_TEST

START_TEST(who_is_not_there_is_not_found) {
        channel_free(channel_new(0)); /* we are thread 1 */
        ck_assert_fails(ThreadJoin(77, NULL), ESRCH);
        ck_assert_fails(ThreadDetach(77), ESRCH);
        ck_assert_fails(ThreadCancel(77, NULL), ESRCH);
        ck_assert_fails(ThreadDestroy(77, -1, NULL), ESRCH);
        ck_assert_r(ThreadJoin_r(1, NULL), EDEADLK);
        ck_assert_fails(ThreadCreate(getppid(), give_back, NULL, NULL), ENOTSUP);
        ck_assert_fails(ThreadCreate(0, NULL, NULL, NULL), EFAULT);
}
END_TEST

HARNESS_MAIN("threadcall", a_thread_runs_and_is_joined, numbers_differ,
             the_number_is_the_one_a_server_sees, attributes_are_kept, a_detached_thread_is_not_joined,
             detaching_later_is_the_same, a_cancelled_thread_says_so,
             a_timeout_ends_the_join_and_another_may_try, a_thread_ends_itself_with_a_status,
             all_others_can_be_ended, one_thread_joins, who_is_not_there_is_not_found)
