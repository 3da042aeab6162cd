/* SPDX-License-Identifier: MIT */
/*
 * Timers of the process: the Timer* calls. Programs get them from <sys/neutrino.h>.
 */
#pragma once
#pragma GCC system_header

#include <bits/nuntius-sigevent.h>
#include <bits/types/clockid_t.h>
#include <bits/types/timer_t.h>
#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/types.h>

struct _itimer {
        uint64_t nsec;          /* first expiry, in nanoseconds; 0 = the timer is off */
        uint64_t interval_nsec; /* from one expiry to the next; 0 = it expires once */
};

struct _timer_info {
        struct _itimer itime; /* as it was set */
        struct _itimer otime; /* what is left of it */
        uint32_t flags;       /* _NTO_TI_... */
        int32_t tid;          /* the thread that created it */
        int32_t notify;       /* its event's kind, SIGEV_... */
        clockid_t clockid;
        uint32_t overruns;
        struct sigevent event;
};

/* struct _timer_info: flags */
#define _NTO_TI_ACTIVE           0x0001 /* it is running */
#define _NTO_TI_ABSOLUTE         0x0002 /* it was set with TIMER_ABSTIME */
#define _NTO_TI_EXPIRED          0x0004 /* it has expired since it was set */
#define _NTO_TI_TOD_BASED        0x0008 /* its clock is CLOCK_REALTIME */
#define _NTO_TI_TARGET_PROCESS   0x0010 /* its event is for the process, not for one thread */
#define _NTO_TI_REPORT_TOLERANCE 0x0020
#define _NTO_TI_PRECISE          0x0040
#define _NTO_TI_TOLERANT         0x0080
#define _NTO_TI_WAKEUP           0x0100
#define _NTO_TI_PROCESS_TOLERANT 0x0200
#define _NTO_TI_HIGH_RESOLUTION  0x0400

/* TimerSettime(), timer_settime(): the times are how late the timer may be. Our choice of value. */
#ifndef TIMER_TOLERANCE
#define TIMER_TOLERANCE 0x40000000
#endif

/* TimerInfo(): flags */
#define _NTO_TIMER_SEARCH         1 /* the timer of that number, or the next there is */
#define _NTO_TIMER_RESET_OVERRUNS 2 /* and count its overruns from 0 */
#define _NTO_TIMER_SUPPORT_64BIT  4 /* kept, without effect: the structure always is */

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * TimerCreate: create a timer
 *
 * `id` is the clock: CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_PROCESS_CPUTIME_ID,
 * CLOCK_THREAD_CPUTIME_ID or another one that the system lets a timer run on. `event` says what
 * happens when the timer expires; NULL is signal SIGALRM to the process, with the timer's number as
 * its value. The timer belongs to the process and is off.
 *
 * A pulse goes through connection sigev_coid of this process, and ends with that connection. A pulse
 * with priority SIGEV_PULSE_PRIO_INHERIT has the priority that the caller has now. A signal or
 * interrupt for one thread is the caller's.
 *
 * Each expiry makes one pulse; none is dropped or merged while fewer than 1024 of the timer's wait.
 *
 * Returns: the timer's number, from 1; -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   EAGAIN  the process has 65535 timers, or as many as the system lets it have.
 *   EBADF   the event is a pulse and `sigev_coid` no connection, or its channel has gone.
 *   EINVAL  `id` is no clock that a timer can run on, or `event` is none that can be delivered.
 *   EPERM   the event is a pulse to another user's process, and the caller lacks PROCMGR_AID_TIMER.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: the numbers begin with 1; EBADF and the limit of 1024,
 *   which are not in public.
 * See: TimerSettime, TimerDestroy, TimerInfo, timer_create
 */
int TimerCreate(clockid_t id, const struct sigevent *event);
int TimerCreate_r(clockid_t id, const struct sigevent *event);

/*
 * TimerDestroy: destroy a timer
 *
 * Pulses and signals that it has sent already stay.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  there is no timer `id`.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: TimerCreate
 */
int TimerDestroy(timer_t id);
int TimerDestroy_r(timer_t id);

/*
 * TimerSettime: set a timer
 *
 * It expires after `itime->nsec` nanoseconds, or at that time of its clock when `flags` is
 * TIMER_ABSTIME, and from then on every `itime->interval_nsec`, unless that is 0. `nsec` 0 turns it
 * off. A relative time does not care about changes of the clock, an absolute one on CLOCK_REALTIME
 * follows them. An absolute time in the past expires at once; what it would have expired before are
 * overruns. `oitime`, if not NULL, gets what was left.
 *
 * With TIMER_TOLERANCE in `flags`, `itime->nsec` says how late the timer may be, and the timer goes on
 * as it was set. Timers here are as exact as the machine: it is accepted and has no effect.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EAGAIN  what the timer needs of the system cannot be had.
 *   EINVAL  there is no timer `id`, `flags` are unknown, or `itime` is NULL.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. TIMER_ABSTIME has Linux's value.
 * See: TimerCreate, timer_settime
 */
int TimerSettime(timer_t id, int flags, const struct _itimer *itime, struct _itimer *oitime);
int TimerSettime_r(timer_t id, int flags, const struct _itimer *itime, struct _itimer *oitime);

/*
 * TimerInfo: look at a timer
 *
 * Of timer `id` of process `pid`, 0 being the caller's; with _NTO_TIMER_SEARCH in `flags` of the next
 * one if there is no such timer, so that all can be walked through. _NTO_TIMER_RESET_OVERRUNS makes
 * the overruns count from 0 again.
 *
 * An overrun is an expiry whose event could not be delivered, or that the system joined with another.
 *
 * Returns: the number of the timer found; -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   EFAULT  `info` is NULL.
 *   EINVAL  there is no such timer.
 *   EPERM   `pid` is another process.
 *   ESRCH   there is no process `pid`.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: EPERM, because a process keeps its timers to itself;
 *   `itime` as it was set and `otime` what is left.
 * See: TimerCreate, timer_gettime
 */
int TimerInfo(pid_t pid, timer_t id, int flags, struct _timer_info *info);
int TimerInfo_r(pid_t pid, timer_t id, int flags, struct _timer_info *info);

/*
 * TimerAlarm: send SIGALRM to the process after a while
 *
 * After `itime->nsec` nanoseconds, and every `itime->interval_nsec` from then on unless that is 0. It
 * is the one alarm that alarm(), ualarm() and setitimer() set. `nsec` 0 turns it off. `otime`, if not
 * NULL, gets what was left. Times are rounded up to microseconds.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  `id` is neither CLOCK_REALTIME nor CLOCK_MONOTONIC.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: TimerCreate
 */
int TimerAlarm(clockid_t id, const struct _itimer *itime, struct _itimer *otime);
int TimerAlarm_r(clockid_t id, const struct _itimer *itime, struct _itimer *otime);

#pragma GCC visibility pop
__END_DECLS
