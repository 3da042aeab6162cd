/* SPDX-License-Identifier: MIT */
/*
 * timer_timeout(): the POSIX-style form of TimerTimeout().
 * Programs get it from <time.h> or <sys/neutrino.h>.
 */
#pragma once
#pragma GCC system_header

#include <sys/cdefs.h>
#include <bits/types/clockid_t.h>
#include <bits/types/struct_timespec.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

struct sigevent;

/*
 * timer_timeout: limit how long the next blocking call may block
 *
 * TimerTimeout() with the times as struct timespec. `timeout` is relative, or absolute on clock
 * `id` when TIMER_ABSTIME is or'ed into `flags`; NULL means not to block at all. `remaining` may be
 * NULL.
 *
 * Returns: EOK; -1 and errno; the _r form returns a positive errno.
 * Errors:
 *   EINVAL  `id` is neither CLOCK_REALTIME nor CLOCK_MONOTONIC, `event` is none that can be delivered,
 *           or `timeout` is negative or its tv_nsec is not in 0..999999999.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: TimerTimeout
 */
int timer_timeout(clockid_t id, int flags, const struct sigevent *event,
                  const struct timespec *timeout, struct timespec *remaining);
int timer_timeout_r(clockid_t id, int flags, const struct sigevent *event,
                    const struct timespec *timeout, struct timespec *remaining);

#pragma GCC visibility pop
__END_DECLS
