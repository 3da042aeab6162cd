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

/*
 * Sender: the same for @slot of @lane, which says SEND, or for BELL_EXPECTS_PULSES, with a full cell in the
 * ring; the leaf is spared where the server expects the sender and looks there by itself.
 */
void bell_call(ShmBell *bell, uint32_t lane, uint32_t slot);

/*
 * Server: from now on it looks at @slot of @lane (or BELL_EXPECTS_PULSES) by itself, and no longer at the
 * one it named before, where it has to look once more after this.
 */
void bell_expect(ShmBell *bell, uint32_t lane, uint32_t slot);
void bell_expect_nobody(ShmBell *bell);

/* Daemon, library: wake every receiver that sleeps on @bell; it will find its news. */
void bell_wake_all(ShmBell *bell);

/* Library: wake one receiver (the baton from one receiver to the next). */
void bell_wake_one(ShmBell *bell);

/* A receiver's own signal handler: the kernel shall not put this thread back to sleep. */
void bell_nudge(ShmBell *bell);

/*
 * Receiver: takes the bits of the next lane that has any; false when the walk is over.
 * A lane found empty goes cold if @cool.
 */
typedef struct BellWalk {
        uint32_t next; /* lane to look at next; starts at 0 */
        bool cool;     /* clear the marks of lanes that have nothing */
} BellWalk;
bool bell_collect(ShmBell *bell, BellWalk *walk, uint32_t *ret_lane, uint64_t *ret_bits);

/* Receiver: gives bits back that it cannot act upon now; the next walk finds them. */
void bell_put_back(ShmBell *bell, uint32_t lane, uint64_t bits);

/* Receiver: has any marked lane something? */
bool bell_has_work(const ShmBell *bell);

/* Receiver, before sleeping: announces it and returns the ring value to sleep on; then look once more. */
uint32_t bell_prepare_sleep(ShmBell *bell);

/* Receiver: a thread watches again; senders need wake nobody. */
void bell_cancel_sleep(ShmBell *bell);
