/* SPDX-License-Identifier: MIT */
/*
 * Pthread: pthread_create as QNX programs use it.
 *
 * QNX allows a NULL place for the thread's id. And each thread is known to the library from its start,
 * so that _NTO_CHF_THREAD_DEATH tells of the end of every one; it begins with its maker's own priority, not
 * with the one that its maker works at for a client, or with the one that its attributes say, which the
 * kernel need not grant.
 */
#include "posix/next.h"
#include "runtime/priority.h"
#include "runtime/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define PUBLIC __attribute__((visibility("default")))

typedef struct Start {
        void *(*routine)(void *);
        void *argument;
        int policy;
        unsigned base;
        bool has_mask;
        cpu_set_t mask;
} Start;

static void *begin(void *argument) {
        Start start = *(Start *)argument;
        Thread *thread = &thread_this;

        free(argument);
        thread_register();
        if (thread->policy != start.policy || word_load(&thread->base) != start.base)
                priority_set_origin(thread, start.policy, start.base);
        if (start.has_mask)
                pthread_setaffinity_np(thread->id, sizeof(start.mask), &start.mask);
        return start.routine(start.argument);
}

static void inherit(Start *start) {
        Thread *maker = call_enter();

        start->policy = maker->policy;
        start->base = word_load(&maker->base);
        start->has_mask = maker->has_heir_mask;
        start->mask = maker->heir_mask;
        call_leave(maker);
}

static bool is_explicit(const pthread_attr_t *attributes) {
        int inherits;

        return attributes && pthread_attr_getinheritsched(attributes, &inherits) == 0 &&
               inherits == PTHREAD_EXPLICIT_SCHED;
}

/* What the attributes say is done by the thread itself; the C library would fail without the right. */
static int take_over(const pthread_attr_t *attributes, pthread_attr_t *ret_copy, Start *start) {
        struct sched_param param = { 0 };

        *ret_copy = *attributes; /* shares what hangs on it; never destroyed */
        if (!is_explicit(attributes))
                return 0;
        NEXT(pthread_attr_getschedparam)(attributes, &param);
        pthread_attr_getschedpolicy(attributes, &start->policy);
        start->base = param.sched_priority > 0 ? (unsigned)param.sched_priority : PRIORITY_DEFAULT;
        pthread_attr_setinheritsched(ret_copy, PTHREAD_INHERIT_SCHED);
        return start->base > PRIORITY_DEFAULT ? -priority_check((int)start->base) : 0;
}

PUBLIC int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*routine)(void *),
                          void *argument) {
        Start *start = calloc(1, sizeof(*start));
        pthread_attr_t copy;
        pthread_t unwanted;
        int r = 0;

        if (!start)
                return EAGAIN;
        start->routine = routine;
        start->argument = argument;
        inherit(start);
        if (attributes)
                r = take_over(attributes, &copy, start);
        if (r == 0)
                r = NEXT(pthread_create)(id ? id : &unwanted, attributes ? &copy : NULL, begin, start);
        if (r != 0)
                free(start);
        return r;
}
