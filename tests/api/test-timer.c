/* SPDX-License-Identifier: MIT */
/* Timers: every expiry is there once, in time, whoever waits for it and however. */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull
#define S  1000000000ull

typedef struct Setup {
        int chid;
        int coid;
} Setup;

static Setup setup_new(void) {
        Setup setup = { .chid = channel_new(0) };

        setup.coid = connect_side(0, setup.chid);
        return setup;
}

static void setup_free(Setup *setup) {
        connect_free(setup->coid);
        channel_free(setup->chid);
}

static struct sigevent pulse_event(const Setup *setup, int code, int value) {
        struct sigevent event;

        SIGEV_PULSE_INIT(&event, setup->coid, 10, code, value);
        return event;
}

static timer_t timer_new(clockid_t clock, struct sigevent *event) {
        timer_t id = -1;

        ck_assert_ok(timer_create(clock, event, &id));
        ck_assert_int_ge(id, 1);
        return id;
}

static void timer_start(timer_t id, uint64_t first, uint64_t interval) {
        struct _itimer times = { .nsec = first, .interval_nsec = interval };

        ck_assert_ok(TimerSettime(id, 0, &times, NULL));
}

static struct _pulse receive_pulse(int chid) {
        struct _pulse pulse;

        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        return pulse;
}

static int receive_at_once(int chid, struct _pulse *pulse) {
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
        return MsgReceive_r(chid, pulse, sizeof(*pulse), NULL);
}

/* Until that time of CLOCK_MONOTONIC. */
static void wait_until(uint64_t ns) {
        struct timespec at = { .tv_sec = (time_t)(ns / S), .tv_nsec = (long)(ns % S) };

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
                continue;
}

static int count_threads(void) {
        DIR *tasks = opendir("/proc/self/task");
        struct dirent *entry;
        int n = 0;

        while ((entry = readdir(tasks)))
                n += entry->d_name[0] != '.';
        closedir(tasks);
        return n;
}

/* ---- pulses to a channel of one's own ---- */

START_TEST(scenario_55_a_periodic_timer_makes_a_pulse_each_period) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 5, 0x1234);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);
        struct itimerspec times = { { 0, 10 * MS }, { 0, 10 * MS } };
        uint64_t begun = now_ns();

        ck_assert_ok(timer_settime(id, 0, &times, NULL));
        for (unsigned i = 1; i <= 20; i++) {
                struct _pulse pulse = receive_pulse(setup.chid);

                ck_assert_int_eq(pulse.code, 5);
                ck_assert_int_eq(pulse.value.sival_int, 0x1234);
                ck_assert_uint_ge(now_ns() - begun, i * 10 * MS); /* never early, so never one too many */
        }
        ck_assert_int_eq(timer_getoverrun(id), 0);
        ck_assert_int_eq(count_threads(), 1); /* the receiver itself has waited for them */
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

START_TEST(each_expiry_waits_for_a_late_receiver) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 1, 7);
        timer_t id = timer_new(CLOCK_REALTIME, &event);
        uint64_t begun = now_ns();
        struct _pulse pulse;
        unsigned n = 0;

        timer_start(id, 5 * MS, 5 * MS);
        wait_until(begun + 52 * MS);
        timer_start(id, 0, 0);
        while (receive_at_once(setup.chid, &pulse) == 0)
                n++;
        ck_assert_uint_eq(n, 0); /* turned off before anybody looked */
        begun = now_ns();
        timer_start(id, 5 * MS, 5 * MS);
        wait_until(begun + 52 * MS);
        for (n = 0; receive_at_once(setup.chid, &pulse) == 0; n++)
                ck_assert_int_eq(pulse.value.sival_int, 7);
        ck_assert_uint_ge(n, 10);
        ck_assert_ok(TimerDestroy(id));
        setup_free(&setup);
}
END_TEST

