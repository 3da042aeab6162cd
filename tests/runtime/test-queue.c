/* SPDX-License-Identifier: MIT */
/*
 * Queue: highest priority first, then arrival, pulses apart when asked; the same as a plain sorted list.
 */
#include "runtime/queue.h"
#include "unit.h"

static Queue queue;

static Entry *push(EntryKind kind, unsigned priority, uint64_t stamp) {
        Entry *entry = calloc(1, sizeof(*entry));

        *entry = (Entry){ .kind = kind, .priority = (uint8_t)priority, .stamp = stamp };
        queue_push(&queue, entry);
        ck_assert(entry->queued);
        return entry;
}

static void pop(Entry *wanted, bool pulses_only) {
        Entry *entry = queue_pop(&queue, pulses_only);

        ck_assert_ptr_eq(entry, wanted);
        if (!entry)
                return;
        ck_assert(!entry->queued);
        free(entry);
}

START_TEST(an_empty_queue_has_nothing) {
        ck_assert_ptr_null(queue_first(&queue));
        pop(NULL, false);
        pop(NULL, true);
}
END_TEST

START_TEST(the_highest_priority_comes_first) {
        Entry *low = push(ENTRY_MESSAGE, 1, 1);
        Entry *high = push(ENTRY_MESSAGE, 255, 3);
        Entry *middle = push(ENTRY_MESSAGE, 64, 2);
        Entry *below = push(ENTRY_MESSAGE, 63, 0);

        ck_assert_ptr_eq(queue_first(&queue), high);
        pop(high, false);
        pop(middle, false);
        pop(below, false);
        pop(low, false);
        pop(NULL, false);
}
END_TEST

START_TEST(equal_priorities_come_by_stamp) {
        Entry *third = push(ENTRY_MESSAGE, 10, 30);
        Entry *first = push(ENTRY_MESSAGE, 10, 10);
        Entry *last = push(ENTRY_MESSAGE, 10, 40);
        Entry *second = push(ENTRY_MESSAGE, 10, 20);

        pop(first, false);
        pop(second, false);
        pop(third, false);
        pop(last, false);
}
END_TEST

START_TEST(equal_stamps_come_in_the_order_of_their_pushes) {
        Entry *entries[5];

        for (unsigned i = 0; i < 5; i++)
                entries[i] = push(i % 2 ? ENTRY_PULSE : ENTRY_MESSAGE, 10, 7);
        for (unsigned i = 0; i < 5; i++)
                pop(entries[i], false);
}
END_TEST

START_TEST(messages_and_pulses_are_one_queue) {
        Entry *message = push(ENTRY_MESSAGE, 10, 1);
        Entry *pulse = push(ENTRY_PULSE, 10, 2);
        Entry *urgent = push(ENTRY_PULSE, 11, 3);

        pop(urgent, false);
        pop(message, false);
        pop(pulse, false);
}
END_TEST

START_TEST(a_pulse_is_found_behind_messages) {
        Entry *high = push(ENTRY_MESSAGE, 200, 1);
        Entry *front = push(ENTRY_MESSAGE, 20, 1);
        Entry *pulse = push(ENTRY_PULSE, 20, 2);
        Entry *later = push(ENTRY_PULSE, 20, 3);
        Entry *low = push(ENTRY_PULSE, 0, 0);

        pop(pulse, true);
        pop(later, true);
        pop(low, true);
        pop(NULL, true);
        pop(high, false);
        pop(front, false);
}
END_TEST

START_TEST(an_entry_leaves_from_anywhere) {
        Entry *entries[5];

        for (unsigned i = 0; i < 5; i++)
                entries[i] = push(ENTRY_MESSAGE, 10, i);
        for (unsigned i = 0; i < 5; i += 2) {
                queue_remove(&queue, entries[i]);
                ck_assert(!entries[i]->queued);
                free(entries[i]);
        }
        pop(entries[1], false);
        pop(entries[3], false);
        pop(NULL, false);
        ck_assert_uint_eq(queue.n, 0);
}
END_TEST

START_TEST(every_priority_has_its_place) {
        Entry *entries[QUEUE_PRIORITIES];

        for (unsigned p = 0; p < QUEUE_PRIORITIES; p++)
                entries[p] = push(p % 3 ? ENTRY_MESSAGE : ENTRY_PULSE, p, p);
        for (unsigned p = QUEUE_PRIORITIES; p-- > 0;)
                if (p % 3 == 0)
                        pop(entries[p], true);
        pop(NULL, true);
        for (unsigned p = QUEUE_PRIORITIES; p-- > 0;)
                if (p % 3)
                        pop(entries[p], false);
        pop(NULL, false);
        for (unsigned i = 0; i < QUEUE_PRIORITIES / 64; i++)
                ck_assert(queue.bits[i] == 0);
}
END_TEST

/* ---- against a model: a list that is searched ---- */

#define MODEL 64

static Entry *model[MODEL]; /* in the order of their pushes */
static unsigned n_model;

static bool goes_before(const Entry *a, const Entry *b) {
        if (a->priority != b->priority)
                return a->priority > b->priority;
        return a->stamp < b->stamp;
}

static unsigned model_first(bool pulses_only) {
        unsigned best = MODEL;

        for (unsigned i = 0; i < n_model; i++) {
                if (pulses_only && model[i]->kind != ENTRY_PULSE)
                        continue;
                if (best == MODEL || goes_before(model[i], model[best]))
                        best = i;
        }
        return best;
}

static Entry *model_take(unsigned i) {
        Entry *entry;

        if (i == MODEL)
                return NULL;
        entry = model[i];
        memmove(&model[i], &model[i + 1], (--n_model - i) * sizeof(model[0]));
        return entry;
}

static void push_somehow(uint32_t *seed) {
        unsigned priority = unit_random(seed) % 5 * 63;

        if (n_model < MODEL)
                model[n_model++] = push(unit_random(seed) % 3 ? ENTRY_MESSAGE : ENTRY_PULSE, priority,
                                        unit_random(seed) % 8);
}

static void remove_some(uint32_t *seed) {
        Entry *entry;

        if (n_model == 0)
                return;
        entry = model_take(unit_random(seed) % n_model);
        queue_remove(&queue, entry);
        free(entry);
}

START_TEST(it_does_what_a_plain_list_does) {
        uint32_t seed = 20240607;

        for (unsigned n = 0; n < unit_rounds(500000); n++) {
                unsigned what = unit_random(&seed) % 8;
                bool pulses_only = what == 7;

                if (what < 4)
                        push_somehow(&seed);
                else if (what < 5)
                        remove_some(&seed);
                else
                        pop(model_take(model_first(pulses_only)), pulses_only);
                ck_assert_uint_eq(queue.n, n_model);
        }
        while (n_model > 0)
                remove_some(&seed);
        ck_assert_uint_eq(queue.n_pulses, 0);
        ck_assert_ptr_null(queue_first(&queue));
}
END_TEST

UNIT_MAIN("queue", an_empty_queue_has_nothing, the_highest_priority_comes_first,
          equal_priorities_come_by_stamp, equal_stamps_come_in_the_order_of_their_pushes,
          messages_and_pulses_are_one_queue, a_pulse_is_found_behind_messages,
          an_entry_leaves_from_anywhere, every_priority_has_its_place, it_does_what_a_plain_list_does)
