/* SPDX-License-Identifier: MIT */
/*
 * Pthread: pthread_create as QNX programs use it.
 *
 * QNX allows a NULL place for the thread's id. And each thread is known to the library from its start,
 * so that _NTO_CHF_THREAD_DEATH tells of the end of every one.
 */
#include "posix/next.h"
#include "runtime/thread.h"

#include <pthread.h>
#include <errno.h>
#include <stdlib.h>

#define PUBLIC __attribute__((visibility("default")))

typedef struct Start {
        void *(*routine)(void *);
        void *argument;
} Start;

static void *begin(void *argument) {
        Start start = *(Start *)argument;

        free(argument);
        thread_register();
        return start.routine(start.argument);
}

PUBLIC int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*routine)(void *),
                          void *argument) {
        pthread_t *volatile wanted = id; /* glibc declares it never NULL; QNX programs know better */
        Start *start = malloc(sizeof(*start));
        pthread_t unwanted;
        int r;

        if (!start)
                return EAGAIN;
        *start = (Start){ .routine = routine, .argument = argument };
        r = NEXT(pthread_create)(wanted ? wanted : &unwanted, attributes, begin, start);
        if (r != 0)
                free(start);
        return r;
}
