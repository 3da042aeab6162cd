/* SPDX-License-Identifier: MIT */
/*
 * Delay: waiting for a while, asleep or awake, and times as numbers.
 */
#include "shm/clock.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000ull
#define MS 1000000ull

void nsec2timespec(struct timespec *time, uint64_t nsec) {
        *time = (struct timespec){ .tv_sec = (time_t)(nsec / NS), .tv_nsec = (long)(nsec % NS) };
}

uint64_t timespec2nsec(const struct timespec *time) {
        return (uint64_t)time->tv_sec * NS + (uint64_t)time->tv_nsec;
}

/* A part of a millisecond that is left is one that was not slept. */
unsigned int delay(unsigned int duration) {
        struct timespec wanted, left = { 0 };

        nsec2timespec(&wanted, duration * MS);
        if (nanosleep(&wanted, &left) == 0)
                return 0;
        return (unsigned)((timespec2nsec(&left) + MS - 1) / MS);
}

static void spin(uint64_t ns) {
        uint64_t until = clock_now() + ns;

        while (clock_now() < until)
                clock_relax();
}

int nanospin(const struct timespec *when) {
        if (when->tv_sec < 0 || when->tv_nsec < 0 || when->tv_nsec >= (long)NS)
                return EINVAL;
        spin(timespec2nsec(when));
        return EOK;
}

int nanospin_ns(unsigned long nsec) {
        spin(nsec);
        return EOK;
}

void nanospin_count(unsigned long count) {
        spin(count);
}

int nanospin_calibrate(int disable) {
        (void)disable;
        return EOK;
}

unsigned long nanospin_ns_to_count(unsigned long nsec) {
        return nsec;
}
