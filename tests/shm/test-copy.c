/* SPDX-License-Identifier: MIT */
/*
 * Copy: a bad address on either side is reported, the next copy works, and other faults stay deadly.
 */
#include "faults.h"

#include <fcntl.h>
#include <sys/wait.h>

static uint8_t bytes[3 * PAGE];

START_TEST(bytes_are_copied) {
        uint8_t from[100];

        for (unsigned i = 0; i < sizeof(from); i++)
                from[i] = (uint8_t)(i + 1);
        ck_assert(copy_bytes(bytes, from, sizeof(from)));
        ck_assert_mem_eq(bytes, from, sizeof(from));
        ck_assert_uint_eq(bytes[sizeof(from)], 0);
}
END_TEST

/* Each length up to where the ways of copying change, and not a byte more. */
START_TEST(every_small_length_is_copied) {
        uint8_t from[130], to[132];

        for (unsigned i = 0; i < sizeof(from); i++)
                from[i] = (uint8_t)(i + 1);
        for (size_t n = 0; n <= sizeof(from); n++) {
                memset(to, 0, sizeof(to));
                ck_assert(copy_bytes(to + 1, from, n));
                ck_assert_mem_eq(to + 1, from, n);
                ck_assert_uint_eq(to[0], 0);
                ck_assert_uint_eq(to[n + 1], 0);
        }
}
END_TEST

/* One byte too many of either side. */
START_TEST(every_small_length_is_guarded) {
        uint8_t *good = island(1), *end = good + PAGE;

        faults_catch();
        for (size_t n = 1; n <= 130; n++) {
                ck_assert(copy_bytes(bytes, end - n, n));
                ck_assert(copy_bytes(end - n, bytes, n));
                ck_assert(!copy_bytes(bytes, end - n + 1, n));
                ck_assert(!copy_bytes(end - n + 1, bytes, n));
                ck_assert(!copy_bytes(bytes, good - 1, n));
                ck_assert(!copy_bytes(good - 1, bytes, n));
        }
}
END_TEST

START_TEST(nothing_is_copied_from_anywhere) {
        ck_assert(copy_bytes(NULL, NULL, 0));
        ck_assert(copy_bytes(bad_address(), bytes, 0));
}
END_TEST

START_TEST(a_bad_address_on_either_side_is_reported) {
        static const size_t sizes[] = { 1, 2, 8, 15, 16, 64, 1000, PAGE };

        faults_catch();
        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                ck_assert(!copy_bytes(bytes, bad_address(), sizes[i]));
                ck_assert(!copy_bytes(bad_address(), bytes, sizes[i]));
                ck_assert(!copy_bytes(read_only_page(), bytes, sizes[i]));
                ck_assert(!copy_bytes(bytes, NULL, sizes[i]));
                ck_assert(!copy_bytes(NULL, bytes, sizes[i]));
                ck_assert(copy_bytes(bytes, read_only_page(), sizes[i]));
        }
}
END_TEST

START_TEST(an_address_that_no_processor_knows_is_reported) {
        void *wild = (void *)(uintptr_t)0x8000000000000000u;

        faults_catch();
        ck_assert(!copy_bytes(bytes, wild, 64));
        ck_assert(!copy_bytes(wild, bytes, 64));
        ck_assert(!copy_bytes(bytes, (void *)-(uintptr_t)PAGE, 64));
}
END_TEST

/* Off the end by one, over each edge of a page. */
START_TEST(the_first_bad_byte_counts) {
        uint8_t *good = island(1);

        faults_catch();
        ck_assert(copy_bytes(bytes, good, PAGE));
        ck_assert(!copy_bytes(bytes, good, PAGE + 1));
        ck_assert(!copy_bytes(bytes, good - 1, 16));
        ck_assert(!copy_bytes(good + PAGE - 15, bytes, 16));
        ck_assert(copy_bytes(good + PAGE - 16, bytes, 16));
}
END_TEST

/* Past the end of a file there is memory that kills with SIGBUS. */
START_TEST(memory_without_a_file_behind_it_is_reported) {
        int fd = memfd_create("test", MFD_CLOEXEC);
        uint8_t *map;

        faults_catch();
        ck_assert_int_eq(ftruncate(fd, PAGE), 0);
        map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ck_assert_ptr_ne(map, MAP_FAILED);
        ck_assert(copy_bytes(bytes, map, PAGE));
        ck_assert(!copy_bytes(bytes, map, 2 * PAGE));
        ck_assert(!copy_bytes(map + PAGE, bytes, 1));
        munmap(map, 2 * PAGE);
        close(fd);
}
END_TEST

START_TEST(the_thousandth_fault_is_like_the_first) {
        void *bad = bad_address();

        faults_catch();
        for (unsigned i = 0; i < 1000; i++) {
                ck_assert(!copy_bytes(bytes, bad, 100));
                ck_assert(copy_bytes(bytes, bytes + PAGE, 100));
        }
}
END_TEST

START_TEST(a_fault_elsewhere_is_still_deadly) {
        pid_t child = fork();
        int status;

        if (child == 0) {
                faults_catch();
                copy_bytes(bytes, bad_address(), 1);
                copy_bytes(bytes, bytes + PAGE, 1);
                *(volatile uint8_t *)bad_address() = 1;
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
END_TEST

static void *fault_and_copy(void *argument) {
        uint8_t to[64], from[64];

        for (unsigned i = 0; i < unit_rounds(20000); i++) {
                memset(from, (int)i, sizeof(from));
                ck_assert(!copy_bytes(to, argument, sizeof(to)));
                ck_assert(copy_bytes(to, from, sizeof(to)));
                ck_assert_mem_eq(to, from, sizeof(to));
        }
        return NULL;
}

START_TEST(threads_fault_each_for_itself) {
        pthread_t threads[2];
        void *bad = bad_address();

        faults_catch();
        for (unsigned i = 0; i < 2; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, fault_and_copy, bad), 0);
        for (unsigned i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
}
END_TEST

UNIT_MAIN("copy", bytes_are_copied, every_small_length_is_copied, every_small_length_is_guarded,
          nothing_is_copied_from_anywhere,
          a_bad_address_on_either_side_is_reported, an_address_that_no_processor_knows_is_reported,
          the_first_bad_byte_counts, memory_without_a_file_behind_it_is_reported,
          the_thousandth_fault_is_like_the_first, a_fault_elsewhere_is_still_deadly,
          threads_fault_each_for_itself)
