/* SPDX-License-Identifier: MIT */
#include "base/schedule.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SCHED_FLAG_RESET_ON_FORK
#define SCHED_FLAG_RESET_ON_FORK 0x01
#endif

/* The kernel's struct sched_attr, of its first version; glibc before 2.41 declares none. */
typedef struct Attributes {
        uint32_t size;
        uint32_t policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
} Attributes;

int schedule_get(pid_t tid, Schedule *ret_schedule) {
        Attributes attributes = { .size = sizeof(attributes) };

        if (syscall(SYS_sched_getattr, tid, &attributes, sizeof(attributes), 0) < 0)
                return -errno;
        *ret_schedule = (Schedule){
                .policy = (int)attributes.policy,
                .nice = attributes.nice,
                .realtime = (int)attributes.priority,
                .resets_on_fork = attributes.flags & SCHED_FLAG_RESET_ON_FORK,
        };
        return 0;
}

int schedule_set(pid_t tid, const Schedule *schedule) {
        Attributes attributes = {
                .size = sizeof(attributes),
                .policy = (uint32_t)schedule->policy,
                .flags = schedule->resets_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
                .nice = schedule->nice,
                .priority = (uint32_t)schedule->realtime,
        };

        return syscall(SYS_sched_setattr, tid, &attributes, 0) < 0 ? -errno : 0;
}

/* Signal 0 to a thread of a process: the kernel looks whose it is before it looks at permissions. */
bool schedule_is_thread_of(pid_t pid, pid_t tid) {
        return tid > 0 && (syscall(SYS_tgkill, pid, tid, 0) == 0 || errno == EPERM);
}

int schedule_lift(pid_t tid, int realtime) {
        Schedule schedule;
        int r = schedule_get(tid, &schedule);

        if (r < 0 || schedule.realtime >= realtime)
                return r;
        if (schedule.realtime == 0)
                schedule.policy = SCHED_RR;
        schedule.realtime = realtime;
        schedule.nice = 0;
        return schedule_set(tid, &schedule);
}

int schedule_lift_of(pid_t pid, pid_t tid, int realtime) {
        return schedule_is_thread_of(pid, tid) ? schedule_lift(tid, realtime) : -ESRCH;
}