START_TEST(ten_timers_lose_nothing_and_do_not_drift) {
        static const unsigned periods[10] = { 1, 2, 3, 5, 7, 11, 13, 17, 19, 23 };
        uint64_t begun, end = 2 * S;
        unsigned counts[10] = { 0 };
        Setup setup = setup_new();
        timer_t ids[10];
        struct _itimer at;

        begun = now_ns();
        for (int i = 0; i < 10; i++) {
                struct sigevent event = pulse_event(&setup, i, (int)periods[i]);

                ids[i] = timer_new(CLOCK_MONOTONIC, &event);
                at = (struct _itimer){ begun + periods[i] * MS, periods[i] * MS };
                ck_assert_ok(TimerSettime(ids[i], TIMER_ABSTIME, &at, NULL));
        }
        for (;;) {
                struct _pulse pulse = receive_pulse(setup.chid);
                uint64_t due = begun + ++counts[pulse.code] * periods[pulse.code] * MS;

                ck_assert_uint_ge(now_ns(), due);
                if (pulse.code == 0 && due >= begun + end)
                        break;
        }
        /* What was due before the last tick of the fastest has come; order within it is by arrival. */
        for (int i = 1; i < 10; i++) {
                ck_assert_uint_ge(counts[i] + 1, end / (periods[i] * MS));
                ck_assert_int_eq(timer_getoverrun(ids[i]), 0);
        }
        for (int i = 0; i < 10; i++)
                ck_assert_ok(timer_delete(ids[i]));
        setup_free(&setup);
}
END_TEST

static void look_for_timers(Peer *me) {
        struct _timer_info info;

        ck_assert_fails(TimerInfo(0, 0, _NTO_TIMER_SEARCH, &info), EINVAL);
        ck_assert_int_eq(TimerCreate(CLOCK_MONOTONIC, NULL), 1);
        ck_assert_int_eq(me->number, 1);
}

START_TEST(a_child_has_none_of_its_parents_timers) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 2, 0);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);
        Peer peer;

        timer_start(id, 20 * MS, 0);
        peer = peer_start(look_for_timers, setup.chid, id);
        ck_assert_int_eq(receive_pulse(setup.chid).code, 2);
        peer_end(&peer);
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

static void *receive_one(void *argument) {
        const Setup *setup = argument;
        struct _pulse pulse = receive_pulse(setup->chid);

        return (void *)(intptr_t)pulse.code;
}

START_TEST(another_thread_sets_the_timer_of_a_sleeping_receiver) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 9, 0);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);
        Thread receiver = thread_start(receive_one, &setup);

        wait_for_state(getpid(), "RECEIVE");
        timer_start(id, 10 * MS, 0);
        ck_assert_int_eq((intptr_t)thread_end(receiver), 9);
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

START_TEST(several_receivers_share_the_ticks) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 4, 0);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);
        Thread receivers[4];
        struct _pulse pulse;

        for (int i = 0; i < 4; i++)
                receivers[i] = thread_start(receive_one, &setup);
        wait_for_states(getpid(), "RECEIVE", 4);
        timer_start(id, 5 * MS, 5 * MS);
        for (int i = 0; i < 4; i++)
                ck_assert_int_eq((intptr_t)thread_end(receivers[i]), 4);
        timer_start(id, 0, 0);
        while (receive_at_once(setup.chid, &pulse) == 0)
                continue;
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

START_TEST(messages_and_ticks_mix) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);
        unsigned ticks = 0, others = 0;

        timer_start(id, 1 * MS, 1 * MS);
        while (ticks < 50) {
                int code;

                ck_assert_ok(MsgSendPulse(setup.coid, 10, 1, 0));
                code = receive_pulse(setup.chid).code;
                ticks += code == 6;
                others += code == 1;
        }
        ck_assert_uint_gt(others, 0);
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

