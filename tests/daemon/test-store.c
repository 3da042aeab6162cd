/* SPDX-License-Identifier: MIT */
/* Store, and what comes back out of it, against a service manager that the test plays. */
#include "suite.h"

#include "daemon/legacy.h"
#include "daemon/store.h"
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect_name(Stored kind, uint32_t index, const char *expected) {
        char name[STORE_NAME_BYTES];
        Stored kind_back;
        uint32_t index_back;

        store_name(kind, index, name);
        ck_assert_str_eq(name, expected);
        ck_assert(store_name_parse(name, &kind_back, &index_back));
        ck_assert_uint_eq(kind_back, kind);
        ck_assert_uint_eq(index_back, index);
}

START_TEST(a_name_says_kind_and_index) {
        expect_name(STORED_LINK, 0, "lA");
        expect_name(STORED_LINK, 63, "l_");
        expect_name(STORED_BELL, 64, "bAB");
        expect_name(STORED_NEWS_PEER, 262143, "W___");
        expect_name(STORED_REQUESTS, UINT32_MAX, "s_____D");
}
END_TEST

START_TEST(no_two_kinds_share_a_letter) {
        char one[STORE_NAME_BYTES], other[STORE_NAME_BYTES];

        for (Stored a = 0; a < STORED_N; a++)
                for (Stored b = 0; b < a; b++) {
                        store_name(a, 1, one);
                        store_name(b, 1, other);
                        ck_assert_str_ne(one, other);
                }
}
END_TEST

START_TEST(what_is_none_of_our_names_is_refused) {
        static const char *const names[] = { "", "l", "listen", "lock", "l:", "lA ", "?A", "lBA",
                                             "l______", "lAAAAAAAA", "nuntiusd.socket", "unknown",
                                             "connection" };
        uint32_t index;
        Stored kind;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                ck_assert_msg(!store_name_parse(names[i], &kind, &index), "\"%s\"", names[i]);
}
END_TEST

START_TEST(without_a_socket_there_is_no_store) {
        Store store;

        unsetenv("NOTIFY_SOCKET");
        store_init(&store, 0);
        ck_assert(!store_is_on(&store));
        ck_assert_int_eq(store_keep(&store, STORED_LINK, 1, 0), 0);
        store_remove(&store, STORED_LINK, 1);
        store_say(&store, "READY=1");
        store_deinit(&store);
}
END_TEST

static void store_open(Store *store, uint64_t max) {
        keeper_start();
        setenv("NOTIFY_SOCKET", keeper_path(), 1);
        unsetenv("SYSTEMD_EXEC_PID");
        unsetenv("FDSTORE");
        store_init(store, max);
        ck_assert(store_is_on(store));
}

START_TEST(what_is_kept_can_be_had_back_until_it_is_removed) {
        int fd = memfd_create("kept", MFD_CLOEXEC), copy;
        char byte = 'x';
        Store store;

        store_open(&store, 0);
        ck_assert_int_eq(store_keep(&store, STORED_LINK, 70, fd), 0);
        keeper_expect_n(1);
        ck_assert_int_eq(pwrite(fd, "y", 1, 0), 1);
        copy = keeper_copy("lGB");
        ck_assert_int_eq(pread(copy, &byte, 1, 0), 1);
        ck_assert_int_eq(byte, 'y');
        close(copy);
        store_remove(&store, STORED_LINK, 70);
        keeper_expect_n(0);
        store_say(&store, "READY=1");
        keeper_expect("READY=1");
        store_deinit(&store);
        close(fd);
        keeper_stop();
}
END_TEST

START_TEST(a_full_store_takes_no_more) {
        int fds[3];
        Store store;

        store_open(&store, 2);
        for (unsigned i = 0; i < 3; i++) {
                fds[i] = memfd_create("kept", MFD_CLOEXEC);
                ck_assert_int_eq(store_keep(&store, STORED_BELL, i, fds[i]), i < 2 ? 0 : -EDQUOT);
        }
        store_remove(&store, STORED_BELL, 0);
        ck_assert_int_eq(store_keep(&store, STORED_BELL, 2, fds[2]), 0);
        store_say(&store, "READY=1");
        keeper_expect("READY=1"); /* it has read all that was sent before */
        keeper_expect_n(2);
        ck_assert_uint_eq(keeper_n_of("bC"), 1);
        for (unsigned i = 0; i < 3; i++)
                close(fds[i]);
        store_deinit(&store);
        keeper_stop();
}
END_TEST

