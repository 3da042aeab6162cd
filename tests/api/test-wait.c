/* SPDX-License-Identifier: MIT */
/* Kernel time-outs of the calls that are libc's, and those that deliver an event instead of ending a call. */
#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull
#define S  1000000000ull

static void arm(int flags, uint64_t ns) {
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, flags, NULL, &ns, NULL));
}

/* ---- each state ---- */

static void *lock_in_vain(void *argument) {
        uint64_t begun = now_ns();

        arm(_NTO_TIMEOUT_MUTEX, 20 * MS);
        ck_assert_int_eq(pthread_mutex_lock(argument), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 20 * MS);
        return NULL;
}

START_TEST(a_mutex) {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

        arm(_NTO_TIMEOUT_MUTEX, 20 * MS);
        ck_assert_int_eq(pthread_mutex_lock(&mutex), 0); /* free: it does not block */
        thread_end(thread_start(lock_in_vain, &mutex));
        pthread_mutex_unlock(&mutex);
}
END_TEST

START_TEST(a_condition_variable) {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
        uint64_t begun = now_ns();

        pthread_mutex_lock(&mutex);
        arm(_NTO_TIMEOUT_CONDVAR, 20 * MS);
        ck_assert_int_eq(pthread_cond_wait(&condition, &mutex), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 20 * MS);
        ck_assert_int_eq(pthread_mutex_trylock(&mutex), EBUSY); /* it holds the mutex again */
        pthread_mutex_unlock(&mutex);
}
END_TEST

START_TEST(a_semaphore) {
        uint64_t begun = now_ns();
        sem_t semaphore;

        sem_init(&semaphore, 0, 1);
        arm(_NTO_TIMEOUT_SEM, 20 * MS);
        ck_assert_ok(sem_wait(&semaphore));
        arm(_NTO_TIMEOUT_SEM, 20 * MS);
        ck_assert_fails(sem_wait(&semaphore), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 20 * MS);
        sem_post(&semaphore);
        ck_assert_ok(sem_wait(&semaphore)); /* and no time-out is left */
        sem_destroy(&semaphore);
}
END_TEST

static void *wait_for_post(void *argument) {
        sem_wait(argument);
        return argument;
}

START_TEST(joining_a_thread) {
        uint64_t begun = now_ns();
        pthread_t thread;
        sem_t semaphore;
        void *value;

        sem_init(&semaphore, 0, 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_post, &semaphore), 0);
        arm(_NTO_TIMEOUT_JOIN, 20 * MS);
        ck_assert_int_eq(pthread_join(thread, &value), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 20 * MS);
        sem_post(&semaphore);
        ck_assert_int_eq(pthread_join(thread, &value), 0);
        ck_assert_ptr_eq(value, &semaphore);
}
END_TEST

START_TEST(sleeping_and_what_was_left) {
        struct timespec wanted = { .tv_sec = 3600 }, left, remaining;
        struct timespec short_time = { .tv_nsec = 20 * MS };
        uint64_t ns = 20 * MS, rest = 0;

        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_NANOSLEEP, NULL, &ns, &rest));
        ck_assert_fails(nanosleep(&wanted, &left), ETIMEDOUT);
        ck_assert_uint_gt(rest, 3500 * S);
        ck_assert_int_gt(left.tv_sec, 3500);
        ck_assert_ok(timer_timeout(CLOCK_REALTIME, _NTO_TIMEOUT_NANOSLEEP, NULL, &short_time, &remaining));
        ck_assert_int_eq(clock_nanosleep(CLOCK_MONOTONIC, 0, &wanted, NULL), ETIMEDOUT);
        ck_assert_int_gt(remaining.tv_sec, 3500);
        arm(_NTO_TIMEOUT_NANOSLEEP, 20 * MS);
        ck_assert_uint_gt(delay(3600000), 3500000);
        arm(_NTO_TIMEOUT_NANOSLEEP, 20 * MS);
        ck_assert_uint_gt(sleep(3600), 3500);
        arm(_NTO_TIMEOUT_NANOSLEEP, 20 * MS);
        ck_assert_fails(usleep(3600000000u), ETIMEDOUT);
        arm(_NTO_TIMEOUT_NANOSLEEP, 3600 * S);
        ck_assert_ok(nanosleep(&short_time, NULL)); /* the sleep ends first */
}
END_TEST

START_TEST(waiting_for_signals) {
        uint64_t begun = now_ns();
        sigset_t set, all;
        siginfo_t info;
        int signo;

        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        arm(_NTO_TIMEOUT_SIGWAITINFO, 20 * MS);
        ck_assert_fails(sigwaitinfo(&set, &info), ETIMEDOUT);
        arm(_NTO_TIMEOUT_SIGWAITINFO, 20 * MS);
        ck_assert_int_eq(sigwait(&set, &signo), ETIMEDOUT);
        arm(_NTO_TIMEOUT_SIGSUSPEND, 20 * MS);
        ck_assert_fails(sigsuspend(&all), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begun, 60 * MS);
        raise(SIGUSR1);
        arm(_NTO_TIMEOUT_SIGWAITINFO, 3600 * S);
        ck_assert_int_eq(sigwaitinfo(&set, &info), SIGUSR1);
}
END_TEST

