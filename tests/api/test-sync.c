/* SPDX-License-Identifier: MIT */
/* Sync calls: what each promises, and that memory which is no such object is refused. */
#include "../harness.h"

#include <errno.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t SOON = 20000000; /* 20 ms */

static sync_t made(unsigned type) {
        sync_t sync;

        ck_assert_ok(SyncTypeCreate(type, &sync, NULL));
        return sync;
}

static void time_out(int flags) {
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, flags, NULL, &SOON, NULL));
}

/* ---- life ---- */

START_TEST(every_kind_is_made_and_ended) {
        const unsigned kinds[] = { _NTO_SYNC_MUTEX_FREE, _NTO_SYNC_COND, _NTO_SYNC_SEM };

        for (int i = 0; i < 3; i++) {
                sync_t sync = made(kinds[i]);

                ck_assert_r(SyncDestroy_r(&sync), EOK);
                ck_assert_fails(SyncDestroy(&sync), EINVAL);
        }
}
END_TEST

START_TEST(what_is_none_is_refused) {
        sync_t zero;
        struct _sync_attr odd = { .__flags = 0x1000 };
        struct _sync_attr negative = { .__count = -1 };

        memset(&zero, 0, sizeof(zero));
        ck_assert_fails(SyncTypeCreate(77, &zero, NULL), EINVAL);
        ck_assert_fails(SyncTypeCreate(_NTO_SYNC_MUTEX_FREE, NULL, NULL), EFAULT);
        ck_assert_fails(SyncTypeCreate(_NTO_SYNC_MUTEX_FREE, &zero, &odd), EINVAL);
        ck_assert_fails(SyncTypeCreate(_NTO_SYNC_SEM, &zero, &negative), EINVAL);
        ck_assert_r(SyncMutexLock_r(&zero), EINVAL);
        ck_assert_r(SyncMutexUnlock_r(&zero), EINVAL);
        ck_assert_r(SyncMutexRevive_r(&zero), EINVAL);
        ck_assert_r(SyncCondvarWait_r(&zero, &zero), EINVAL);
        ck_assert_r(SyncCondvarSignal_r(&zero, 0), EINVAL);
        ck_assert_r(SyncSemPost_r(&zero), EINVAL);
        ck_assert_r(SyncSemWait_r(&zero, 1), EINVAL);
        ck_assert_r(SyncMutexLock_r(NULL), EFAULT);
        ck_assert_r(SyncDestroy_r(NULL), EFAULT);
}
END_TEST

START_TEST(one_kind_is_not_another) {
        sync_t mutex = made(_NTO_SYNC_MUTEX_FREE), sem = made(_NTO_SYNC_SEM);

        ck_assert_fails(SyncSemPost(&mutex), EINVAL);
        ck_assert_fails(SyncMutexLock(&sem), EINVAL);
        ck_assert_ok(SyncDestroy(&mutex));
        ck_assert_ok(SyncDestroy(&sem));
}
END_TEST

/* ---- mutexes ---- */

static sync_t *shared_mutex;
static volatile int counter;

static void *count_up(void *arg) {
        for (int i = 0; i < 20000; i++) {
                ck_assert_ok(SyncMutexLock(shared_mutex));
                counter++;
                ck_assert_ok(SyncMutexUnlock(shared_mutex));
        }
        return NULL;
}

START_TEST(a_mutex_excludes) {
        sync_t mutex = made(_NTO_SYNC_MUTEX_FREE);
        Thread threads[2];

        shared_mutex = &mutex;
        for (int i = 0; i < 2; i++)
                threads[i] = thread_start(count_up, NULL);
        for (int i = 0; i < 2; i++)
                thread_end(threads[i]);
        ck_assert_int_eq(counter, 40000);
        ck_assert_ok(SyncDestroy(&mutex));
}
END_TEST

START_TEST(who_locks_twice_is_told) {
        sync_t mutex = made(_NTO_SYNC_MUTEX_FREE);

        ck_assert_fails(SyncMutexUnlock(&mutex), EPERM);
        ck_assert_ok(SyncMutexLock(&mutex));
        ck_assert_r(SyncMutexLock_r(&mutex), EDEADLK);
        ck_assert_fails(SyncDestroy(&mutex), EBUSY);
        ck_assert_ok(SyncMutexUnlock(&mutex));
        ck_assert_ok(SyncDestroy(&mutex));
}
END_TEST

