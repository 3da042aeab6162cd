/* SPDX-License-Identifier: MIT */
#include "shm/ring.h"

#include "shm/word.h"

/*
 * Each failed attempt means that another thread has put its pulse, or that a liar moves the sequences
 * about. Nobody is overtaken so often by the honest.
 */
#define ATTEMPTS (4 * RING_CELLS)

/*
 * A scribbled tail or sequence makes puts fail (full) or takes see an empty ring or nonsense pulses:
 * the position is masked at each use, so nothing outside the ring is ever touched.
 */
static ShmPulse *cell_of(ShmRing *ring, uint32_t position) {
        return &ring->cells[position % RING_CELLS];
}

static void fill(ShmPulse *cell, const RingPulse *pulse) {
        cell->scoid = pulse->scoid;
        cell->stamp = pulse->stamp;
        cell->value = pulse->value;
        cell->coid = pulse->coid;
        cell->code = pulse->code;
        cell->priority = pulse->priority;
}

bool ring_put(ShmRing *ring, const RingPulse *pulse) {
        uint32_t position = word_load_relaxed(&ring->tail);

        for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
                ShmPulse *cell = cell_of(ring, position);
                int32_t distance = (int32_t)(word_load(&cell->sequence) - position);

                if (distance < 0)
                        return false;
                if (distance > 0) {
                        position = word_load_relaxed(&ring->tail);
                        continue;
                }
                if (word_swap_if(&ring->tail, &position, position + 1)) {
                        fill(cell, pulse);
                        word_store(&cell->sequence, position + 1);
                        return true;
                }
        }
        return false;
}

bool ring_peek(const ShmRing *ring, uint32_t position, RingPulse *ret_pulse) {
        const ShmPulse *cell = &ring->cells[position % RING_CELLS];

        if (word_load(&cell->sequence) != position + 1)
                return false;
        *ret_pulse = (RingPulse){
                .stamp = SHM_LOAD(cell->stamp),
                .value = SHM_LOAD(cell->value),
                .scoid = SHM_LOAD(cell->scoid),
                .coid = SHM_LOAD(cell->coid),
                .code = SHM_LOAD(cell->code),
                .priority = SHM_LOAD(cell->priority),
        };
        return true;
}

bool ring_take(ShmRing *ring, uint32_t *position, RingPulse *ret_pulse) {
        ShmPulse *cell = cell_of(ring, *position);

        if (!ring_peek(ring, *position, ret_pulse))
                return false;
        word_store_release(&cell->sequence, *position + RING_CELLS); /* nobody waits for it */
        (*position)++;
        word_store_relaxed(&ring->head, *position);
        return true;
}
