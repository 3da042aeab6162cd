/* SPDX-License-Identifier: MIT */
#include "shm/slot.h"

/* The end of a wait, numbered (3A), (3B), (3C) at the wait in neutrino/send.c. */
static void wake_owner(ShmSlot *slot, uint32_t old) {
        if (old & SLOT_ASLEEP)
                futex_wake(&slot->word, 1);
}

/*
 * Moves a word of @generation from state @from to @to, dropping the flags @drop and adding @add.
 * Flags may change under us (ASLEEP), so the exchange is tried until state or generation differ.
 */
static bool move(ShmSlot *slot, uint32_t generation, uint32_t from, uint32_t to, uint32_t drop,
                 uint32_t add, uint32_t *ret_old) {
        uint32_t old = word_load(&slot->word);

        while (slot_state(old) == from && slot_generation(old) == generation) {
                uint32_t new = (old & ~(SLOT_STATE_MASK | drop)) | to | add;

                if (word_swap_if(&slot->word, &old, new)) {
                        *ret_old = old;
                        return true;
                }
        }
        return false;
}

uint32_t slot_send(ShmSlot *slot) {
        uint32_t generation = slot_generation(word_load_relaxed(&slot->word)) + SLOT_GENERATION_ONE;

        generation = slot_generation(generation);
        word_store(&slot->word, generation | SLOT_SEND); /* before bell_call() looks at the bell */
        return generation;
}

bool slot_tell(ShmSlot *slot, uint32_t generation) {
        uint32_t old;

        return move(slot, generation, SLOT_SEND, SLOT_SEND, 0, SLOT_TELL, &old);
}

bool slot_withdraw(ShmSlot *slot, uint32_t generation) {
        uint32_t old;

        return move(slot, generation, SLOT_SEND, SLOT_IDLE, SLOT_ASLEEP | SLOT_UNBLOCK, 0, &old);
}

bool slot_unblock(ShmSlot *slot, uint32_t generation, int why) {
        uint32_t old;

        slot->why = (uint16_t)why;
        return move(slot, generation, SLOT_REPLY, SLOT_REPLY, 0, SLOT_UNBLOCK, &old);
}

bool slot_abandon(ShmSlot *slot, uint32_t generation) {
        uint32_t old;

        return move(slot, generation, SLOT_REPLY, SLOT_GONE, SLOT_ASLEEP, 0, &old);
}

void slot_finish(ShmSlot *slot) {
        uint32_t word = word_load_relaxed(&slot->word);

        word_store_release(&slot->word, slot_generation(word) | SLOT_IDLE);
}

bool slot_prepare_sleep(ShmSlot *slot, uint32_t word) {
        return word_swap_if(&slot->word, &word, word | SLOT_ASLEEP);
}

int slot_sleep(ShmSlot *slot, uint32_t word, const Deadline *deadline) {
        return futex_wait(&slot->word, word | SLOT_ASLEEP, deadline);
}

/* Whoever changed the state has cleared the flag already: then there is nothing to write. */
void slot_end_sleep(ShmSlot *slot) {
        if (word_load_relaxed(&slot->word) & SLOT_ASLEEP)
                word_and(&slot->word, ~SLOT_ASLEEP);
}

void slot_nudge(ShmSlot *slot) {
        word_and(&slot->word, ~SLOT_ASLEEP);
}

void slot_kick(ShmSlot *slot) {
        if (word_and(&slot->word, ~SLOT_ASLEEP) & SLOT_ASLEEP)
                futex_wake(&slot->word, 1);
}

bool slot_receive(ShmSlot *slot, uint32_t generation) {
        uint32_t old;

        if (!move(slot, generation, SLOT_SEND, SLOT_REPLY, SLOT_TELL, 0, &old))
                return false;
        if (old & SLOT_TELL)
                wake_owner(slot, old);
        return true;
}

bool slot_reply(ShmSlot *slot, uint32_t generation) {
        uint32_t old;

        if (!move(slot, generation, SLOT_REPLY, SLOT_DONE, SLOT_ASLEEP | SLOT_UNBLOCK, 0, &old))
                return false;
        wake_owner(slot, old);
        return true;
}

bool slot_release(ShmSlot *slot, uint32_t generation) {
        uint32_t old;

        return move(slot, generation, SLOT_GONE, SLOT_IDLE, SLOT_ASLEEP | SLOT_UNBLOCK, 0, &old);
}

static bool fail(ShmSlot *slot, uint32_t word, int error) {
        uint32_t old;

        slot_put_error(slot, error);
        return move(slot, slot_generation(word), slot_state(word), SLOT_DONE,
                    SLOT_ASLEEP | SLOT_UNBLOCK, 0, &old);
}

/* Again where the state has moved on: a process that broke its session may still receive. */
void slot_fail(ShmSlot *slot, int error) {
        uint32_t word;

        do
                word = word_load(&slot->word);
        while ((slot_state(word) == SLOT_SEND || slot_state(word) == SLOT_REPLY) &&
               !fail(slot, word, error));
        /* The dead may have spoiled the word: whoever sleeps on it must look, whatever it says. */
        word_and(&slot->word, ~SLOT_ASLEEP);
        futex_wake(&slot->word, 1);
}
