/* SPDX-License-Identifier: MIT */
/*
 * Procevent: procmgr_event_notify().
 *
 * The daemon knows which kinds of event the process wants to hear of, and sends each through a socket of their
 * own; a thread of the library reads it and delivers what the program asked for. When the daemon dies the
 * socket hangs up, and the thread asks the next one again.
 */
#include "base/fdmsg.h"
#include "neutrino/limit.h"
#include "neutrino/result.h"
#include "runtime/event.h"
#include "runtime/session.h"
#include "sys/procmgr.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#define EVENTS_KNOWN                                                                               \
        (PROCMGR_EVENT_SYNC | PROCMGR_EVENT_PATHSPACE | PROCMGR_EVENT_TOD | PROCMGR_EVENT_SYSCONF |    \
         PROCMGR_EVENT_CONFSTR | PROCMGR_EVENT_DAEMON_DEATH | PROCMGR_EVENT_CONTIG_ALLOC_FAIL |        \
         PROCMGR_EVENT_PROCESS_DEATH | PROCMGR_EVENT_APS_BANKRUPTCY | PROCMGR_EVENT_PROCESS_CREATE)

typedef int (*CreateCall)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef struct Interest Interest;

/* One request of the program's; id 0 is procmgr_event_notify()'s. */
struct Interest {
        Interest *next;
        int id;
        unsigned events;
        struct sigevent event;
        uint32_t tid; /* who asked */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Interest *interests;
static int last_id;
static bool is_running;   /* the thread */
static int served_fd = -1; /* what it reads */
static int next_fd = -1;   /* what it is to read when that hangs up */

/* ---- interests ---- */

static Interest **interest_find_locked(int id) {
        Interest **at = &interests;

        while (*at && (*at)->id != id)
                at = &(*at)->next;
        return at;
}

static bool interest_drop_locked(int id) {
        Interest **at = interest_find_locked(id);
        Interest *interest = *at;

        if (!interest)
                return false;
        *at = interest->next;
        free(interest);
        return true;
}

static unsigned wanted_locked(void) {
        unsigned events = 0;

        for (Interest *interest = interests; interest; interest = interest->next)
                events |= interest->events;
        return events;
}

/* ---- the daemon ---- */

/* @ret_fd: the socket when it came along, else -1. */
static int watch_locked(unsigned events, bool fresh, int *ret_fd) {
        WireRequest request = { .op = WIRE_EVENT_WATCH, .event_watch = { events, fresh } };
        int fds[SESSION_FDS];
        WireReply reply;
        int r = session_ask(&request, -1, &reply, fds);

        *ret_fd = !r && reply.fds & WIRE_FD_EVENTS ? fds[0] : -1;
        return r;
}

/* ---- the thread ---- */

static void deliver_one(const Interest *interest, int32_t pid) {
        struct sigevent event = interest->event;

        if (event.sigev_notify & SIGEV_FLAG_UPDATEABLE)
                event.sigev_value.sival_long = pid;
        (void)event_deliver_self(&event, SI_QUEUE, interest->tid);
}

static void deliver(const WireSystemEvent *record) {
        Thread *thread = call_enter();

        pthread_mutex_lock(&mutex);
        for (Interest *interest = interests; interest; interest = interest->next)
                if (interest->events & record->event)
                        deliver_one(interest, record->pid);
        pthread_mutex_unlock(&mutex);
        call_leave(thread);
}

static void put_next_locked(int fd) {
        if (next_fd >= 0)
                session_close(next_fd);
        next_fd = fd < 0 ? -1 : session_move_fd(fd);
}

/* False when there is nothing more to wait for: nobody is interested, or there is no daemon. */
static bool begin_next(void) {
        Thread *thread = call_enter();
        int fd = -1;

        pthread_mutex_lock(&mutex);
        if (served_fd >= 0)
                session_close(served_fd);
        if (next_fd < 0 && wanted_locked() && watch_locked(wanted_locked(), true, &fd) == 0)
                put_next_locked(fd);
        served_fd = next_fd;
        next_fd = -1;
        is_running = served_fd >= 0;
        pthread_mutex_unlock(&mutex);
        call_leave(thread);
        return is_running;
}

static void *serve(void *unused) {
        WireSystemEvent record;
        size_t n_fds;
        ssize_t n;

        thread_register_library();
        while (begin_next())
                do {
                        n = fdmsg_receive(served_fd, &record, sizeof(record), NULL, 0, &n_fds, 0);
                        if (n == (ssize_t)sizeof(record))
                                deliver(&record);
                } while (n == (ssize_t)sizeof(record) || n == -EINTR);
        return NULL;
}

/* libc's own, so that it is no thread of the program. It takes no signal of the program's. */
static int start_locked(void) {
        CreateCall call = (CreateCall)dlsym(RTLD_NEXT, "pthread_create");
        pthread_attr_t attributes;
        sigset_t set, old;
        pthread_t id;
        int r;

        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        sigfillset(&set);
        sigdelset(&set, SIGSEGV);
        sigdelset(&set, SIGBUS);
        pthread_sigmask(SIG_BLOCK, &set, &old);
        r = call(&id, &attributes, serve, NULL);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        pthread_attr_destroy(&attributes);
        return r ? -EAGAIN : 0;
}

/* Tells the daemon what all interests together want. It hangs up when that is nothing, and the thread ends. */
static int update_locked(void) {
        int fd, r;

        r = watch_locked(wanted_locked(), !is_running, &fd);
        if (r || fd < 0)
                return r;
        put_next_locked(fd);
        if (is_running)
                return 0;
        r = start_locked();
        is_running = r == 0;
        if (r)
                put_next_locked(-1);
        return r;
}

/* ---- calls ---- */

static int check(unsigned flags, const struct sigevent *event) {
        if (flags & ~(unsigned)EVENTS_KNOWN)
                return -EINVAL;
        if (!event)
                return -EFAULT;
        return event_check(event);
}

static int add_locked(Thread *thread, int id, unsigned flags, const struct sigevent *event) {
        Interest *interest = malloc(sizeof(*interest));
        int r;

        if (!interest)
                return -EAGAIN;
        *interest = (Interest){ .next = interests, .id = id, .events = flags, .event = *event,
                                .tid = thread->tid };
        interests = interest;
        r = update_locked();
        if (r)
                interest_drop_locked(id);
        return r;
}

static int notify_locked(Thread *thread, unsigned flags, const struct sigevent *event) {
        bool had = interest_drop_locked(0);

        if (flags)
                return add_locked(thread, 0, flags, event);
        return had ? update_locked() : 0;
}

/* What all calls have around them; nobody is cancelled with the lock held. */
typedef int (*Step)(Thread *thread, unsigned number, const struct sigevent *event);

static int run(Step step, unsigned number, const struct sigevent *event) {
        Thread *thread = call_enter();
        int old, r;

        call_take_timeout(thread);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        pthread_mutex_lock(&mutex);
        r = step(thread, number, event);
        pthread_mutex_unlock(&mutex);
        pthread_setcancelstate(old, &old);
        call_leave(thread);
        return r;
}

int procmgr_event_notify(unsigned flags, const struct sigevent *event) {
        int r = flags ? check(flags, event) : 0;

        return (int)plain_value(r ? r : run(notify_locked, flags, event));
}

static int add_numbered_locked(Thread *thread, unsigned flags, const struct sigevent *event) {
        int id = ++last_id;
        int r = add_locked(thread, id, flags, event);

        return r ? r : id;
}

int procmgr_event_notify_add(unsigned flags, const struct sigevent *event) {
        int r = flags ? check(flags, event) : -EINVAL;

        return (int)plain_value(r ? r : run(add_numbered_locked, flags, event));
}

static int delete_locked(Thread *thread, unsigned id, const struct sigevent *event) {
        if (id == 0 || !interest_drop_locked((int)id))
                return -EINVAL;
        return update_locked();
}

int procmgr_event_notify_delete(int id) {
        return (int)plain_value(run(delete_locked, (unsigned)id, NULL));
}

static int trigger_locked(Thread *thread, unsigned flags, const struct sigevent *event) {
        WireRequest request = { .op = WIRE_EVENT_TRIGGER, .event_trigger.events = flags };
        int fds[SESSION_FDS];
        WireReply reply;

        return session_ask(&request, -1, &reply, fds);
}

int procmgr_event_trigger(unsigned flags) {
        int r = flags & ~(unsigned)EVENTS_KNOWN ? -EINVAL : 0;

        return (int)plain_value(r ? r : run(trigger_locked, flags, NULL));
}

/* The child has asked for nothing, and has no thread. */
static void forget_all(void) {
        pthread_mutex_init(&mutex, NULL);
        while (interests)
                interest_drop_locked(interests->id);
        put_next_locked(-1);
        if (served_fd >= 0)
                session_close(served_fd);
        served_fd = -1;
        is_running = false;
}

__attribute__((constructor)) static void watch_forks(void) {
        pthread_atfork(NULL, NULL, forget_all);
}
