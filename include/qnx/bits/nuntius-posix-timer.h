/* SPDX-License-Identifier: MIT */
/*
 * POSIX timers on QNX's struct sigevent and timer_t. Programs get them from <time.h>.
 *
 * They have link names of their own, so glibc's stay as they are for code that was compiled without
 * these headers.
 */
#pragma once
#pragma GCC system_header

#include <bits/types/clockid_t.h>
#include <bits/types/struct_itimerspec.h>
#include <bits/types/timer_t.h>
#include <sys/cdefs.h>

#ifndef TIMER_TOLERANCE
#define TIMER_TOLERANCE 0x40000000 /* TimerSettime() */
#endif

__BEGIN_DECLS
#pragma GCC visibility push(default)

struct sigevent;

/*
 * timer_create: create a timer
 *
 * TimerCreate() that stores the timer's number in `timer`.
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EAGAIN  as TimerCreate().
 *   EBADF   as TimerCreate().
 *   EFAULT  `timer` is NULL.
 *   EINVAL  as TimerCreate().
 * Blocks: no. Not a cancellation point.
 * Rule: POSIX; QNX 7.1 documentation.
 * See: TimerCreate, timer_settime, timer_delete
 */
int timer_create(clockid_t id, struct sigevent *event, timer_t *timer) __asm__("nuntius_timer_create");

/*
 * timer_delete: destroy a timer
 *
 * As TimerDestroy().
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EINVAL  there is no such timer.
 * Blocks: no. Not a cancellation point.
 * Rule: POSIX.
 * See: timer_create, TimerDestroy
 */
int timer_delete(timer_t timer) __asm__("nuntius_timer_delete");

/*
 * timer_settime: set a timer
 *
 * As TimerSettime(), with the times as struct timespec. `flags` is 0 or TIMER_ABSTIME.
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EAGAIN  as TimerSettime().
 *   EINVAL  there is no such timer, `flags` are unknown, `value` is NULL, a time is negative, or its
 *           tv_nsec is not in 0..999999999.
 * Blocks: no. Not a cancellation point.
 * Rule: POSIX.
 * See: timer_create, timer_gettime, TimerSettime
 */
int timer_settime(timer_t timer, int flags, const struct itimerspec *value, struct itimerspec *ovalue)
        __asm__("nuntius_timer_settime");

/*
 * timer_gettime: the time that a timer has left
 *
 * And its interval. it_value is 0 when the timer is off.
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EFAULT  `value` is NULL.
 *   EINVAL  there is no such timer.
 * Blocks: no. Not a cancellation point.
 * Rule: POSIX.
 * See: timer_settime, TimerInfo
 */
int timer_gettime(timer_t timer, struct itimerspec *value) __asm__("nuntius_timer_gettime");

/*
 * timer_getoverrun: how often a timer has expired without an event
 *
 * Returns: the overruns since the timer was set; -1 and errno.
 * Errors:
 *   EINVAL  there is no such timer.
 * Blocks: no. Not a cancellation point.
 * Rule: POSIX. For pulses each expiry is an event of its own, so overruns are those that found no
 *   room (TimerCreate()).
 * See: timer_create, TimerInfo
 */
int timer_getoverrun(timer_t timer) __asm__("nuntius_timer_getoverrun");

/*
 * timer_getexpstatus: has a timer expired?
 *
 * Since it was set.
 *
 * Returns: 0 if it has not, ETIMEDOUT if it has; -1 and errno.
 * Errors:
 *   EINVAL  there is no such timer.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: timer_create, TimerInfo
 */
int timer_getexpstatus(timer_t timer);

#pragma GCC visibility pop
__END_DECLS
