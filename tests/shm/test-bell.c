/* SPDX-License-Identifier: MIT */
/*
 * Bell: nothing that was rung is ever lost, whatever the receiver does to the marks meanwhile.
 */
#include "shm/bell.h"
#include "unit.h"

#include "shm/futex.h"
#include "shm/word.h"

#include <errno.h>

static ShmBell bell;

/* Takes everything; the number of lanes that had something. */
static unsigned drain(bool cool, uint64_t bits[BELL_LANES]) {
        BellWalk walk = { .cool = cool };
        unsigned n = 0;
        uint32_t lane;
        uint64_t found;

        while (bell_collect(&bell, &walk, &lane, &found)) {
                ck_assert_uint_lt(lane, BELL_LANES);
                bits[lane] |= found;
                n++;
        }
        return n;
}

static bool is_cold(void) {
        for (unsigned i = 0; i < BELL_MIDS; i++)
                if (atomic_load(&bell.mid[i]))
                        return false;
        for (unsigned i = 0; i < BELL_TOPS; i++)
                if (atomic_load(&bell.top[i]))
                        return false;
        return true;
}

START_TEST(an_untouched_bell_has_nothing) {
        uint64_t *bits = calloc(BELL_LANES, sizeof(*bits));

        ck_assert(!bell_has_work(&bell));
        ck_assert_uint_eq(drain(false, bits), 0);
        ck_assert_uint_eq(drain(true, bits), 0);
        free(bits);
}
END_TEST

START_TEST(every_lane_is_found_alone) {
        for (uint32_t lane = 0; lane < BELL_LANES; lane++) {
                BellWalk walk = { .cool = true };
                BellWalk again = { .cool = true };
                uint32_t found;
                uint64_t bits;

                bell_ring(&bell, lane, lane % 64);
                ck_assert(bell_has_work(&bell));
                ck_assert(bell_collect(&bell, &walk, &found, &bits));
                ck_assert_uint_eq(found, lane);
                ck_assert(bits == 1ull << lane % 64);
                ck_assert(!bell_collect(&bell, &walk, &found, &bits));
                ck_assert(!bell_has_work(&bell));
                ck_assert(!bell_collect(&bell, &again, &found, &bits));
                ck_assert_msg(is_cold(), "lane %u stays marked", lane);
        }
}
END_TEST

START_TEST(all_lanes_are_found_in_one_walk_in_order) {
        BellWalk walk = { .cool = true };
        uint32_t found, lane;
        uint64_t bits;

        for (lane = 0; lane < BELL_LANES; lane++)
                bell_ring(&bell, BELL_LANES - 1 - lane, 5);
        for (lane = 0; lane < BELL_LANES; lane++) {
                ck_assert(bell_collect(&bell, &walk, &found, &bits));
                ck_assert_uint_eq(found, lane);
                ck_assert(bits == 1u << 5);
        }
        ck_assert(!bell_collect(&bell, &walk, &found, &bits));
}
END_TEST

START_TEST(the_bits_of_a_lane_come_together) {
        BellWalk walk = { 0 };
        uint32_t lane;
        uint64_t bits;

        bell_ring(&bell, 9999, 0);
        bell_ring(&bell, 9999, 62);
        bell_ring(&bell, 9999, BELL_PULSES);
        ck_assert(bell_collect(&bell, &walk, &lane, &bits));
        ck_assert(bits == (1ull | 1ull << 62 | 1ull << 63));
        ck_assert(!bell_collect(&bell, &walk, &lane, &bits));
}
END_TEST

START_TEST(a_lane_stays_marked_unless_it_is_cooled) {
        uint64_t *bits = calloc(BELL_LANES, sizeof(*bits));

        bell_ring(&bell, 70, 1);
        ck_assert_uint_eq(drain(false, bits), 1);
        ck_assert_uint_eq(drain(false, bits), 0);
        ck_assert(!is_cold());
        ck_assert_uint_eq(drain(true, bits), 0);
        ck_assert(is_cold());
        free(bits);
}
END_TEST

