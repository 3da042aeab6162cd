/* SPDX-License-Identifier: MIT */
/*
 * Bell: how a sender says "lane L has something", and how receivers wait for it.
 * The protocol stands at ShmBell in the layout; each function below is one side of it.
 */
#pragma once

#include "abi/layout.h"

#include <stdbool.h>

/* Sender: set @bit in the leaf of @lane, publish upwards, wake a sleeping receiver. Never blocks. */
void bell_ring(ShmBell *bell, uint32_t lane, unsigned bit);

/* Daemon, library: wake every receiver that sleeps on @bell; it will find its news. */
void bell_wake_all(ShmBell *bell);

/* Library: wake one receiver (the baton from one receiver to the next). */
void bell_wake_one(ShmBell *bell);

/*
 * Receiver: takes the bits of the next lane that has any. @cursor starts at 0 for each walk.
 * False when the walk is over. A lane that was found empty goes cold if @cool.
 */
typedef struct BellWalk {
        unsigned next; /* lane to look at next */
        bool cool;     /* clear the marks of lanes that have nothing */
} BellWalk;
bool bell_collect(ShmBell *bell, BellWalk *walk, uint32_t *ret_lane, uint64_t *ret_bits);

/* Receiver: cheap look whether any mark is set (a walk may still find nothing). */
bool bell_is_marked(const ShmBell *bell);

/* Receiver, before sleeping: announce, returning the ring value to sleep on; then look once more. */
uint32_t bell_prepare_sleep(ShmBell *bell);
uint32_t bell_ring_value(const ShmBell *bell);
