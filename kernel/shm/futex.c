/* SPDX-License-Identifier: MIT */
#include "shm/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 12's headers know these, older ones do not; the numbers are the same on every architecture. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

typedef struct FutexWaitv {
        uint64_t value;
        uint64_t address;
        uint32_t flags;
        uint32_t reserved;
} FutexWaitv;
#define FUTEX_WAITV_32 2u

bool deadline_passed(const Deadline *deadline) {
        struct timespec now;

        if (!deadline->set)
                return false;
        clock_gettime(deadline->clock, &now);
        if (now.tv_sec != deadline->at.tv_sec)
                return now.tv_sec > deadline->at.tv_sec;
        return now.tv_nsec >= deadline->at.tv_nsec;
}

Deadline deadline_at_ns(uint64_t ns) {
        if (ns == UINT64_MAX)
                return (Deadline){ .set = false };
        return (Deadline){
                .set = true,
                .clock = CLOCK_MONOTONIC,
                .at = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) },
        };
}

uint64_t deadline_left(const Deadline *deadline) {
        struct timespec now;
        int64_t seconds;

        if (!deadline->set)
                return UINT64_MAX;
        clock_gettime(deadline->clock, &now);
        if (__builtin_sub_overflow(deadline->at.tv_sec, now.tv_sec, &seconds) ||
            seconds > INT64_MAX / 1000000000 - 1)
                return UINT64_MAX - 1;
        seconds = seconds * 1000000000 + (deadline->at.tv_nsec - now.tv_nsec);
        return seconds > 0 ? (uint64_t)seconds : 0;
}

Deadline deadline_nearer(const Deadline *a, const Deadline *b) {
        return deadline_left(b) < deadline_left(a) ? *b : *a;
}

static int result(long r) {
        if (r >= 0 || errno == EAGAIN)
                return 0;
        return -errno;
}

int futex_wait(const Word *word, uint32_t value, const Deadline *deadline) {
        int op = FUTEX_WAIT_BITSET;
        const struct timespec *at = NULL;

        if (deadline->set) {
                at = &deadline->at;
                if (deadline->clock == CLOCK_REALTIME)
                        op |= FUTEX_CLOCK_REALTIME;
        }
        return result(syscall(SYS_futex, word, op, value, at, NULL, FUTEX_BITSET_MATCH_ANY));
}

void futex_wake(const Word *word, unsigned n) {
        syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
}

int futex_wait_many(const Word *const words[], const uint32_t values[], size_t n,
                    const Deadline *deadline) {
        FutexWaitv waits[FUTEX_MANY];

        if (n > FUTEX_MANY)
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                waits[i] = (FutexWaitv){
                        .value = values[i],
                        .address = (uintptr_t)words[i],
                        .flags = FUTEX_WAITV_32,
                };
        return result(syscall(SYS_futex_waitv, waits, n, 0, deadline->set ? &deadline->at : NULL,
                              deadline->clock));
}

bool futex_can_wait_many(void) {
        return syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) < 0 && errno == EINVAL;
}