START_TEST(the_service_manager_s_own_word_on_its_room_counts_for_more) {
        Store store;

        keeper_start();
        setenv("NOTIFY_SOCKET", keeper_path(), 1);
        unsetenv("SYSTEMD_EXEC_PID");
        setenv("FDSTORE", "7", 1);
        store_init(&store, 100);
        ck_assert_uint_eq(store.max, 7);
        store_deinit(&store);
        setenv("FDSTORE", "0", 1);
        store_init(&store, 100);
        ck_assert(!store_is_on(&store));
        store_deinit(&store);
        keeper_stop();
}
END_TEST

START_TEST(somebody_else_s_service_manager_is_none_of_ours) {
        Store store;

        keeper_start();
        setenv("NOTIFY_SOCKET", keeper_path(), 1);
        setenv("SYSTEMD_EXEC_PID", "1", 1);
        store_init(&store, 0);
        ck_assert(!store_is_on(&store));
        setenv("NUNTIUS_HOLD", "1", 1);
        store_init(&store, 0);
        ck_assert(!store_is_on(&store));
        keeper_stop();
}
END_TEST

/* ---- coming in ---- */

#define SPARE_FD 200 /* keeper_hand_over() keeps it in place */

/* In a child, which has the descriptors from 3 on. Its answer is its exit status. */
static void in_successor(int (*look)(void)) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                dup2(STDERR_FILENO, SPARE_FD);
                keeper_hand_over(SPARE_FD);
                _exit(look());
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "0x%x", status);
}

static int look_for_all(void) {
        Legacy legacy;
        int fd;

        if (legacy_receive(&legacy))
                return 1;
        if (legacy.n_named != 5 || legacy.listen_fd < 0 || legacy.lock_fd < 0 || !legacy.listen_is_kept)
                return 2;
        fd = legacy_take(&legacy, STORED_LINK, 70);
        if (fd < 0 || legacy_take(&legacy, STORED_LINK, 70) >= 0 || legacy_has(&legacy, STORED_LINK, 70))
                return 3;
        if (legacy_take(&legacy, STORED_LINK, 71) >= 0 || !legacy_has(&legacy, STORED_BELL, 3))
                return 4;
        legacy_deinit(&legacy);
        return fcntl(fd, F_GETFD) == FD_CLOEXEC ? 0 : 5;
}

static void keep_some(Store *store, int fds[5]) {
        for (int i = 0; i < 5; i++)
                fds[i] = memfd_create("kept", MFD_CLOEXEC);
        store_open(store, 0);
        store_keep(store, STORED_LINK, 70, fds[0]);
        store_keep_name(store, "listen", fds[1]);
        store_keep(store, STORED_BELL, 3, fds[2]);
        store_keep_name(store, "lock", fds[3]);
        store_keep(store, STORED_TABLE, 1, fds[4]);
        keeper_expect_n(5);
}

static void drop_some(Store *store, const int fds[5]) {
        for (int i = 0; i < 5; i++)
                close(fds[i]);
        store_deinit(store);
        keeper_stop();
}

START_TEST(descriptors_come_in_by_name) {
        Store store;
        int fds[5];

        keep_some(&store, fds);
        in_successor(look_for_all);
        keeper_use_names_fd(true);
        in_successor(look_for_all);
        drop_some(&store, fds);
}
END_TEST

static int drop_the_rest(void) {
        Legacy legacy;
        Store store;

        if (legacy_receive(&legacy))
                return 1;
        store_init(&store, 0);
        if (legacy_take(&legacy, STORED_TABLE, 1) < 0)
                return 2;
        return legacy_drop_rest(&legacy, &store) == 2 ? 0 : 3;
}

START_TEST(what_nobody_takes_leaves_the_store) {
        Store store;
        int fds[5];

        keep_some(&store, fds);
        in_successor(drop_the_rest);
        keeper_expect_n(3);
        ck_assert_uint_eq(keeper_n_of("listen") + keeper_n_of("lock") + keeper_n_of("tB"), 3);
        drop_some(&store, fds);
}
END_TEST

static int look_for_none(void) {
        Legacy legacy;

        setenv("LISTEN_PID", "1", 1);
        if (legacy_receive(&legacy))
                return 1;
        return legacy.n || legacy.listen_fd >= 0 || legacy.lock_fd >= 0;
}

START_TEST(descriptors_for_another_process_are_left_alone) {
        Store store;
        int fds[5];

        keep_some(&store, fds);
        in_successor(look_for_none);
        drop_some(&store, fds);
}
END_TEST

SUITE_MAIN("store", a_name_says_kind_and_index, no_two_kinds_share_a_letter,
           what_is_none_of_our_names_is_refused, without_a_socket_there_is_no_store,
           what_is_kept_can_be_had_back_until_it_is_removed, a_full_store_takes_no_more,
           the_service_manager_s_own_word_on_its_room_counts_for_more,
           somebody_else_s_service_manager_is_none_of_ours, descriptors_come_in_by_name,
           what_nobody_takes_leaves_the_store, descriptors_for_another_process_are_left_alone)
