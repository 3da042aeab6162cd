/* SPDX-License-Identifier: MIT */
#include "runtime/regular.h"

#include "runtime/lane.h"
#include "shm/bell.h"

/* Changing writes into a line that every client of the bell reads: not for a chance visitor. */
#define TIMES 4u

void regular_seen_locked(Regular *regular, uint32_t generation) {
        word_store_relaxed(&regular->seen, generation);
        regular->times = 0;
}

static uint32_t number_of(const Regular *regular) {
        const InSlot *slot = word_pointer_load(&regular->slot);

        return slot ? slot->index : BELL_EXPECTS_PULSES;
}

static void become(Regular *regular, const Visitor *visitor) {
        InLink *link = visitor->lane->link;
        InSlot *slot = inlink_slot(link, visitor->slot); /* NULL: the ring */

        regular->lane = visitor->lane;
        regular->is_new = true;
        word_store_relaxed(&regular->seen, slot ? slot->generation : 0);
        word_pointer_store(&regular->slot, slot);
        word_pointer_store(&regular->link, slot ? NULL : link);
}

static bool is_same(const Visitor *a, const Visitor *b) {
        return a->lane == b->lane && a->slot == b->slot;
}

bool regular_came_locked(InBell *bell, Visitor visitor, Visitor *ret_former) {
        Regular *regular = &bell->regular;

        if (!is_same(&regular->candidate, &visitor))
                regular->times = 0;
        regular->candidate = visitor;
        *ret_former = (Visitor){ regular->lane, number_of(regular) };
        if (++regular->times < TIMES || is_same(ret_former, &visitor))
                return false;
        become(regular, &visitor);
        bell_expect(bell->map, visitor.lane->leaf, visitor.slot);
        return true;
}

bool regular_leaves_locked(InBell *bell, const Lane *lane, uint32_t *ret_slot) {
        Regular *regular = &bell->regular;

        if (regular->candidate.lane == lane)
                regular->candidate.lane = NULL;
        if (regular->lane != lane)
                return false;
        *ret_slot = number_of(regular);
        regular->lane = NULL;
        word_pointer_store(&regular->slot, NULL);
        word_pointer_store(&regular->link, NULL);
        bell_expect_nobody(bell->map);
        return true;
}
