/* SPDX-License-Identifier: MIT */
/* What programs from QNX find beside messages: ports, shared memory handles, spawnl(), the tracer, small words. */
#include "../harness.h"

#include <atomic.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <gulliver.h>
#include <hw/inout.h>
#include <process.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/trace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unix.h>

/* ---- <atomic.h>, <gulliver.h>, <stdlib.h>, <string.h> ---- */

static volatile unsigned word;

static void *count_up(void *arg) {
        for (int i = 0; i < 50000; i++) {
                atomic_add(&word, 3);
                atomic_sub(&word, 1);
        }
        return NULL;
}

START_TEST(atomic_operations_lose_nothing) {
        Thread threads[2];

        for (int i = 0; i < 2; i++)
                threads[i] = thread_start(count_up, NULL);
        for (int i = 0; i < 2; i++)
                thread_end(threads[i]);
        ck_assert_uint_eq(word, 200000);
}
END_TEST

START_TEST(atomic_operations_tell_what_was) {
        unsigned bits = 0x0f;

        ck_assert_uint_eq(atomic_set_value(&bits, 0xf0), 0x0f);
        ck_assert_uint_eq(atomic_clr_value(&bits, 0x01), 0xff);
        ck_assert_uint_eq(atomic_toggle_value(&bits, 0x03), 0xfe);
        ck_assert_uint_eq(atomic_add_value(&bits, 1), 0xfd);
        ck_assert_uint_eq(atomic_sub_value(&bits, 2), 0xfe);
        atomic_set(&bits, 0x100);
        atomic_clr(&bits, 0xff);
        atomic_toggle(&bits, 0x101);
        ck_assert_uint_eq(bits, 1);
}
END_TEST

START_TEST(bytes_change_their_order) {
        char bytes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
        uint32_t swapped = 0x01020304;

        ck_assert_uint_eq(ENDIAN_RET16(0x0102), 0x0201);
        ck_assert_uint_eq(htonl(0x01020304), ENDIAN_BE32(0x01020304));
        ENDIAN_SWAP32(&swapped);
        ck_assert_uint_eq(swapped, 0x04030201);
        ck_assert_uint_eq(ENDIAN_BE16(UNALIGNED_RET16(bytes + 1)), 0x0102);
        UNALIGNED_PUT64(bytes + 1, ENDIAN_BE64(0x1122334455667788ull));
        ck_assert_int_eq(bytes[1], 0x11);
        ck_assert_uint_eq(ENDIAN_BE64(UNALIGNED_RET64(bytes + 1)), 0x1122334455667788ull);
}
END_TEST

START_TEST(numbers_become_text) {
        char text[65];

        ck_assert_str_eq(itoa(-42, text, 10), "-42");
        ck_assert_str_eq(itoa(-1, text, 16), "ffffffff");
        ck_assert_str_eq(utoa(5, text, 2), "101");
        ck_assert_str_eq(lltoa(INT64_MIN, text, 10), "-9223372036854775808");
        ck_assert_str_eq(ultoa(0, text, 36), "0");
        ck_assert_int_eq(stricmp("Neutrino", "nEUTRINO"), 0);
        ck_assert_int_eq(strnicmp("abc", "ABD", 2), 0);
}
END_TEST

/* ---- ports and memory ---- */

/* What happens depends on rights that a test cannot choose, except by giving them up. */
static int read_without_right(void) {
        uint8_t bytes[2] = { 0, 0 };

        if (setgroups(0, NULL) != 0 && geteuid() == 0)
                return 1;
        if (geteuid() == 0 && setuid(65531) != 0)
                return 2;
        if (in8(0x80) != 0xff || in16(0x80) != 0xffff || in32(0x80) != 0xffffffff)
                return 3;
        out8(0x80, 0);
        if (in8s(bytes, 2, 0x80) != bytes + 2 || bytes[1] != 0xff)
                return 4;
        if (mmap_device_io(8, 0x3f8) != MAP_DEVICE_FAILED || errno != EPERM)
                return 5;
        if (mmap_device_memory(NULL, 4096, PROT_READ, 0, 0xa0000) != MAP_FAILED)
                return 6;
        return errno == EPERM || errno == ENXIO ? 0 : 7;
}

static int exit_status(pid_t pid) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

