/* SPDX-License-Identifier: MIT */
/* Turns: users one after another, each its sessions in the order in which they came. */
#include "suite.h"

#include "daemon/turn.h"

static Turns turns;
static TurnQueue a, b;
static Turn of_a[3], of_b;

static void begin(void) {
        turns_init(&turns);
        turn_queue_init(&a);
        turn_queue_init(&b);
        for (int i = 0; i < 3; i++)
                turn_init(&of_a[i], &a);
        turn_init(&of_b, &b);
}

static void a_floods(void) {
        ck_assert(turn_enter(&turns, &of_a[0]));
        ck_assert(!turn_enter(&turns, &of_a[1]));
        ck_assert(!turn_enter(&turns, &of_a[2]));
}

START_TEST(who_comes_after_three_of_another_user_is_second) {
        begin();
        a_floods();
        ck_assert(turn_enter(&turns, &of_b));
        ck_assert_uint_eq(turns_count(&turns), 2);
        ck_assert_ptr_eq(turns_next(&turns), &of_a[0]);
        ck_assert_ptr_eq(turns_next(&turns), &of_b);
        ck_assert_ptr_eq(turns_next(&turns), &of_a[1]);
        ck_assert_ptr_eq(turns_next(&turns), &of_a[2]);
        ck_assert_ptr_null(turns_next(&turns));
        ck_assert_uint_eq(turns_count(&turns), 0);
}
END_TEST

START_TEST(who_comes_while_a_flood_is_served_waits_for_one) {
        begin();
        a_floods();
        turns_next(&turns);
        turn_enter(&turns, &of_a[0]); /* it has the next one ready at once */
        turn_enter(&turns, &of_b);
        ck_assert_ptr_eq(turns_next(&turns), &of_a[1]);
        ck_assert_ptr_eq(turns_next(&turns), &of_b);
        turn_enter(&turns, &of_b);
        ck_assert_ptr_eq(turns_next(&turns), &of_a[2]);
        ck_assert_ptr_eq(turns_next(&turns), &of_b);
        ck_assert_ptr_eq(turns_next(&turns), &of_a[0]);
        ck_assert_ptr_null(turns_next(&turns));
}
END_TEST

START_TEST(entering_twice_is_one_turn) {
        begin();
        ck_assert(turn_enter(&turns, &of_b));
        ck_assert(turn_enter(&turns, &of_b));
        ck_assert_ptr_eq(turns_next(&turns), &of_b);
        ck_assert_ptr_null(turns_next(&turns));
}
END_TEST

START_TEST(who_ends_is_not_served) {
        begin();
        a_floods();
        turn_enter(&turns, &of_b);
        turn_leave(&of_b);
        turn_leave(&of_b);
        turn_leave(&of_a[1]);
        ck_assert_uint_eq(turns_count(&turns), 1);
        ck_assert_ptr_eq(turns_next(&turns), &of_a[0]);
        ck_assert_ptr_eq(turns_next(&turns), &of_a[2]);
        ck_assert_ptr_null(turns_next(&turns));
}
END_TEST

SUITE_MAIN("turn", who_comes_after_three_of_another_user_is_second,
           who_comes_while_a_flood_is_served_waits_for_one, entering_twice_is_one_turn, who_ends_is_not_served)