START_TEST(a_timeout_that_comes_first_ends_the_receive) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);
        uint64_t timeout = 10 * MS, begun;
        struct _pulse pulse;

        timer_start(id, 200 * MS, 0);
        begun = now_ns();
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &timeout, NULL));
        ck_assert_fails(MsgReceive(setup.chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
        timeout = 3600 * S;
        ck_assert_ok(TimerTimeout(CLOCK_REALTIME, _NTO_TIMEOUT_RECEIVE, NULL, &timeout, NULL));
        ck_assert_int_eq(MsgReceive(setup.chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_uint_ge(now_ns() - begun, 200 * MS);
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

START_TEST(pulses_beyond_the_queue_are_overruns) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);
        struct _timer_info info;
        struct _pulse pulse;
        unsigned n = 0;

        timer_start(id, 1000, 1000);
        wait_until(now_ns() + 20 * MS);
        ck_assert_int_eq(receive_at_once(setup.chid, &pulse), 0);
        timer_start(id, 3600 * S, 0);
        for (n = 1; receive_at_once(setup.chid, &pulse) == 0; n++)
                continue;
        ck_assert_uint_ge(n, 1024);
        timer_start(id, 1000, 1000);
        wait_until(now_ns() + 20 * MS);
        ck_assert_int_eq(TimerInfo(0, id, _NTO_TIMER_RESET_OVERRUNS, &info), id);
        ck_assert_uint_ge(info.overruns, 15000);
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

START_TEST(a_detached_connection_ends_the_pulses) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);
        struct _pulse pulse;

        timer_start(id, 1 * MS, 1 * MS);
        receive_pulse(setup.chid);
        connect_free(setup.coid);
        while (receive_at_once(setup.chid, &pulse) == 0)
                continue;
        wait_until(now_ns() + 5 * MS);
        ck_assert_int_eq(receive_at_once(setup.chid, &pulse), -ETIMEDOUT);
        ck_assert_ok(timer_delete(id));
        channel_free(setup.chid);
}
END_TEST

START_TEST(a_timer_outlives_its_channel) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);

        timer_start(id, 1 * MS, 1 * MS);
        channel_free(setup.chid);
        wait_until(now_ns() + 3 * MS);
        timer_start(id, 1 * MS, 1 * MS);
        ck_assert_ok(timer_delete(id));
        connect_free(setup.coid);
}
END_TEST

/* ---- absolute times ---- */

static uint64_t clock_ns(clockid_t clock) {
        struct timespec now;

        clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * S + (uint64_t)now.tv_nsec;
}

static void expect_at(clockid_t clock, uint64_t from_now) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0);
        timer_t id = timer_new(clock, &event);
        struct _itimer at = { .nsec = clock_ns(clock) + from_now };

        ck_assert_ok(TimerSettime(id, TIMER_ABSTIME, &at, NULL));
        ck_assert_int_eq(receive_pulse(setup.chid).code, 6);
        ck_assert_uint_ge(clock_ns(clock), at.nsec);
        ck_assert_int_eq(timer_getexpstatus(id), ETIMEDOUT);
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}

START_TEST(absolute_times_of_both_clocks) {
        expect_at(CLOCK_MONOTONIC, 20 * MS);
        expect_at(CLOCK_REALTIME, 20 * MS);
}
END_TEST

START_TEST(a_time_in_the_past_expires_at_once_and_keeps_its_steps) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0);
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);
        uint64_t start = now_ns() - 95 * MS;
        struct _itimer at = { start, 10 * MS };

        ck_assert_ok(TimerSettime(id, TIMER_ABSTIME, &at, NULL));
        receive_pulse(setup.chid);
        ck_assert_int_ge(timer_getoverrun(id), 9);
        receive_pulse(setup.chid);
        ck_assert_uint_ge(now_ns(), start + 100 * MS);
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

/* ---- other events ---- */

static siginfo_t wait_signal(int signo) {
        sigset_t set;
        siginfo_t info;

        sigemptyset(&set);
        sigaddset(&set, signo);
        ck_assert_int_eq(sigwaitinfo(&set, &info), signo);
        return info;
}

