/* SPDX-License-Identifier: MIT */
#include "suite.h"

#include "base/map.h"

#include <errno.h>

#define N_KEYS 5000u

static char things[N_KEYS];

static uint64_t key_of(unsigned i) {
        return map_key(i % 7, i);
}

START_TEST(what_was_added_is_found_and_nothing_else) {
        Map map = MAP_INIT;

        for (unsigned i = 0; i < N_KEYS; i++)
                ck_assert_int_eq(map_add(&map, key_of(i), &things[i]), 0);
        for (unsigned i = 0; i < N_KEYS; i++)
                ck_assert_ptr_eq(map_get(&map, key_of(i)), &things[i]);
        ck_assert_ptr_null(map_get(&map, key_of(N_KEYS)));
        ck_assert_uint_eq(map_size(&map), N_KEYS);
        map_deinit(&map);
}
END_TEST

START_TEST(a_taken_key_is_refused) {
        Map map = MAP_INIT;

        ck_assert_int_eq(map_add(&map, 1, &things[1]), 0);
        ck_assert_int_eq(map_add(&map, 1, &things[2]), -EEXIST);
        ck_assert_ptr_eq(map_get(&map, 1), &things[1]);
        ck_assert_int_eq(map_set(&map, 1, &things[2]), 0);
        ck_assert_ptr_eq(map_get(&map, 1), &things[2]);
        map_deinit(&map);
}
END_TEST

START_TEST(removal_keeps_the_others_reachable) {
        Map map = MAP_INIT;

        for (unsigned i = 0; i < N_KEYS; i++)
                ck_assert_int_eq(map_add(&map, key_of(i), &things[i]), 0);
        for (unsigned i = 0; i < N_KEYS; i += 3)
                ck_assert_ptr_eq(map_remove(&map, key_of(i)), &things[i]);
        for (unsigned i = 0; i < N_KEYS; i++)
                ck_assert_ptr_eq(map_get(&map, key_of(i)), i % 3 == 0 ? NULL : &things[i]);
        ck_assert_ptr_null(map_remove(&map, key_of(0)));
        map_deinit(&map);
}
END_TEST

START_TEST(iteration_sees_each_once) {
        Map map = MAP_INIT;
        unsigned seen[100] = { 0 };
        uint64_t key;
        size_t at = 0;

        for (unsigned i = 0; i < 100; i++)
                ck_assert_int_eq(map_add(&map, i, &things[i]), 0);
        while (map_next(&map, &at, &key))
                seen[key]++;
        for (unsigned i = 0; i < 100; i++)
                ck_assert_uint_eq(seen[i], 1);
        map_deinit(&map);
}
END_TEST

SUITE_MAIN("map", what_was_added_is_found_and_nothing_else, a_taken_key_is_refused,
           removal_keeps_the_others_reachable, iteration_sees_each_once)
