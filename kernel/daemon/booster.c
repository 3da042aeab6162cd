/* SPDX-License-Identifier: MIT */
#include "daemon/booster.h"

#include "abi/priority.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/schedule.h"
#include "daemon/priority.h"
#include "daemon/process.h"
#include "shm/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 16
#define WINDOW_MS      100
#define WINDOW_NS      (WINDOW_MS * 1000000ull)
#define STOP           UINT64_MAX
#define BUDGET         2000u /* of boosts in a window */
#define REFUSAL_COSTS  100u

struct Booster {
        Kernel *kernel;
        int epoll;
        int stop; /* readable = the thread shall end */
        bool is_running;
        pthread_t thread;
        pthread_mutex_t mutex;
        uint64_t window; /* of time, since the machine began */
        List resting; /* Process.boost_rest: nobody listens to them for now */
};

DEFINE_CLEANUP(Booster *, booster_free)

/* ---- whom it listens to ---- */

static void listen_to(Booster *booster, Process *process) {
        struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint32_t)process->record->pid };

        process->is_heard = epoll_ctl(booster->epoll, EPOLL_CTL_ADD, process->news_fd, &event) == 0;
}

static void listen_no_more(Booster *booster, Process *process) {
        if (process->is_heard)
                (void)epoll_ctl(booster->epoll, EPOLL_CTL_DEL, process->news_fd, NULL);
        process->is_heard = false;
}

void booster_listen(Process *process) {
        list_init(&process->boost_rest);
        if (process->kernel->booster)
                listen_to(process->kernel->booster, process);
}

void booster_forget(Process *process) {
        if (process->kernel->booster)
                listen_no_more(process->kernel->booster, process);
        list_unlink(&process->boost_rest);
}

static void rest(Booster *booster, Process *process) {
        log_debug("event=boosts-resting pid=%d", process->record->pid);
        listen_no_more(booster, process);
        list_append(&booster->resting, &process->boost_rest);
}

static void end_rests(Booster *booster) {
        Process *process;

        LIST_FOREACH(process, &booster->resting, Process, boost_rest) {
                list_unlink(&process->boost_rest);
                listen_to(booster, process);
        }
}

/* ---- one boost ---- */

static void charge(Booster *booster, Process *process, unsigned cost) {
        if (process->boost_window != booster->window)
                process->boost_cost = 0;
        process->boost_window = booster->window;
        process->boost_cost += cost;
        if (process->boost_cost > BUDGET)
                rest(booster, process);
}

/* The end of the socket is the main loop's to notice, at its own priority. */
static void hear(Booster *booster, Process *process) {
        WireBoost boost;
        ssize_t n = recv(process->news_fd, &boost, sizeof(boost), MSG_DONTWAIT | MSG_TRUNC);
        bool is_fine;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                listen_no_more(booster, process);
                return;
        }
        is_fine = n == sizeof(boost) && priority_boost(process, &boost) == 0;
        charge(booster, process, is_fine ? 1 : REFUSAL_COSTS);
}

/* Who was named before the lock was there may have gone, or be another one, who has said nothing. */
static bool hear_all(Booster *booster, const struct epoll_event *events, int n) {
        for (int i = 0; i < n; i++) {
                Process *process;

                if (events[i].data.u64 == STOP)
                        return false;
                process = map_get(&booster->kernel->by_pid, (uint32_t)events[i].data.u64);
                if (process && process->is_heard)
                        hear(booster, process);
        }
        return true;
}

/* ---- the thread ---- */

static void lock(Booster *booster) {
        pthread_mutex_lock(&booster->mutex);
}

static void unlock(Booster *booster) {
        pthread_mutex_unlock(&booster->mutex);
}

/* False: to stop. @ret_rests: somebody is to be listened to again in a while. */
static bool turn(Booster *booster, const struct epoll_event *events, int n, bool *ret_rests) {
        uint64_t window = clock_now() / WINDOW_NS;
        bool goes_on;

        lock(booster);
        if (window != booster->window)
                end_rests(booster);
        booster->window = window;
        goes_on = hear_all(booster, events, n);
        *ret_rests = !list_is_empty(&booster->resting);
        unlock(booster);
        return goes_on;
}