START_TEST(without_the_right_there_are_no_ports) {
#if defined(__x86_64__) || defined(__i386__)
        pid_t child = fork();

        if (child == 0)
                _exit(read_without_right());
        ck_assert_int_eq(exit_status(child), 0);
        ck_assert(mmap_device_io(0, 0x3f8) == MAP_DEVICE_FAILED);
        ck_assert_int_eq(errno, EINVAL);
#endif
        ck_assert(mmap_device_memory(NULL, 0, PROT_READ, 0, 0) == MAP_FAILED);
        ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(memory_has_a_place_or_a_reason) {
        int64_t offset = -1;
        size_t run = 0;
        char *bytes = malloc(100);
        int r;

        bytes[0] = 1;
        r = mem_offset64(bytes, NOFD, 100, &offset, &run);
        ck_assert(r == 0 || errno == EPERM);
        if (r == 0) {
                ck_assert_int_eq(offset % 4096, (intptr_t)bytes % 4096);
                ck_assert_uint_le(run, 100);
        }
        ck_assert_fails(mem_offset(bytes, 0, 100, &offset, NULL), ENOTSUP);
        free(bytes);
}
END_TEST

/* ---- shared memory ---- */

static void share_and_wait(Peer *me) {
        shm_handle_t handle;
        int fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600);
        char *bytes;

        ck_assert_int_ge(fd, 0);
        ck_assert_ok(ftruncate(fd, 4096));
        bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        strcpy(bytes, "from the server");
        ck_assert_ok(shm_create_handle(fd, me->pid, O_RDWR, &handle, 0));
        close(fd);
        peer_say(me, (long)handle);
        peer_hear(me);
        ck_assert_str_eq(bytes, "from the client");
        munmap(bytes, 4096);
        ck_assert_ok(shm_delete_handle(handle));
        ck_assert_fails(shm_delete_handle(handle), EINVAL);
}

START_TEST(a_handle_opens_shared_memory) {
        Peer peer = peer_serve(share_and_wait, 0, 0);
        shm_handle_t handle = (shm_handle_t)peer_hear(&peer);
        int fd = shm_open_handle(handle, O_RDWR);
        char *bytes;

        ck_assert_msg(fd >= 0, "shm_open_handle: %s", strerror(errno));
        bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ck_assert_str_eq(bytes, "from the server");
        strcpy(bytes, "from the client");
        peer_say(&peer, 0);
        peer_end(&peer);
        ck_assert_fails(shm_open_handle(handle, O_RDWR), ENOENT);
        ck_assert_fails(shm_open_handle(0, O_RDWR), EINVAL);
        munmap(bytes, 4096);
        close(fd);
}
END_TEST

START_TEST(a_handle_needs_something_to_name) {
        shm_handle_t handle;

        ck_assert_fails(shm_create_handle(-1, getpid(), O_RDWR, &handle, 0), EBADF);
        ck_assert_fails(shm_create_handle(0, getpid(), O_RDWR, NULL, 0), EINVAL);
        ck_assert_fails(shm_create_handle(0, getpid(), O_RDWR, &handle, 1), EINVAL);
        ck_assert_fails(shm_create_handle(0, 99999999, O_RDWR, &handle, 0), EINVAL);
}
END_TEST

/* ---- spawnl() ---- */

START_TEST(programs_are_started_and_waited_for) {
        char *const argv[] = { "sh", "-c", "exit 7", NULL };
        char *const envp[] = { "WORD=9", NULL };

        ck_assert_int_eq(WEXITSTATUS(spawnl(P_WAIT, "/bin/sh", "sh", "-c", "exit 5", NULL)), 5);
        ck_assert_int_eq(WEXITSTATUS(spawnlp(P_WAIT, "sh", "sh", "-c", "exit 6", NULL)), 6);
        ck_assert_int_eq(WEXITSTATUS(spawnv(P_WAIT, "/bin/sh", argv)), 7);
        ck_assert_int_eq(WEXITSTATUS(spawnvp(P_WAIT, "sh", argv)), 7);
        ck_assert_int_eq(WEXITSTATUS(spawnle(P_WAIT, "/bin/sh", "sh", "-c", "exit $WORD", NULL, envp)), 9);
        ck_assert_int_eq(WEXITSTATUS(spawnlpe(P_WAIT, "sh", "sh", "-c", "exit $WORD", NULL, envp)), 9);
        ck_assert_int_eq(WEXITSTATUS(spawnve(P_WAIT, "/bin/sh", argv, envp)), 7);
        ck_assert_int_eq(WEXITSTATUS(spawnvpe(P_WAIT, "sh", argv, envp)), 7);
        ck_assert_int_eq(exit_status(spawnl(P_NOWAIT, "/bin/sh", "sh", "-c", "exit 5", NULL)), 5);
}
END_TEST

