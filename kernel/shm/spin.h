/* SPDX-License-Identifier: MIT */
/*
 * Spin: how long to watch a word before sleeping on it.
 *
 * Waking a sleeper on another core costs 10 to 100 times a hand-over between two awake cores, so a
 * short watch is worth more than anything else; and a watch that keeps the peer off its core, or that
 * nobody answers, is pure loss. The rules:
 *
 *   1  both sides publish the core they last ran on; a peer seen on our own core needs it: sleep
 *   2  watch at most about as long as a sleep and a wake cost (SPIN_BUDGET_NS)
 *   3  keep a credit for each waiter: a watch that paid raises it, one that did not lowers it faster,
 *      a sleep that turned out shorter than the budget raises it again; no credit, no watch
 *   4  one usable core: never
 */
#pragma once

#include "shm/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define SPIN_BUDGET_NS  50000
#define SPIN_CREDIT_MAX 64

/* One for each waiter (a thread as client, a thread as receiver). */
typedef struct SpinCredit {
        int credit;
} SpinCredit;

typedef struct Spin {
        uint64_t until; /* clock_now() at which to give up; 0 = not begun */
        uint64_t limit; /* ns */
        unsigned turns;
} Spin;

/* At start, once: the limit for this process; @microseconds < 0 = the default. */
void spin_configure(long microseconds);
long spin_default(void); /* ns */

/* May this waiter watch at all, given the core of its peer (-1 = not known)? */
bool spin_allowed(const SpinCredit *credit, int peer_core, uint64_t limit_ns);

static inline Spin spin_begin(uint64_t limit_ns) {
        return (Spin){ .limit = limit_ns };
}

/* The watch ends at @ns of clock_now() at the latest. */
static inline void spin_end_by(Spin *spin, uint64_t ns) {
        uint64_t now;

        if (__builtin_expect(ns == UINT64_MAX, 1))
                return;
        now = clock_now();
        if (ns < now + spin->limit)
                spin->limit = ns > now ? ns - now : 0;
}

/*
 * Before a watch on a word that the other side is going to write twice: looking too early takes the line away from
 * it in between, which costs both several times what looking too late does. So each waiter learns how long its
 * answers take: an early look makes the next wait longer by half a pause, a late one shorter by a
 * sixteenth. No wait becomes long enough to matter where the answer takes long.
 */
#define SPIN_HEAD_MAX 256u /* sixteenths of a pause */
typedef struct SpinHead {
        unsigned sixteenths;
} SpinHead;

static inline void spin_head_start(const SpinHead *head) {
        for (unsigned i = 0; i < head->sixteenths / 16; i++)
                clock_relax();
}

static inline void spin_head_learn(SpinHead *head, bool early) {
        if (early)
                head->sixteenths += head->sixteenths < SPIN_HEAD_MAX ? 8 : 0;
        else if (head->sixteenths > 0)
                head->sixteenths--;
}

/*
 * One turn of a watch: false when its time is over. A pause takes as long as a line takes between two
 * cores, so it comes only now and then, for the sake of a sibling thread on the same core.
 */
bool spin_expired(Spin *spin);
static inline bool spin_turn(Spin *spin) {
        if (++spin->turns % 32 != 0)
                return true;
        clock_relax();
        if (spin->turns % 128 != 0)
                return true;
        return !spin_expired(spin);
}

void spin_paid(SpinCredit *credit);
void spin_lost(SpinCredit *credit);
void spin_slept(SpinCredit *credit, uint64_t ns, uint64_t limit_ns);
