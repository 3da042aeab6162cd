/* SPDX-License-Identifier: MIT */
/*
 * Timer: the Timer* calls.
 */
#include "runtime/timer.h"

#include "neutrino/result.h"
#include "runtime/thread.h"
#include "sys/neutrino.h"

#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

#define NS_OF_US 1000u
#define NS_OF_S  1000000000u

static Thread *enter(void) {
        Thread *thread = call_enter();

        call_take_timeout(thread);
        return thread;
}

int TimerCreate_r(clockid_t id, const struct sigevent *event) {
        Thread *thread = enter();
        int r = timer_new(id, event);

        call_leave(thread);
        return r;
}

int TimerCreate(clockid_t id, const struct sigevent *event) {
        return (int)plain_value(TimerCreate_r(id, event));
}

int TimerDestroy_r(timer_t id) {
        Thread *thread = enter();
        int r = timer_end(id);

        call_leave(thread);
        return positive(r);
}

int TimerDestroy(timer_t id) {
        return plain_status(TimerDestroy_r(id));
}

/* ---- set, read ---- */

static struct _itimer itimer_of(const TimerTimes *times) {
        return (struct _itimer){ .nsec = times->first, .interval_nsec = times->interval };
}

/* How late it may be is never more than nothing. */
static int set_tolerance(timer_t id, struct _itimer *oitime) {
        TimerState state;
        int r = timer_read(id, false, false, &state);

        if (r < 0)
                return r;
        if (oitime)
                *oitime = (struct _itimer){ .nsec = 0 };
        return 0;
}

static int set(timer_t id, int flags, const struct _itimer *itime, struct _itimer *oitime) {
        TimerState before;
        int r;

        if (!itime || (flags & ~(TIMER_ABSTIME | TIMER_TOLERANCE)))
                return -EINVAL;
        if (flags & TIMER_TOLERANCE)
                return set_tolerance(id, oitime);
        r = timer_set(id, &(TimerTimes){ .first = itime->nsec, .interval = itime->interval_nsec },
                      flags & TIMER_ABSTIME, oitime ? &before : NULL);
        if (r == 0 && oitime)
                *oitime = itimer_of(&before.left);
        return r;
}

int TimerSettime_r(timer_t id, int flags, const struct _itimer *itime, struct _itimer *oitime) {
        Thread *thread = enter();
        int r = set(id, flags, itime, oitime);

        call_leave(thread);
        return positive(r);
}

int TimerSettime(timer_t id, int flags, const struct _itimer *itime, struct _itimer *oitime) {
        return plain_status(TimerSettime_r(id, flags, itime, oitime));
}

static uint32_t info_flags(const TimerState *state) {
        int type = SIGEV_GET_TYPE(&state->event);
        uint32_t flags = _NTO_TI_HIGH_RESOLUTION;

        if (state->active)
                flags |= _NTO_TI_ACTIVE;
        if (state->absolute)
                flags |= _NTO_TI_ABSOLUTE;
        if (state->expired)
                flags |= _NTO_TI_EXPIRED;
        if (state->clock == CLOCK_REALTIME)
                flags |= _NTO_TI_TOD_BASED;
        if (type != SIGEV_SIGNAL_THREAD && type != SIGEV_INTR && type != SIGEV_UNBLOCK)
                flags |= _NTO_TI_TARGET_PROCESS;
        return flags;
}

/* Another process's timers are its own business. */
static int check_pid(pid_t pid) {
        if (pid == 0 || pid == getpid())
                return 0;
        return kill(pid, 0) < 0 && errno == ESRCH ? -ESRCH : -EPERM;
}

static int info(pid_t pid, timer_t id, int flags, struct _timer_info *ret_info) {
        TimerState state;
        int r = check_pid(pid);

        if (r < 0 || !ret_info)
                return r < 0 ? r : -EFAULT;
        r = timer_read(id, flags & _NTO_TIMER_SEARCH, flags & _NTO_TIMER_RESET_OVERRUNS, &state);
        if (r < 0)
                return r;
        *ret_info = (struct _timer_info){
                .itime = itimer_of(&state.set),
                .otime = itimer_of(&state.left),
                .flags = info_flags(&state),
                .tid = (int32_t)state.tid,
                .notify = SIGEV_GET_TYPE(&state.event),
                .clockid = state.clock,
                .overruns = state.overruns,
                .event = state.event,
        };
        return r;
}

int TimerInfo_r(pid_t pid, timer_t id, int flags, struct _timer_info *ret_info) {
        Thread *thread = enter();
        int r = info(pid, id, flags, ret_info);

        call_leave(thread);
        return r;
}

int TimerInfo(pid_t pid, timer_t id, int flags, struct _timer_info *ret_info) {
        return (int)plain_value(TimerInfo_r(pid, id, flags, ret_info));
}

/* ---- TimerAlarm ---- */

static struct timeval timeval_of(uint64_t ns) {
        uint64_t us = ns / NS_OF_US + (ns % NS_OF_US != 0);

        return (struct timeval){ .tv_sec = (time_t)(us / 1000000u), .tv_usec = (suseconds_t)(us % 1000000u) };
}

static uint64_t ns_of(const struct timeval *t) {
        return (uint64_t)t->tv_sec * NS_OF_S + (uint64_t)t->tv_usec * NS_OF_US;
}

static int set_alarm(clockid_t id, const struct _itimer *itime, struct _itimer *otime) {
        struct itimerval before, wanted = { 0 };

        if (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC)
                return EINVAL;
        if (itime) {
                wanted.it_value = timeval_of(itime->nsec);
                wanted.it_interval = timeval_of(itime->interval_nsec);
        }
        if ((itime ? setitimer(ITIMER_REAL, &wanted, &before) : getitimer(ITIMER_REAL, &before)) < 0)
                return errno;
        if (otime)
                *otime = (struct _itimer){ ns_of(&before.it_value), ns_of(&before.it_interval) };
        return EOK;
}

int TimerAlarm_r(clockid_t id, const struct _itimer *itime, struct _itimer *otime) {
        Thread *thread = enter();
        int r = set_alarm(id, itime, otime);

        call_leave(thread);
        return r;
}

int TimerAlarm(clockid_t id, const struct _itimer *itime, struct _itimer *otime) {
        return plain_status(TimerAlarm_r(id, itime, otime));
}