START_TEST(a_recursive_mutex_counts) {
        struct _sync_attr attr = { .__protocol = PTHREAD_PRIO_NONE, .__flags = _NTO_SYNC_RECURSIVE };
        sync_t mutex;

        ck_assert_ok(SyncTypeCreate(_NTO_SYNC_MUTEX_FREE, &mutex, &attr));
        ck_assert_ok(SyncMutexLock(&mutex));
        ck_assert_ok(SyncMutexLock(&mutex));
        ck_assert_ok(SyncMutexUnlock(&mutex));
        ck_assert_ok(SyncMutexUnlock(&mutex));
        ck_assert_fails(SyncMutexUnlock(&mutex), EPERM);
        ck_assert_ok(SyncDestroy(&mutex));
}
END_TEST

static void *lock_in_time(void *arg) {
        uint64_t begin = now_ns();

        time_out(_NTO_TIMEOUT_MUTEX);
        ck_assert_fails(SyncMutexLock(arg), ETIMEDOUT);
        ck_assert_uint_ge(now_ns() - begin, SOON);
        return NULL;
}

START_TEST(a_timeout_ends_the_wait_for_a_mutex) {
        sync_t mutex = made(_NTO_SYNC_MUTEX_FREE);

        ck_assert_ok(SyncMutexLock(&mutex));
        thread_end(thread_start(lock_in_time, &mutex));
        ck_assert_ok(SyncMutexUnlock(&mutex));
        ck_assert_ok(SyncDestroy(&mutex));
}
END_TEST

START_TEST(a_robust_mutex_survives_its_owner) {
        struct _sync_attr attr = { .__protocol = PTHREAD_PRIO_NONE, .__flags = _NTO_SYNC_ROBUST };
        sync_t *mutex = memory_shared(sizeof(*mutex));
        pid_t child;

        ck_assert_ok(SyncTypeCreate(_NTO_SYNC_MUTEX_FREE, mutex, &attr));
        child = fork();
        if (child == 0)
                _exit(SyncMutexLock(mutex));
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        ck_assert_r(SyncMutexLock_r(mutex), EOWNERDEAD);
        ck_assert_ok(SyncMutexRevive(mutex));
        ck_assert_ok(SyncMutexUnlock(mutex));
        ck_assert_ok(SyncMutexLock(mutex));
        ck_assert_fails(SyncMutexRevive(mutex), EINVAL);
        ck_assert_ok(SyncMutexUnlock(mutex));
        ck_assert_ok(SyncDestroy(mutex));
}
END_TEST

START_TEST(no_event_tells_of_an_owners_death) {
        sync_t mutex = made(_NTO_SYNC_MUTEX_FREE);
        struct sigevent event;

        SIGEV_NONE_INIT(&event);
        ck_assert_r(SyncMutexEvent_r(&mutex, &event), ENOTSUP);
        ck_assert_fails(SyncCtl(_NTO_SCTL_SETEVENT, &mutex, &event), ENOTSUP);
        ck_assert_ok(SyncDestroy(&mutex));
}
END_TEST

/* ---- condition variables ---- */

typedef struct Gate {
        sync_t mutex, cond;
        int waiting, open;
} Gate;

static void *pass(void *arg) {
        Gate *gate = arg;

        ck_assert_ok(SyncMutexLock(&gate->mutex));
        gate->waiting++;
        while (!gate->open)
                ck_assert_ok(SyncCondvarWait(&gate->cond, &gate->mutex));
        ck_assert_ok(SyncMutexUnlock(&gate->mutex));
        return NULL;
}

/* With the mutex locked: both wait on the condition variable then. */
static void open_when_two_wait(Gate *gate) {
        for (;;) {
                ck_assert_ok(SyncMutexLock(&gate->mutex));
                if (gate->waiting == 2)
                        break;
                ck_assert_ok(SyncMutexUnlock(&gate->mutex));
                sched_yield();
        }
        gate->open = 1;
        ck_assert_ok(SyncCondvarSignal(&gate->cond, 1));
        ck_assert_ok(SyncMutexUnlock(&gate->mutex));
}

START_TEST(a_signal_to_all_wakes_all) {
        Gate gate = { .mutex = made(_NTO_SYNC_MUTEX_FREE), .cond = made(_NTO_SYNC_COND) };
        Thread threads[2];

        for (int i = 0; i < 2; i++)
                threads[i] = thread_start(pass, &gate);
        open_when_two_wait(&gate);
        for (int i = 0; i < 2; i++)
                thread_end(threads[i]);
        ck_assert_ok(SyncDestroy(&gate.cond));
        ck_assert_ok(SyncDestroy(&gate.mutex));
}
END_TEST

