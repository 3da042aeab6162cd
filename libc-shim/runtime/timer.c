/* SPDX-License-Identifier: MIT */
#include "runtime/timer.h"

#include "runtime/connection.h"
#include "runtime/event.h"
#include "runtime/helper.h"
#include "runtime/priority.h"
#include "runtime/session.h"
#include "runtime/thread.h"
#include "shm/clock.h"
#include "sys/neutrino.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NS          1000000000ull
#define TIMERS_MAX  65536
#define PULSES_OF_ONE_TIMER 1024u
#define FAR_FUTURE  (UINT64_MAX / 4)
#define NO_KERNEL_TIMER (-1)

typedef enum TimerWay { TIMER_CHANNEL, TIMER_KERNEL, TIMER_HELPER } TimerWay;

struct Timer {
        int id;
        uint32_t generation; /* ids come again, keys (id and generation) do not */
        clockid_t clock;
        struct sigevent event;
        uint32_t tid;     /* who created it: SIGNAL_THREAD, INTR and UNBLOCK mean him */
        uint8_t priority; /* of its pulses */
        TimerWay way;     /* as it is armed now, or would be */
        bool armed;       /* CHANNEL: in its channel's list */
        bool is_default;  /* the program gave no event */
        bool absolute;
        bool expired;
        TimerTimes set;
        uint32_t overruns;
        /* CHANNEL */
        int chid;            /* of our own, or -1 */
        uint32_t connection; /* that the event names: its pulses end with it */
        int32_t scoid;
        uint64_t next_ns;    /* CLOCK_MONOTONIC */
        Timer *next;         /* in the channel's list, by next_ns */
        /* KERNEL, HELPER */
        int kernel;
};

static Timer *timers[TIMERS_MAX]; /* by id; [0] is never used. The pages are touched as they are needed */
static int n_timers;              /* ids below are or were used */
static uint32_t last_generation;

/* ---- the kernel's timers: glibc's struct sigevent is not the one of this program ---- */

typedef struct KernelEvent {
        uint64_t value;
        int signo;
        int notify;
        int tid;
        int pad[11];
} KernelEvent;
enum { KERNEL_SIGNAL = 0, KERNEL_NONE = 1, KERNEL_THREAD_ID = 4 };

typedef struct KernelTimes {
        struct timespec interval;
        struct timespec first;
} KernelTimes;

static struct timespec timespec_of(uint64_t ns) {
        return (struct timespec){ .tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS) };
}

static uint64_t ns_of(const struct timespec *t) {
        return (uint64_t)t->tv_sec * NS + (uint64_t)t->tv_nsec;
}

static uint64_t key_of(const Timer *timer) {
        return (uint64_t)timer->generation << 32 | (uint32_t)timer->id;
}

static int kernel_create(Timer *timer, KernelEvent *event) {
        if (timer->kernel != NO_KERNEL_TIMER)
                return 0;
        return syscall(SYS_timer_create, timer->clock, event, &timer->kernel) < 0 ? -errno : 0;
}

/* Made when it is first armed, not before: a timer may turn out never to need it. */
static int kernel_create_for_helper(Timer *timer) {
        int tid = helper_start();

        if (tid < 0)
                return tid;
        return kernel_create(timer, &(KernelEvent){ .value = key_of(timer), .signo = HELPER_SIGNAL,
                                                    .notify = KERNEL_THREAD_ID, .tid = tid });
}

static int kernel_create_alone(Timer *timer) {
        bool is_signal = SIGEV_GET_TYPE(&timer->event) == SIGEV_SIGNAL;

        return kernel_create(timer, &(KernelEvent){
                .value = (uint64_t)timer->event.sigev_value.sival_long,
                .signo = is_signal ? timer->event.sigev_signo : 0,
                .notify = is_signal ? KERNEL_SIGNAL : KERNEL_NONE,
        });
}

static int kernel_set(const Timer *timer, const TimerTimes *times, bool absolute) {
        KernelTimes wanted = {
                .interval = timespec_of(times->interval),
                .first = timespec_of(times->first),
        };

        if (timer->kernel == NO_KERNEL_TIMER)
                return 0;
        return syscall(SYS_timer_settime, timer->kernel, absolute ? TIMER_ABSTIME : 0, &wanted, NULL) < 0
                       ? -errno : 0;
}

static TimerTimes kernel_left(const Timer *timer) {
        KernelTimes left = { .first = { 0 } };

        if (timer->kernel != NO_KERNEL_TIMER)
                syscall(SYS_timer_gettime, timer->kernel, &left);
        return (TimerTimes){ .first = ns_of(&left.first), .interval = ns_of(&left.interval) };
}