START_TEST(cooling_one_lane_leaves_its_neighbours_marked) {
        uint64_t *bits = calloc(BELL_LANES, sizeof(*bits));

        bell_ring(&bell, 100, 1);
        bell_ring(&bell, 101, 1);
        drain(false, bits);
        bell_ring(&bell, 101, 2);
        ck_assert_uint_eq(drain(true, bits), 1);
        ck_assert(!(atomic_load(&bell.mid[1]) & 1ull << 36)); /* 100 */
        ck_assert(atomic_load(&bell.mid[1]) & 1ull << 37);    /* 101: had something, may have more */
        ck_assert(atomic_load(&bell.top[0]) & 2);
        free(bits);
}
END_TEST

/* Marks that mean nothing cost one look each; leaves without marks are the scribbler's own loss. */
START_TEST(scribbled_marks_end_and_cool) {
        uint64_t *bits = calloc(BELL_LANES, sizeof(*bits));

        memset((void *)bell.top, 0xff, sizeof(bell.top));
        memset((void *)bell.mid, 0xff, sizeof(bell.mid));
        ck_assert(!bell_has_work(&bell));
        ck_assert_uint_eq(drain(false, bits), 0);
        ck_assert_uint_eq(drain(true, bits), 0);
        ck_assert(is_cold());
        free(bits);
}
END_TEST

START_TEST(scribbled_leaves_are_taken_once) {
        uint64_t *bits = calloc(BELL_LANES, sizeof(*bits));

        memset((void *)bell.top, 0xff, sizeof(bell.top));
        memset((void *)bell.mid, 0xff, sizeof(bell.mid));
        memset((void *)bell.leaf, 0xff, sizeof(bell.leaf));
        ck_assert_uint_eq(drain(false, bits), BELL_LANES);
        ck_assert_uint_eq(drain(true, bits), 0);
        ck_assert(is_cold());
        free(bits);
}
END_TEST

/* A sender that died between its leaf and the marks: the next ring of the same lane finds both. */
START_TEST(half_a_ring_is_completed_by_the_next) {
        uint64_t *bits = calloc(BELL_LANES, sizeof(*bits));

        atomic_store(&bell.leaf[5000], 1u << 3);
        bell_ring(&bell, 5000, 4);
        ck_assert_uint_eq(drain(true, bits), 1);
        ck_assert(bits[5000] == (1u << 3 | 1u << 4));
        atomic_store(&bell.leaf[5000], 1u << 3);
        atomic_fetch_or(&bell.mid[5000 / 64], 1ull << 5000 % 64); /* and with the mid marked */
        bell_ring(&bell, 5000, 4);
        ck_assert_uint_eq(drain(true, bits), 1);
        free(bits);
}
END_TEST

/* ---- the ring word ---- */

START_TEST(a_ring_takes_back_the_announcement) {
        uint32_t seen = bell_prepare_sleep(&bell);

        ck_assert(seen & BELL_ASLEEP);
        ck_assert_uint_eq(word_load(&bell.ring), seen);
        bell_ring(&bell, 0, 0);
        ck_assert_uint_ne(word_load(&bell.ring), seen);
        ck_assert(!(word_load(&bell.ring) & BELL_ASLEEP));
        seen = word_load(&bell.ring);
        bell_ring(&bell, 0, 1); /* nobody sleeps: the word is not written */
        ck_assert_uint_eq(word_load(&bell.ring), seen);
}
END_TEST

START_TEST(a_cancelled_sleep_needs_no_wake) {
        uint32_t seen = bell_prepare_sleep(&bell);

        bell_cancel_sleep(&bell);
        ck_assert_uint_eq(word_load(&bell.ring), seen & ~BELL_ASLEEP);
}
END_TEST

static void must_not_sleep(uint32_t seen) {
        Deadline lost = { .set = true, .clock = CLOCK_MONOTONIC, .at = unit_in(CLOCK_MONOTONIC, 20000) };

        ck_assert_int_eq(futex_wait(&bell.ring, seen, &lost), 0);
}

