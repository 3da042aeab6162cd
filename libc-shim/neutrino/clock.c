/* SPDX-License-Identifier: MIT */
/*
 * Clock: the Clock* calls, on Linux's clocks.
 */
#include "neutrino/result.h"
#include "runtime/thread.h"
#include "sys/neutrino.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000u
#define PERIOD_DEFAULT 1000000u /* QNX's, on every machine that is fast enough */

static Word period_ns = PERIOD_DEFAULT;

static Thread *enter(void) {
        Thread *thread = call_enter();

        call_take_timeout(thread);
        return thread;
}

/* ---- ClockTime ---- */

static int clock_time(clockid_t id, const uint64_t *time, uint64_t *old) {
        struct timespec at;

        if (old) {
                if (clock_gettime(id, &at) < 0)
                        return errno;
                *old = (uint64_t)at.tv_sec * NS + (uint64_t)at.tv_nsec;
        }
        if (!time)
                return EOK;
        at = (struct timespec){ .tv_sec = (time_t)(*time / NS), .tv_nsec = (long)(*time % NS) };
        return clock_settime(id, &at) < 0 ? errno : EOK;
}

int ClockTime_r(clockid_t id, const uint64_t *time, uint64_t *old) {
        Thread *thread = enter();
        int r = clock_time(id, time, old);

        call_leave(thread);
        return r;
}

int ClockTime(clockid_t id, const uint64_t *time, uint64_t *old) {
        return plain_status(ClockTime_r(id, time, old));
}

/* ---- ClockAdjust ---- */

static struct timeval adjustment(const struct _clockadjust *adjust) {
        int64_t us = (int64_t)adjust->tick_count * adjust->tick_nsec_inc / 1000;

        return (struct timeval){ .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
}

static struct _clockadjust ticks_left(const struct timeval *left) {
        int64_t us = (int64_t)left->tv_sec * 1000000 + left->tv_usec;
        int64_t count = us < 0 ? -us : us;

        return (struct _clockadjust){
                .tick_count = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count,
                .tick_nsec_inc = us < 0 ? -1000 : 1000,
        };
}

static int clock_adjust(clockid_t id, const struct _clockadjust *adjust, struct _clockadjust *old) {
        struct timeval wanted, left;

        if (id != CLOCK_REALTIME)
                return EINVAL;
        if (adjust)
                wanted = adjustment(adjust);
        if (adjtime(adjust ? &wanted : NULL, &left) < 0)
                return errno;
        if (old)
                *old = ticks_left(&left);
        return EOK;
}

int ClockAdjust_r(clockid_t id, const struct _clockadjust *adjust, struct _clockadjust *old) {
        Thread *thread = enter();
        int r = clock_adjust(id, adjust, old);

        call_leave(thread);
        return r;
}

int ClockAdjust(clockid_t id, const struct _clockadjust *adjust, struct _clockadjust *old) {
        return plain_status(ClockAdjust_r(id, adjust, old));
}

/* ---- ClockPeriod ---- */

static int clock_period(clockid_t id, const struct _clockperiod *period, struct _clockperiod *old,
                        int reserved) {
        if ((id != CLOCK_REALTIME && id != CLOCK_MONOTONIC) || reserved != 0)
                return EINVAL;
        if (period && period->nsec == 0)
                return EINVAL;
        if (old)
                *old = (struct _clockperiod){ .nsec = word_load(&period_ns) };
        if (period)
                word_store(&period_ns, period->nsec);
        return EOK;
}

int ClockPeriod_r(clockid_t id, const struct _clockperiod *period, struct _clockperiod *old,
                  int reserved) {
        Thread *thread = enter();
        int r = clock_period(id, period, old, reserved);

        call_leave(thread);
        return r;
}

int ClockPeriod(clockid_t id, const struct _clockperiod *period, struct _clockperiod *old,
                int reserved) {
        return plain_status(ClockPeriod_r(id, period, old, reserved));
}

/* ---- ClockId ---- */

/* As Linux builds the ids of threads' clocks; glibc has no call for a thread by number. */
static clockid_t thread_clock(uint32_t linux_tid) {
        return (clockid_t)((~linux_tid << 3) | 6u);
}

static int own_thread_clock(uint32_t tid) {
        const Thread *thread;
        int r = -ESRCH;

        threads_lock();
        thread = thread_find_locked(tid);
        if (thread)
                r = thread_clock(thread->linux_tid);
        threads_unlock();
        return r;
}

static int clock_id(pid_t pid, int tid) {
        clockid_t id;

        if (tid != 0)
                return pid == 0 || pid == getpid() ? own_thread_clock((uint32_t)tid) : -EINVAL;
        return clock_getcpuclockid(pid, &id) == 0 ? id : -ESRCH;
}

int ClockId_r(pid_t pid, int tid) {
        Thread *thread = enter();
        int r = clock_id(pid, tid);

        call_leave(thread);
        return r;
}

int ClockId(pid_t pid, int tid) {
        int r = ClockId_r(pid, tid);

        if (r != -ESRCH && r != -EINVAL)
                return r;
        errno = -r;
        return -1;
}

uint64_t ClockCycles(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC_RAW, &now);
        return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}
