/* SPDX-License-Identifier: MIT */
/*
 * Wait: calls of libc that block, and that on QNX a kernel time-out (TimerTimeout) ends.
 *
 * Each costs one look at the thread's record while none is armed. A call that did not have to block leaves
 * it armed where QNX would not have entered its kernel (a free mutex, a semaphore that was up); every
 * other one uses it up, whether it was meant for it or not.
 */
#include "posix/next.h"
#include "runtime/thread.h"
#include "runtime/timeout.h"
#include "sys/neutrino.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))
#define NS 1000000000ull

/* False: it is not for this state, or none is armed any more. */
static bool take(Timeout *timeout, uint32_t state) {
        *timeout = call_take_timeout(&thread_this);
        return timeout->flags & state;
}

static int fail(int error) {
        errno = error;
        return -1;
}

/* ---- mutex, condition variable, semaphore, join: libc waits until a point in time ---- */

static int lock_until(pthread_mutex_t *mutex, Timeout *timeout) {
        int r = pthread_mutex_clocklock(mutex, timeout->deadline.clock, &timeout->deadline.at);

        if (r != ETIMEDOUT || timeout_ends(timeout))
                return r;
        return NEXT(pthread_mutex_lock)(mutex);
}

PUBLIC int pthread_mutex_lock(pthread_mutex_t *mutex) {
        Timeout timeout;

        if (!timeout_is_armed())
                return NEXT(pthread_mutex_lock)(mutex);
        if (pthread_mutex_trylock(mutex) == 0)
                return 0;
        if (!take(&timeout, _NTO_TIMEOUT_MUTEX))
                return NEXT(pthread_mutex_lock)(mutex);
        return lock_until(mutex, &timeout);
}

/* A wake that is nobody's is as good as any other: the caller looks at its condition again. */
PUBLIC int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
        Timeout timeout;
        int r;

        if (!timeout_is_armed() || !take(&timeout, _NTO_TIMEOUT_CONDVAR))
                return NEXT(pthread_cond_wait)(condition, mutex);
        r = pthread_cond_clockwait(condition, mutex, timeout.deadline.clock, &timeout.deadline.at);
        if (r != ETIMEDOUT || timeout_ends(&timeout))
                return r;
        return 0;
}

PUBLIC int sem_wait(sem_t *semaphore) {
        Timeout timeout;

        if (!timeout_is_armed())
                return NEXT(sem_wait)(semaphore);
        if (sem_trywait(semaphore) == 0)
                return 0;
        if (!take(&timeout, _NTO_TIMEOUT_SEM))
                return NEXT(sem_wait)(semaphore);
        if (sem_clockwait(semaphore, timeout.deadline.clock, &timeout.deadline.at) == 0)
                return 0;
        if (errno != ETIMEDOUT || timeout_ends(&timeout))
                return -1;
        return NEXT(sem_wait)(semaphore);
}

PUBLIC int pthread_join(pthread_t thread, void **value) {
        Timeout timeout;
        int r;

        if (!timeout_is_armed() || !take(&timeout, _NTO_TIMEOUT_JOIN))
                return NEXT(pthread_join)(thread, value);
        r = pthread_clockjoin_np(thread, value, timeout.deadline.clock, &timeout.deadline.at);
        if (r != ETIMEDOUT || timeout_ends(&timeout))
                return r;
        return NEXT(pthread_join)(thread, value);
}

/* ---- sleeping ---- */

static uint64_t ns_of(const struct timespec *t) {
        return (uint64_t)t->tv_sec * NS + (uint64_t)t->tv_nsec;
}

static struct timespec timespec_of(uint64_t ns) {
        return (struct timespec){ .tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS) };
}

static bool is_time(const struct timespec *t) {
        return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < (long)NS;
}

/* When a sleep is over by itself. */
static Deadline end_of_sleep(clockid_t clock, int flags, const struct timespec *wanted) {
        struct timespec now;

        if (flags & TIMER_ABSTIME)
                return (Deadline){ .set = true, .clock = clock, .at = *wanted };
        clock_gettime(CLOCK_MONOTONIC, &now);
        return deadline_at_ns(ns_of(&now) + ns_of(wanted));
}

