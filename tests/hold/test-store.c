/* SPDX-License-Identifier: MIT */
/* Store: descriptors by name, each open file once. */
#include "unit.h"

#include "hold/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static Store store;

static void fill(const char *name, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                ck_assert_int_eq(store_add(&store, name, open("/dev/null", O_RDONLY | O_CLOEXEC)), 0);
}

static unsigned count(const char *name) {
        StoreItem *items = store_list(&store);
        unsigned n = 0;

        for (size_t i = 0; items && i < store.n; i++) {
                ck_assert(i == 0 || items[i].fd > items[i - 1].fd);
                ck_assert_int_ge(fcntl(items[i].fd, F_GETFD), 0);
                n += strcmp(items[i].name, name) == 0;
        }
        free(items);
        return n;
}

static void need_empty(void) {
        store_remove_all_but(&store, NULL);
        ck_assert_uint_eq(store.n, 0);
        ck_assert_uint_eq(store.name_bytes, 0);
        ck_assert_ptr_null(store_list(&store));
}

START_TEST(several_may_have_one_name_and_go_together) {
        store_init(&store, 100);
        fill("a", 3);
        fill("b", 2);
        ck_assert_uint_eq(count("a"), 3);
        ck_assert_uint_eq(count("b"), 2);
        ck_assert_uint_eq(store.name_bytes, 10);
        store_remove(&store, "a");
        store_remove(&store, "no such name");
        ck_assert_uint_eq(count("a"), 0);
        ck_assert_uint_eq(count("b"), 2);
        need_empty();
}
END_TEST

START_TEST(one_open_file_is_kept_once_under_one_name) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        store_init(&store, 100);
        ck_assert_int_eq(store_add(&store, "a", dup(fd)), 0);
        ck_assert_int_eq(store_add(&store, "a", dup(fd)), 0);
        ck_assert_uint_eq(store.n, 1);
        ck_assert_int_eq(store_add(&store, "b", dup(fd)), 0);
        ck_assert_uint_eq(store.n, 2);
        close(fd);
        need_empty();
}
END_TEST

START_TEST(what_does_not_fit_is_closed) {
        store_init(&store, 2);
        fill("a", 2);
        ck_assert_int_eq(store_add(&store, "a", open("/dev/null", O_RDONLY)), -ENOSPC);
        ck_assert_uint_eq(count("a"), 2);
        need_empty();
}
END_TEST

START_TEST(all_but_one_name_go) {
        char name[16];

        store_init(&store, 5000);
        for (unsigned i = 0; i < 500; i++) {
                snprintf(name, sizeof(name), "x%u", i);
                fill(name, 1);
        }
        fill("listen", 2);
        for (unsigned i = 0; i < 500; i += 2) {
                snprintf(name, sizeof(name), "x%u", i);
                store_remove(&store, name);
        }
        ck_assert_uint_eq(store.n, 252);
        ck_assert_uint_eq(count("x1"), 1);
        store_remove_all_but(&store, "listen");
        ck_assert_uint_eq(store.n, 2);
        ck_assert_uint_eq(count("listen"), 2);
        need_empty();
}
END_TEST

UNIT_MAIN("hold-store", several_may_have_one_name_and_go_together, one_open_file_is_kept_once_under_one_name,
          what_does_not_fit_is_closed, all_but_one_name_go)
