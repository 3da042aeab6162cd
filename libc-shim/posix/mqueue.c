/* SPDX-License-Identifier: MIT */
/*
 * Mqueue: mq_notify() with QNX's events.
 *
 * Linux knows a signal and nothing. For every other kind libc is asked to run a function in a thread, as it
 * does for its own SIGEV_THREAD, and that function delivers the event.
 */
#include "runtime/event.h"
#include "runtime/thread.h"
#include "sys/neutrino.h"

#include <dlfcn.h>
#include <errno.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef int (*NotifyCall)(mqd_t, const struct __libc_sigevent *);
enum { LIBC_SIGNAL = 0, LIBC_NONE = 1, LIBC_THREAD = 2 };

/* What a queue has been asked to tell. */
typedef struct Notice {
        mqd_t queue;
        struct sigevent event;
        uint32_t tid;
        struct Notice *next;
} Notice;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Notice *notices;

static int libc_notify(mqd_t queue, const struct __libc_sigevent *event) {
        NotifyCall call = (NotifyCall)dlsym(RTLD_NEXT, "mq_notify");

        return call(queue, event) < 0 ? -errno : 0;
}

/* Out of the list: NULL when somebody else took it. */
static Notice *take(const Notice *wanted, mqd_t queue) {
        Notice *found = NULL;

        pthread_mutex_lock(&mutex);
        for (Notice **at = &notices; *at && !found; at = &(*at)->next)
                if (wanted ? *at == wanted : (*at)->queue == queue) {
                        found = *at;
                        *at = found->next;
                        break;
                }
        pthread_mutex_unlock(&mutex);
        return found;
}

static void put(Notice *notice) {
        pthread_mutex_lock(&mutex);
        notice->next = notices;
        notices = notice;
        pthread_mutex_unlock(&mutex);
}

/* In a thread of libc's, which ends afterwards: no thread of the program's. */
static void deliver(union sigval value) {
        Notice *notice = take(value.sival_ptr, 0);

        if (!notice)
                return; /* taken back meanwhile */
        thread_register_library();
        call_enter();
        (void)event_deliver_self(&notice->event, SI_MESGQ, notice->tid);
        call_leave(&thread_this);
        free(notice);
}

static int notify_by_thread(mqd_t queue, const struct sigevent *event) {
        struct __libc_sigevent wanted;
        Notice *notice = malloc(sizeof(*notice));
        int r;

        if (!notice)
                return -EAGAIN;
        *notice = (Notice){ .queue = queue, .event = *event, .tid = thread_this.tid };
        memset(&wanted, 0, sizeof(wanted));
        wanted.sigev_notify = LIBC_THREAD;
        wanted._sigev_un._sigev_thread._function = deliver;
        wanted.sigev_value.sival_ptr = notice;
        put(notice);
        r = libc_notify(queue, &wanted);
        if (r < 0)
                free(take(notice, queue));
        return r;
}

static int notify_by_signal(mqd_t queue, const struct sigevent *event) {
        struct __libc_sigevent wanted;

        memset(&wanted, 0, sizeof(wanted));
        wanted.sigev_notify = SIGEV_GET_TYPE(event) == SIGEV_NONE ? LIBC_NONE : LIBC_SIGNAL;
        wanted.sigev_signo = event->sigev_signo;
        wanted.sigev_value = event->sigev_value;
        return libc_notify(queue, &wanted);
}

static int forget(mqd_t queue) {
        int r = libc_notify(queue, NULL);

        if (r == 0)
                free(take(NULL, queue));
        return r;
}

static int notify(mqd_t queue, const struct sigevent *given) {
        struct sigevent event;

        if (!given)
                return forget(queue);
        if (event_check(given) < 0)
                return -EINVAL;
        event = *given;
        event_resolve(&event);
        if (SIGEV_GET_TYPE(&event) == SIGEV_SIGNAL || SIGEV_GET_TYPE(&event) == SIGEV_NONE)
                return notify_by_signal(queue, &event);
        return notify_by_thread(queue, &event);
}

int mq_notify(int queue, const struct sigevent *event) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = notify(queue, event);
        call_leave(thread);
        if (r == 0)
                return 0;
        errno = -r;
        return -1;
}