static void tell_left(uint64_t ns) {
        if (thread_this.timeout_left_ns)
                *thread_this.timeout_left_ns = ns;
        if (thread_this.timeout_left)
                *thread_this.timeout_left = timespec_of(ns);
}

/* The time-out comes first: 0 or EINTR when the sleep ended otherwise, ETIMEDOUT; @left is what was not slept. */
static int sleep_cut(const Deadline *end, Timeout *timeout, struct timespec *left) {
        int r = NEXT(clock_nanosleep)(timeout->deadline.clock, TIMER_ABSTIME, &timeout->deadline.at, NULL);
        uint64_t remaining;

        if (r == 0 && !timeout_ends(timeout))
                r = NEXT(clock_nanosleep)(end->clock, TIMER_ABSTIME, &end->at, NULL);
        else if (r == 0)
                r = ETIMEDOUT;
        remaining = deadline_left(end);
        if (r != 0 && left)
                *left = timespec_of(remaining);
        if (r == ETIMEDOUT)
                tell_left(remaining);
        return r;
}

PUBLIC int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted,
                           struct timespec *left) {
        Timeout timeout;
        Deadline end;

        if (!timeout_is_armed() || !take(&timeout, _NTO_TIMEOUT_NANOSLEEP) || !is_time(wanted))
                return NEXT(clock_nanosleep)(clock, flags, wanted, left);
        end = end_of_sleep(clock, flags, wanted);
        if (deadline_left(&end) < deadline_left(&timeout.deadline))
                return NEXT(clock_nanosleep)(clock, flags, wanted, left);
        return sleep_cut(&end, &timeout, flags & TIMER_ABSTIME ? NULL : left);
}

PUBLIC int nanosleep(const struct timespec *wanted, struct timespec *left) {
        int r;

        if (!timeout_is_armed())
                return NEXT(nanosleep)(wanted, left);
        r = clock_nanosleep(CLOCK_REALTIME, 0, wanted, left);
        return r == 0 ? 0 : fail(r);
}

PUBLIC int usleep(useconds_t us) {
        struct timespec wanted = timespec_of((uint64_t)us * 1000);

        return timeout_is_armed() ? nanosleep(&wanted, NULL) : NEXT(usleep)(us);
}

PUBLIC unsigned sleep(unsigned seconds) {
        struct timespec wanted = { .tv_sec = seconds }, left = { 0 };

        if (!timeout_is_armed())
                return NEXT(sleep)(seconds);
        return nanosleep(&wanted, &left) == 0 ? 0 : (unsigned)left.tv_sec + (left.tv_nsec > 0);
}

/* ---- signals ---- */

PUBLIC int sigwaitinfo(const sigset_t *set, siginfo_t *info) {
        struct timespec left;
        Timeout timeout;
        int r;

        if (!timeout_is_armed() || !take(&timeout, _NTO_TIMEOUT_SIGWAITINFO))
                return NEXT(sigwaitinfo)(set, info);
        left = timespec_of(deadline_left(&timeout.deadline));
        r = sigtimedwait(set, info, &left);
        if (r >= 0 || errno != EAGAIN)
                return r;
        return timeout_ends(&timeout) ? fail(ETIMEDOUT) : NEXT(sigwaitinfo)(set, info);
}

PUBLIC int sigwait(const sigset_t *set, int *signo) {
        int r;

        if (!timeout_is_armed())
                return NEXT(sigwait)(set, signo);
        do
                r = sigwaitinfo(set, NULL);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return errno;
        *signo = r;
        return 0;
}

/* ppoll() waits for a handler with another mask as sigsuspend() does, and has an end. */
PUBLIC int sigsuspend(const sigset_t *mask) {
        struct timespec left;
        Timeout timeout;

        if (!timeout_is_armed() || !take(&timeout, _NTO_TIMEOUT_SIGSUSPEND))
                return NEXT(sigsuspend)(mask);
        left = timespec_of(deadline_left(&timeout.deadline));
        if (ppoll(NULL, 0, &left, mask) < 0)
                return -1;
        return timeout_ends(&timeout) ? fail(ETIMEDOUT) : NEXT(sigsuspend)(mask);
}
