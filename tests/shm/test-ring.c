/* SPDX-License-Identifier: MIT */
/*
 * Ring: every pulse that was put comes out once and in order, whatever happens to the positions.
 */
#include "shm/ring.h"
#include "unit.h"

#include "shm/link.h"
#include "shm/word.h"

static ShmLink ring_home; /* its ring is laid out by link_init(), as the daemon does */

static ShmRing *ring_new(uint32_t position) {
        static const uint8_t token[LINK_TOKEN_BYTES];
        ShmRing *ring = &ring_home.ring;

        link_init(&ring_home, token);
        word_store(&ring->tail, position);
        word_store(&ring->head, position);
        for (uint32_t i = 0; i < RING_CELLS; i++)
                word_store(&ring->cells[(position + i) % RING_CELLS].sequence, position + i);
        return ring;
}

static RingPulse pulse_of(unsigned n) {
        return (RingPulse){
                .stamp = 1000u + n,
                .value = 0x100000000ull * n + 7,
                .scoid = (int32_t)n,
                .coid = -(int32_t)n,
                .code = (int8_t)n,
                .priority = (uint8_t)(n >> 8),
        };
}

static bool put(ShmRing *ring, unsigned n) {
        RingPulse pulse = pulse_of(n);

        return ring_put(ring, &pulse);
}

static void take(ShmRing *ring, uint32_t *position, unsigned n) {
        RingPulse wanted = pulse_of(n);
        RingPulse pulse;

        memset(&pulse, 0xee, sizeof(pulse));
        ck_assert(ring_take(ring, position, &pulse));
        ck_assert(pulse.stamp == wanted.stamp && pulse.value == wanted.value);
        ck_assert_int_eq(pulse.scoid, wanted.scoid);
        ck_assert_int_eq(pulse.coid, wanted.coid);
        ck_assert_int_eq(pulse.code, wanted.code);
        ck_assert_int_eq(pulse.priority, wanted.priority);
}

static void must_be_empty(ShmRing *ring, uint32_t position) {
        RingPulse pulse;
        uint32_t before = position;

        ck_assert(!ring_take(ring, &position, &pulse));
        ck_assert_uint_eq(position, before);
}

START_TEST(a_new_ring_is_empty) {
        must_be_empty(ring_new(0), 0);
}
END_TEST

START_TEST(a_pulse_comes_out_as_it_went_in) {
        ShmRing *ring = ring_new(0);
        uint32_t position = 0;

        for (unsigned n = 0; n < 70000; n += 7) {
                ck_assert(put(ring, n));
                take(ring, &position, n);
                must_be_empty(ring, position);
        }
        ck_assert_uint_eq(word_load(&ring->head), position);
}
END_TEST

START_TEST(a_full_ring_refuses_and_goes_on_after_a_take) {
        ShmRing *ring = ring_new(0);
        uint32_t position = 0;

        for (unsigned n = 0; n < RING_CELLS; n++)
                ck_assert(put(ring, n));
        ck_assert(!put(ring, RING_CELLS));
        ck_assert(!put(ring, RING_CELLS));
        take(ring, &position, 0);
        ck_assert(put(ring, RING_CELLS));
        ck_assert(!put(ring, RING_CELLS + 1));
        for (unsigned n = 1; n <= RING_CELLS; n++)
                take(ring, &position, n);
        must_be_empty(ring, position);
}
END_TEST

START_TEST(positions_wrap_at_32_bits) {
        uint32_t position = UINT32_MAX - 2 * RING_CELLS + 1 - 3;
        ShmRing *ring = ring_new(position);
        unsigned in = 0, out = 0;

        while (out < 6 * RING_CELLS) {
                while (put(ring, in))
                        in++;
                ck_assert_uint_eq(in - out, RING_CELLS);
                for (unsigned i = 0; i < RING_CELLS / 3; i++)
                        take(ring, &position, out++);
        }
        ck_assert_uint_lt(position, 8 * RING_CELLS);
}
END_TEST

/* Killed between claiming its cell and filling it: what is behind the hole waits for ever, no longer. */
START_TEST(a_hole_stops_the_taker_and_fills_the_ring) {
        ShmRing *ring = ring_new(0);
        uint32_t position = 0;

        ck_assert(put(ring, 0));
        word_add(&ring->tail, 1);
        for (unsigned n = 2; n < RING_CELLS; n++)
                ck_assert(put(ring, n));
        take(ring, &position, 0);
        must_be_empty(ring, position);
        ck_assert(put(ring, RING_CELLS));
        ck_assert(!put(ring, RING_CELLS + 1));
        must_be_empty(ring, position);
}
END_TEST

