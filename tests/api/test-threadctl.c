/* SPDX-License-Identifier: MIT */
/*
 * ThreadCtl: names, processors, and what is refused; and how threads are made and end.
 */
#include "harness.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME_ROOM 100

static struct _thread_name *name_new(void) {
        struct _thread_name *name = calloc(1, sizeof(*name) + NAME_ROOM);

        ck_assert_ptr_nonnull(name);
        name->name_buf_len = NAME_ROOM;
        return name;
}

static void name_is(const char *expected) {
        char kernel[16];

        ck_assert_int_eq(pthread_getname_np(pthread_self(), kernel, sizeof(kernel)), 0);
        ck_assert_str_eq(kernel, expected);
}

/* ---- names ---- */

START_TEST(a_name_is_set_and_the_old_one_comes_back) {
        struct _thread_name *name = name_new();

        pthread_setname_np(pthread_self(), "before");
        strcpy(name->name_buf, "captain");
        name->new_name_len = 7;
        ck_assert_ok(ThreadCtl(_NTO_TCTL_NAME, name));
        ck_assert_str_eq(name->name_buf, "before");
        name_is("captain");
        name->new_name_len = -1; /* only to read */
        ck_assert_r(ThreadCtl_r(_NTO_TCTL_NAME, name), EOK);
        ck_assert_str_eq(name->name_buf, "captain");
        name_is("captain");
        name->new_name_len = 0;
        ck_assert_ok(ThreadCtl(_NTO_TCTL_NAME, name));
        name_is("");
        free(name);
}
END_TEST

START_TEST(a_long_name_is_cut_and_a_short_buffer_too) {
        struct _thread_name *name = name_new();

        strcpy(name->name_buf, "a name that is too long for Linux");
        name->new_name_len = (int)strlen(name->name_buf);
        name->name_buf_len = 0;
        ck_assert_ok(ThreadCtl(_NTO_TCTL_NAME, name));
        name_is("a name that is ");
        name->new_name_len = -1;
        name->name_buf_len = 5;
        ck_assert_ok(ThreadCtl(_NTO_TCTL_NAME, name));
        ck_assert_str_eq(name->name_buf, "a na");
        free(name);
}
END_TEST

START_TEST(a_bad_name_is_refused) {
        struct _thread_name *name = name_new();

        name->new_name_len = -2;
        ck_assert_fails(ThreadCtl(_NTO_TCTL_NAME, name), EINVAL);
        ck_assert_fails(ThreadCtl(_NTO_TCTL_NAME, NULL), EFAULT);
        ck_assert_r(ThreadCtl_r(_NTO_TCTL_NAME, memory_bad()), EFAULT);
        free(name);
}
END_TEST

/* ---- processors ---- */

static cpu_set_t processors(void) {
        cpu_set_t set;

        ck_assert_int_eq(pthread_getaffinity_np(pthread_self(), sizeof(set), &set), 0);
        return set;
}

static unsigned first_processor(void) {
        cpu_set_t set = processors();

        for (unsigned cpu = 0; cpu < 32; cpu++)
                if (CPU_ISSET(cpu, &set))
                        return cpu;
        return 32;
}

START_TEST(a_runmask_binds_the_thread) {
        unsigned cpu = first_processor(), mask = 1u << cpu;
        cpu_set_t all = processors(), now;

        ck_assert_uint_lt(cpu, 32);
        ck_assert_ok(ThreadCtl(_NTO_TCTL_RUNMASK, (void *)(uintptr_t)mask));
        now = processors();
        ck_assert_int_eq(CPU_COUNT(&now), 1);
        ck_assert(CPU_ISSET(cpu, &now));
        ck_assert_uint_eq(SchedGetCpuNum(), cpu);
        pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
        ck_assert_fails(ThreadCtl(_NTO_TCTL_RUNMASK, NULL), EINVAL);
}
END_TEST

START_TEST(get_and_set_exchanges_the_runmask) {
        unsigned cpu = first_processor(), mask = 1u << cpu;
        cpu_set_t all = processors(), now;

        ck_assert_ok(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET, &mask));
        ck_assert(mask & 1u << cpu);
        ck_assert_int_eq(__builtin_popcount(mask), CPU_COUNT(&all));
        mask = 0; /* only to read */
        ck_assert_ok(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET, &mask));
        ck_assert_uint_eq(mask, 1u << cpu);
        now = processors();
        ck_assert_int_eq(CPU_COUNT(&now), 1);
        pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
        ck_assert_fails(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET, NULL), EFAULT);
}
END_TEST

static void *counts_processors(void *unused) {
        cpu_set_t set = processors();

        (void)unused;
        return (void *)(intptr_t)CPU_COUNT(&set);
}

