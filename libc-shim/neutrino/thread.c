/* SPDX-License-Identifier: MIT */
/*
 * Thread calls: POSIX threads by the library's numbers.
 *
 * A thread that ThreadCreate() has made may be joined after its end, when the registry has forgotten it; until
 * then it has an entry here:
 *
 *   -       -> OPEN     ThreadCreate() of a thread that can be joined
 *   OPEN    -> JOINING  ThreadJoin() begins to wait
 *   JOINING -> OPEN     it timed out, or was cancelled
 *   JOINING -> -        the thread has been joined
 *   OPEN    -> -        ThreadDetach()
 */
#include "neutrino/limit.h"
#include "neutrino/result.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct Joinable Joinable;

struct Joinable {
        Joinable *next;
        int tid;
        pthread_t id;
        bool joining;
};

/* From ThreadCreate() to its thread; on the stack of the first until `begun`. */
typedef struct Birth {
        void *(*func)(void *);
        void *arg;
        void (*exitfunc)(void *);
        int tid;
        sem_t begun;
} Birth;

static pthread_mutex_t joinables_mutex = PTHREAD_MUTEX_INITIALIZER;
static Joinable *joinables;

/* ---- entries ---- */

static Joinable **joinable_find_locked(int tid) {
        Joinable **at = &joinables;

        while (*at && (*at)->tid != tid)
                at = &(*at)->next;
        return at;
}

static void joinable_add(Joinable *entry) {
        pthread_mutex_lock(&joinables_mutex);
        entry->next = joinables;
        joinables = entry;
        pthread_mutex_unlock(&joinables_mutex);
}

static bool joinable_drop(int tid) {
        Joinable **at, *entry;

        pthread_mutex_lock(&joinables_mutex);
        at = joinable_find_locked(tid);
        entry = *at;
        if (entry)
                *at = entry->next;
        pthread_mutex_unlock(&joinables_mutex);
        free(entry);
        return entry != NULL;
}

/* EOK, ESRCH when it has no entry, EBUSY. */
static int joinable_begin(int tid, pthread_t *ret_id) {
        Joinable *entry;
        int r = ESRCH;

        pthread_mutex_lock(&joinables_mutex);
        entry = *joinable_find_locked(tid);
        if (entry) {
                r = entry->joining ? EBUSY : EOK;
                entry->joining = true;
                *ret_id = entry->id;
        }
        pthread_mutex_unlock(&joinables_mutex);
        return r;
}

/* A cleanup handler too: who is cancelled while it joins lets the next try. */
static void joinable_give_back(void *tid) {
        Joinable *entry;

        pthread_mutex_lock(&joinables_mutex);
        entry = *joinable_find_locked((int)(intptr_t)tid);
        if (entry)
                entry->joining = false;
        pthread_mutex_unlock(&joinables_mutex);
}

/* The child has none of these threads, and its numbers begin anew. */
static void forget_all(void) {
        pthread_mutex_init(&joinables_mutex, NULL);
        joinables = NULL;
}

__attribute__((constructor)) static void watch_forks(void) {
        pthread_atfork(NULL, NULL, forget_all);
}

/* ---- the living ---- */

/* A thread is in the registry until it is about to end, so its id is good while the lock is held. */
static int cancel(int tid) {
        Thread *thread;
        int r = ESRCH;

        threads_lock();
        thread = thread_find_locked((uint32_t)tid);
        if (thread)
                r = pthread_cancel(thread->id);
        threads_unlock();
        return r;
}

static bool find_living(int tid, pthread_t *ret_id) {
        Thread *thread;

        threads_lock();
        thread = thread_find_locked((uint32_t)tid);
        if (thread)
                *ret_id = thread->id;
        threads_unlock();
        return thread != NULL;
}

static int own_tid(void) {
        Thread *thread = call_enter();

        call_leave(thread);
        return (int)thread->tid;
}

/* ---- ThreadCreate ---- */

static int set_stack(pthread_attr_t *attributes, const struct _thread_attr *attr) {
        if (attr->__stackaddr)
                return pthread_attr_setstack(attributes, attr->__stackaddr, attr->__stacksize);
        if (attr->__stacksize)
                return pthread_attr_setstacksize(attributes, attr->__stacksize);
        return EOK;
}

static int set_scheduling(pthread_attr_t *attributes, const struct _thread_attr *attr) {
        int r;

        if (!(attr->__flags & _NTO_THREAD_EXPLICIT_SCHED))
                return EOK;
        r = pthread_attr_setschedpolicy(attributes, attr->__policy);
        if (r == 0)
                r = pthread_attr_setschedparam(attributes, &attr->__param);
        if (r == 0)
                r = pthread_attr_setinheritsched(attributes, PTHREAD_EXPLICIT_SCHED);
        return r;
}

static int translate(pthread_attr_t *attributes, const struct _thread_attr *attr) {
        int r;

        if (attr->__flags & PTHREAD_CREATE_DETACHED)
                pthread_attr_setdetachstate(attributes, PTHREAD_CREATE_DETACHED);
        if (attr->__guardsize)
                pthread_attr_setguardsize(attributes, attr->__guardsize);
        r = set_stack(attributes, attr);
        return r ? r : set_scheduling(attributes, attr);
}

