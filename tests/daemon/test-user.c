/* SPDX-License-Identifier: MIT */
#include "suite.h"

#include "daemon/user.h"

#include <errno.h>

static Table table;
static UserRegistry users;

static void begin(void) {
        log_init(LOG_LEVEL_ERROR);
        ck_assert_int_eq(table_init(&table, "users", sizeof(UserRecord), 100), 0);
        user_registry_init(&users, &table, 500);
}

static void end(void) {
        user_registry_deinit(&users);
        table_deinit(&table);
}

static User *user_of(uid_t uid) {
        User *user;

        ck_assert_int_eq(user_get(&users, uid, &user), 0);
        return user;
}

START_TEST(a_user_is_one_object_until_its_last_reference) {
        User *a, *b;

        begin();
        a = user_of(1000);
        b = user_of(1000);
        ck_assert_ptr_eq(a, b);
        user_unref(a);
        ck_assert_uint_eq(b->record->uid, 1000);
        user_unref(b);
        end();
}
END_TEST

START_TEST(the_limit_is_reached_exactly_and_given_back) {
        User *user;

        begin();
        user_registry_limit(&users, CHARGE_CHANNELS, 3);
        user = user_of(1000);
        ck_assert_int_eq(user_charge(user, CHARGE_CHANNELS, 3), 0);
        ck_assert_int_eq(user_charge(user, CHARGE_CHANNELS, 1), -EAGAIN);
        user_discharge(user, CHARGE_CHANNELS, 1);
        ck_assert_int_eq(user_charge(user, CHARGE_CHANNELS, 1), 0);
        user_discharge(user, CHARGE_CHANNELS, 3);
        user_unref(user);
        end();
}
END_TEST

START_TEST(one_user_at_its_limit_leaves_the_others_alone) {
        User *a, *b;

        begin();
        user_registry_limit(&users, CHARGE_LINKS, 1);
        a = user_of(1000);
        b = user_of(1001);
        ck_assert_int_eq(user_charge(a, CHARGE_LINKS, 1), 0);
        ck_assert_int_eq(user_charge(a, CHARGE_LINKS, 1), -EAGAIN);
        ck_assert_int_eq(user_charge(b, CHARGE_LINKS, 1), 0);
        user_discharge(a, CHARGE_LINKS, 1);
        user_discharge(b, CHARGE_LINKS, 1);
        user_unref(a);
        user_unref(b);
        end();
}
END_TEST

START_TEST(a_charge_beyond_all_numbers_is_refused) {
        User *user;

        begin();
        user = user_of(1000);
        ck_assert_int_eq(user_charge(user, CHARGE_BYTES, 4096), 0);
        ck_assert_int_eq(user_charge(user, CHARGE_BYTES, UINT64_MAX), -EAGAIN);
        ck_assert_uint_eq(user->record->charges[CHARGE_BYTES], 4096);
        user_discharge(user, CHARGE_BYTES, 4096);
        user_unref(user);
        end();
}
END_TEST

START_TEST(root_and_the_daemons_own_user_may_hold_twice_as_much) {
        User *root, *own, *other;

        begin();
        root = user_of(0);
        own = user_of(500);
        other = user_of(1000);
        for (unsigned i = 0; i < CHARGE_N; i++) {
                ck_assert_uint_eq(root->limits[i], own->limits[i]);
                ck_assert_uint_eq(root->limits[i], other->limits[i] * 2);
        }
        user_unref(root);
        user_unref(own);
        user_unref(other);
        end();
}
END_TEST

SUITE_MAIN("user", a_user_is_one_object_until_its_last_reference,
           the_limit_is_reached_exactly_and_given_back, one_user_at_its_limit_leaves_the_others_alone,
           a_charge_beyond_all_numbers_is_refused,
           root_and_the_daemons_own_user_may_hold_twice_as_much)