START_TEST(a_program_may_be_nobodys_or_replace_us) {
        pid_t child;

        ck_assert_ok(spawnl(P_NOWAITO, "/bin/sh", "sh", "-c", "exit 5", NULL));
        ck_assert_fails(waitpid(-1, NULL, 0), ECHILD);
        child = fork();
        if (child == 0) {
                spawnl(P_OVERLAY, "/bin/sh", "sh", "-c", "exit 8", NULL);
                _exit(1);
        }
        ck_assert_int_eq(exit_status(child), 8);
        ck_assert_fails(spawnl(99, "/bin/sh", "sh", NULL), EINVAL);
        ck_assert_fails(spawnl(P_WAIT, "/nonexistent", "x", NULL), ENOENT);
        ck_assert_fails(spawnl(P_NOWAITO, "/nonexistent", "x", NULL), ENOENT);
}
END_TEST

/* ---- the tracer ---- */

static char directory[64];

static void tracer_new(void) {
        char path[100];

        strcpy(directory, "/tmp/nuntius-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_ok(setenv("NUNTIUS_TRACING", directory, 1));
        for (int i = 0; i < 2; i++) {
                snprintf(path, sizeof(path), "%s/%s", directory, i ? "tracing_on" : "trace_marker");
                close(open(path, O_CREAT | O_WRONLY, 0600));
        }
}

/* What the tracer's file begins with now. */
static void expect_file(const char *name, const char *text) {
        char path[100], found[2000];
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        fd = open(path, O_RDWR);
        n = read(fd, found, sizeof(found) - 1);
        ck_assert_int_ge(n, 0);
        found[n] = '\0';
        ck_assert_str_eq(found, text);
        ck_assert_ok(ftruncate(fd, 0));
        close(fd);
}

static void tracer_free(void) {
        char command[100];

        snprintf(command, sizeof(command), "rm -r %s", directory);
        ck_assert_int_eq(system(command), 0);
}

START_TEST(events_reach_the_tracer) {
        tracer_new();
        ck_assert_ok(TraceEvent(_NTO_TRACE_INSERTUSRSTREVENT, 5, "hello"));
        expect_file("trace_marker", "event=5 hello\n");
        ck_assert_ok(TraceEvent(_NTO_TRACE_INSERTSUSEREVENT, 6, 1, 255));
        expect_file("trace_marker", "event=6 data0=0x1 data1=0xff\n");
        ck_assert_ok(TraceEvent(_NTO_TRACE_INSERTCUSEREVENT, 7, "\x01\x02", 2));
        expect_file("trace_marker", "event=7 01 02\n");
        ck_assert_ok(TraceEvent(_NTO_TRACE_INSERTEVENT, 0x10003, 2, 3, 4));
        expect_file("trace_marker", "event=3 head=0x10003 stamp=0x2 data0=0x3 data1=0x4\n");
        ck_assert_ok(trace_logf(8, "%s %d", "number", 1));
        expect_file("trace_marker", "event=8 number 1\n");
        ck_assert_ok(trace_logi(9, 1, 2));
        expect_file("trace_marker", "event=9 data0=0x1 data1=0x2\n");
        ck_assert_ok(trace_logb(10, "\xff", 1));
        expect_file("trace_marker", "event=10 ff\n");
        ck_assert_r(TraceEvent_r(_NTO_TRACE_START), 0);
        expect_file("tracing_on", "1");
        ck_assert_r(TraceEvent_r(_NTO_TRACE_STOP), 0);
        expect_file("tracing_on", "0");
        tracer_free();
}
END_TEST

START_TEST(what_the_tracer_cannot_is_refused) {
        tracer_new();
        ck_assert_fails(TraceEvent(_NTO_TRACE_INSERTUSRSTREVENT, 5, NULL), EFAULT);
        ck_assert_fails(TraceEvent(_NTO_TRACE_INSERTUSRSTREVENT, 5000, "x"), EINVAL);
        ck_assert_fails(TraceEvent(999), EINVAL);
        ck_assert_r(TraceEvent_r(_NTO_TRACE_ADDALLCLASSES), -ENOTSUP);
        ck_assert_fails(trace_logb(1, NULL, 1), EFAULT);
        tracer_free();
        ck_assert_fails(TraceEvent(_NTO_TRACE_INSERTUSRSTREVENT, 5, "x"), ENOTSUP);
        ck_assert_fails(trace_logf(5, "x"), ENOTSUP);
}
END_TEST

HARNESS_MAIN("porting", atomic_operations_lose_nothing, atomic_operations_tell_what_was,
             bytes_change_their_order, numbers_become_text, without_the_right_there_are_no_ports,
             memory_has_a_place_or_a_reason, a_handle_opens_shared_memory, a_handle_needs_something_to_name,
             programs_are_started_and_waited_for, a_program_may_be_nobodys_or_replace_us,
             events_reach_the_tracer, what_the_tracer_cannot_is_refused)
