/* SPDX-License-Identifier: MIT */
/*
 * Slot: the arrows of one blocked MsgSend, one function for each.
 * The list FROM -> TO (who, why) stands at ShmSlot in the layout.
 */
#pragma once

#include "abi/layout.h"
#include "shm/futex.h"
#include "shm/word.h"

#include <stdbool.h>

static inline uint32_t slot_state(uint32_t word) {
        return word & SLOT_STATE_MASK;
}

static inline uint32_t slot_generation(uint32_t word) {
        return word & SLOT_GENERATION_MASK;
}

/* Any side: the word as it is now. */
static inline uint32_t slot_peek(const ShmSlot *slot) {
        return word_load(&slot->word);
}

/* Client thread. Each returns false when the other side was quicker. */
uint32_t slot_send(ShmSlot *slot); /* returns the new generation; before bell_call() */
bool slot_tell(ShmSlot *slot, uint32_t generation);
bool slot_withdraw(ShmSlot *slot, uint32_t generation);
bool slot_unblock(ShmSlot *slot, uint32_t generation, int why);
bool slot_abandon(ShmSlot *slot, uint32_t generation);
void slot_finish(ShmSlot *slot);

/*
 * Client thread: announces that it sleeps on @word (false: the word has changed), then sleeps while
 * nothing changes. Between the two the caller looks at its own reasons to leave once more: a nudge or
 * kick that came before the announcement changed nothing that the sleep would see.
 */
bool slot_prepare_sleep(ShmSlot *slot, uint32_t word);
int slot_sleep(ShmSlot *slot, uint32_t word, const Deadline *deadline);
void slot_end_sleep(ShmSlot *slot);

/* The client thread's own signal handler (nudge), another thread of the client (kick): look again. */
void slot_nudge(ShmSlot *slot);
void slot_kick(ShmSlot *slot);

/* Server thread in REPLY (or the daemon, the server being dead): the answer is an error, without bytes. */
static inline void slot_put_error(ShmSlot *slot, int error) {
        slot->status = -error;
        slot->failed = SLOT_FAILED;
        slot->reply_bytes = 0;
}

/* Hints: the lines that the next steps of this side touch. */
static inline void slot_expect_send(ShmSlot *slot) {
        __builtin_prefetch(slot, 1);
        __builtin_prefetch(slot->message, 1);
}

/* @slot may be gone by now: a prefetch of a bad address does nothing. */
static inline void slot_expect_receive(const ShmSlot *slot) {
        __builtin_prefetch((const void *)&slot->word, 1);
        __builtin_prefetch(slot, 0);
        __builtin_prefetch(slot->message, 0);
}

/* Server thread: the message of that generation and no later one, which may be for another channel. */
bool slot_receive(ShmSlot *slot, uint32_t generation);
bool slot_reply(ShmSlot *slot, uint32_t generation); /* false: not ours any more (ESRCH) */
bool slot_release(ShmSlot *slot, uint32_t generation);

/* Daemon: the server is dead. */
void slot_fail(ShmSlot *slot, int error);