START_TEST(whatever_comes_after_the_announcement_forbids_the_sleep) {
        uint32_t seen = bell_prepare_sleep(&bell);

        bell_ring(&bell, 3, 3);
        must_not_sleep(seen);
        seen = bell_prepare_sleep(&bell);
        bell_nudge(&bell);
        must_not_sleep(seen);
        seen = bell_prepare_sleep(&bell);
        bell_wake_one(&bell);
        must_not_sleep(seen);
        seen = bell_prepare_sleep(&bell);
        bell_wake_all(&bell);
        must_not_sleep(seen);
}
END_TEST

/* ---- one sender, one receiver ---- */

#define LOST 20000

/* Neighbours in one mid, in one top, and far away. */
static const uint32_t lanes[] = { 0, 1, 63, 64, 4095, 4096, 9000, BELL_LANES - 1 };
#define N_LANES (sizeof(lanes) / sizeof(lanes[0]))

typedef struct Exchange {
        _Atomic unsigned rung[N_LANES]; /* things put into lane i ... */
        unsigned taken[N_LANES];        /* ... and found there */
        unsigned rounds;
        _Atomic unsigned total_taken;
        unsigned in_flight; /* how far the sender may be ahead */
} Exchange;

static int index_of(uint32_t lane) {
        for (unsigned i = 0; i < N_LANES; i++)
                if (lanes[i] == lane)
                        return (int)i;
        return -1;
}

/* As a receiver does: what a lane has is read elsewhere, the bit only says "look". */
static unsigned take_some(Exchange *x, bool cool) {
        BellWalk walk = { .cool = cool };
        unsigned n = 0;
        uint32_t lane;
        uint64_t bits;

        while (bell_collect(&bell, &walk, &lane, &bits)) {
                int i = index_of(lane);
                unsigned rung;

                ck_assert_int_ge(i, 0);
                rung = atomic_load(&x->rung[i]);
                n += rung - x->taken[i];
                x->taken[i] = rung;
        }
        return n;
}

static void sleep_unless_rung(Exchange *x) {
        Deadline lost = { .set = true, .clock = CLOCK_MONOTONIC, .at = unit_in(CLOCK_MONOTONIC, LOST) };
        uint32_t seen;

        atomic_fetch_add(&x->total_taken, take_some(x, true));
        seen = bell_prepare_sleep(&bell);
        if (!bell_has_work(&bell) && atomic_load(&x->total_taken) < x->rounds)
                ck_assert_int_ne(futex_wait(&bell.ring, seen, &lost), -ETIMEDOUT);
        bell_cancel_sleep(&bell);
}

static void *receiver(void *argument) {
        Exchange *x = argument;

        for (unsigned turn = 0; atomic_load(&x->total_taken) < x->rounds; turn++) {
                atomic_fetch_add(&x->total_taken, take_some(x, turn % 2));
                if (turn % 8 == 0)
                        sleep_unless_rung(x);
        }
        return NULL;
}

static void send_all(Exchange *x) {
        uint32_t seed = 1;

        for (unsigned n = 0; n < x->rounds; n++) {
                unsigned i = unit_random(&seed) % N_LANES;

                while (n - atomic_load(&x->total_taken) >= x->in_flight)
                        sched_yield();
                atomic_fetch_add(&x->rung[i], 1);
                bell_ring(&bell, lanes[i], i);
        }
}

static void exchange(unsigned in_flight) {
        Exchange x = { .rounds = unit_rounds(1000000), .in_flight = in_flight };
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, receiver, &x), 0);
        send_all(&x);
        pthread_join(thread, NULL);
        ck_assert_uint_eq(atomic_load(&x.total_taken), x.rounds);
}

START_TEST(no_bit_is_lost_under_a_flood) {
        exchange(1000);
}
END_TEST

/* The sender waits for each: a bit that is missed is never covered up by the next one. */
START_TEST(no_bit_is_lost_one_at_a_time) {
        exchange(1);
}
END_TEST

START_TEST(no_bit_is_lost_two_at_a_time) {
        exchange(2);
}
END_TEST

/* ---- several receivers: each wake reaches one, none sleeps for ever ---- */

#define RECEIVERS 3

typedef struct Crew {
        pthread_mutex_t mutex; /* as the server lock */
        Exchange x;
        unsigned sleepers;
} Crew;