START_TEST(a_late_filler_opens_the_ring_again) {
        ShmRing *ring = ring_new(0);
        uint32_t position = 0;
        RingPulse late = pulse_of(0);

        word_add(&ring->tail, 1);
        ck_assert(put(ring, 1));
        must_be_empty(ring, position);
        ring->cells[0].stamp = late.stamp;
        ring->cells[0].value = late.value;
        word_store(&ring->cells[0].sequence, 1);
        take(ring, &position, 0);
        take(ring, &position, 1);
        must_be_empty(ring, position);
}
END_TEST

/* ---- liars ---- */

START_TEST(a_scribbled_tail_makes_no_put_hang) {
        for (uint32_t bit = 0; bit < 32; bit++) {
                ShmRing *ring = ring_new(0);

                word_store(&ring->tail, 1u << bit);
                put(ring, 0);
        }
}
END_TEST

START_TEST(scribbled_sequences_make_no_put_hang) {
        for (uint32_t bit = 0; bit < 32; bit++) {
                ShmRing *ring = ring_new(0);

                for (uint32_t i = 0; i < RING_CELLS; i++)
                        word_store(&ring->cells[i].sequence, i + (1u << bit));
                ck_assert(!put(ring, 0));
        }
}
END_TEST

START_TEST(a_taker_of_scribbled_cells_takes_one_at_a_time) {
        ShmRing *ring = ring_new(0);
        uint32_t position = 0;
        RingPulse pulse;
        unsigned n = 0;

        memset(ring, 0xff, sizeof(*ring));
        for (uint32_t i = 0; i < RING_CELLS; i++)
                word_store(&ring->cells[i].sequence, i + 1);
        while (ring_take(ring, &position, &pulse))
                n++;
        ck_assert_uint_eq(n, RING_CELLS);
}
END_TEST

/* ---- many putters, one taker ---- */

#define PUTTERS 3

typedef struct Putter {
        ShmRing *ring;
        unsigned number;
        unsigned pulses;
} Putter;

/* value: who and which; the fields that belong to it follow from it */
static void *putter(void *argument) {
        Putter *self = argument;

        for (unsigned n = 0; n < self->pulses; n++) {
                RingPulse pulse = pulse_of(n);

                pulse.value = (uint64_t)self->number << 32 | n;
                while (!ring_put(self->ring, &pulse))
                        sched_yield();
        }
        return NULL;
}

static void take_in_order(ShmRing *ring, uint32_t *position, unsigned next[PUTTERS]) {
        RingPulse pulse;
        unsigned who;

        while (!ring_take(ring, position, &pulse))
                sched_yield();
        who = (unsigned)(pulse.value >> 32);
        ck_assert_uint_lt(who, PUTTERS);
        ck_assert_uint_eq((uint32_t)pulse.value, next[who]);
        ck_assert(pulse.stamp == pulse_of(next[who]).stamp);
        ck_assert_int_eq(pulse.coid, pulse_of(next[who]).coid);
        next[who]++;
}

START_TEST(many_putters_lose_and_double_nothing) {
        uint32_t position = UINT32_MAX - 50000;
        ShmRing *ring = ring_new(position);
        unsigned pulses = unit_rounds(200000);
        unsigned next[PUTTERS] = { 0 };
        Putter putters[PUTTERS];
        pthread_t threads[PUTTERS];

        for (unsigned i = 0; i < PUTTERS; i++) {
                putters[i] = (Putter){ ring, i, pulses };
                ck_assert_int_eq(pthread_create(&threads[i], NULL, putter, &putters[i]), 0);
        }
        for (unsigned n = 0; n < PUTTERS * pulses; n++)
                take_in_order(ring, &position, next);
        for (unsigned i = 0; i < PUTTERS; i++) {
                pthread_join(threads[i], NULL);
                ck_assert_uint_eq(next[i], pulses);
        }
        must_be_empty(ring, position);
}
END_TEST

UNIT_MAIN("ring", a_new_ring_is_empty, a_pulse_comes_out_as_it_went_in,
          a_full_ring_refuses_and_goes_on_after_a_take, positions_wrap_at_32_bits,
          a_hole_stops_the_taker_and_fills_the_ring, a_late_filler_opens_the_ring_again,
          a_scribbled_tail_makes_no_put_hang, scribbled_sequences_make_no_put_hang,
          a_taker_of_scribbled_cells_takes_one_at_a_time, many_putters_lose_and_double_nothing)