static void block_signal(int signo) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, signo);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
}

START_TEST(a_signal_with_its_value) {
        struct sigevent event;
        siginfo_t info;
        timer_t id;

        block_signal(SIGUSR1);
        SIGEV_SIGNAL_VALUE_INIT(&event, SIGUSR1, 77);
        id = timer_new(CLOCK_MONOTONIC, &event);
        timer_start(id, 5 * MS, 0);
        info = wait_signal(SIGUSR1);
        ck_assert_int_eq(info.si_code, SI_TIMER);
        ck_assert_int_eq(info.si_value.sival_int, 77);
        ck_assert_int_eq(timer_getexpstatus(id), ETIMEDOUT);
        ck_assert_int_eq(count_threads(), 1);
        ck_assert_ok(timer_delete(id));
}
END_TEST

START_TEST(no_event_is_sigalrm_with_the_timers_number) {
        siginfo_t info;
        timer_t id;

        block_signal(SIGALRM);
        id = timer_new(CLOCK_REALTIME, NULL);
        timer_start(id, 5 * MS, 0);
        info = wait_signal(SIGALRM);
        ck_assert_int_eq(info.si_value.sival_int, id);
        ck_assert_ok(timer_delete(id));
}
END_TEST

START_TEST(a_signal_with_a_code) {
        struct sigevent event;
        siginfo_t info;
        timer_t id;

        block_signal(SIGUSR2);
        SIGEV_SIGNAL_CODE_INIT(&event, SIGUSR2, 5, -70);
        id = timer_new(CLOCK_MONOTONIC, &event);
        timer_start(id, 5 * MS, 0);
        info = wait_signal(SIGUSR2);
        ck_assert_int_eq(info.si_code, -70);
        ck_assert_int_eq(info.si_value.sival_int, 5);
        ck_assert_ok(timer_delete(id));
}
END_TEST

static volatile int caught_by, caught_value;

static void on_signal(int signo, siginfo_t *info, void *context) {
        (void)signo;
        (void)context;
        caught_value = info->si_value.sival_int;
        caught_by = gettid();
}

static void *other_thread(void *argument) {
        sem_wait(argument);
        return NULL;
}

START_TEST(a_signal_to_the_thread_that_made_the_timer) {
        struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
        struct sigevent event;
        Thread other;
        sem_t end;
        timer_t id;

        sem_init(&end, 0, 0);
        other = thread_start(other_thread, &end);
        sigaction(SIGUSR1, &action, NULL);
        SIGEV_SIGNAL_THREAD_INIT(&event, SIGUSR1, 3, -65);
        id = timer_new(CLOCK_MONOTONIC, &event);
        timer_start(id, 5 * MS, 0);
        wait_for_word(&caught_by, gettid());
        ck_assert_int_eq(caught_value, 3);
        ck_assert_ok(timer_delete(id));
        sem_post(&end);
        thread_end(other);
}
END_TEST

static volatile int ran_with;

static void run_in_thread(union sigval value) {
        ran_with = value.sival_int;
}

START_TEST(a_thread) {
        struct sigevent event;
        timer_t id;

        SIGEV_THREAD_INIT(&event, run_in_thread, 42, NULL);
        id = timer_new(CLOCK_MONOTONIC, &event);
        timer_start(id, 5 * MS, 0);
        wait_for_word(&ran_with, 42);
        ck_assert_ok(timer_delete(id));
}
END_TEST

START_TEST(memory_that_changes) {
        static volatile unsigned word = 40;
        struct sigevent event;
        timer_t id;

        SIGEV_MEMORY_INIT(&event, &word, SIGEV_MEM_ADD, 2);
        id = timer_new(CLOCK_MONOTONIC, &event);
        timer_start(id, 5 * MS, 0);
        wait_for_word((volatile int *)&word, 42);
        ck_assert_ok(timer_delete(id));
}
END_TEST

