/* SPDX-License-Identifier: MIT */
/* Clocks, the system page, and waiting for a while. */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/netmgr.h>
#include <sys/neutrino.h>
#include <sys/syspage.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull
#define S  1000000000ull

static uint64_t clock_ns(clockid_t clock) {
        struct timespec now;

        clock_gettime(clock, &now);
        return timespec2nsec(&now);
}

START_TEST(clocktime_tells_each_clock) {
        static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                            CLOCK_THREAD_CPUTIME_ID };
        uint64_t time;

        for (unsigned i = 0; i < 4; i++) {
                uint64_t before = clock_ns(clocks[i]);

                ck_assert_ok(ClockTime(clocks[i], NULL, &time));
                ck_assert(before <= time && time <= clock_ns(clocks[i]));
        }
        ck_assert_r(ClockTime_r(4711, NULL, &time), EINVAL);
        ck_assert_fails(ClockTime(CLOCK_MONOTONIC, &time, NULL), EINVAL);
}
END_TEST

START_TEST(clockperiod_remembers) {
        struct _clockperiod period = { 0 }, wanted = { .nsec = 10000 };

        ck_assert_ok(ClockPeriod(CLOCK_REALTIME, NULL, &period, 0));
        ck_assert_uint_eq(period.nsec, 1000000);
        ck_assert_ok(ClockPeriod(CLOCK_REALTIME, &wanted, NULL, 0));
        ck_assert_r(ClockPeriod_r(CLOCK_REALTIME, NULL, &period, 0), EOK);
        ck_assert_uint_eq(period.nsec, 10000);
        ck_assert_int_eq(period.fract, 0);
        ck_assert_fails(ClockPeriod(CLOCK_REALTIME, NULL, &period, 1), EINVAL);
        ck_assert_fails(ClockPeriod(4711, NULL, &period, 0), EINVAL);
}
END_TEST

START_TEST(clockadjust_tells_what_is_left) {
        struct _clockadjust left = { .tick_nsec_inc = 0 };

        ck_assert_ok(ClockAdjust(CLOCK_REALTIME, NULL, &left));
        ck_assert(left.tick_nsec_inc == 1000 || left.tick_nsec_inc == -1000);
        ck_assert_r(ClockAdjust_r(CLOCK_MONOTONIC, NULL, &left), EINVAL);
}
END_TEST

START_TEST(clockid_names_work_of_a_process_and_a_thread) {
        uint64_t time;
        int id;

        id = ClockId(0, 0);
        ck_assert_int_ne(id, -1);
        ck_assert_ok(ClockTime(id, NULL, &time));
        ck_assert_uint_le(time, clock_ns(CLOCK_PROCESS_CPUTIME_ID));
        id = ClockId(getpid(), 1); /* the first thread of a process is 1 */
        ck_assert_int_ne(id, -1);
        ck_assert_ok(ClockTime(id, NULL, &time));
        ck_assert_uint_le(time, clock_ns(CLOCK_THREAD_CPUTIME_ID));
        ck_assert_fails(ClockId(0, 4711), ESRCH);
        ck_assert_r(ClockId_r(getppid(), 2), -EINVAL);
}
END_TEST

START_TEST(clockcycles_runs_at_the_rate_of_the_system_page) {
        uint64_t rate = SYSPAGE_ENTRY(qtime)->cycles_per_sec;
        uint64_t begun = ClockCycles(), time = now_ns();

        delay(20);
        begun = (ClockCycles() - begun) * 1000 / rate; /* ms */
        time = (now_ns() - time) / MS;
        ck_assert_uint_ge(begun, 20);
        ck_assert_uint_le(begun, time + 1);
}
END_TEST

START_TEST(the_system_page_describes_the_machine) {
        ck_assert_uint_ge(_syspage_ptr->num_cpu, 1);
        ck_assert_uint_ge(SYSPAGE_ENTRY_SIZE(cpuinfo),
                          _syspage_ptr->num_cpu * sizeof(struct cpuinfo_entry));
        ck_assert_uint_ge(SYSPAGE_ENTRY(cacheattr)->line_size, 16);
        ck_assert_uint_gt(strlen(SYSPAGE_ENTRY(strings)->data + SYSPAGE_ENTRY(cpuinfo)->name), 0);
        ck_assert_uint_gt(SYSPAGE_ENTRY(qtime)->boot_time, 0);
        ck_assert_uint_eq(SYSPAGE_ENTRY_SIZE(intrinfo), 0);
}
END_TEST

