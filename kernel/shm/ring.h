/* SPDX-License-Identifier: MIT */
/*
 * Ring: bounded ring of pulses, many putters of one process, one taker.
 */
#pragma once

#include "abi/layout.h"

#include "shm/word.h"

#include <stdbool.h>

/* A pulse on its way in or out; the copy that is checked and used. */
typedef struct RingPulse {
        uint64_t stamp;
        uint64_t value;
        int32_t scoid;
        int32_t coid;
        int8_t code;
        uint8_t priority;
} RingPulse;

/* Any thread or signal handler of the client. False: full (EAGAIN). Never blocks. */
bool ring_put(ShmRing *ring, const RingPulse *pulse);

/*
 * One server thread at a time, with its private position. False: empty, or the next cell is claimed
 * and not filled yet (its putter will ring the bell when it is).
 */
bool ring_take(ShmRing *ring, uint32_t *position, RingPulse *ret_pulse);

/* Would ring_take() find something at @position? */
static inline bool ring_has_next(const ShmRing *ring, uint32_t position) {
        return word_load(&ring->cells[position % RING_CELLS].sequence) == position + 1;
}

/* The same without taking it: what the next ring_take() may find, unless its putter changes it meanwhile. */
bool ring_peek(const ShmRing *ring, uint32_t position, RingPulse *ret_pulse);