static void kernel_delete(Timer *timer) {
        if (timer->kernel != NO_KERNEL_TIMER)
                syscall(SYS_timer_delete, timer->kernel);
        timer->kernel = NO_KERNEL_TIMER;
}

/* ---- timers of a channel ---- */

static void enlist_locked(Channel *channel, Timer *timer) {
        Timer **at = &channel->timers;

        while (*at && (*at)->next_ns <= timer->next_ns)
                at = &(*at)->next;
        timer->next = *at;
        *at = timer;
        timer->armed = true;
}

static void delist_locked(Timer *timer) {
        Channel *channel = timer->armed ? channel_find_locked(timer->chid) : NULL;

        timer->armed = false;
        for (Timer **at = channel ? &channel->timers : NULL; at && *at; at = &(*at)->next)
                if (*at == timer) {
                        *at = timer->next;
                        return;
                }
}

/* Only a long backlog is counted: until then there is room for certain. */
static unsigned room_for_pulses(const Channel *channel, const Timer *timer) {
        unsigned n = 0;

        if (channel->queue.n_pulses < PULSES_OF_ONE_TIMER)
                return PULSES_OF_ONE_TIMER - (unsigned)channel->queue.n_pulses;
        for (const Entry *entry = channel->queue.levels[timer->priority].first; entry; entry = entry->next)
                n += entry->kind == ENTRY_PULSE && ((const Pulse *)entry)->timer == key_of(timer);
        return n < PULSES_OF_ONE_TIMER ? PULSES_OF_ONE_TIMER - n : 0;
}

static int queue_pulse_locked(Channel *channel, const Timer *timer) {
        Pulse *pulse = pulse_new_locked();

        if (!pulse)
                return -ENOMEM;
        pulse->entry.kind = ENTRY_PULSE;
        pulse->entry.priority = timer->priority;
        pulse->code = (int8_t)timer->event.sigev_code;
        pulse->value = (uint64_t)timer->event.sigev_value.sival_long;
        pulse->scoid = timer->scoid;
        pulse->timer = key_of(timer);
        channel_queue_pulse_locked(channel, pulse);
        return 0;
}

/* A pulse for each of the @n times; what finds no room is an overrun. */
static void queue_pulses_locked(Channel *channel, Timer *timer, uint64_t n) {
        unsigned room = room_for_pulses(channel, timer);

        timer->expired = true;
        if (!connection_is_still(timer->event.sigev_coid, timer->connection))
                return;
        for (; n > 0 && room > 0; n--, room--)
                if (queue_pulse_locked(channel, timer) < 0)
                        break;
        timer->overruns += (uint32_t)n;
}

static void run_first_locked(Channel *channel, uint64_t now) {
        Timer *timer = channel->timers;
        uint64_t interval = timer->set.interval;
        uint64_t n = interval ? (now - timer->next_ns) / interval + 1 : 1;

        channel->timers = timer->next;
        timer->armed = false;
        timer->next_ns += n * interval;
        if (interval)
                enlist_locked(channel, timer);
        queue_pulses_locked(channel, timer, n);
}

void timers_run_locked(Channel *channel) {
        uint64_t now;

        if (!channel->timers)
                return;
        now = clock_now();
        while (channel->timers && channel->timers->next_ns <= now)
                run_first_locked(channel, now);
}

uint64_t timers_next_locked(const Channel *channel) {
        return channel->timers ? channel->timers->next_ns : UINT64_MAX;
}

void timers_lose_channel_locked(Channel *channel) {
        for (Timer *timer = channel->timers; timer; timer = timer->next)
                timer->armed = false;
        channel->timers = NULL;
        for (int id = 1; id < n_timers; id++)
                if (timers[id] && timers[id]->chid == channel->chid)
                        timers[id]->chid = -1;
}

/* Those that start in the past are due now, once; what they missed before are overruns. */
static uint64_t due_at(Timer *timer, const TimerTimes *times, bool absolute) {
        uint64_t now = clock_now();
        uint64_t missed;

        if (!absolute)
                return times->first < FAR_FUTURE ? now + times->first : FAR_FUTURE;
        if (times->first >= now || !times->interval)
                return times->first < FAR_FUTURE ? times->first : FAR_FUTURE;
        missed = (now - times->first) / times->interval;
        timer->overruns = (uint32_t)missed;
        return times->first + missed * times->interval;
}

/* Receivers that sleep must learn of a nearer end. */
static void set_on_channel_locked(Timer *timer, const TimerTimes *times, bool absolute) {
        Channel *channel = channel_find_locked(timer->chid);

        if (!channel || !times->first)
                return;
        timer->next_ns = due_at(timer, times, absolute);
        enlist_locked(channel, timer);
        if (channel->timers == timer && channel->sleepers > 0)
                channel_wake_all_locked(channel);
}

