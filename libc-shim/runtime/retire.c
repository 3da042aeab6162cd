/* SPDX-License-Identifier: MIT */
#include "runtime/retire.h"

#include "runtime/thread.h"

#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct Seen {
        Thread *thread;
        uint32_t tid;
        uint32_t epoch;
} Seen;

typedef struct Retired {
        struct Retired *next;
        void (*release)(void *, size_t);
        void *object;
        size_t bytes;
        size_t n_seen; /* threads that were inside a call; empty = free */
        Seen *seen;
} Retired;

static pthread_mutex_t retired_mutex = PTHREAD_MUTEX_INITIALIZER;
static Retired *retired;

static int barrier(void) {
        static bool registered;

        if (!registered) {
                if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) < 0)
                        return -1;
                registered = true;
        }
        return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

/* Lists the threads inside a call, without the caller, who has stopped using the object. */
static int look(Retired *item) {
        size_t n = 0;

        threads_lock();
        for (Thread *t = threads_first(); t; t = t->next)
                n += call_is_open(t) && t != &thread_this;
        item->seen = n ? calloc(n, sizeof(*item->seen)) : NULL;
        if (n && !item->seen) {
                threads_unlock();
                return -1;
        }
        for (Thread *t = threads_first(); t && item->n_seen < n; t = t->next)
                if (call_is_open(t) && t != &thread_this)
                        item->seen[item->n_seen++] = (Seen){ t, t->tid, word_load(&t->epoch) };
        threads_unlock();
        return 0;
}

void retire(void (*release)(void *, size_t), void *object, size_t bytes) {
        Retired *item = calloc(1, sizeof(*item));

        if (!item || barrier() < 0) {
                free(item);
                return;
        }
        item->release = release;
        item->object = object;
        item->bytes = bytes;
        if (look(item) < 0) {
                free(item);
                return;
        }
        pthread_mutex_lock(&retired_mutex);
        item->next = retired;
        retired = item;
        pthread_mutex_unlock(&retired_mutex);
}

static bool still_inside(const Seen *seen) {
        for (Thread *t = threads_first(); t; t = t->next)
                if (t == seen->thread && t->tid == seen->tid)
                        return word_load(&t->epoch) == seen->epoch;
        return false;
}

static bool is_free(const Retired *item) {
        bool inside = false;

        threads_lock();
        for (size_t i = 0; i < item->n_seen && !inside; i++)
                inside = still_inside(&item->seen[i]);
        threads_unlock();
        return !inside;
}

void retire_collect(void) {
        Retired **link = &retired;
        Retired *item;

        if (!retired)
                return;
        pthread_mutex_lock(&retired_mutex);
        while ((item = *link)) {
                if (!is_free(item)) {
                        link = &item->next;
                        continue;
                }
                *link = item->next;
                item->release(item->object, item->bytes);
                free(item->seen);
                free(item);
        }
        pthread_mutex_unlock(&retired_mutex);
}

/* What was retired is mapped with MADV_DONTFORK: there is nothing to give back in a child. */
void retire_after_fork(void) {
        pthread_mutex_init(&retired_mutex, NULL);
        retired = NULL;
}
