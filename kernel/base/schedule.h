/* SPDX-License-Identifier: MIT */
/*
 * Schedule: how the kernel schedules one thread, read and set in one system call each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Schedule {
        int policy;           /* SCHED_OTHER, SCHED_FIFO ... */
        int nice;             /* of an ordinary thread */
        int realtime;         /* 1 .. 99; 0 = an ordinary thread */
        bool resets_on_fork;  /* children begin as ordinary threads; only a right takes this back */
} Schedule;

/* @tid 0 = the caller. 0 or -errno. */
int schedule_get(pid_t tid, Schedule *ret_schedule);
int schedule_set(pid_t tid, const Schedule *schedule);

/*
 * Lifts the thread @tid to real-time priority @realtime, if it is below that; never lowers. -ESRCH: there is
 * none; -EPERM: the caller may not. The second form lifts it only if it is a thread of process @pid.
 */
int schedule_lift(pid_t tid, int realtime);
int schedule_lift_of(pid_t pid, pid_t tid, int realtime);

/* Is @tid a thread of process @pid? Asks the kernel. */
bool schedule_is_thread_of(pid_t pid, pid_t tid);