/* ---- the helper's ---- */

static Timer *find_locked(int id) {
        return id > 0 && id < n_timers ? timers[id] : NULL;
}

static Timer *find_key_locked(uint64_t key) {
        Timer *timer = find_locked((int)(uint32_t)key);

        return timer && key_of(timer) == key ? timer : NULL;
}

static bool note_expiry_locked(uint64_t key, struct sigevent *ret_event, uint32_t *ret_tid) {
        Timer *timer = find_key_locked(key);

        if (!timer)
                return false;
        timer->expired = true;
        *ret_event = timer->event;
        *ret_tid = timer->tid;
        if (SIGEV_GET_TYPE(ret_event) == SIGEV_PULSE)
                ret_event->sigev_priority = timer->priority;
        return true;
}

static void note_overruns(uint64_t key, unsigned n) {
        Timer *timer;

        server_lock();
        timer = find_key_locked(key);
        if (timer)
                timer->overruns += n;
        server_unlock();
}

/* A signal or a thread stands for as many expiries as the system has joined, as POSIX has it. */
static unsigned times_of(const struct sigevent *event, unsigned n) {
        int type = SIGEV_GET_TYPE(event);

        if (type != SIGEV_PULSE && type != SIGEV_MEMORY && type != SIGEV_INTR)
                return 1;
        return n < PULSES_OF_ONE_TIMER ? n : PULSES_OF_ONE_TIMER;
}

/* How many of the @n times it was delivered. */
static unsigned deliver_times(const struct sigevent *event, uint32_t tid, unsigned n) {
        unsigned most = times_of(event, n), done = 0;

        while (done < most && event_deliver_self(event, SI_TIMER, tid) == 0)
                done++;
        return done;
}

void timer_expired(uint64_t key, unsigned missed) {
        Thread *thread = call_enter();
        struct sigevent event;
        unsigned overruns;
        uint32_t tid;
        bool known;

        server_lock();
        known = note_expiry_locked(key, &event, &tid);
        server_unlock();
        if (known) {
                overruns = missed + 1 - deliver_times(&event, tid, missed + 1);
                if (overruns > 0)
                        note_overruns(key, overruns);
        }
        call_leave(thread);
}

/* ---- life ---- */

static bool is_own_pulse(const Timer *timer) {
        return timer->chid > 0 && (timer->clock == CLOCK_MONOTONIC || timer->clock == CLOCK_REALTIME);
}

/* The kernel's own signal carries SI_TIMER and no other code. */
static TimerWay way_of(const Timer *timer, bool absolute) {
        int type = SIGEV_GET_TYPE(&timer->event);

        if (type == SIGEV_SIGNAL || type == SIGEV_NONE)
                return TIMER_KERNEL;
        if (is_own_pulse(timer) && !(absolute && timer->clock == CLOCK_REALTIME))
                return TIMER_CHANNEL;
        return TIMER_HELPER;
}

/* Where its pulses go. */
static int resolve(Timer *timer) {
        const Connection *connection = connection_find(timer->event.sigev_coid);

        if (!connection || !connection_is_live(connection))
                return -EBADF;
        if (connection->server_pid != session_pid() &&
            session_ask_able(ABILITY_TIMER, (uint64_t)connection->server_pid) == -EPERM)
                return -EPERM;
        timer->connection = connection->id;
        timer->scoid = connection->scoid;
        timer->chid = connection->server_pid == session_pid() ? connection->chid : -1;
        return 0;
}

static int enter_table_locked(Timer *timer) {
        int id = 1;

        while (id < n_timers && timers[id])
                id++;
        if (id == TIMERS_MAX)
                return -EAGAIN;
        if (id >= n_timers)
                n_timers = id + 1;
        timers[id] = timer;
        timer->id = id;
        if (timer->is_default)
                timer->event.sigev_value.sival_int = id;
        timer->generation = ++last_generation;
        return id;
}

static void leave_table_locked(Timer *timer) {
        timers[timer->id] = NULL;
        delist_locked(timer);
        kernel_delete(timer);
}

/* A clock that does not exist, or limits, show now and not when it is armed. */
static int prepare_kernel(Timer *timer) {
        if (timer->way == TIMER_KERNEL)
                return kernel_create_alone(timer);
        return timer->way == TIMER_HELPER ? kernel_create_for_helper(timer) : 0;
}

static int enter(Timer *timer) {
        int id, r;

        server_lock();
        id = enter_table_locked(timer);
        r = id < 0 ? id : prepare_kernel(timer);
        if (r < 0 && id > 0)
                leave_table_locked(timer);
        server_unlock();
        return r < 0 ? r : id;
}

