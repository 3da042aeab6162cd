/* SPDX-License-Identifier: MIT */
/*
 * Stats: the clock and the few figures that msgbench makes out of its samples.
 */
#pragma once

#include <stdint.h>

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull

#define SAMPLES_MAX 1024u

typedef struct Samples {
        unsigned n;
        double values[SAMPLES_MAX];
} Samples;

uint64_t now_ns(void);
void sleep_until(uint64_t when_ns);

/* Samples beyond SAMPLES_MAX are dropped. */
void samples_add(Samples *samples, double value);

/* The three are 0 when there are no samples. */
double samples_median(const Samples *samples);
/* The least value that @percent of the samples do not exceed. */
double samples_percentile(const Samples *samples, unsigned percent);
/* Which sample is in the middle; of an even number the greater one. There must be one. */
unsigned samples_middle(const Samples *samples);
double samples_min(const Samples *samples);
double samples_max(const Samples *samples);
