/* SPDX-License-Identifier: MIT */
/*
 * Times as numbers, and waiting without sleeping. Programs get them from <time.h>.
 */
#pragma once
#pragma GCC system_header

#include <bits/types/struct_timespec.h>
#include <stdint.h>
#include <sys/cdefs.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * nsec2timespec: nanoseconds as a struct timespec
 *
 * Returns: nothing.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: timespec2nsec
 */
void nsec2timespec(struct timespec *time, uint64_t nsec);

/*
 * timespec2nsec: a struct timespec as nanoseconds
 *
 * Returns: the nanoseconds.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: nsec2timespec
 */
uint64_t timespec2nsec(const struct timespec *time);

/*
 * nanospin: wait without sleeping
 *
 * Keeps the processor busy for at least the time given: as a struct timespec, in nanoseconds, or as a
 * count from nanospin_ns_to_count().
 *
 * Returns: nanospin() EOK or an errno; nanospin_ns() EOK; nanospin_count() nothing.
 * Errors:
 *   EINVAL  nanospin(): tv_nsec is not in 0..999999999, or the time is negative.
 * Blocks: never; it runs. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: nanospin_calibrate, delay
 */
int nanospin(const struct timespec *when);
int nanospin_ns(unsigned long nsec);
void nanospin_count(unsigned long count);

/*
 * nanospin_calibrate: measure how fast nanospin is
 *
 * There is nothing to measure here, because it looks at a clock: a count of nanospin_count() is a
 * nanosecond. `disable` is not looked at.
 *
 * Returns: EOK; nanospin_ns_to_count() the count that takes `nsec` nanoseconds.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: nanospin
 */
int nanospin_calibrate(int disable);
unsigned long nanospin_ns_to_count(unsigned long nsec);

#pragma GCC visibility pop
__END_DECLS
