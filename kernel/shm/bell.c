/* SPDX-License-Identifier: MIT */
#include "shm/bell.h"

#include "shm/futex.h"
#include "shm/word.h"

#include <limits.h>

static _Atomic uint64_t *mid_of(ShmBell *bell, uint32_t lane) {
        return &bell->mid[lane / 64];
}

static _Atomic uint64_t *top_of(ShmBell *bell, uint32_t lane) {
        return &bell->top[lane / 4096];
}

static uint64_t mid_bit(uint32_t lane) {
        return 1ull << (lane % 64);
}

static uint64_t top_bit(uint32_t lane) {
        return 1ull << (lane / 64 % 64);
}

/* A mark that stands already is only read: a busy lane's marks then stay in every cache. */
static void mark(_Atomic uint64_t *word, uint64_t bit) {
        if (!(atomic_load(word) & bit))
                atomic_fetch_or(word, bit);
}

static void mark_lane(ShmBell *bell, uint32_t lane) {
        mark(mid_of(bell, lane), mid_bit(lane));
        mark(top_of(bell, lane), top_bit(lane));
}

/*
 * A sleeper announced itself in ring (bell_prepare_sleep) before it looked at the marks for the last
 * time, and we set marks before we look at ring: one of the two sees the other.
 */
static void wake_announced(ShmBell *bell, int n) {
        uint32_t ring = atomic_load(&bell->ring);

        while (ring & BELL_ASLEEP)
                if (word_swap_if(&bell->ring, &ring, (ring & ~BELL_ASLEEP) + BELL_RING_ONE)) {
                        futex_wake(&bell->ring, (unsigned)n);
                        return;
                }
}

void bell_ring(ShmBell *bell, uint32_t lane, unsigned bit) {
        atomic_fetch_or(&bell->leaf[lane], 1ull << bit);
        mark_lane(bell, lane);
        wake_announced(bell, 1);
}

static uint32_t expectation(uint32_t lane, uint32_t slot) {
        return BELL_EXPECTS | lane << BELL_EXPECTS_SHIFT | slot;
}

static unsigned bit_of(uint32_t slot) {
        return slot == BELL_EXPECTS_PULSES ? BELL_PULSES : slot % BELL_SLOT_BITS;
}

void bell_call(ShmBell *bell, uint32_t lane, uint32_t slot) {
        if (word_load(&bell->expected) == expectation(lane, slot))
                wake_announced(bell, 1);
        else
                bell_ring(bell, lane, bit_of(slot));
}

/* A whole exchange: what the server reads of the former one afterwards is not older than this. */
void bell_expect(ShmBell *bell, uint32_t lane, uint32_t slot) {
        word_swap(&bell->expected, expectation(lane, slot));
}

void bell_expect_nobody(ShmBell *bell) {
        word_swap(&bell->expected, 0);
}

void bell_wake_all(ShmBell *bell) {
        atomic_fetch_add(&bell->ring, BELL_RING_ONE);
        futex_wake(&bell->ring, INT_MAX);
}

void bell_wake_one(ShmBell *bell) {
        atomic_fetch_add(&bell->ring, BELL_RING_ONE);
        futex_wake(&bell->ring, 1);
}

/* Nearly always: no lane is marked at all. */
static bool is_silent(const ShmBell *bell) {
        uint64_t tops = 0;

        for (unsigned i = 0; i < BELL_TOPS; i++)
                tops |= atomic_load(&bell->top[i]);
        return tops == 0;
}

/* The nearest marked lane from @lane on, or BELL_LANES. */
static uint32_t next_marked(const ShmBell *bell, uint32_t lane) {
        if (is_silent(bell))
                return BELL_LANES;
        while (lane < BELL_LANES) {
                uint64_t tops = atomic_load(&bell->top[lane / 4096]) >> (lane / 64 % 64);
                uint64_t mids;

                if (!tops) {
                        lane = (lane / 4096 + 1) * 4096;
                        continue;
                }
                if (!(tops & 1)) {
                        lane = (lane / 64 + (uint32_t)__builtin_ctzll(tops)) * 64;
                        continue;
                }
                mids = atomic_load(&bell->mid[lane / 64]) >> (lane % 64);
                if (mids)
                        return lane + (uint32_t)__builtin_ctzll(mids);
                lane = (lane / 64 + 1) * 64;
        }
        return BELL_LANES;
}

/* Top level: no mid below is marked any more. A sender may mark one meanwhile, so look again after. */
static void cool_top(ShmBell *bell, uint32_t lane) {
        if (atomic_load(mid_of(bell, lane)))
                return;
        atomic_fetch_and(top_of(bell, lane), ~top_bit(lane));
        if (atomic_load(mid_of(bell, lane)))
                atomic_fetch_or(top_of(bell, lane), top_bit(lane));
}

/* A sender that saw the mark before we cleared it had set its leaf before: we see the leaf. */
static void cool_lane(ShmBell *bell, uint32_t lane) {
        atomic_fetch_and(mid_of(bell, lane), ~mid_bit(lane));
        if (atomic_load(&bell->leaf[lane]))
                mark_lane(bell, lane);
        else
                cool_top(bell, lane);
}

bool bell_collect(ShmBell *bell, BellWalk *walk, uint32_t *ret_lane, uint64_t *ret_bits) {
        uint32_t lane = walk->next;

        while ((lane = next_marked(bell, lane)) < BELL_LANES) {
                if (atomic_load(&bell->leaf[lane])) {
                        *ret_bits = atomic_exchange(&bell->leaf[lane], 0);
                        *ret_lane = lane;
                        walk->next = lane + 1;
                        return true;
                }
                if (walk->cool)
                        cool_lane(bell, lane);
                lane++;
        }
        walk->next = BELL_LANES;
        return false;
}

void bell_put_back(ShmBell *bell, uint32_t lane, uint64_t bits) {
        atomic_fetch_or(&bell->leaf[lane], bits);
        mark_lane(bell, lane);
}

/* Scribbled marks that never cool must not keep a receiver from its sleep: it sleeps on an empty walk. */
bool bell_has_work(const ShmBell *bell) {
        for (uint32_t lane = 0; (lane = next_marked(bell, lane)) < BELL_LANES; lane++)
                if (atomic_load(&bell->leaf[lane]))
                        return true;
        return false;
}

uint32_t bell_prepare_sleep(ShmBell *bell) {
        return atomic_fetch_or(&bell->ring, BELL_ASLEEP) | BELL_ASLEEP;
}

void bell_cancel_sleep(ShmBell *bell) {
        if (atomic_load(&bell->ring) & BELL_ASLEEP)
                atomic_fetch_and(&bell->ring, ~BELL_ASLEEP);
}

void bell_nudge(ShmBell *bell) {
        atomic_fetch_add(&bell->ring, BELL_RING_ONE);
}
