/* SPDX-License-Identifier: MIT */
#include "daemon/watch.h"

#include "abi/ability.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdmsg.h"
#include "daemon/ability.h"
#include "daemon/process.h"
#include "daemon/request.h"
#include "daemon/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct Watch {
        Process *process;
        List link; /* Kernel.watches */
        uint32_t events;
        int fd;
};

/* ---- telling ---- */

void watch_tell(Kernel *kernel, uint32_t event, int32_t pid) {
        const WireSystemEvent record = { .event = event, .pid = pid };
        Watch *watch;

        LIST_FOREACH(watch, &kernel->watches, Watch, link)
                if (watch->events & event)
                        (void)fdmsg_send(watch->fd, &record, sizeof(record), NULL, 0, MSG_DONTWAIT);
}

void watch_tell_death(Kernel *kernel, int32_t pid, bool is_daemon) {
        watch_tell(kernel, WATCH_PROCESS_DEATH, pid);
        if (is_daemon)
                watch_tell(kernel, WATCH_DAEMON_DEATH, pid);
}

static uint32_t wanted(const Kernel *kernel) {
        uint32_t events = 0;
        Watch *watch;

        LIST_FOREACH(watch, &kernel->watches, Watch, link)
                events |= watch->events;
        return events;
}

bool watch_wants_deaths(const Kernel *kernel) {
        return wanted(kernel) & (WATCH_PROCESS_DEATH | WATCH_DAEMON_DEATH | WATCH_PROCESS_CREATE);
}

/* ---- the clock ---- */

/* A timer that never comes, but is cancelled when somebody sets the clock. */
static void clock_arm(int fd) {
        const struct itimerspec never = { .it_value.tv_sec = 1ll << 40 };

        (void)timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

static void on_clock(struct ev_loop *loop, ev_io *io, int events) {
        Kernel *kernel = io->data;
        uint64_t expired;

        (void)loop;
        (void)events;
        if (read(io->fd, &expired, sizeof(expired)) < 0 && errno == ECANCELED)
                watch_tell(kernel, WATCH_TIME_OF_DAY, 0);
        clock_arm(io->fd);
}

/* Only while somebody wants to know. */
static void clock_update(Kernel *kernel) {
        bool is_wanted = wanted(kernel) & WATCH_TIME_OF_DAY;
        int fd;

        if (is_wanted == ev_is_active(&kernel->clock))
                return;
        if (is_wanted) {
                fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
                if (fd < 0)
                        return;
                clock_arm(fd);
                ev_io_init(&kernel->clock, on_clock, fd, EV_READ);
                kernel->clock.data = kernel;
                ev_io_start(kernel->loop, &kernel->clock);
        } else {
                fd = kernel->clock.fd;
                ev_io_stop(kernel->loop, &kernel->clock);
                fd_close(fd);
        }
}

/* ---- life ---- */

static int watch_new(Process *process, Watch **ret_watch, int *ret_peer) {
        int ends[2];
        Watch *watch;
        int r;

        r = process_charge_fds(process, 1);
        if (r)
                return r;
        watch = malloc(sizeof(*watch));
        if (!watch || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
                free(watch);
                process_discharge_fds(process, 1);
                return error_fold(-ENOMEM);
        }
        *watch = (Watch){ .process = process, .fd = ends[0] };
        list_append(&process->kernel->watches, &watch->link);
        *ret_watch = watch;
        *ret_peer = ends[1];
        return 0;
}

Watch *watch_free(Watch *watch) {
        Kernel *kernel;

        if (!watch)
                return NULL;
        kernel = watch->process->kernel;
        list_unlink(&watch->link);
        fd_close(watch->fd);
        process_discharge_fds(watch->process, 1);
        free(watch);
        clock_update(kernel);
        return NULL;
}

/* ---- requests ---- */

/* The events of the process from now on; 0 ends it. The socket comes with the first that are not 0. */
int request_event_watch(Session *session, Request *request, Answer *answer) {
        Process *process = session->process;
        uint32_t events = request->wire.event_watch.events;
        int peer = -1, r;

        if (events && !ability_is_allowed(process, ABILITY_EVENT))
                return -EPERM;
        if (request->wire.event_watch.fresh)
                process->watch = watch_free(process->watch);
        if (events && !process->watch) {
                r = watch_new(process, &process->watch, &peer);
                if (r)
                        return r;
                answer_fd_owned(answer, WIRE_FD_EVENTS, peer, STORED_N, 0);
        }
        if (!events)
                process->watch = watch_free(process->watch);
        else
                process->watch->events = events;
        clock_update(session->kernel);
        return 0;
}

/* Deaths and births cannot be made up by anybody. */
int request_event_trigger(Session *session, Request *request, Answer *answer) {
        uint32_t events = request->wire.event_trigger.events;

        (void)answer;
        if (events & (WATCH_PROCESS_DEATH | WATCH_PROCESS_CREATE | WATCH_DAEMON_DEATH))
                return -EINVAL;
        if (!ability_is_allowed(session->process, ABILITY_EVENT) ||
            !kernel_is_trusted(session->kernel, session->uid))
                return -EPERM;
        for (uint32_t bit = 1; bit; bit <<= 1)
                if (events & bit)
                        watch_tell(session->kernel, bit, session->process->record->pid);
        return 0;
}

/* procmgr_daemon(): its death is one of a daemon. */
int request_daemon(Session *session, Request *request, Answer *answer) {
        (void)request;
        (void)answer;
        session->process->record->is_daemon = 1;
        return 0;
}