static void sleep_in_crew(Crew *crew) {
        Deadline lost = { .set = true, .clock = CLOCK_MONOTONIC, .at = unit_in(CLOCK_MONOTONIC, LOST) };
        uint32_t seen = bell_prepare_sleep(&bell);

        if (bell_has_work(&bell))
                return;
        crew->sleepers++;
        pthread_mutex_unlock(&crew->mutex);
        ck_assert_int_ne(futex_wait(&bell.ring, seen, &lost), -ETIMEDOUT);
        pthread_mutex_lock(&crew->mutex);
        crew->sleepers--;
}

static void pass_baton(Crew *crew) {
        if (crew->sleepers == 0)
                return;
        bell_prepare_sleep(&bell);
        if (bell_has_work(&bell))
                bell_wake_one(&bell);
}

static void *crew_member(void *argument) {
        Crew *crew = argument;
        unsigned n;

        pthread_mutex_lock(&crew->mutex);
        while (atomic_load(&crew->x.total_taken) < crew->x.rounds) {
                n = take_some(&crew->x, true);
                atomic_fetch_add(&crew->x.total_taken, n);
                if (n > 0)
                        pass_baton(crew);
                else
                        sleep_in_crew(crew);
                if (n > 0) { /* away with what it got */
                        pthread_mutex_unlock(&crew->mutex);
                        sched_yield();
                        pthread_mutex_lock(&crew->mutex);
                }
        }
        pthread_mutex_unlock(&crew->mutex);
        bell_wake_all(&bell);
        return NULL;
}

START_TEST(no_receiver_of_several_sleeps_through) {
        Crew crew = {
                .mutex = PTHREAD_MUTEX_INITIALIZER,
                .x = { .rounds = unit_rounds(100000), .in_flight = RECEIVERS },
        };
        pthread_t threads[RECEIVERS];

        for (unsigned i = 0; i < RECEIVERS; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, crew_member, &crew), 0);
        send_all(&crew.x);
        for (unsigned i = 0; i < RECEIVERS; i++)
                pthread_join(threads[i], NULL);
        ck_assert_uint_eq(atomic_load(&crew.x.total_taken), crew.x.rounds);
}
END_TEST

/* ---- several senders into one mid word ---- */

#define SENDERS 2

typedef struct Neighbour {
        Exchange *x;
        unsigned lane;
} Neighbour;

static void *neighbour(void *argument) {
        Neighbour *self = argument;

        for (unsigned n = 0; n < self->x->rounds / SENDERS; n++) {
                atomic_fetch_add(&self->x->rung[self->lane], 1);
                bell_ring(&bell, lanes[self->lane], self->lane);
        }
        return NULL;
}

START_TEST(no_bit_is_lost_of_two_senders) {
        Exchange x = { .rounds = unit_rounds(400000) / SENDERS * SENDERS };
        Neighbour selves[SENDERS] = { { &x, 0 }, { &x, 1 } };
        pthread_t threads[SENDERS], taker;

        ck_assert_int_eq(pthread_create(&taker, NULL, receiver, &x), 0);
        for (unsigned i = 0; i < SENDERS; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, neighbour, &selves[i]), 0);
        for (unsigned i = 0; i < SENDERS; i++)
                pthread_join(threads[i], NULL);
        pthread_join(taker, NULL);
        ck_assert_uint_eq(atomic_load(&x.total_taken), x.rounds);
}
END_TEST

/* ---- the sender whom the server expects ---- */

START_TEST(who_is_expected_sets_no_bit) {
        bell_expect(&bell, 16383, 2047);
        bell_call(&bell, 16383, 2047);
        ck_assert(!bell_has_work(&bell));
        ck_assert(is_cold());
        bell_expect(&bell, 7, BELL_EXPECTS_PULSES);
        bell_call(&bell, 7, BELL_EXPECTS_PULSES);
        ck_assert(!bell_has_work(&bell));
}
END_TEST

