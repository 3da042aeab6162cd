/* SPDX-License-Identifier: MIT */
#include "suite.h"

#include "base/list.h"

typedef struct Thing {
        int number;
        List link;
} Thing;

START_TEST(members_come_in_the_order_they_were_appended) {
        List list = LIST_INIT(list);
        Thing things[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
        Thing *thing;
        int expected = 0;

        for (int i = 0; i < 3; i++)
                list_append(&list, &things[i].link);
        LIST_FOREACH(thing, &list, Thing, link)
                ck_assert_int_eq(thing->number, expected++);
        ck_assert_int_eq(expected, 3);
        ck_assert_ptr_eq(LIST_FIRST(&list, Thing, link), &things[0]);
}
END_TEST

START_TEST(the_member_at_hand_may_leave_while_walking) {
        List list = LIST_INIT(list);
        Thing things[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
        Thing *thing;
        int n = 0;

        for (int i = 0; i < 3; i++)
                list_append(&list, &things[i].link);
        LIST_FOREACH(thing, &list, Thing, link) {
                list_unlink(&thing->link);
                n++;
        }
        ck_assert_int_eq(n, 3);
        ck_assert(list_is_empty(&list));
}
END_TEST

START_TEST(leaving_twice_is_harmless) {
        List list = LIST_INIT(list);
        Thing a = { .number = 1 }, b = { .number = 2 };

        list_append(&list, &a.link);
        list_append(&list, &b.link);
        list_unlink(&a.link);
        list_unlink(&a.link);
        ck_assert_ptr_eq(LIST_FIRST(&list, Thing, link), &b);
}
END_TEST

SUITE_MAIN("list", members_come_in_the_order_they_were_appended,
           the_member_at_hand_may_leave_while_walking, leaving_twice_is_harmless)