/* ---- what it is not meant for ---- */

START_TEST(a_time_out_for_another_state_is_used_up) {
        struct timespec wanted = { .tv_nsec = 30 * MS };
        uint64_t begun = now_ns();
        sem_t semaphore;

        sem_init(&semaphore, 0, 1);
        arm(_NTO_TIMEOUT_SEM | _NTO_TIMEOUT_MUTEX, 1 * MS);
        ck_assert_ok(nanosleep(&wanted, NULL));
        ck_assert_uint_ge(now_ns() - begun, 30 * MS);
        ck_assert_ok(sem_wait(&semaphore));
        sem_destroy(&semaphore);
}
END_TEST

START_TEST(the_librarys_own_locks_do_not_see_it) {
        struct sigevent event;
        int chid, coid;

        for (int i = 0; i < 100; i++) {
                arm(_NTO_TIMEOUT_MUTEX, 0);
                chid = channel_new(0);
                arm(_NTO_TIMEOUT_MUTEX, 0);
                coid = connect_side(0, chid);
                SIGEV_PULSE_INIT(&event, coid, 10, 1, 1);
                arm(_NTO_TIMEOUT_MUTEX, 0);
                ck_assert_ok(MsgDeliverEvent(0, &event));
                connect_free(coid);
                channel_free(chid);
        }
}
END_TEST

START_TEST(polling_does_not_wait) {
        sem_t semaphore;

        sem_init(&semaphore, 0, 0);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEM, NULL, NULL, NULL));
        ck_assert_fails(sem_wait(&semaphore), ETIMEDOUT);
        sem_post(&semaphore);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEM, NULL, NULL, NULL));
        ck_assert_ok(sem_wait(&semaphore));
        sem_destroy(&semaphore);
}
END_TEST

/* ---- another event than SIGEV_UNBLOCK ---- */

static volatile int caught;

static void on_signal(int signo) {
        caught = signo;
}

static void *post_when_caught(void *argument) {
        wait_for_word(&caught, SIGUSR1);
        sem_post(argument);
        return NULL;
}

START_TEST(an_event_is_delivered_and_the_call_goes_on) {
        struct sigevent event;
        uint64_t ns = 20 * MS;
        sem_t semaphore;
        Thread thread;
        sigset_t set, old;

        /* The handler runs in the other thread, so that it does not end our call. */
        sem_init(&semaphore, 0, 0);
        signal(SIGUSR1, on_signal);
        thread = thread_start(post_when_caught, &semaphore);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, &old);
        SIGEV_SIGNAL_INIT(&event, SIGUSR1);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEM, &event, &ns, NULL));
        ck_assert_ok(sem_wait(&semaphore));
        thread_end(thread);
        sem_destroy(&semaphore);
}
END_TEST

START_TEST(a_pulse_when_a_receive_takes_too_long) {
        int chid = channel_new(0), coid = connect_side(0, chid);
        struct sigevent event;
        struct _pulse pulse;
        uint64_t ns = 20 * MS, begun = now_ns();

        SIGEV_PULSE_INIT(&event, coid, 10, 9, 1);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, &event, &ns, NULL));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 9);
        ck_assert_uint_ge(now_ns() - begun, 20 * MS);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void reply_after_pulse(Peer *me) {
        struct _pulse pulse;
        char bytes[16];
        int rcvid = MsgReceive(me->chid, bytes, sizeof(bytes), NULL);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(MsgReceive(me->chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_ok(MsgReply(rcvid, pulse.code, NULL, 0));
        channel_free(me->chid);
}

START_TEST(a_pulse_to_the_server_that_takes_too_long) {
        Peer server = peer_serve(reply_after_pulse, 0, 0);
        int coid = connect_side(server.pid, server.chid);
        struct sigevent event;
        uint64_t ns = 20 * MS;

        SIGEV_PULSE_INIT(&event, coid, 10, 33, 0);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, &event, &ns, NULL));
        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 33);
        connect_free(coid);
        peer_end(&server);
}
END_TEST

HARNESS_MAIN("wait", a_mutex, a_condition_variable, a_semaphore, joining_a_thread,
             sleeping_and_what_was_left, waiting_for_signals, a_time_out_for_another_state_is_used_up,
             the_librarys_own_locks_do_not_see_it, polling_does_not_wait,
             an_event_is_delivered_and_the_call_goes_on, a_pulse_when_a_receive_takes_too_long,
             a_pulse_to_the_server_that_takes_too_long)