START_TEST(who_is_not_expected_sets_its_bit) {
        BellWalk walk = { 0 };
        uint32_t lane;
        uint64_t bits;

        bell_call(&bell, 0, 0);
        bell_expect(&bell, 5, 64);
        bell_call(&bell, 5, 65);
        bell_call(&bell, 5, BELL_EXPECTS_PULSES);
        bell_call(&bell, 6, 64);
        bell_expect_nobody(&bell);
        bell_call(&bell, 5, 64);
        ck_assert(bell_collect(&bell, &walk, &lane, &bits));
        ck_assert(lane == 0 && bits == 1);
        ck_assert(bell_collect(&bell, &walk, &lane, &bits));
        ck_assert(lane == 5 && bits == (1ull << 1 | 1ull << 2 | 1ull << BELL_PULSES));
        ck_assert(bell_collect(&bell, &walk, &lane, &bits));
        ck_assert(lane == 6 && bits == 1ull << 1);
}
END_TEST

START_TEST(who_is_expected_wakes_all_the_same) {
        uint32_t seen = bell_prepare_sleep(&bell);

        bell_expect(&bell, 3, 3);
        bell_call(&bell, 3, 3);
        must_not_sleep(seen);
}
END_TEST

/* Two callers; the server expects now one, now the other, now nobody, and sleeps when it finds nothing. */
typedef struct Caller {
        _Atomic uint32_t sent, taken;
        uint32_t lane, rounds;
} Caller;

static Caller callers[2];

static void *call_often(void *argument) {
        Caller *self = argument;

        for (uint32_t i = 0; i < self->rounds; i++) {
                word_store(&self->sent, i + 1);
                bell_call(&bell, self->lane, 0);
                while (word_load(&self->taken) != i + 1)
                        sched_yield();
        }
        return NULL;
}

static bool take_call(Caller *caller) {
        uint32_t sent = word_load(&caller->sent);

        if (sent == word_load(&caller->taken))
                return false;
        word_store(&caller->taken, sent);
        return true;
}

static bool take_calls(const Caller *expected) {
        BellWalk walk = { .cool = true };
        bool any = expected && take_call((Caller *)expected);
        uint32_t lane;
        uint64_t bits;

        while (bell_collect(&bell, &walk, &lane, &bits))
                any |= take_call(&callers[lane]);
        return any;
}

static bool are_done(void) {
        return word_load(&callers[0].taken) == callers[0].rounds &&
               word_load(&callers[1].taken) == callers[1].rounds;
}

static Caller *expect_another(unsigned turn, Caller *former) {
        Caller *next = turn % 3 == 2 ? NULL : &callers[turn % 3];

        if (next)
                bell_expect(&bell, next->lane, 0);
        else
                bell_expect_nobody(&bell);
        if (former)
                take_call(former);
        return next;
}

START_TEST(no_call_is_lost_while_expectations_change) {
        Caller *expected = NULL;
        pthread_t threads[2];

        for (uint32_t i = 0; i < 2; i++) {
                callers[i] = (Caller){ .lane = i, .rounds = unit_rounds(8000) };
                ck_assert_int_eq(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
        }
        for (unsigned turn = 0; !are_done(); turn++) {
                uint32_t seen;

                expected = expect_another(turn, expected);
                if (take_calls(expected))
                        continue;
                seen = bell_prepare_sleep(&bell);
                if (!take_calls(expected) && !are_done())
                        must_not_sleep(seen);
                bell_cancel_sleep(&bell);
        }
        for (unsigned i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
}
END_TEST

UNIT_MAIN("bell", an_untouched_bell_has_nothing, every_lane_is_found_alone,
          all_lanes_are_found_in_one_walk_in_order, the_bits_of_a_lane_come_together,
          a_lane_stays_marked_unless_it_is_cooled, cooling_one_lane_leaves_its_neighbours_marked,
          scribbled_marks_end_and_cool, scribbled_leaves_are_taken_once,
          half_a_ring_is_completed_by_the_next, a_ring_takes_back_the_announcement,
          a_cancelled_sleep_needs_no_wake, whatever_comes_after_the_announcement_forbids_the_sleep,
          no_bit_is_lost_under_a_flood, no_bit_is_lost_one_at_a_time, no_bit_is_lost_two_at_a_time,
          no_receiver_of_several_sleeps_through, no_bit_is_lost_of_two_senders,
          who_is_expected_sets_no_bit, who_is_not_expected_sets_its_bit, who_is_expected_wakes_all_the_same,
          no_call_is_lost_while_expectations_change)
