/* SPDX-License-Identifier: MIT */
#include "base/schedule.h"

#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool lacks_realtime(void) {
        Schedule schedule = { .policy = SCHED_RR, .realtime = 5 };

        if (schedule_set(0, &schedule) < 0) {
                printf("SKIPPED one test: no right to real-time priorities\n");
                return true;
        }
        ck_assert_int_eq(schedule_set(0, &(Schedule){ .policy = SCHED_OTHER }), 0);
        return false;
}

static pid_t start_process(void) {
        pid_t pid = fork();

        if (pid == 0)
                for (;;)
                        pause();
        return pid;
}

static void end_process(pid_t pid) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

START_TEST(what_is_set_is_read) {
        Schedule schedule = { .policy = SCHED_FIFO, .realtime = 7 }, got;

        if (lacks_realtime())
                return;
        ck_assert_int_eq(schedule_set(0, &schedule), 0);
        ck_assert_int_eq(schedule_get(0, &got), 0);
        ck_assert_int_eq(got.policy, SCHED_FIFO);
        ck_assert_int_eq(got.realtime, 7);
        ck_assert_int_eq(schedule_set(0, &(Schedule){ .policy = SCHED_OTHER, .nice = 3 }), 0);
        ck_assert_int_eq(schedule_get(0, &got), 0);
        ck_assert_int_eq(got.realtime, 0);
        ck_assert_int_eq(got.nice, 3);
}
END_TEST

START_TEST(a_thread_belongs_to_its_process_alone) {
        pid_t other = start_process();

        ck_assert(schedule_is_thread_of(getpid(), (pid_t)syscall(SYS_gettid)));
        ck_assert(schedule_is_thread_of(other, other));
        ck_assert(!schedule_is_thread_of(getpid(), other));
        ck_assert(!schedule_is_thread_of(other, getpid()));
        ck_assert(!schedule_is_thread_of(getpid(), 0));
        ck_assert(!schedule_is_thread_of(getpid(), -1));
        end_process(other);
}
END_TEST

START_TEST(a_lift_is_for_a_thread_of_the_process_and_never_lowers) {
        pid_t other = start_process();
        Schedule got;

        if (lacks_realtime()) {
                end_process(other);
                return;
        }
        ck_assert_int_eq(schedule_lift_of(getpid(), other, 20), -ESRCH);
        ck_assert_int_eq(schedule_get(other, &got), 0);
        ck_assert_int_eq(got.realtime, 0);
        ck_assert_int_eq(schedule_lift_of(other, other, 20), 0);
        ck_assert_int_eq(schedule_lift_of(other, other, 10), 0);
        ck_assert_int_eq(schedule_get(other, &got), 0);
        ck_assert_int_eq(got.realtime, 20);
        ck_assert_int_eq(got.policy, SCHED_RR);
        end_process(other);
}
END_TEST

SUITE_MAIN("schedule", what_is_set_is_read, a_thread_belongs_to_its_process_alone,
           a_lift_is_for_a_thread_of_the_process_and_never_lowers)
