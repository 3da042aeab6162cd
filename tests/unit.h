/* SPDX-License-Identifier: MIT */
/*
 * Unit: what the tests of single files have around them.
 *
 * Each test runs in a process of its own, ends in time, and leaves no descriptor open. Races are provoked by
 * a pair: two threads that begin each round together, with a shift between them that wanders, and a
 * look at the outcome after each round.
 */
#pragma once

#include <check.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Check writes a file at each assertion that holds, which would drown what happens between two of them. */
#undef ck_assert_msg
#define ck_assert_msg(expression, ...) ((expression) ? (void)0 : ck_abort_msg(__VA_ARGS__))
#undef ck_assert
#define ck_assert(expression) ck_assert_msg(expression, "not so: %s", #expression)

#define UNIT_TIMEOUT 240 /* seconds; only a test that hangs ever sees them */

#define UNIT_TESTS(...) ((const TTest *const[]){__VA_ARGS__, NULL})
#define UNIT_MAIN(name, ...)                                                                       \
        int main(void) {                                                                           \
                return unit_main(name, UNIT_TESTS(__VA_ARGS__));                                   \
        }

static unsigned unit_fds_before;

static inline unsigned unit_count_fds(void) {
        DIR *dir = opendir("/proc/self/fd");
        unsigned n = 0;

        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

static inline void unit_begin(void) {
        unit_fds_before = unit_count_fds();
}

static inline void unit_end(void) {
        ck_assert_uint_eq(unit_count_fds(), unit_fds_before);
}

typedef void (*UnitFixture)(void);

/* @before and @after run around each test, in its process. */
static inline int unit_main_between(const char *name, const TTest *const *tests, UnitFixture before,
                                    UnitFixture after) {
        Suite *suite = suite_create(name);
        TCase *tcase = tcase_create(name);
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(tcase, UNIT_TIMEOUT);
        tcase_add_checked_fixture(tcase, unit_begin, unit_end);
        if (before)
                tcase_add_checked_fixture(tcase, before, after);
        for (; *tests; tests++)
                tcase_add_test(tcase, *tests);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline int unit_main(const char *name, const TTest *const *tests) {
        return unit_main_between(name, tests, NULL, NULL);
}

/* valgrind runs one thread at a time and each many times slower. */
static inline bool unit_under_valgrind(void) {
        const char *preload = getenv("LD_PRELOAD");

        return preload && strstr(preload, "valgrind");
}

static inline unsigned unit_rounds(unsigned n) {
        if (unit_under_valgrind())
                return n / 200 + 1;
#ifdef __SANITIZE_THREAD__
        return n / 10 + 1;
#endif
        return n;
}

/* xorshift; repeatable, so that a failure comes again. */
static inline uint32_t unit_random(uint32_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

static inline void unit_until(const _Atomic unsigned *word, unsigned value) {
        for (unsigned turns = 1; atomic_load(word) != value; turns++)
                if (turns % 512 == 0)
                        sched_yield();
}

static inline struct timespec unit_in(clockid_t clock, long milliseconds) {
        struct timespec at;

        clock_gettime(clock, &at);
        at.tv_sec += milliseconds / 1000;
        at.tv_nsec += milliseconds % 1000 * 1000000;
        if (at.tv_nsec >= 1000000000) {
                at.tv_sec++;
                at.tv_nsec -= 1000000000;
        }
        return at;
}

typedef void (*PairStep)(void *state);

typedef struct Pair {
        PairStep prepare; /* before each round, alone; or NULL */
        PairStep left;    /* at the same time as right */
        PairStep right;
        PairStep settle;  /* after each round, alone: checks; or NULL */
        void *state;
        unsigned rounds;
        _Atomic unsigned begun;
        _Atomic unsigned ended;
} Pair;

static inline void unit_dawdle(unsigned turns) {
        for (volatile unsigned i = 0; i < turns; i++)
                ;
}

/* Mostly next to nothing, now and then long enough for the other side to have gone to sleep. */
static inline void pair_shift(uint32_t *seed) {
        unsigned magnitude = unit_random(seed) % 15;

        unit_dawdle(unit_random(seed) % (1u << magnitude));
}

static inline void *pair_right(void *argument) {
        Pair *pair = argument;
        uint32_t seed = 2463534242u;

        for (unsigned round = 1; round <= pair->rounds; round++) {
                unit_until(&pair->begun, round);
                pair_shift(&seed);
                pair->right(pair->state);
                atomic_store(&pair->ended, round);
        }
        return NULL;
}

static inline void pair_run(Pair *pair) {
        uint32_t seed = 88172645u;
        pthread_t right;

        ck_assert_int_eq(pthread_create(&right, NULL, pair_right, pair), 0);
        for (unsigned round = 1; round <= pair->rounds; round++) {
                if (pair->prepare)
                        pair->prepare(pair->state);
                atomic_store(&pair->begun, round);
                pair_shift(&seed);
                pair->left(pair->state);
                unit_until(&pair->ended, round);
                if (pair->settle)
                        pair->settle(pair->state);
        }
        pthread_join(right, NULL);
}
