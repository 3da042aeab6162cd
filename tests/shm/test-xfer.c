/* SPDX-License-Identifier: MIT */
/*
 * Xfer: bytes through every shape of iovec, at every offset, and what is said of bad addresses.
 */
#include "shm/xfer.h"
#include "faults.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PARTS 6
#define TOTAL 20

/* Empty parts at the front, in the middle and at the end. */
static const size_t lengths[PARTS] = { 0, 5, 1, 0, 14, 0 };

static uint8_t memory[TOTAL + PARTS]; /* parts with a byte between them that nobody may touch */

static void lay_out(struct iovec iov[PARTS]) {
        uint8_t *at = memory;

        for (unsigned i = 0; i < PARTS; i++) {
                iov[i] = (struct iovec){ at, lengths[i] };
                at += lengths[i] + 1;
        }
}

/* Byte @offset of the iovec. */
static uint8_t *byte_at(const struct iovec iov[PARTS], size_t offset) {
        unsigned i = 0;

        while (offset >= iov[i].iov_len)
                offset -= iov[i++].iov_len;
        return (uint8_t *)iov[i].iov_base + offset;
}

static void fill(const struct iovec iov[PARTS]) {
        memset(memory, 0xaa, sizeof(memory));
        for (size_t k = 0; k < TOTAL; k++)
                *byte_at(iov, k) = (uint8_t)(k + 1);
}

START_TEST(the_total_is_the_sum) {
        struct iovec iov[PARTS];

        lay_out(iov);
        ck_assert_int_eq(xfer_total(iov, PARTS), TOTAL);
        ck_assert_int_eq(xfer_total(iov, 0), 0);
        ck_assert_int_eq(xfer_total(NULL, 0), 0);
}
END_TEST

START_TEST(a_total_past_the_limit_is_refused) {
        struct iovec iov[3] = { { NULL, SSIZE_MAX }, { NULL, 0 }, { NULL, 1 } };

        ck_assert_int_eq(xfer_total(iov, 2), SSIZE_MAX);
        ck_assert_int_eq(xfer_total(iov, 3), -EOVERFLOW);
        iov[0].iov_len = SIZE_MAX;
        ck_assert_int_eq(xfer_total(iov, 1), -EOVERFLOW);
        iov[0].iov_len = 1;
        iov[1].iov_len = SIZE_MAX;
        ck_assert_int_eq(xfer_total(iov, 2), -EOVERFLOW);
}
END_TEST

START_TEST(an_array_at_a_bad_address_is_reported) {
        uint8_t *good = island(1);
        struct iovec *last = (struct iovec *)(good + PAGE) - 1;

        faults_catch();
        *last = (struct iovec){ memory, 3 };
        ck_assert_int_eq(xfer_total(last, 1), 3);
        ck_assert_int_eq(xfer_total(last, 2), -EFAULT);
        ck_assert_int_eq(xfer_total(NULL, 1), -EFAULT);
        ck_assert_int_eq(xfer_total(bad_address(), 1), -EFAULT);
}
END_TEST

START_TEST(gather_takes_every_piece_at_every_offset) {
        struct iovec iov[PARTS];
        uint8_t run[TOTAL + 1];

        lay_out(iov);
        fill(iov);
        for (size_t skip = 0; skip <= TOTAL; skip++)
                for (size_t n = 0; n <= TOTAL - skip; n++) {
                        memset(run, 0, sizeof(run));
                        ck_assert(xfer_gather(run, iov, PARTS, skip, n));
                        for (size_t k = 0; k < sizeof(run); k++)
                                ck_assert_uint_eq(run[k], k < n ? skip + k + 1 : 0);
                }
}
END_TEST

static void scattered_well(const struct iovec iov[PARTS], size_t skip, size_t n) {
        unsigned n_changed = 0;

        for (size_t k = 0; k < TOTAL; k++) {
                bool inside = k >= skip && k < skip + n;

                ck_assert_uint_eq(*byte_at(iov, k), inside ? 100 + k - skip : 0xaa);
        }
        for (size_t k = 0; k < sizeof(memory); k++)
                n_changed += memory[k] != 0xaa;
        ck_assert_uint_eq(n_changed, n);
}

START_TEST(scatter_fills_every_piece_at_every_offset) {
        struct iovec iov[PARTS];
        uint8_t run[TOTAL];

        lay_out(iov);
        for (size_t k = 0; k < TOTAL; k++)
                run[k] = (uint8_t)(100 + k);
        for (size_t skip = 0; skip <= TOTAL; skip++)
                for (size_t n = 0; n <= TOTAL - skip; n++) {
                        memset(memory, 0xaa, sizeof(memory));
                        ck_assert(xfer_scatter(iov, PARTS, skip, run, n));
                        scattered_well(iov, skip, n);
                }
}
END_TEST

