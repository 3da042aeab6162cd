/* SPDX-License-Identifier: MIT */
/*
 * Regular: the sender that a bell expects (ShmBell.expected), as the server knows it.
 *
 * Who comes several times in a row, with nobody between, becomes the regular of its bell, and stays it until another
 * does or its lane goes. A receiver looks at the regular's slot, or at its ring of pulses, wherever it looks
 * at the leaves; the regular for its part rings no leaf, so that the only line that moves from it to us is the
 * one that says SEND.
 *
 * Under the server lock, but for regular_is_here().
 */
#pragma once

#include "runtime/inlink.h"
#include "shm/ring.h"
#include "shm/slot.h"
#include "shm/word.h"

#include <stdbool.h>

typedef struct InBell InBell;

typedef struct Visitor {
        Lane *lane;
        uint32_t slot; /* its number, or BELL_EXPECTS_PULSES */
} Visitor;

typedef struct Regular {
        Lane *lane;       /* NULL = the bell expects nobody */
        WordPointer slot; /* InSlot, or ... */
        WordPointer link; /* ... InLink of its pulses; for watches, too, which take no lock */
        Word seen;        /* the slot's generation that has been looked at */
        Visitor candidate; /* who came last by its leaf, ... */
        unsigned times;    /* ... so many times in a row */
        bool is_new;       /* its own leaf's marks may go cold */
} Regular;

/* Something of the regular's that nobody has looked at. Racy by design where the lock is not held. */
static inline bool regular_is_here(const Regular *regular) {
        const InSlot *slot = word_pointer_load(&regular->slot);
        const InLink *link;
        uint32_t word;

        if (slot) {
                word = slot_peek(slot->shm);
                return slot_state(word) == SLOT_SEND &&
                       slot_generation(word) != word_load_relaxed(&regular->seen);
        }
        link = word_pointer_load(&regular->link);
        return link && !word_load_relaxed(&link->ring_backlog) &&
               ring_has_next(&link->map->ring, word_load_relaxed(&link->ring_position));
}

/* The lines that its next message comes in; a prefetch of a bad address does nothing. */
static inline void regular_prefetch(const Regular *regular) {
        const InSlot *slot = word_pointer_load(&regular->slot);

        if (slot)
                slot_expect_receive(slot->shm);
}

/* It has been looked at, and does not count as here until it sends again. */
void regular_seen_locked(Regular *regular, uint32_t generation);

/*
 * @visitor came by its leaf. True when it has become the regular now: then its predecessor @ret_former
 * (lane NULL: there was none) must be looked at once more.
 */
bool regular_came_locked(InBell *bell, Visitor visitor, Visitor *ret_former);

/* @lane goes. True when the regular went with it, which then may have come, by @ret_slot, without ringing. */
bool regular_leaves_locked(InBell *bell, const Lane *lane, uint32_t *ret_slot);