static void *run(void *argument) {
        Booster *booster = argument;
        bool somebody_rests = false, goes_on = true;

        while (goes_on) {
                struct epoll_event events[EVENTS_AT_ONCE];
                int n = epoll_wait(booster->epoll, events, EVENTS_AT_ONCE, somebody_rests ? WINDOW_MS : -1);

                if (n >= 0)
                        goes_on = turn(booster, events, n, &somebody_rests);
        }
        return NULL;
}

static void loop_release(struct ev_loop *loop) {
        unlock(ev_userdata(loop));
}

static void loop_acquire(struct ev_loop *loop) {
        lock(ev_userdata(loop));
}

/* What a daemon without the capability may have. */
static int own_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_RTPRIO, &limit) < 0 || limit.rlim_cur > PRIORITY_LINUX)
                return PRIORITY_LINUX;
        return (int)limit.rlim_cur;
}

static int make_thread(Booster *booster, int priority) {
        const struct sched_param highest = { .sched_priority = priority };
        pthread_attr_t attributes;
        int r;

        pthread_attr_init(&attributes);
        pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
        pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
        pthread_attr_setschedparam(&attributes, &highest);
        r = pthread_create(&booster->thread, &attributes, run, booster);
        pthread_attr_destroy(&attributes);
        return -r;
}

/* Processes that are older than the booster: a daemon before this one served them. */
static void listen_to_all(Booster *booster) {
        Process *process;

        LIST_FOREACH(process, &booster->kernel->processes, Process, all)
                if (!process->is_heard)
                        listen_to(booster, process);
}

/* Signals are the loop's. */
void booster_start(Booster *booster) {
        sigset_t all, old;
        int r;

        listen_to_all(booster);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = make_thread(booster, PRIORITY_LINUX);
        if (r == -EPERM && own_limit() > 0)
                r = make_thread(booster, own_limit());
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r) {
                log_info("event=no-booster why=%s", strerrorname_np(-r));
                return;
        }
        booster->is_running = true;
        lock(booster);
        ev_set_userdata(booster->kernel->loop, booster);
        ev_set_loop_release_cb(booster->kernel->loop, loop_release, loop_acquire);
}

void booster_stop(Booster *booster) {
        if (!booster->is_running)
                return;
        ev_set_loop_release_cb(booster->kernel->loop, NULL, NULL);
        unlock(booster);
        (void)eventfd_write(booster->stop, 1);
        pthread_join(booster->thread, NULL);
        booster->is_running = false;
}

/* ---- life ---- */

int booster_new(Kernel *kernel, Booster **ret_booster) {
        _cleanup_(booster_freep) Booster *booster = calloc(1, sizeof(*booster));
        struct epoll_event event = { .events = EPOLLIN, .data.u64 = STOP };
        pthread_mutexattr_t inherit;

        if (!booster)
                return error_fold(-ENOMEM);
        booster->kernel = kernel;
        booster->epoll = booster->stop = -1;
        list_init(&booster->resting);
        pthread_mutexattr_init(&inherit);
        pthread_mutexattr_setprotocol(&inherit, PTHREAD_PRIO_INHERIT);
        pthread_mutex_init(&booster->mutex, &inherit);
        pthread_mutexattr_destroy(&inherit);
        booster->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        booster->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (booster->stop < 0 || booster->epoll < 0)
                return error_fold(-errno);
        if (epoll_ctl(booster->epoll, EPOLL_CTL_ADD, booster->stop, &event) < 0)
                return error_fold(-errno);
        *ret_booster = TAKE(booster);
        return 0;
}

Booster *booster_free(Booster *booster) {
        if (!booster)
                return NULL;
        booster_stop(booster);
        fd_close(booster->epoll);
        fd_close(booster->stop);
        pthread_mutex_destroy(&booster->mutex);
        free(booster);
        return NULL;
}