static void on_alarm(int signo) {
        (void)signo;
}

START_TEST(delay_sleeps_and_tells_what_is_left) {
        struct sigaction action = { .sa_handler = on_alarm };
        struct _itimer soon = { .nsec = 10 * MS };
        uint64_t begun = now_ns();

        ck_assert_uint_eq(delay(0), 0);
        ck_assert_uint_eq(delay(15), 0);
        ck_assert_uint_ge(now_ns() - begun, 15 * MS);
        sigaction(SIGALRM, &action, NULL);
        ck_assert_ok(TimerAlarm(CLOCK_REALTIME, &soon, NULL));
        ck_assert_uint_gt(delay(3600000), 3500000);
}
END_TEST

START_TEST(nanospin_takes_its_time) {
        struct timespec when = { .tv_nsec = 2 * MS }, wrong = { .tv_nsec = S };
        uint64_t begun = now_ns();

        ck_assert_int_eq(nanospin_calibrate(1), EOK);
        ck_assert_int_eq(nanospin(&when), EOK);
        ck_assert_uint_ge(now_ns() - begun, 2 * MS);
        begun = now_ns();
        ck_assert_int_eq(nanospin_ns(1 * MS), EOK);
        nanospin_count(nanospin_ns_to_count(1 * MS));
        ck_assert_uint_ge(now_ns() - begun, 2 * MS);
        ck_assert_int_eq(nanospin(&wrong), EINVAL);
}
END_TEST

START_TEST(times_as_numbers) {
        struct timespec time;

        nsec2timespec(&time, 12 * S + 345);
        ck_assert_int_eq(time.tv_sec, 12);
        ck_assert_int_eq(time.tv_nsec, 345);
        ck_assert_uint_eq(timespec2nsec(&time), 12 * S + 345);
}
END_TEST

START_TEST(the_one_node_has_a_name) {
        char name[300], plain[300], *end;

        ck_assert_int_gt(netmgr_ndtostr(ND2S_DIR_SHOW, ND_LOCAL_NODE, name, sizeof(name)), 5);
        ck_assert(strncmp(name, "/net/", 5) == 0);
        ck_assert_int_eq(netmgr_ndtostr(0, ND_LOCAL_NODE, plain, sizeof(plain)), (int)strlen(plain) + 1);
        ck_assert_str_eq(name + 5, plain);
        ck_assert_int_eq(netmgr_strtond(name, &end), ND_LOCAL_NODE);
        ck_assert_int_eq(*end, 0);
        ck_assert_int_eq(netmgr_strtond(plain, NULL), ND_LOCAL_NODE);
        ck_assert_int_eq(netmgr_strtond("", NULL), ND_LOCAL_NODE);
        ck_assert_fails(netmgr_strtond("/net/no such node", NULL), ENOTSUP);
        ck_assert_fails(netmgr_strtond(NULL, NULL), EFAULT);
        ck_assert_fails(netmgr_ndtostr(0, 5, name, sizeof(name)), EINVAL);
        ck_assert_fails(netmgr_ndtostr(ND2S_DIR_SHOW, 0, name, 3), ENOSPC);
        ck_assert_int_eq(netmgr_remote_nd(0, 0), ND_LOCAL_NODE);
        ck_assert_fails(netmgr_remote_nd(1, 0), ENOTSUP);
}
END_TEST

HARNESS_MAIN("clock", clocktime_tells_each_clock, clockperiod_remembers, clockadjust_tells_what_is_left,
             clockid_names_work_of_a_process_and_a_thread,
             clockcycles_runs_at_the_rate_of_the_system_page, the_system_page_describes_the_machine,
             delay_sleeps_and_tells_what_is_left, nanospin_takes_its_time, times_as_numbers,
             the_one_node_has_a_name)
