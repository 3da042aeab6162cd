/* SPDX-License-Identifier: MIT */
#include "neutrino/timeout.h"

#include "neutrino/result.h"
#include "runtime/event.h"
#include "sys/neutrino.h"

#include <time.h>

#define NS 1000000000ull
#define FLAGS_KNOWN                                                                                \
        (_NTO_TIMEOUT_MASK | _NTO_TIMEOUT_ACTIVE | _NTO_TIMEOUT_IMMEDIATE | TIMER_ABSTIME)

/* A point so far away that it does not fit is the last one that does. */
static struct timespec timespec_add(struct timespec at, uint64_t ns) {
        uint64_t sum = (uint64_t)at.tv_nsec + ns % NS;
        uint64_t seconds = ns / NS + sum / NS;

        at.tv_nsec = (long)(sum % NS);
        at.tv_sec += (time_t)seconds;
        return at;
}

static Deadline deadline_at(clockid_t clock, uint64_t ns, bool absolute) {
        Deadline deadline = { .set = true, .clock = clock };

        if (!absolute) { /* whatever becomes of the clock meanwhile */
                deadline.clock = CLOCK_MONOTONIC;
                clock_gettime(CLOCK_MONOTONIC, &deadline.at);
        }
        deadline.at = timespec_add(deadline.at, ns);
        return deadline;
}

Deadline timeout_after(uint64_t ns) {
        return deadline_at(CLOCK_MONOTONIC, ns, false);
}

static bool event_unblocks(const struct sigevent *event) {
        return !event || SIGEV_GET_TYPE(event) == SIGEV_UNBLOCK;
}

static int arm(clockid_t id, int flags, const struct sigevent *event, const uint64_t *timeout) {
        Thread *thread = &thread_this;

        if (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC)
                return EINVAL;
        if (flags & ~FLAGS_KNOWN)
                return EINVAL;
        if (event && event_check(event) < 0)
                return EINVAL;
        if (!thread->registered)
                thread_register();
        if (event)
                thread->timeout_event = *event;
        thread->timeout_left_ns = NULL;
        thread->timeout_left = NULL;
        thread->timeout = (Timeout){
                .flags = (uint32_t)flags & _NTO_TIMEOUT_MASK & ~TIMER_ABSTIME,
                .delivers = !event_unblocks(event),
                .immediate = !timeout || (flags & _NTO_TIMEOUT_IMMEDIATE) ||
                             (*timeout == 0 && !(flags & TIMER_ABSTIME)),
                .deadline = deadline_at(id, timeout ? *timeout : 0, timeout && (flags & TIMER_ABSTIME)),
        };
        return EOK;
}

int TimerTimeout_r(clockid_t id, int flags, const struct sigevent *event, const uint64_t *timeout,
                   uint64_t *remaining) {
        int r = arm(id, flags, event, timeout);

        if (remaining)
                *remaining = 0;
        thread_this.timeout_left_ns = remaining;
        return r;
}

int TimerTimeout(clockid_t id, int flags, const struct sigevent *event, const uint64_t *timeout,
                 uint64_t *remaining) {
        return plain_status(TimerTimeout_r(id, flags, event, timeout, remaining));
}

static bool is_time(const struct timespec *t) {
        return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < (long)NS;
}

int timer_timeout_r(clockid_t id, int flags, const struct sigevent *event,
                    const struct timespec *timeout, struct timespec *remaining) {
        uint64_t ns = 0;
        int r;

        if (remaining)
                *remaining = (struct timespec){ 0 };
        if (timeout && !is_time(timeout))
                return EINVAL;
        if (timeout)
                ns = (uint64_t)timeout->tv_sec * NS + (uint64_t)timeout->tv_nsec;
        r = arm(id, flags, event, timeout ? &ns : NULL);
        thread_this.timeout_left = remaining;
        return r;
}

int timer_timeout(clockid_t id, int flags, const struct sigevent *event,
                  const struct timespec *timeout, struct timespec *remaining) {
        return plain_status(timer_timeout_r(id, flags, event, timeout, remaining));
}