START_TEST(new_threads_inherit_a_mask_of_their_own) {
        struct {
                int size;
                unsigned mask, heirs;
        } both = { RMSK_SIZE(32), 0, 0 };
        cpu_set_t all = processors(), now;

        RMSK_SET(first_processor(), &both.heirs);
        ck_assert_ok(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT, &both));
        ck_assert_int_eq(__builtin_popcount(both.mask), CPU_COUNT(&all));
        now = processors();
        ck_assert(CPU_EQUAL(&now, &all));
        ck_assert_int_eq((intptr_t)thread_end(thread_start(counts_processors, NULL)), 1);
        both.size = 0;
        ck_assert_fails(ThreadCtl(_NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT, &both), EINVAL);
}
END_TEST

/* ---- hardware and the rest ---- */

static bool may_touch_hardware(void) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[2] = { 0 };

        ck_assert_int_eq(syscall(SYS_capget, &head, sets), 0);
        return sets[CAP_SYS_RAWIO / 32].effective >> (CAP_SYS_RAWIO % 32) & 1;
}

static void asks_for_hardware(Peer *me) {
        (void)me;
        if (may_touch_hardware())
                ck_assert_ok(ThreadCtl(_NTO_TCTL_IO, NULL));
        else
                ck_assert_fails(ThreadCtl(_NTO_TCTL_IO, NULL), EPERM);
}

START_TEST(hardware_is_for_those_who_may) {
        Peer peer;

        asks_for_hardware(NULL);
        if (geteuid() != 0)
                return;
        peer = peer_start_as(65534, asks_for_hardware, 0, 0, 0);
        peer_end(&peer);
}
END_TEST

START_TEST(what_cannot_be_done_is_refused) {
        ck_assert_fails(ThreadCtl(_NTO_TCTL_THREADS_HOLD, NULL), ENOTSUP);
        ck_assert_fails(ThreadCtl(_NTO_TCTL_ONE_THREAD_CONT, NULL), ENOTSUP);
        ck_assert_fails(ThreadCtl(_NTO_TCTL_PERFCOUNT, NULL), ENOTSUP);
        ck_assert_ok(ThreadCtl(_NTO_TCTL_ALIGN_FAULT, NULL));
        ck_assert_r(ThreadCtl_r(0, NULL), EINVAL);
        ck_assert_r(ThreadCtl_r(4711, NULL), EINVAL);
        ck_assert_fails(ThreadCtlExt(1, 0, _NTO_TCTL_NAME, NULL), EPERM);
        ck_assert_fails(ThreadCtlExt(0, 4711, _NTO_TCTL_NAME, NULL), ESRCH);
}
END_TEST

/* ---- threads ---- */

typedef struct Room {
        int chid;
        volatile int is_there, leave;
} Room;

static void *waits(void *argument) {
        Room *room = argument;

        room->is_there = 1;
        wait_for_word(&room->leave, 1);
        return NULL;
}

START_TEST(another_thread_is_named_by_number) {
        struct _thread_name *name = name_new();
        Room room = { 0 };
        Thread thread;
        char kernel[16];

        thread = thread_start(waits, &room);
        wait_for_word(&room.is_there, 1);
        strcpy(name->name_buf, "other");
        name->new_name_len = 5;
        for (int tid = 1; tid < 16; tid++) /* whichever it has: not the caller's */
                if (ThreadCtlExt(0, tid, _NTO_TCTL_NAME, name) == 0)
                        strcpy(name->name_buf, "other");
        ck_assert_int_eq(pthread_getname_np(thread.id, kernel, sizeof(kernel)), 0);
        ck_assert_str_eq(kernel, "other");
        room.leave = 1;
        thread_end(thread);
        free(name);
}
END_TEST

static void *ends_at_once(void *word) {
        *(volatile int *)word = 1;
        return NULL;
}

START_TEST(pthread_create_needs_no_place_for_the_id) {
        volatile int word = 0;
        pthread_attr_t attr;

        pthread_attr_init(&attr);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        ck_assert_int_eq(pthread_create(NULL, &attr, ends_at_once, (void *)&word), 0);
        wait_for_word(&word, 1);
        pthread_attr_destroy(&attr);
}
END_TEST

/* One that never calls the library, and one that ends by pthread_exit(). */
static void *exits(void *unused) {
        (void)unused;
        pthread_exit(NULL);
}

START_TEST(the_end_of_each_thread_is_told) {
        volatile int word = 0;
        int chid = channel_new(_NTO_CHF_THREAD_DEATH);
        struct _pulse pulse;
        int tids[2];

        thread_end(thread_start(ends_at_once, (void *)&word));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_THREADDEATH);
        tids[0] = pulse.value.sival_int;
        thread_end(thread_start(exits, NULL));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_THREADDEATH);
        tids[1] = pulse.value.sival_int;
        ck_assert_int_gt(tids[0], 0);
        ck_assert_int_gt(tids[1], tids[0]);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("threadctl", a_name_is_set_and_the_old_one_comes_back, a_long_name_is_cut_and_a_short_buffer_too,
             a_bad_name_is_refused, a_runmask_binds_the_thread, get_and_set_exchanges_the_runmask,
             new_threads_inherit_a_mask_of_their_own, hardware_is_for_those_who_may,
             what_cannot_be_done_is_refused, another_thread_is_named_by_number,
             pthread_create_needs_no_place_for_the_id, the_end_of_each_thread_is_told)
