/* SPDX-License-Identifier: MIT */
/*
 * The Clock* calls. Programs get them from <sys/neutrino.h>.
 */
#pragma once
#pragma GCC system_header

#include <bits/types/clockid_t.h>
#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/types.h>

struct _clockperiod {
        uint32_t nsec;
        int32_t fract; /* femtoseconds; 0 here */
};

struct _clockadjust {
        uint32_t tick_count;   /* for so many ticks ... */
        int32_t tick_nsec_inc; /* ... the clock advances by so many nanoseconds more */
};

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * ClockTime: read or set a clock
 *
 * `old`, if not NULL, gets the time of clock `id` in nanoseconds: since 1970 for CLOCK_REALTIME, since
 * the machine started for CLOCK_MONOTONIC. `time`, if not NULL, is the new time, for CLOCK_REALTIME and
 * who may set it.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  there is no clock `id`, or it cannot be set.
 *   EPERM   the caller may not set it.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. The clocks' numbers are Linux's.
 * See: ClockAdjust, ClockPeriod, ClockCycles
 */
int ClockTime(clockid_t id, const uint64_t *time, uint64_t *old);
int ClockTime_r(clockid_t id, const uint64_t *time, uint64_t *old);

/*
 * ClockAdjust: let a clock catch up or fall back slowly
 *
 * CLOCK_REALTIME shall gain `tick_count` times `tick_nsec_inc` nanoseconds, or lose them where that is
 * negative, without a jump. `old`, if not NULL, gets what is left of the adjustment before; `adjust`
 * NULL only asks. The system decides how fast; the sum is kept to microseconds.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  `id` is not CLOCK_REALTIME, or the sum is more than the system allows.
 *   EPERM   the caller may not set the clock.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: what is left is told in ticks of 1000 nanoseconds.
 * See: ClockTime
 */
int ClockAdjust(clockid_t id, const struct _clockadjust *adjust, struct _clockadjust *old);
int ClockAdjust_r(clockid_t id, const struct _clockadjust *adjust, struct _clockadjust *old);

/*
 * ClockPeriod: the length of a clock tick
 *
 * Timers here do not wait for ticks, they are as exact as the machine. So a new period is only
 * remembered, by this process, and told again: 1000000 nanoseconds before any was set. `reserved` is 0.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  `id` is neither CLOCK_REALTIME nor CLOCK_MONOTONIC, `reserved` is not 0, or the new period
 *           is 0.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: no privilege is asked for, because nobody is affected.
 * See: ClockTime
 */
int ClockPeriod(clockid_t id, const struct _clockperiod *period, struct _clockperiod *old, int reserved);
int ClockPeriod_r(clockid_t id, const struct _clockperiod *period, struct _clockperiod *old,
                  int reserved);

/*
 * ClockId: the clock of a process's or thread's work
 *
 * The clock that counts the processor time of process `pid`, 0 being the caller's, or of its thread
 * `tid` if that is not 0.
 *
 * Returns: the clock's id, which is a negative number other than -1; -1 and errno. The _r form returns
 *   a negative errno, which is closer to 0 than any id of a process or thread with a number above 511.
 * Errors:
 *   EINVAL  `tid` is not 0 and `pid` another process, whose threads cannot be told.
 *   ESRCH   there is no such process or thread.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Negative ids are Linux's.
 * See: ClockTime, TimerCreate
 */
int ClockId(pid_t pid, int tid);
int ClockId_r(pid_t pid, int tid);

/*
 * ClockCycles: a counter that runs freely
 *
 * It counts SYSPAGE_ENTRY(qtime)->cycles_per_sec in a second, never goes back, is the same on every
 * processor and is not adjusted.
 *
 * Returns: the count.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: a cycle is a nanosecond, so that no rate must be measured.
 * See: ClockTime
 */
uint64_t ClockCycles(void);

#pragma GCC visibility pop
__END_DECLS
