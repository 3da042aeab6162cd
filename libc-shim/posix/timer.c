/* SPDX-License-Identifier: MIT */
/*
 * Timer: POSIX timers on QNX's events. Thin: the Timer* calls with other types.
 */
#include "sys/neutrino.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#define NS 1000000000

static bool is_time(const struct timespec *t) {
        return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < NS;
}

/* What does not fit into 64 bits is more than 500 years away. */
static uint64_t ns_of(const struct timespec *t) {
        uint64_t ns;

        if (__builtin_mul_overflow((uint64_t)t->tv_sec, (uint64_t)NS, &ns) ||
            __builtin_add_overflow(ns, (uint64_t)t->tv_nsec, &ns))
                return UINT64_MAX;
        return ns;
}

static struct timespec timespec_of(uint64_t ns) {
        return (struct timespec){ .tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS) };
}

static struct itimerspec itimerspec_of(const struct _itimer *itimer) {
        return (struct itimerspec){
                .it_value = timespec_of(itimer->nsec),
                .it_interval = timespec_of(itimer->interval_nsec),
        };
}

static int fail(int error) {
        errno = error;
        return -1;
}

int timer_create(clockid_t id, struct sigevent *event, timer_t *timer) {
        int r;

        if (!timer)
                return fail(EFAULT);
        r = TimerCreate(id, event);
        if (r < 0)
                return -1;
        *timer = r;
        return 0;
}

int timer_delete(timer_t timer) {
        return TimerDestroy(timer);
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *value, struct itimerspec *ovalue) {
        struct _itimer wanted, before;
        int r;

        if (!value || !is_time(&value->it_value) || !is_time(&value->it_interval))
                return fail(EINVAL);
        wanted.nsec = ns_of(&value->it_value);
        wanted.interval_nsec = ns_of(&value->it_interval);
        r = TimerSettime(timer, flags, &wanted, ovalue ? &before : NULL);
        if (r == 0 && ovalue)
                *ovalue = itimerspec_of(&before);
        return r;
}

int timer_gettime(timer_t timer, struct itimerspec *value) {
        struct _timer_info info;

        if (!value)
                return fail(EFAULT);
        if (TimerInfo(0, timer, 0, &info) < 0)
                return -1;
        *value = itimerspec_of(&info.otime);
        return 0;
}

int timer_getoverrun(timer_t timer) {
        struct _timer_info info;

        if (TimerInfo(0, timer, 0, &info) < 0)
                return -1;
        return info.overruns < INT32_MAX ? (int)info.overruns : INT32_MAX;
}

int timer_getexpstatus(timer_t timer) {
        struct _timer_info info;

        if (TimerInfo(0, timer, 0, &info) < 0)
                return -1;
        return info.flags & _NTO_TI_EXPIRED ? ETIMEDOUT : 0;
}
