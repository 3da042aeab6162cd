/* SPDX-License-Identifier: MIT */
/* Take: receives whatever message a slot holds, of any generation, as a server does that has just looked. */
#pragma once

#include "shm/slot.h"

static inline bool slot_take(ShmSlot *slot, uint32_t *ret_word) {
        uint32_t generation = slot_generation(slot_peek(slot));

        if (!slot_receive(slot, generation))
                return false;
        *ret_word = generation | SLOT_REPLY;
        return true;
}
