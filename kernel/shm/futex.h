/* SPDX-License-Identifier: MIT */
/*
 * Futex: the only place that calls futex(2).
 *
 * Every wait is one round of a loop at the caller that looks at its condition again: a return means
 * nothing but "look".
 */
#pragma once

#include "shm/word.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* A point in time, or never. */
typedef struct Deadline {
        bool set;
        clockid_t clock; /* CLOCK_MONOTONIC or CLOCK_REALTIME */
        struct timespec at;
} Deadline;

bool deadline_passed(const Deadline *deadline);

/* @ns on CLOCK_MONOTONIC; UINT64_MAX = never. */
Deadline deadline_at_ns(uint64_t ns);

/* Which comes first as the clocks stand now. */
Deadline deadline_nearer(const Deadline *a, const Deadline *b);

/* Nanoseconds until then; 0 = it has passed, UINT64_MAX = never. */
uint64_t deadline_left(const Deadline *deadline);

/*
 * Sleeps while *word == value. 0 = woken or the value differs, -ETIMEDOUT, -EINTR (a handler without
 * SA_RESTART ran; handlers with it make the kernel wait again, so they change the word).
 */
int futex_wait(const Word *word, uint32_t value, const Deadline *deadline);

void futex_wake(const Word *word, unsigned n);

/* As futex_wait() on up to FUTEX_MANY words at once; -ENOSYS before Linux 5.16. */
#define FUTEX_MANY 128u
int futex_wait_many(const Word *const words[], const uint32_t values[], size_t n,
                    const Deadline *deadline);

/* Can this kernel wait on several words? Asked once, at start. */
bool futex_can_wait_many(void);