START_TEST(unblock_ends_a_blocked_call) {
        Setup setup = setup_new();
        struct sigevent event;
        struct _pulse pulse;
        timer_t id;

        SIGEV_UNBLOCK_INIT(&event);
        id = timer_new(CLOCK_MONOTONIC, &event);
        timer_start(id, 20 * MS, 20 * MS);
        ck_assert_fails(MsgReceive(setup.chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
        ck_assert_fails(MsgSend(setup.coid, "x", 1, NULL, 0), ETIMEDOUT);
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

START_TEST(nothing_at_all) {
        struct sigevent event;
        struct itimerspec left;
        timer_t id;

        SIGEV_NONE_INIT(&event);
        id = timer_new(CLOCK_MONOTONIC, &event);
        timer_start(id, 3600 * S, 0);
        ck_assert_ok(timer_gettime(id, &left));
        ck_assert_int_gt(left.it_value.tv_sec, 3500);
        ck_assert_ok(timer_delete(id));
}
END_TEST

static void serve_ticks(Peer *me) {
        for (int i = 0; i < 5; i++)
                ck_assert_int_eq(receive_pulse(me->chid).code, 8);
        peer_say(me, 1);
        peer_hear(me);
        channel_free(me->chid);
}

START_TEST(pulses_to_another_processs_channel) {
        Peer peer = peer_serve(serve_ticks, 0, 0);
        int coid = connect_side(peer.pid, peer.chid);
        struct sigevent event;
        timer_t id;

        SIGEV_PULSE_INIT(&event, coid, 10, 8, 0);
        id = timer_new(CLOCK_MONOTONIC, &event);
        timer_start(id, 2 * MS, 2 * MS);
        peer_hear(&peer);
        ck_assert_ok(timer_delete(id));
        connect_free(coid);
        peer_say(&peer, 1);
        peer_end(&peer);
}
END_TEST

START_TEST(the_cpu_clocks_count_work_only) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0);
        timer_t process = timer_new(CLOCK_PROCESS_CPUTIME_ID, &event);
        timer_t thread = timer_new(CLOCK_THREAD_CPUTIME_ID, &event);
        struct _pulse pulse;

        timer_start(process, 20 * MS, 0);
        timer_start(thread, 20 * MS, 0);
        wait_until(now_ns() + 30 * MS);
        ck_assert_int_eq(receive_at_once(setup.chid, &pulse), -ETIMEDOUT);
        for (unsigned n = 0; n < 2;)
                n += receive_at_once(setup.chid, &pulse) == 0;
        ck_assert_uint_ge(clock_ns(CLOCK_THREAD_CPUTIME_ID), 20 * MS);
        ck_assert_ok(timer_delete(process));
        ck_assert_ok(timer_delete(thread));
        setup_free(&setup);
}
END_TEST

/* ---- looking at timers ---- */

START_TEST(what_a_timer_tells) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0);
        struct _itimer first = { 100 * S, 7 * S }, second = { 50 * S, 0 }, old = { 1, 1 };
        struct _timer_info info;
        timer_t id = timer_new(CLOCK_REALTIME, &event);

        ck_assert_int_eq(TimerInfo(0, id, 0, &info), id);
        ck_assert_uint_eq(info.flags & _NTO_TI_ACTIVE, 0);
        ck_assert_int_eq(timer_getexpstatus(id), 0);
        ck_assert_ok(TimerSettime(id, 0, &first, &old));
        ck_assert_uint_eq(old.nsec, 0);
        ck_assert_int_eq(TimerInfo(getpid(), id, 0, &info), id);
        ck_assert_uint_ne(info.flags & _NTO_TI_ACTIVE, 0);
        ck_assert_uint_ne(info.flags & _NTO_TI_TOD_BASED, 0);
        ck_assert_uint_eq(info.itime.nsec, 100 * S);
        ck_assert_uint_le(info.otime.nsec, 100 * S);
        ck_assert_uint_gt(info.otime.nsec, 60 * S);
        ck_assert_uint_eq(info.otime.interval_nsec, 7 * S);
        ck_assert_int_eq(info.clockid, CLOCK_REALTIME);
        ck_assert_int_eq(info.notify, SIGEV_PULSE);
        ck_assert_int_eq(info.event.sigev_coid, setup.coid);
        ck_assert_r(TimerSettime_r(id, 0, &second, &old), EOK);
        ck_assert_uint_gt(old.nsec, 60 * S);
        ck_assert_uint_eq(old.interval_nsec, 7 * S);
        first.nsec = 0;
        ck_assert_ok(TimerSettime(id, TIMER_TOLERANCE, &first, NULL)); /* and it goes on */
        ck_assert_int_eq(TimerInfo(0, id, 0, &info), id);
        ck_assert_uint_gt(info.otime.nsec, 30 * S);
        ck_assert_r(TimerDestroy_r(id), EOK);
        setup_free(&setup);
}
END_TEST

