/* SPDX-License-Identifier: MIT */
#include "suite.h"

#include "daemon/table.h"

#include <errno.h>

typedef struct Thing {
        RecordHead head;
        uint32_t value;
} Thing;

static Table table;

static Thing *thing_new(uint32_t value) {
        Thing *thing;

        ck_assert_int_eq(table_new(&table, &thing), 0);
        thing->value = value;
        return thing;
}

START_TEST(a_record_walks_through_its_states) {
        Thing *thing;

        ck_assert_int_eq(table_init(&table, "things", sizeof(Thing), 1000), 0);
        thing = thing_new(7);
        ck_assert_uint_eq(table_record_state(thing), RECORD_BUILDING);
        table_publish(thing);
        ck_assert_uint_eq(table_record_state(thing), RECORD_LIVE);
        table_retire(thing);
        ck_assert_uint_eq(table_record_state(thing), RECORD_DYING);
        table_drop(&table, thing);
        ck_assert_uint_eq(table_record_state(thing), RECORD_FREE);
        table_deinit(&table);
}
END_TEST

START_TEST(a_new_record_is_zero_and_of_a_new_generation) {
        Thing *first, *second;
        uint32_t generation;

        ck_assert_int_eq(table_init(&table, "things", sizeof(Thing), 1000), 0);
        first = thing_new(7);
        generation = first->head.generation;
        table_drop(&table, first);
        ck_assert_int_eq(table_new(&table, &second), 0);
        ck_assert_ptr_eq(second, first);
        ck_assert_uint_eq(second->value, 0);
        ck_assert_uint_ne(second->head.generation, generation);
        table_drop(&table, second);
        table_deinit(&table);
}
END_TEST

START_TEST(a_reference_outlives_no_record) {
        Thing *thing;
        RecordRef ref;

        ck_assert_int_eq(table_init(&table, "things", sizeof(Thing), 1000), 0);
        thing = thing_new(7);
        ref = table_ref(&table, thing);
        ck_assert_ptr_eq(table_resolve(&table, ref), thing);
        table_drop(&table, thing);
        ck_assert_ptr_null(table_resolve(&table, ref));
        thing = thing_new(8);
        ck_assert_ptr_null(table_resolve(&table, ref));
        ck_assert_ptr_null(table_resolve(&table, table_ref(&table, NULL)));
        table_drop(&table, thing);
        table_deinit(&table);
}
END_TEST

START_TEST(growing_moves_nothing_and_ends_at_the_limit) {
        Thing *things[1000], *one_more;

        ck_assert_int_eq(table_init(&table, "things", sizeof(Thing), 1000), 0);
        for (uint32_t i = 0; i < 1000; i++)
                things[i] = thing_new(i);
        ck_assert_int_eq(table_new(&table, &one_more), -EAGAIN);
        for (uint32_t i = 0; i < 1000; i++) {
                ck_assert_uint_eq(things[i]->value, i);
                ck_assert_ptr_eq(table_at(&table, table_index(&table, things[i])), things[i]);
                table_drop(&table, things[i]);
        }
        ck_assert_ptr_null(table_at(&table, 1000));
        table_deinit(&table);
}
END_TEST

SUITE_MAIN("table", a_record_walks_through_its_states, a_new_record_is_zero_and_of_a_new_generation,
           a_reference_outlives_no_record, growing_moves_nothing_and_ends_at_the_limit)
