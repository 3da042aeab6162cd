/* SPDX-License-Identifier: MIT */
/*
 * Baselines: the least that the machine could do for the same job, without Nuntius. Ratios are against these.
 */
#pragma once

#include "duet.h"

extern const Duet baseline_cacheline; /* two processes spin on a word each */
extern const Duet baseline_futex;     /* one wake and one wait each way */
extern const Duet baseline_pipe;
extern const Duet baseline_seqpacket; /* one UNIX socket pair */
extern const Duet baseline_memcpy;    /* Stage.bytes from A to B, then from B to C, in one process */

/* The bare futex calls on a shared word; for one that waits for a word to change from `value`. */
void baseline_wait(volatile uint32_t *word, uint32_t value);
void baseline_wake(volatile uint32_t *word);

/* Page-touched memory that starts `skew` bytes into a page: equal skews make copies alias. */
void *baseline_buffer(uint64_t bytes, unsigned skew);