START_TEST(a_timeout_ends_the_wait_on_a_condition) {
        sync_t mutex = made(_NTO_SYNC_MUTEX_FREE), cond = made(_NTO_SYNC_COND);

        ck_assert_fails(SyncCondvarWait(&cond, &mutex), EPERM);
        ck_assert_ok(SyncMutexLock(&mutex));
        time_out(_NTO_TIMEOUT_CONDVAR);
        ck_assert_fails(SyncCondvarWait(&cond, &mutex), ETIMEDOUT);
        ck_assert_ok(SyncMutexUnlock(&mutex));
        ck_assert_ok(SyncDestroy(&cond));
        ck_assert_ok(SyncDestroy(&mutex));
}
END_TEST

/* ---- semaphores ---- */

START_TEST(a_semaphore_counts) {
        struct _sync_attr attr = { .__count = 2 };
        sync_t sem;
        int value = -1;

        ck_assert_ok(SyncTypeCreate(_NTO_SYNC_SEM, &sem, &attr));
        ck_assert_ok(SyncSemWait(&sem, 1));
        ck_assert_ok(SyncSemWait(&sem, 0));
        ck_assert_r(SyncSemWait_r(&sem, 1), EAGAIN);
        ck_assert_ok(SyncSemPost(&sem));
        ck_assert_ok(SyncCtl(_NTO_SCTL_SEM_VALUE, &sem, &value));
        ck_assert_int_eq(value, 1);
        ck_assert_ok(SyncDestroy(&sem));
}
END_TEST

START_TEST(a_semaphore_counts_between_processes) {
        sync_t *sem = memory_shared(sizeof(*sem));
        pid_t child;

        ck_assert_ok(SyncTypeCreate(_NTO_SYNC_SEM, sem, NULL));
        child = fork();
        if (child == 0)
                _exit(SyncSemPost(sem));
        ck_assert_ok(SyncSemWait(sem, 0));
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        ck_assert_ok(SyncDestroy(sem));
}
END_TEST

START_TEST(a_timeout_ends_the_wait_for_a_semaphore) {
        sync_t sem = made(_NTO_SYNC_SEM);

        time_out(_NTO_TIMEOUT_SEM);
        ck_assert_fails(SyncSemWait(&sem, 0), ETIMEDOUT);
        /* at once */
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEM, NULL, NULL, NULL));
        ck_assert_fails(SyncSemWait(&sem, 0), ETIMEDOUT);
        /* and one that is forgotten by a call in between, which would block for ever, is seen by `try` */
        time_out(_NTO_TIMEOUT_SEM);
        ck_assert_ok(SyncSemPost(&sem));
        ck_assert_ok(SyncSemWait(&sem, 0));
        ck_assert_ok(SyncDestroy(&sem));
}
END_TEST

/* ---- SyncCtl ---- */

START_TEST(control_checks_what_it_is_given) {
        sync_t mutex = made(_NTO_SYNC_MUTEX_FREE);
        int value = 0;

        ck_assert_fails(SyncCtl(0, &mutex, &value), EINVAL);
        ck_assert_fails(SyncCtl(_NTO_SCTL_GETPRIOCEILING, NULL, &value), EFAULT);
        ck_assert_fails(SyncCtl(_NTO_SCTL_GETPRIOCEILING, &mutex, NULL), EFAULT);
        ck_assert_fails(SyncCtl(_NTO_SCTL_GETPRIOCEILING, &mutex, &value), EINVAL); /* it has none */
        ck_assert_fails(SyncCtl(_NTO_SCTL_SEM_VALUE, &mutex, &value), EINVAL);
        ck_assert_fails(SyncCtl(_NTO_SCTL_MUTEX_WAKEUP, &mutex, &value), ENOTSUP);
        ck_assert_ok(SyncDestroy(&mutex));
}
END_TEST

START_TEST(a_ceiling_is_kept) {
        struct _sync_attr attr = { .__protocol = PTHREAD_PRIO_PROTECT, .__prioceiling = 12 };
        sync_t mutex;
        int value = 0;

        ck_assert_ok(SyncTypeCreate(_NTO_SYNC_MUTEX_FREE, &mutex, &attr));
        ck_assert_ok(SyncCtl(_NTO_SCTL_GETPRIOCEILING, &mutex, &value));
        ck_assert_int_eq(value, 12);
        ck_assert_ok(SyncDestroy(&mutex));
}
END_TEST

HARNESS_MAIN("sync", every_kind_is_made_and_ended, what_is_none_is_refused, one_kind_is_not_another,
             a_mutex_excludes, who_locks_twice_is_told, a_recursive_mutex_counts,
             a_timeout_ends_the_wait_for_a_mutex, a_robust_mutex_survives_its_owner,
             no_event_tells_of_an_owners_death, a_signal_to_all_wakes_all,
             a_timeout_ends_the_wait_on_a_condition, a_semaphore_counts,
             a_semaphore_counts_between_processes, a_timeout_ends_the_wait_for_a_semaphore,
             control_checks_what_it_is_given, a_ceiling_is_kept)