START_TEST(all_timers_can_be_walked_through) {
        timer_t a = timer_new(CLOCK_MONOTONIC, NULL), b = timer_new(CLOCK_MONOTONIC, NULL);
        timer_t c = timer_new(CLOCK_MONOTONIC, NULL);
        struct _timer_info info;

        ck_assert_ok(TimerDestroy(b));
        ck_assert_int_eq(TimerInfo(0, 0, _NTO_TIMER_SEARCH, &info), a);
        ck_assert_int_eq(TimerInfo(0, a + 1, _NTO_TIMER_SEARCH, &info), c);
        ck_assert_fails(TimerInfo(0, c + 1, _NTO_TIMER_SEARCH, &info), EINVAL);
        ck_assert_int_eq(timer_new(CLOCK_MONOTONIC, NULL), b); /* a free number is used again */
        ck_assert_ok(TimerDestroy(a));
        ck_assert_ok(TimerDestroy(b));
        ck_assert_ok(TimerDestroy(c));
}
END_TEST

START_TEST(what_is_refused) {
        Setup setup = setup_new();
        struct sigevent event = pulse_event(&setup, 6, 0), bad;
        struct _itimer times = { 1, 1 };
        struct itimerspec wrong = { .it_value = { 0, S } };
        struct _timer_info info;
        timer_t id = timer_new(CLOCK_MONOTONIC, &event);

        ck_assert_r(TimerCreate_r(4711, NULL), -EINVAL);
        bad = event;
        bad.sigev_notify = 0x7f;
        ck_assert_fails(TimerCreate(CLOCK_MONOTONIC, &bad), EINVAL);
        bad = event;
        bad.sigev_coid = 0x40009999;
        ck_assert_fails(TimerCreate(CLOCK_MONOTONIC, &bad), EBADF);
        bad = event;
        bad.sigev_priority = 256;
        ck_assert_fails(TimerCreate(CLOCK_MONOTONIC, &bad), EINVAL);
        ck_assert_fails(TimerSettime(id + 1, 0, &times, NULL), EINVAL);
        ck_assert_fails(TimerSettime(id, 0, NULL, NULL), EINVAL);
        ck_assert_fails(TimerSettime(id, 0x100, &times, NULL), EINVAL);
        ck_assert_fails(timer_settime(id, 0, &wrong, NULL), EINVAL);
        ck_assert_fails(timer_gettime(id, NULL), EFAULT);
        ck_assert_fails(timer_create(CLOCK_MONOTONIC, &event, NULL), EFAULT);
        ck_assert_fails(TimerInfo(getppid(), id, 0, &info), EPERM);
        ck_assert_fails(TimerInfo(0, id, 0, NULL), EFAULT);
        ck_assert_ok(TimerDestroy(id));
        ck_assert_fails(TimerDestroy(id), EINVAL);
        ck_assert_r(TimerDestroy_r(0), EINVAL);
        setup_free(&setup);
}
END_TEST

