/* SPDX-License-Identifier: MIT */
/*
 * Noise: how much of the machine others had while msgbench measured, so that a reader knows what a
 * figure is worth.
 */
#pragma once

#include <stdint.h>

typedef struct Noise {
        uint64_t all, busy, stolen; /* ticks of all processors since boot */
        uint64_t own;               /* ticks of our children that have ended */
} Noise;

void noise_read(Noise *noise);

/* Parts of all processor time, in percent. */
double noise_others(const Noise *before, const Noise *after);
double noise_stolen(const Noise *before, const Noise *after);