static void *begin(void *argument) {
        Birth *birth = argument;
        void *(*func)(void *) = birth->func;
        void (*exitfunc)(void *) = birth->exitfunc;
        void *arg = birth->arg;
        void *status;

        birth->tid = own_tid();
        sem_post(&birth->begun); /* `birth` may be gone from here on */
        status = func(arg);
        if (exitfunc)
                exitfunc(status);
        return status;
}

static int start(Birth *birth, const pthread_attr_t *attributes, pthread_t *ret_id) {
        int r;

        sem_init(&birth->begun, 0, 0);
        r = pthread_create(ret_id, attributes, begin, birth);
        if (r == 0)
                while (sem_wait(&birth->begun) < 0)
                        ; /* a handler ran */
        sem_destroy(&birth->begun);
        return r;
}

static int create(Birth *birth, const struct _thread_attr *attr) {
        pthread_attr_t attributes;
        Joinable *entry = calloc(1, sizeof(*entry));
        pthread_t id;
        int detached = PTHREAD_CREATE_JOINABLE;
        int r = entry ? EOK : EAGAIN;

        pthread_attr_init(&attributes);
        if (r == EOK && attr)
                r = translate(&attributes, attr);
        if (r == EOK)
                r = start(birth, &attributes, &id);
        pthread_attr_getdetachstate(&attributes, &detached);
        pthread_attr_destroy(&attributes);
        if (r != EOK || detached == PTHREAD_CREATE_DETACHED) {
                free(entry);
                return r ? -r : birth->tid;
        }
        entry->tid = birth->tid;
        entry->id = id;
        joinable_add(entry);
        return birth->tid;
}

/* Not cancelled in between: nobody would know the thread's number. */
int ThreadCreate_r(pid_t pid, void *(*func)(void *), void *arg, const struct _thread_attr *attr) {
        Birth birth = { .func = func, .arg = arg, .exitfunc = attr ? attr->__exitfunc : NULL };
        int saved = errno, cancel_state, r;

        limit_drop();
        if (pid != 0 && pid != getpid())
                return -ENOTSUP;
        if (!func)
                return -EFAULT;
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
        r = create(&birth, attr);
        pthread_setcancelstate(cancel_state, &cancel_state);
        errno = saved;
        return r;
}

int ThreadCreate(pid_t pid, void *(*func)(void *), void *arg, const struct _thread_attr *attr) {
        return (int)plain_value(ThreadCreate_r(pid, func, arg, attr));
}

/* ---- ThreadDestroy, ThreadCancel, ThreadDetach ---- */

/* Number 0 is a thread of the library's own. */
static bool is_meant(Thread *thread, int self, int priority) {
        if (thread->tid == 0 || thread->tid == (uint32_t)self)
                return false;
        return priority == -1 || thread->priority == (uint32_t)priority;
}

static void cancel_others(int priority) {
        int self = own_tid();

        threads_lock();
        for (Thread *thread = threads_first(); thread; thread = thread->next)
                if (is_meant(thread, self, priority))
                        pthread_cancel(thread->id);
        threads_unlock();
}

int ThreadDestroy_r(int tid, int priority, void *status) {
        int self = own_tid();

        limit_drop();
        if (tid == 0 || tid == self)
                pthread_exit(status);
        if (tid != -1)
                return cancel(tid);
        cancel_others(priority);
        return EOK;
}

int ThreadDestroy(int tid, int priority, void *status) {
        return plain_status(ThreadDestroy_r(tid, priority, status));
}

int ThreadCancel_r(int tid, void (*canstub)(void)) {
        limit_drop();
        return cancel(tid ? tid : own_tid());
}

int ThreadCancel(int tid, void (*canstub)(void)) {
        return plain_status(ThreadCancel_r(tid, canstub));
}

int ThreadDetach_r(int tid) {
        pthread_t id;
        int r;

        limit_drop();
        if (tid == 0)
                tid = own_tid();
        r = joinable_begin(tid, &id);
        if (r == EBUSY)
                return EINVAL; /* somebody is joining it */
        if (r == ESRCH && !find_living(tid, &id))
                return ESRCH;
        r = pthread_detach(id);
        joinable_drop(tid);
        return r;
}

int ThreadDetach(int tid) {
        return plain_status(ThreadDetach_r(tid));
}

/* ---- ThreadJoin ---- */

static int join(pthread_t id, void **status, const Deadline *deadline) {
        if (!deadline->set)
                return pthread_join(id, status);
        return pthread_clockjoin_np(id, status, deadline->clock, &deadline->at);
}

static int join_entry(int tid, pthread_t id, void **status, const Deadline *deadline) {
        int r;

        pthread_cleanup_push(joinable_give_back, (void *)(intptr_t)tid);
        r = join(id, status, deadline);
        pthread_cleanup_pop(0);
        if (r == 0)
                joinable_drop(tid);
        else
                joinable_give_back((void *)(intptr_t)tid);
        return r;
}

int ThreadJoin_r(int tid, void **status) {
        Deadline deadline = limit_take(_NTO_TIMEOUT_JOIN);
        pthread_t id;
        int r;

        if (tid == own_tid())
                return EDEADLK;
        r = joinable_begin(tid, &id);
        if (r == EOK)
                return join_entry(tid, id, status, &deadline);
        if (r == ESRCH && find_living(tid, &id))
                r = join(id, status, &deadline);
        return r;
}

int ThreadJoin(int tid, void **status) {
        return plain_status(ThreadJoin_r(tid, status));
}
