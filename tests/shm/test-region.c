/* SPDX-License-Identifier: MIT */
/*
 * Region: what a peer cannot do to memory that it shares, and what is refused when it offers some.
 */
#include "shm/region.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES 8192

static int region(void) {
        int fd;

        ck_assert_int_eq(region_create("test", BYTES, &fd), 0);
        return fd;
}

static int memfd(size_t bytes, int seals) {
        int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
        return fd;
}

static void map_is_refused(int fd, size_t bytes, int error) {
        void *map = NULL;

        ck_assert_int_eq(region_map(fd, bytes, true, &map), error);
        ck_assert_int_eq(region_map_private_to_process(fd, bytes, false, &map), error);
        ck_assert_ptr_null(map);
        close(fd);
}

START_TEST(a_region_is_zeroed_and_shared_by_its_mappings) {
        int fd = region();
        uint8_t *one, *other;
        void *map;

        ck_assert_int_eq(region_map(fd, BYTES, true, &map), 0);
        one = map;
        ck_assert_int_eq(region_map(fd, BYTES, false, &map), 0);
        other = map;
        for (unsigned i = 0; i < BYTES; i++)
                ck_assert_uint_eq(one[i], 0);
        one[BYTES - 1] = 42;
        ck_assert_uint_eq(other[BYTES - 1], 42);
        region_unmap(one, BYTES);
        region_unmap(other, BYTES);
        region_unmap(NULL, BYTES);
        close(fd);
}
END_TEST

START_TEST(a_region_is_sealed_and_closed_on_exec) {
        int fd = region();

        ck_assert_int_eq(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        ck_assert_int_eq(ftruncate(fd, 0), -1);
        ck_assert_int_eq(errno, EPERM);
        ck_assert_int_eq(ftruncate(fd, BYTES * 2), -1);
        ck_assert_int_eq(errno, EPERM);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
        ck_assert_int_eq(errno, EPERM);
        ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
}
END_TEST

/* Punching a hole zeroes bytes, which a peer may do anyway; the memory stays there. */
START_TEST(a_punched_hole_does_not_kill) {
        int fd = region();
        void *map;

        ck_assert_int_eq(region_map(fd, BYTES, true, &map), 0);
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BYTES);
        ck_assert_uint_eq(((uint8_t *)map)[0], 0);
        region_unmap(map, BYTES);
        close(fd);
}
END_TEST

START_TEST(a_region_of_another_size_is_refused) {
        int fd = region();

        map_is_refused(dup(fd), BYTES / 2, -EPROTO);
        map_is_refused(dup(fd), BYTES * 2, -EPROTO);
        map_is_refused(fd, 0, -EPROTO);
}
END_TEST

START_TEST(a_region_without_the_seals_is_refused) {
        map_is_refused(memfd(BYTES, 0), BYTES, -EPROTO);
        map_is_refused(memfd(BYTES, F_SEAL_SHRINK), BYTES, -EPROTO);
        map_is_refused(memfd(BYTES, F_SEAL_GROW), BYTES, -EPROTO);
        map_is_refused(memfd(BYTES, F_SEAL_SEAL), BYTES, -EPROTO);
}
END_TEST

START_TEST(what_is_no_memfd_is_refused) {
        int pipes[2];

        ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
        close(pipes[1]);
        map_is_refused(pipes[0], BYTES, -EPROTO);
        map_is_refused(open("/dev/zero", O_RDWR | O_CLOEXEC), BYTES, -EPROTO);
        map_is_refused(-1, BYTES, -EPROTO);
}
END_TEST

/* ---- read-only ---- */

START_TEST(who_has_a_read_only_descriptor_only_reads) {
        uint8_t *creator, *reader;
        int fd = region(), reading;
        void *map;

        ck_assert_int_eq(region_map(fd, BYTES, true, &map), 0);
        creator = map;
        ck_assert_int_eq(region_reopen_read_only(fd, &reading), 0);
        ck_assert_int_eq(region_map(reading, BYTES, true, &map), -EACCES);
        ck_assert_int_eq(region_map(reading, BYTES, false, &map), 0);
        reader = map;
        creator[17] = 4;
        ck_assert_uint_eq(reader[17], 4);
        ck_assert_int_eq(mprotect(reader, BYTES, PROT_READ | PROT_WRITE), -1);
        ck_assert_int_eq(write(reading, "x", 1), -1);
        ck_assert_int_eq(errno, EBADF);
        ck_assert_int_eq(ftruncate(reading, 0), -1);
        ck_assert_int_eq(fallocate(reading, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BYTES), -1);
        ck_assert_uint_eq(reader[17], 4);
        region_unmap(creator, BYTES);
        region_unmap(reader, BYTES);
        close(reading);
        close(fd);
}
END_TEST

/* /proc gives whoever holds the descriptor a fresh open of the same file: as far as its mode allows. */
START_TEST(another_user_cannot_open_it_anew_for_writing) {
        int fd = region(), reading, status;
        char path[64];
        pid_t child;

        ck_assert_int_eq(fchmod(fd, 0400), 0);
        ck_assert_int_eq(region_reopen_read_only(fd, &reading), 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", reading);
        child = fork();
        if (child == 0) {
                if (geteuid() == 0 && (setresgid(65533, 65533, 65533) < 0 || setresuid(65533, 65533, 65533) < 0))
                        _exit(2);
                _exit(open(path, O_RDWR | O_CLOEXEC) >= 0 || (fchmod(reading, 0600) == 0 && geteuid() == 65533));
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        close(reading);
        close(fd);
}
END_TEST

/* ---- fork ---- */

/* Exit code: bit 0 = the first mapping is there, bit 1 = the second. */
static int mapped_in_child(void *first, void *second) {
        pid_t child = fork();
        unsigned char vector[BYTES / 4096];
        int status;

        if (child == 0)
                _exit((mincore(first, BYTES, vector) == 0) | (mincore(second, BYTES, vector) == 0) << 1);
        ck_assert_int_gt(child, 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

START_TEST(a_private_mapping_is_not_inherited) {
        int fd = region();
        void *inherited, *private;

        ck_assert_int_eq(region_map(fd, BYTES, true, &inherited), 0);
        ck_assert_int_eq(region_map_private_to_process(fd, BYTES, true, &private), 0);
        ck_assert_int_eq(mapped_in_child(inherited, private), 1);
        region_unmap(inherited, BYTES);
        region_unmap(private, BYTES);
        close(fd);
}
END_TEST

UNIT_MAIN("region", a_region_is_zeroed_and_shared_by_its_mappings, a_region_is_sealed_and_closed_on_exec,
          a_punched_hole_does_not_kill, a_region_of_another_size_is_refused,
          a_region_without_the_seals_is_refused, what_is_no_memfd_is_refused,
          who_has_a_read_only_descriptor_only_reads,
          another_user_cannot_open_it_anew_for_writing, a_private_mapping_is_not_inherited)
