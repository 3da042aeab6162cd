/* SPDX-License-Identifier: MIT */
/*
 * Futex: what ends a wait, on either clock, on one word and on several.
 */
#include "shm/futex.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>

static Word words[FUTEX_MANY + 1];
static const Deadline never;

static Deadline within(clockid_t clock, long milliseconds) {
        return (Deadline){ .set = true, .clock = clock, .at = unit_in(clock, milliseconds) };
}

static const Word *const *all_words(const Word *list[], size_t n) {
        for (size_t i = 0; i < n; i++)
                list[i] = &words[i];
        return (const Word *const *)list;
}

static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME };

START_TEST(a_deadline_passes_when_its_time_comes) {
        for (unsigned i = 0; i < 2; i++) {
                Deadline past = within(clocks[i], 0);
                Deadline future = within(clocks[i], 60000);
                Deadline second_ago = past;

                second_ago.at.tv_sec--;
                second_ago.at.tv_nsec = 999999999;
                ck_assert(deadline_passed(&past));
                ck_assert(deadline_passed(&second_ago));
                ck_assert(!deadline_passed(&future));
        }
        ck_assert(!deadline_passed(&never));
        ck_assert(!deadline_passed(&(Deadline){ .at = { 1, 1 } }));
}
END_TEST

START_TEST(a_wait_on_another_value_returns_at_once) {
        word_store(&words[0], 5);
        ck_assert_int_eq(futex_wait(&words[0], 4, &never), 0);
}
END_TEST

/* Not before its time, on the clock that it was asked on. */
START_TEST(a_wait_ends_at_its_deadline_of_either_clock) {
        for (unsigned i = 0; i < 2; i++) {
                Deadline soon = within(clocks[i], 20);

                ck_assert_int_eq(futex_wait(&words[0], 0, &soon), -ETIMEDOUT);
                ck_assert(deadline_passed(&soon));
        }
}
END_TEST

START_TEST(a_deadline_in_the_past_does_not_wait) {
        for (unsigned i = 0; i < 2; i++) {
                Deadline past = { .set = true, .clock = clocks[i], .at = { 0, 1 } };

                ck_assert_int_eq(futex_wait(&words[0], 0, &past), -ETIMEDOUT);
        }
}
END_TEST

static void *change_and_wake(void *argument) {
        Word *word = argument;

        word_store(word, 1);
        futex_wake(word, 1);
        return NULL;
}

START_TEST(a_change_with_a_wake_ends_a_wait) {
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, change_and_wake, &words[0]), 0);
        while (word_load(&words[0]) == 0)
                ck_assert_int_eq(futex_wait(&words[0], 0, &never), 0);
        pthread_join(thread, NULL);
}
END_TEST

START_TEST(a_wake_of_nobody_is_nothing) {
        futex_wake(&words[0], 1);
        futex_wake(&words[0], INT32_MAX);
}
END_TEST

/* ---- signals ---- */

static _Atomic unsigned n_signals;
static pthread_t sleeper;

static void count_signal(int signo) {
        (void)signo;
        atomic_fetch_add(&n_signals, 1);
}

static void *signal_until_it_left(void *argument) {
        _Atomic unsigned *left = argument;

        while (!atomic_load(left)) {
                pthread_kill(sleeper, SIGUSR1);
                sched_yield();
        }
        return NULL;
}

START_TEST(a_handler_without_restart_ends_a_wait) {
        struct sigaction action = { .sa_handler = count_signal };
        _Atomic unsigned left = 0;
        pthread_t thread;

        sigaction(SIGUSR1, &action, NULL);
        sleeper = pthread_self();
        ck_assert_int_eq(pthread_create(&thread, NULL, signal_until_it_left, &left), 0);
        ck_assert_int_eq(futex_wait(&words[0], 0, &never), -EINTR);
        atomic_store(&left, 1);
        pthread_join(thread, NULL);
}
END_TEST

/* ---- many words ---- */

START_TEST(a_wait_on_many_is_ended_by_each) {
        const Word *list[FUTEX_MANY];
        uint32_t values[FUTEX_MANY] = { 0 };

        if (!futex_can_wait_many())
                return;
        for (size_t i = 0; i < FUTEX_MANY; i += 9) {
                pthread_t thread;

                ck_assert_int_eq(pthread_create(&thread, NULL, change_and_wake, &words[i]), 0);
                while (word_load(&words[i]) == 0)
                        ck_assert_int_eq(futex_wait_many(all_words(list, FUTEX_MANY), values,
                                                         FUTEX_MANY, &never), 0);
                pthread_join(thread, NULL);
                word_store(&words[i], 0);
        }
}
END_TEST

START_TEST(a_wait_on_many_sees_a_difference_in_the_last) {
        const Word *list[FUTEX_MANY];
        uint32_t values[FUTEX_MANY] = { 0 };

        if (!futex_can_wait_many())
                return;
        word_store(&words[FUTEX_MANY - 1], 1);
        ck_assert_int_eq(futex_wait_many(all_words(list, FUTEX_MANY), values, FUTEX_MANY, &never), 0);
}
END_TEST

START_TEST(a_wait_on_many_ends_at_its_deadline_of_either_clock) {
        const Word *list[2];
        uint32_t values[2] = { 0 };

        if (!futex_can_wait_many())
                return;
        for (unsigned i = 0; i < 2; i++) {
                Deadline soon = within(clocks[i], 20);

                ck_assert_int_eq(futex_wait_many(all_words(list, 2), values, 2, &soon), -ETIMEDOUT);
                ck_assert(deadline_passed(&soon));
        }
}
END_TEST

START_TEST(a_wait_on_too_many_is_refused) {
        const Word *list[FUTEX_MANY + 1];
        uint32_t values[FUTEX_MANY + 1] = { 0 };

        ck_assert_int_eq(futex_wait_many(all_words(list, FUTEX_MANY + 1), values, FUTEX_MANY + 1,
                                         &never), -EINVAL);
}
END_TEST

UNIT_MAIN("futex", a_deadline_passes_when_its_time_comes, a_wait_on_another_value_returns_at_once,
          a_wait_ends_at_its_deadline_of_either_clock, a_deadline_in_the_past_does_not_wait,
          a_change_with_a_wake_ends_a_wait, a_wake_of_nobody_is_nothing,
          a_handler_without_restart_ends_a_wait, a_wait_on_many_is_ended_by_each,
          a_wait_on_many_sees_a_difference_in_the_last,
          a_wait_on_many_ends_at_its_deadline_of_either_clock, a_wait_on_too_many_is_refused)