START_TEST(scenario_56_priority_0_of_an_event_becomes_1) {
        Setup setup = setup_new();
        struct sigevent event;
        struct _pulse pulse;
        timer_t id;

        SIGEV_PULSE_INIT(&event, setup.coid, 0, 6, 0);
        id = timer_new(CLOCK_MONOTONIC, &event);
        timer_start(id, 1, 0);
        wait_until(now_ns() + 1 * MS);
        ck_assert_ok(MsgSendPulse(setup.coid, 2, 1, 0));
        ck_assert_int_eq(receive_at_once(setup.chid, &pulse), 0);
        ck_assert_int_eq(pulse.code, 1);
        ck_assert_int_eq(receive_at_once(setup.chid, &pulse), 0);
        ck_assert_int_eq(pulse.code, 6);
        ck_assert_ok(timer_delete(id));
        setup_free(&setup);
}
END_TEST

START_TEST(timeralarm_is_the_alarm) {
        struct _itimer times = { .nsec = 3600 * S }, old;

        block_signal(SIGALRM);
        ck_assert_ok(TimerAlarm(CLOCK_REALTIME, &times, NULL));
        times.nsec = 5 * MS;
        ck_assert_r(TimerAlarm_r(CLOCK_MONOTONIC, &times, &old), EOK);
        ck_assert_uint_gt(old.nsec, 3500 * S);
        ck_assert_int_eq(wait_signal(SIGALRM).si_signo, SIGALRM);
        ck_assert_uint_eq(alarm(0), 0);
        ck_assert_fails(TimerAlarm(CLOCK_PROCESS_CPUTIME_ID, &times, NULL), EINVAL);
}
END_TEST

static void *churn(void *argument) {
        const Setup *setup = argument;
        struct sigevent event = pulse_event(setup, 3, 0);

        for (int i = 0; i < 200; i++) {
                timer_t id = timer_new(i % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &event);

                timer_start(id, 1 + (unsigned)i * 1000, 10000);
                ck_assert_ok(timer_delete(id));
        }
        ck_assert_ok(MsgSendPulse(setup->coid, 1, 99, 0));
        return NULL;
}

START_TEST(timers_come_and_go_while_others_receive) {
        Setup setup = setup_new();
        Thread threads[3];
        int ended = 0;

        for (int i = 0; i < 3; i++)
                threads[i] = thread_start(churn, &setup);
        while (ended < 3)
                ended += receive_pulse(setup.chid).code == 99;
        for (int i = 0; i < 3; i++)
                thread_end(threads[i]);
        setup_free(&setup);
}
END_TEST

HARNESS_MAIN("timer", scenario_55_a_periodic_timer_makes_a_pulse_each_period,
             each_expiry_waits_for_a_late_receiver, ten_timers_lose_nothing_and_do_not_drift,
             a_child_has_none_of_its_parents_timers,
             another_thread_sets_the_timer_of_a_sleeping_receiver, several_receivers_share_the_ticks,
             messages_and_ticks_mix, a_timeout_that_comes_first_ends_the_receive,
             pulses_beyond_the_queue_are_overruns, a_detached_connection_ends_the_pulses,
             a_timer_outlives_its_channel, absolute_times_of_both_clocks,
             a_time_in_the_past_expires_at_once_and_keeps_its_steps, a_signal_with_its_value,
             no_event_is_sigalrm_with_the_timers_number, a_signal_with_a_code,
             a_signal_to_the_thread_that_made_the_timer, a_thread, memory_that_changes,
             unblock_ends_a_blocked_call, nothing_at_all, pulses_to_another_processs_channel,
             the_cpu_clocks_count_work_only, what_a_timer_tells, all_timers_can_be_walked_through,
             what_is_refused, scenario_56_priority_0_of_an_event_becomes_1, timeralarm_is_the_alarm,
             timers_come_and_go_while_others_receive)