/* Callers ask for no more than there is; one that does is given what there is. */
START_TEST(nothing_is_touched_past_the_parts) {
        struct iovec iov[PARTS];
        uint8_t run[TOTAL + 8] = { 0 };

        lay_out(iov);
        fill(iov);
        ck_assert(xfer_gather(run, iov, PARTS, TOTAL - 1, 5));
        ck_assert_uint_eq(run[0], TOTAL);
        ck_assert_uint_eq(run[1], 0);
        ck_assert(xfer_scatter(iov, PARTS, TOTAL + 3, run, 5));
        ck_assert_uint_eq(*byte_at(iov, TOTAL - 1), TOTAL);
}
END_TEST

START_TEST(a_bad_part_is_reported_when_it_is_reached) {
        struct iovec iov[3] = { { memory, 10 }, { bad_address(), 10 }, { memory, 10 } };
        uint8_t run[30];

        faults_catch();
        ck_assert(xfer_gather(run, iov, 3, 0, 10));
        ck_assert(!xfer_gather(run, iov, 3, 0, 11));
        ck_assert(!xfer_gather(run, iov, 3, 15, 10));
        ck_assert(xfer_gather(run, iov, 3, 20, 10));
        ck_assert(xfer_scatter(iov, 3, 0, run, 10));
        ck_assert(!xfer_scatter(iov, 3, 0, run, 11));
        ck_assert(xfer_scatter(iov, 3, 20, run, 10));
        iov[1].iov_base = read_only_page();
        ck_assert(xfer_gather(run, iov, 3, 0, 30));
        ck_assert(!xfer_scatter(iov, 3, 0, run, 30));
}
END_TEST

/* ---- out of another process ---- */

#define BIG  (300u * 1024)
#define MANY 200u /* parts: more than one window of them */

static uint8_t *remote; /* the same address in the child, with other bytes in it */

typedef struct Child {
        pid_t pid;
        int wire;
} Child;

static void child_main(int wire) {
        char byte = 0;

        for (size_t k = 0; k < BIG; k++)
                remote[k] = (uint8_t)(k * 31 + (k >> 8));
        if (write(wire, &byte, 1) == 1)
                while (read(wire, &byte, 1) > 0)
                        ;
        _exit(0);
}

/* A child that ends when its wire is closed. */
static Child child_start(void) {
        int wires[2];
        Child child;
        char byte;

        remote = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wires), 0);
        child.pid = fork();
        ck_assert_int_ge(child.pid, 0);
        if (child.pid == 0) {
                close(wires[0]);
                child_main(wires[1]);
        }
        close(wires[1]);
        child.wire = wires[0];
        ck_assert_int_eq(read(child.wire, &byte, 1), 1);
        return child;
}

static void child_end(Child child) {
        int status;

        close(child.wire);
        ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
        ck_assert_int_eq(status, 0);
}

static void is_remote(const uint8_t *bytes, size_t offset, size_t n) {
        for (size_t k = 0; k < n; k++)
                ck_assert_uint_eq(bytes[k], (uint8_t)((offset + k) * 31 + ((offset + k) >> 8)));
}

START_TEST(a_childs_memory_is_read) {
        Child child = child_start();
        uint8_t *local = calloc(1, BIG);
        struct iovec from = { remote, BIG }, to = { local, BIG };

        ck_assert_int_eq(xfer_read_direct(child.pid, &from, 1, 0, &to, 1, BIG), 0);
        is_remote(local, 0, BIG);
        memset(local, 0, BIG);
        ck_assert_int_eq(xfer_read_direct(child.pid, &from, 1, BIG - 10, &to, 1, 10), 0);
        is_remote(local, BIG - 10, 10);
        ck_assert_uint_eq(local[10], 0);
        ck_assert_int_eq(xfer_read_direct(child.pid, &from, 1, 5, &to, 1, 0), 0);
        free(local);
        child_end(child);
}
END_TEST

/* Pieces of lengths 0, 1, 2 ... of one run; the sum. */
static size_t shred(struct iovec iov[MANY], uint8_t *base, size_t step) {
        size_t total = 0;

        for (unsigned i = 0; i < MANY; i++) {
                iov[i] = (struct iovec){ base + total, i * step % 700 };
                total += iov[i].iov_len;
        }
        return total;
}

START_TEST(many_parts_on_both_sides_are_read) {
        Child child = child_start();
        uint8_t *local = calloc(1, BIG);
        struct iovec from[MANY], to[MANY];
        size_t n_from = shred(from, remote, 37);
        size_t n_to = shred(to, local, 53);
        size_t n = n_from < n_to ? n_from : n_to;

        for (size_t skip = 0; skip < 5000; skip += 499) {
                memset(local, 0, BIG);
                ck_assert_int_eq(xfer_read_direct(child.pid, from, MANY, skip, to, MANY, n - skip), 0);
                is_remote(local, skip, n - skip);
                ck_assert_uint_eq(local[n - skip], 0);
        }
        free(local);
        child_end(child);
}
END_TEST

