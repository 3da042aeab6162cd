/* SPDX-License-Identifier: MIT */
#include "suite.h"

#include "base/fdmsg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned count_fds(void) {
        DIR *directory = opendir("/proc/self/fd");
        unsigned n = 0;

        ck_assert_ptr_nonnull(directory);
        while (readdir(directory))
                n++;
        closedir(directory);
        return n;
}

static void make_pair(int ends[2]) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

START_TEST(bytes_and_descriptors_arrive_together) {
        int ends[2], pipes[2], fds[4] = { -1, -1, -1, -1 };
        char bytes[16];
        size_t n_fds;

        make_pair(ends);
        ck_assert_int_eq(pipe(pipes), 0);
        ck_assert_int_eq(fdmsg_send(ends[0], "hello", 5, pipes, 2, 0), 0);
        ck_assert_int_eq(fdmsg_receive(ends[1], bytes, sizeof(bytes), fds, 4, &n_fds, 0), 5);
        ck_assert_uint_eq(n_fds, 2);
        ck_assert_int_eq(memcmp(bytes, "hello", 5), 0);
        ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(write(fds[1], "x", 1), 1);
        ck_assert_int_eq(read(pipes[0], bytes, 1), 1);
}
END_TEST

START_TEST(too_long_a_record_is_a_broken_protocol) {
        int ends[2];
        char bytes[4];

        make_pair(ends);
        ck_assert_int_eq(fdmsg_send(ends[0], "hello", 5, NULL, 0, 0), 0);
        ck_assert_int_eq(fdmsg_receive(ends[1], bytes, sizeof(bytes), NULL, 0, NULL, 0), -EPROTO);
}
END_TEST

START_TEST(too_many_descriptors_are_refused_and_closed) {
        int ends[2], many[FDMSG_FDS_MAX], fds[2];
        char bytes[4];
        unsigned before;

        make_pair(ends);
        for (unsigned i = 0; i < FDMSG_FDS_MAX; i++)
                many[i] = ends[0];
        before = count_fds();
        ck_assert_int_eq(fdmsg_send(ends[0], "x", 1, many, FDMSG_FDS_MAX, 0), 0);
        ck_assert_int_eq(fdmsg_receive(ends[1], bytes, sizeof(bytes), fds, 2, NULL, 0), -EPROTO);
        ck_assert_uint_eq(count_fds(), before);
}
END_TEST

/* More than fdmsg itself would send: what a hostile peer may do. */
START_TEST(a_flood_of_descriptors_leaves_none_behind) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(100 * sizeof(int))];
        } control = { .align = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                                 .cmsg_len = CMSG_LEN(100 * sizeof(int)) } };
        struct iovec part = { .iov_base = "x", .iov_len = 1 };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                                  .msg_controllen = sizeof(control) };
        int ends[2], zero = 0, fds[4];
        char bytes[4];
        unsigned before;

        make_pair(ends);
        for (unsigned i = 0; i < 100; i++)
                memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &zero, sizeof(int));
        before = count_fds();
        ck_assert_int_eq(sendmsg(ends[0], &message, 0), 1);
        ck_assert_int_eq(fdmsg_receive(ends[1], bytes, sizeof(bytes), fds, 4, NULL, 0), -EPROTO);
        ck_assert_uint_eq(count_fds(), before);
}
END_TEST

START_TEST(descriptors_without_room_are_lost_but_the_bytes_are_there) {
        struct rlimit limit;
        int ends[2], fds[4];
        char bytes[4] = "";
        const char *preload = getenv("LD_PRELOAD");
        unsigned before;

        if (preload && strstr(preload, "vgpreload")) {
                puts("# SKIPPED: valgrind has a limit of descriptors of its own");
                return;
        }
        make_pair(ends);
        ck_assert_int_eq(fdmsg_send(ends[0], "x", 1, ends, 2, 0), 0);
        before = count_fds();
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = (rlim_t)ends[1] + 2; /* room for one of the two */
        setrlimit(RLIMIT_NOFILE, &limit);
        ck_assert_int_eq(fdmsg_receive(ends[1], bytes, sizeof(bytes), fds, 4, NULL, 0), -EMFILE);
        ck_assert_int_eq(bytes[0], 'x');
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        ck_assert_uint_eq(count_fds(), before);
}
END_TEST

START_TEST(a_closed_peer_reads_as_nothing_and_raises_no_signal) {
        int ends[2];
        char bytes[4];

        make_pair(ends);
        close(ends[0]);
        ck_assert_int_eq(fdmsg_receive(ends[1], bytes, sizeof(bytes), NULL, 0, NULL, 0), 0);
        ck_assert_int_eq(fdmsg_send(ends[1], "x", 1, NULL, 0, 0), -EPIPE);
}
END_TEST

SUITE_MAIN("fdmsg", bytes_and_descriptors_arrive_together, too_long_a_record_is_a_broken_protocol,
           too_many_descriptors_are_refused_and_closed, a_flood_of_descriptors_leaves_none_behind,
           descriptors_without_room_are_lost_but_the_bytes_are_there,
           a_closed_peer_reads_as_nothing_and_raises_no_signal)
