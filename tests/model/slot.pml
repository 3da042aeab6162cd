/* SPDX-License-Identifier: MIT */
/*
 * Slot: what a client thread, a server thread and the daemon do to the word of a slot.
 *
 * One inline for each arrow of kernel/shm/slot.c, with its name. MOVE(c, generation, from, to, drop, add)
 * is move() there. tests/model/arrows.py compares this file with the list at ShmSlot and with slot.c.
 *
 * One shared access is one step. A load that is followed by the compare-and-swap of the same word is one
 * step with it where the exchange alone decides; where the value that was loaded goes into the exchange
 * (slot_prepare_sleep, slot_receive, slot_fail) it is a step of its own.
 */
#define SLOT_IDLE  0
#define SLOT_SEND  1
#define SLOT_REPLY 2
#define SLOT_DONE  3
#define SLOT_GONE  4

#define SLOT_STATE_MASK 7
#define SLOT_ASLEEP     8
#define SLOT_UNBLOCK    16
#define SLOT_TELL       32
#define SLOT_GENERATION_SHIFT 6

#define GENERATION_ONE  64
#define STATE(w)        ((w) & SLOT_STATE_MASK)
#define GENERATION(w)   ((w) & 192)

byte word[CLIENTS];    /* ShmSlot.word, with two bits of generation: a client sends at most three times */
byte message[CLIENTS]; /* which of its client's messages stands in the slot */
byte answer[CLIENTS];  /* which message the answer in the slot answers */
bit failed[CLIENTS];   /* ShmSlot.failed */

/* futex(2) on the word: waiters and value are looked at together. 2 = a handler ran: compared again. */
byte client_waits[CLIENTS];

inline wake_client(c) {
        client_waits[c] = 0
}

inline wake_owner(c, old) {
        if
        :: (old & SLOT_ASLEEP) -> wake_client(c)
        :: else
        fi
}

/* @old becomes the word that was exchanged, or 0: then there was nothing to exchange. */
#define MOVE(c, generation, from, to, drop, add)                                                   \
        if                                                                                         \
        :: d_step { STATE(word[c]) == (from) && GENERATION(word[c]) == (generation) ->             \
                    old = word[c];                                                                 \
                    word[c] = (old & (255 - SLOT_STATE_MASK - (drop))) | (to) | (add) }              \
        :: d_step { else -> old = 0 }                                                              \
        fi

/* ---- client thread ---- */

/* A store: nobody else changes the word of an idle slot. SLOT_IDLE or SLOT_DONE -> SLOT_SEND */
inline slot_send(c) {
        d_step {
                assert(STATE(word[c]) == SLOT_IDLE || STATE(word[c]) == SLOT_DONE);
                generation = GENERATION(word[c]) + GENERATION_ONE;
                word[c] = generation | SLOT_SEND
        }
}

inline slot_tell(c) {
        MOVE(c, generation, SLOT_SEND, SLOT_SEND, 0, SLOT_TELL)
}

inline slot_withdraw(c) {
#ifdef MISTAKE_WITHDRAW_STORES
        d_step { old = word[c]; word[c] = generation | SLOT_IDLE }
#else
        MOVE(c, generation, SLOT_SEND, SLOT_IDLE, SLOT_ASLEEP | SLOT_UNBLOCK, 0)
#endif
}

inline slot_unblock(c) {
        MOVE(c, generation, SLOT_REPLY, SLOT_REPLY, 0, SLOT_UNBLOCK)
}

inline slot_abandon(c) {
        MOVE(c, generation, SLOT_REPLY, SLOT_GONE, SLOT_ASLEEP, 0)
}

/* SLOT_DONE -> SLOT_IDLE */
inline slot_finish(c) {
        word[c] = generation | SLOT_IDLE
}

/* @old becomes what the sleep compares with, or 0: the word is not @seen any more. */
inline slot_prepare_sleep(c, seen) {
        if
        :: d_step { word[c] == seen -> word[c] = seen | SLOT_ASLEEP; old = word[c]; seen = 0 }
        :: d_step { else -> old = 0; seen = 0 }
        fi
}

/* The handler has nothing to nudge any more. */
inline slot_end_sleep(c) {
#ifdef MISTAKE_END_SLEEP_STORES
        old = word[c] & (255 - SLOT_ASLEEP);
        d_step { word[c] = old; old = 0; asleep_on[c] = 0 }
#else
        d_step { word[c] = word[c] & (255 - SLOT_ASLEEP); old = 0; asleep_on[c] = 0 }
#endif
}

/* ---- its signal handler; another thread of its process ---- */

inline slot_nudge(c) {
#ifndef MISTAKE_NO_NUDGE
        word[c] = word[c] & (255 - SLOT_ASLEEP)
#else
        skip
#endif
}

/* ---- server thread ---- */

/* The message of the generation that was looked at, and no later one. */
inline slot_receive(c, its_generation) {
        MOVE(c, its_generation, SLOT_SEND, SLOT_REPLY, SLOT_TELL, 0);
#ifndef MISTAKE_TELL_IGNORED
        if
        :: (old & SLOT_TELL) -> wake_owner(c, old)
        :: else
        fi
#endif
}

inline slot_reply(c, its_generation) {
#ifdef MISTAKE_WAKES_FIRST
        wake_owner(c, word[c]);
#endif
        MOVE(c, its_generation, SLOT_REPLY, SLOT_DONE, SLOT_ASLEEP | SLOT_UNBLOCK, 0);
#ifndef MISTAKE_WAKES_FIRST
        wake_owner(c, old)
#endif
}

inline slot_release(c, its_generation) {
        MOVE(c, its_generation, SLOT_GONE, SLOT_IDLE, SLOT_ASLEEP | SLOT_UNBLOCK, 0)
}

/* ---- daemon, the server being dead ---- */

inline slot_fail(c) {
        do
        :: d_step { STATE(word[c]) != SLOT_SEND && STATE(word[c]) != SLOT_REPLY -> seen = 0; old = 0 };
           break
        :: d_step { else -> seen = word[c]; failed[c] = 1 };
           if
           :: STATE(seen) == SLOT_SEND ->
                MOVE(c, GENERATION(seen), SLOT_SEND, SLOT_DONE, SLOT_ASLEEP | SLOT_UNBLOCK, 0)
           :: else ->
                MOVE(c, GENERATION(seen), SLOT_REPLY, SLOT_DONE, SLOT_ASLEEP | SLOT_UNBLOCK, 0)
           fi
#ifdef MISTAKE_FAILS_ONCE
           ; break
#endif
        od;
        word[c] = word[c] & (255 - SLOT_ASLEEP);
        wake_client(c)
}