START_TEST(a_bad_address_is_blamed_on_its_owner) {
        Child child = child_start();
        uint8_t *local = island(1);
        struct iovec bad = { bad_address(), PAGE }, good = { remote, PAGE };
        struct iovec to = { local, PAGE }, read_only = { read_only_page(), PAGE };

        faults_catch();
        ck_assert_int_eq(xfer_read_direct(child.pid, &bad, 1, 0, &to, 1, PAGE), -EFAULT);
        ck_assert_int_eq(xfer_read_direct(child.pid, &good, 1, 0, &bad, 1, PAGE), -ENOMEM);
        ck_assert_int_eq(xfer_read_direct(child.pid, &good, 1, 0, &read_only, 1, PAGE), -ENOMEM);
        child_end(child);
}
END_TEST

/* The kernel reports how far it came; the rest is tried again and then blamed. */
START_TEST(a_bad_part_behind_a_good_one_is_blamed) {
        Child child = child_start();
        uint8_t *local = island(2);
        struct iovec half[2] = { { remote, PAGE }, { bad_address(), PAGE } };
        struct iovec whole = { remote, 2 * PAGE };
        struct iovec to = { local, 2 * PAGE }, over_the_edge = { local + PAGE, 2 * PAGE };

        faults_catch();
        ck_assert_int_eq(xfer_read_direct(child.pid, half, 2, 0, &to, 1, 2 * PAGE), -EFAULT);
        is_remote(local, 0, PAGE);
        ck_assert_int_eq(xfer_read_direct(child.pid, &whole, 1, 0, &over_the_edge, 1, 2 * PAGE),
                         -ENOMEM);
        child_end(child);
}
END_TEST

START_TEST(more_than_either_side_has_is_a_fault) {
        Child child = child_start();
        uint8_t *local = island(1);
        struct iovec from = { remote, 100 }, to = { local, 100 };

        ck_assert_int_eq(xfer_read_direct(child.pid, &from, 1, 1, &to, 1, 100), -EFAULT);
        ck_assert_int_eq(xfer_read_direct(child.pid, &from, 1, 101, &to, 1, 1), -EFAULT);
        ck_assert_int_eq(xfer_read_direct(child.pid, &from, 0, 0, &to, 1, 1), -EFAULT);
        child_end(child);
}
END_TEST

START_TEST(a_process_that_is_not_there_is_told) {
        Child child = child_start();
        struct iovec from = { remote, 10 }, to = { memory, 10 };

        child_end(child);
        ck_assert_int_eq(xfer_read_direct(child.pid, &from, 1, 0, &to, 1, 10), -ESRCH);
}
END_TEST

/* Another user's process is not ours to read; only root can show it, by not being root any more. */
START_TEST(a_process_of_another_user_is_refused) {
        struct iovec from = { memory, 10 }, to = { memory, 10 };
        pid_t child;
        int status;

        if (geteuid() != 0)
                return;
        child = fork();
        if (child == 0) {
                if (setgid(65534) != 0 || setuid(65534) != 0)
                        _exit(1);
                _exit(xfer_read_direct(getppid(), &from, 1, 0, &to, 1, 10) == -EPERM ? 0 : 2);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
}
END_TEST

/* They come from a slot: whatever they are, they are numbers here. */
START_TEST(nonsense_addresses_of_another_process_are_faults) {
        Child child = child_start();
        uint8_t local[16];
        struct iovec to = { local, sizeof(local) };
        struct iovec nowhere = { NULL, 64 }, at_the_end = { (void *)UINTPTR_MAX, 64 };

        ck_assert_int_eq(xfer_read_direct(child.pid, &nowhere, 1, 0, &to, 1, sizeof(local)), -EFAULT);
        ck_assert_int_eq(xfer_read_direct(child.pid, &nowhere, 1, 8, &to, 1, sizeof(local)), -EFAULT);
        ck_assert_int_eq(xfer_read_direct(child.pid, &at_the_end, 1, 8, &to, 1, sizeof(local)), -EFAULT);
        child_end(child);
}
END_TEST

UNIT_MAIN("xfer", the_total_is_the_sum, a_total_past_the_limit_is_refused,
          an_array_at_a_bad_address_is_reported, gather_takes_every_piece_at_every_offset,
          scatter_fills_every_piece_at_every_offset, nothing_is_touched_past_the_parts,
          a_bad_part_is_reported_when_it_is_reached, a_childs_memory_is_read,
          many_parts_on_both_sides_are_read, a_bad_address_is_blamed_on_its_owner,
          a_bad_part_behind_a_good_one_is_blamed, more_than_either_side_has_is_a_fault,
          nonsense_addresses_of_another_process_are_faults,
          a_process_that_is_not_there_is_told, a_process_of_another_user_is_refused)
