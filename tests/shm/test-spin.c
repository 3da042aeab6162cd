/* SPDX-License-Identifier: MIT */
/*
 * Spin: the rules of the credit, and when nobody may watch at all.
 */
#include "shm/spin.h"
#include "unit.h"

#include <unistd.h>

static void use_one_core(void) {
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET(sched_getcpu(), &set);
        ck_assert_int_eq(sched_setaffinity(0, sizeof(set), &set), 0);
}

static bool have_two_cores(void) {
        cpu_set_t set;

        return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

START_TEST(the_default_limit_can_be_chosen) {
        spin_configure(-1);
        ck_assert_int_eq(spin_default(), SPIN_BUDGET_NS);
        spin_configure(0);
        ck_assert_int_eq(spin_default(), 0);
        spin_configure(7);
        ck_assert_int_eq(spin_default(), 7000);
}
END_TEST

START_TEST(no_credit_no_watch) {
        SpinCredit none = { 0 }, some = { 1 };

        spin_configure(-1);
        ck_assert(!spin_allowed(&none, -1, SPIN_BUDGET_NS));
        ck_assert(spin_allowed(&some, -1, SPIN_BUDGET_NS) == have_two_cores());
}
END_TEST

START_TEST(no_limit_no_watch) {
        SpinCredit credit = { SPIN_CREDIT_MAX };

        spin_configure(-1);
        ck_assert(!spin_allowed(&credit, -1, 0));
}
END_TEST

START_TEST(one_usable_core_no_watch) {
        SpinCredit credit = { SPIN_CREDIT_MAX };

        use_one_core();
        spin_configure(-1);
        ck_assert(!spin_allowed(&credit, -1, SPIN_BUDGET_NS));
        ck_assert(!spin_allowed(&credit, 4000, SPIN_BUDGET_NS));
}
END_TEST

/* Pinned after the cores were counted, so that only the peer's core decides. */
START_TEST(a_peer_on_our_core_needs_it) {
        SpinCredit credit = { SPIN_CREDIT_MAX };

        if (!have_two_cores())
                return;
        spin_configure(-1);
        use_one_core();
        ck_assert(!spin_allowed(&credit, clock_core(), SPIN_BUDGET_NS));
        ck_assert(spin_allowed(&credit, clock_core() + 1, SPIN_BUDGET_NS));
        ck_assert(spin_allowed(&credit, -1, SPIN_BUDGET_NS));
}
END_TEST

START_TEST(credit_rises_slowly_falls_fast_and_stays_in_bounds) {
        SpinCredit credit = { 0 };

        spin_paid(&credit);
        ck_assert_int_eq(credit.credit, 1);
        for (unsigned i = 0; i < 1000; i++)
                spin_paid(&credit);
        ck_assert_int_eq(credit.credit, SPIN_CREDIT_MAX);
        spin_lost(&credit);
        ck_assert_int_lt(credit.credit, SPIN_CREDIT_MAX - 1);
        for (unsigned i = 0; i < SPIN_CREDIT_MAX / 4; i++)
                spin_lost(&credit);
        ck_assert_int_eq(credit.credit, 0);
}
END_TEST

START_TEST(short_sleeps_earn_credit_long_ones_do_not) {
        SpinCredit credit = { 0 };

        spin_slept(&credit, 1000000000, SPIN_BUDGET_NS);
        ck_assert_int_eq(credit.credit, 0);
        spin_slept(&credit, 1000, SPIN_BUDGET_NS);
        ck_assert_int_gt(credit.credit, 0);
        for (unsigned i = 0; i < 1001; i++)
                spin_slept(&credit, 1000, SPIN_BUDGET_NS);
        ck_assert_int_eq(credit.credit, SPIN_CREDIT_MAX);
        credit.credit = SPIN_CREDIT_MAX - 1;
        spin_slept(&credit, 1000, SPIN_BUDGET_NS);
        ck_assert_int_eq(credit.credit, SPIN_CREDIT_MAX);
        credit.credit = 0;
        spin_slept(&credit, 0, 0);
        ck_assert_int_eq(credit.credit, 0);
}
END_TEST

START_TEST(a_watch_ends_after_its_limit) {
        Spin spin = spin_begin(2000000);
        uint64_t begun = clock_now();

        while (spin_turn(&spin))
                ;
        ck_assert(clock_now() - begun >= 2000000);
}
END_TEST

UNIT_MAIN("spin", the_default_limit_can_be_chosen, no_credit_no_watch, no_limit_no_watch,
          one_usable_core_no_watch, a_peer_on_our_core_needs_it,
          credit_rises_slowly_falls_fast_and_stays_in_bounds,
          short_sleeps_earn_credit_long_ones_do_not, a_watch_ends_after_its_limit)