int timer_new(clockid_t clock, const struct sigevent *event) {
        static const struct sigevent alarm = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
        Timer *timer = calloc(1, sizeof(*timer));
        int r = 0;

        if (!timer)
                return -EAGAIN;
        *timer = (Timer){
                .clock = clock, .event = event ? *event : alarm, .chid = -1, .kernel = NO_KERNEL_TIMER,
                .tid = thread_this.tid,
                .is_default = !event,
        };
        r = event_check(&timer->event);
        event_resolve(&timer->event);
        timer->priority = (uint8_t)event_priority(&timer->event, priority_now(&thread_this));
        if (r == 0 && SIGEV_GET_TYPE(&timer->event) == SIGEV_PULSE)
                r = resolve(timer);
        timer->way = way_of(timer, false);
        if (r == 0)
                r = enter(timer);
        if (r < 0)
                free(timer);
        return r;
}

int timer_end(int id) {
        Timer *timer;

        server_lock();
        timer = find_locked(id);
        if (timer)
                leave_table_locked(timer);
        server_unlock();
        free(timer);
        return timer ? 0 : -EINVAL;
}

/* ---- set and read ---- */

static int set_locked(Timer *timer, const TimerTimes *times, bool absolute) {
        TimerWay way = way_of(timer, absolute);
        int r = way == TIMER_HELPER ? kernel_create_for_helper(timer) : 0;

        if (r < 0)
                return r;
        delist_locked(timer);
        if (way == TIMER_CHANNEL)
                kernel_set(timer, &(TimerTimes){ 0 }, false);
        else
                r = kernel_set(timer, times, absolute);
        if (r < 0)
                return r;
        timer->way = way;
        timer->absolute = absolute;
        timer->expired = false;
        timer->overruns = 0;
        timer->set = times->first ? *times : (TimerTimes){ 0 };
        if (way == TIMER_CHANNEL)
                set_on_channel_locked(timer, times, absolute);
        return 0;
}

static TimerTimes left_locked(const Timer *timer) {
        uint64_t now;

        if (timer->way != TIMER_CHANNEL)
                return kernel_left(timer);
        if (!timer->armed)
                return (TimerTimes){ .interval = timer->set.interval };
        now = clock_now();
        return (TimerTimes){
                .first = timer->next_ns > now ? timer->next_ns - now : 1,
                .interval = timer->set.interval,
        };
}

static uint32_t overruns_locked(const Timer *timer) {
        long n = 0;

        if (timer->way == TIMER_KERNEL && timer->kernel != NO_KERNEL_TIMER)
                n = syscall(SYS_timer_getoverrun, timer->kernel);
        return timer->overruns + (n > 0 ? (uint32_t)n : 0);
}

/* A signal that the kernel sent leaves no trace but that a timer which rang once is off. */
static bool has_expired(const Timer *timer, const TimerTimes *left) {
        return timer->expired || (timer->way == TIMER_KERNEL && timer->set.first && !left->first);
}

/* Pulses that are due are queued first: what has happened must not depend on who looks. */
static void read_locked(Timer *timer, TimerState *state) {
        Channel *channel = timer->armed ? channel_find_locked(timer->chid) : NULL;

        if (channel)
                timers_run_locked(channel);
        *state = (TimerState){
                .set = timer->set,
                .left = left_locked(timer),
                .absolute = timer->absolute,
                .overruns = overruns_locked(timer),
                .tid = timer->tid,
                .clock = timer->clock,
                .event = timer->event,
        };
        state->active = state->left.first != 0;
        state->expired = has_expired(timer, &state->left);
}

int timer_set(int id, const TimerTimes *times, bool absolute, TimerState *ret_before) {
        Timer *timer;
        int r = -EINVAL;

        server_lock();
        timer = find_locked(id);
        if (timer && ret_before)
                read_locked(timer, ret_before);
        if (timer)
                r = set_locked(timer, times, absolute);
        server_unlock();
        return r;
}

int timer_read(int id, bool search, bool reset_overruns, TimerState *ret_state) {
        Timer *timer;

        if (search && id < 1)
                id = 1;
        server_lock();
        timer = find_locked(id);
        while (search && !timer && id < n_timers)
                timer = find_locked(++id);
        if (timer)
                read_locked(timer, ret_state);
        if (timer && reset_overruns)
                timer->overruns = 0;
        server_unlock();
        return timer ? id : -EINVAL;
}

void timers_after_fork(void) {
        for (int id = 1; id < n_timers; id++)
                timers[id] = NULL;
        n_timers = 0;
}
