/* SPDX-License-Identifier: MIT */
#include "suite.h"

#include "daemon/coids.h"

static char things[100];

static Connection *thing(int i) {
        return (Connection *)&things[i];
}

static Coids filled(void) {
        Coids coids = { .n = 0 };
        static const int32_t numbers[] = { 0x40000009, 3, 0x40000005, 7 };

        for (int i = 0; i < 4; i++) {
                ck_assert_int_eq(coids_reserve(&coids), 0);
                ck_assert_ptr_null(coids_set(&coids, numbers[i], thing(i)));
        }
        return coids;
}

START_TEST(this_number_or_the_next_higher) {
        Coids coids = filled();

        ck_assert_int_eq(coids.entries[coids_at_or_above(&coids, 0)].number, 3);
        ck_assert_int_eq(coids.entries[coids_at_or_above(&coids, 7)].number, 7);
        ck_assert_int_eq(coids.entries[coids_at_or_above(&coids, 8)].number, 0x40000005);
        ck_assert_int_eq(coids.entries[coids_at_or_above(&coids, 0x40000006)].number, 0x40000009);
        ck_assert_uint_eq(coids_at_or_above(&coids, 0x4000000a), 4);
        coids_deinit(&coids);
}
END_TEST

START_TEST(a_number_that_is_set_again_changes_its_owner) {
        Coids coids = filled();

        ck_assert_int_eq(coids_reserve(&coids), 0);
        ck_assert_ptr_eq(coids_set(&coids, 7, thing(9)), thing(3));
        coids_remove(&coids, 7, thing(3)); /* not its owner any more */
        ck_assert_ptr_eq(coids_get(&coids, 7), thing(9));
        coids_remove(&coids, 7, thing(9));
        ck_assert_ptr_null(coids_get(&coids, 7));
        ck_assert_uint_eq(coids.n, 3);
        coids_deinit(&coids);
}
END_TEST

SUITE_MAIN("coids", this_number_or_the_next_higher, a_number_that_is_set_again_changes_its_owner)
