/* SPDX-License-Identifier: MIT */
#include "runtime/retire.h"

#include "runtime/thread.h"

#include <linux/membarrier.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct Seen {
        Thread *thread;
        uint32_t tid;
        uint32_t epoch;
} Seen;

/*
 * NEW    -> LOOKED   retire(), or retire_collect() if there was no memory to look with    look
 * LOOKED -> (gone)   retire_collect(): whoever was inside a call has left it
 */
typedef struct Retired {
        struct Retired *next;
        void (*release)(void *, size_t);
        void *object;
        size_t bytes;
        size_t n_seen; /* threads that were inside a call; none = free */
        Seen *seen;    /* NULL in NEW */
        bool is_reserve;
} Retired;

/* For when there is no memory: what is given back must not need any. */
#define RESERVE 64

static pthread_mutex_t retired_mutex = PTHREAD_MUTEX_INITIALIZER;
static Retired *retired;
static Retired reserve[RESERVE]; /* free while `release` is NULL */

static pthread_once_t registered_once = PTHREAD_ONCE_INIT;

static void register_barrier(void) {
        syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

static int barrier(void) {
        pthread_once(&registered_once, register_barrier);
        return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

static size_t count_threads_locked(void) {
        size_t n = 0;

        for (Thread *t = threads_first(); t; t = t->next)
                n++;
        return n;
}

/*
 * Lists the threads inside a call, without the caller, who has stopped using the object. They go in and
 * out meanwhile, so there is room for all, and each epoch is read once.
 */
static int look(Retired *item) {
        threads_lock();
        item->seen = calloc(count_threads_locked() + 1, sizeof(*item->seen));
        for (Thread *t = threads_first(); t && item->seen; t = t->next) {
                uint32_t epoch = word_load(&t->epoch); /* pairs with the release in call_leave() */

                if (epoch % 2 && t != &thread_this)
                        item->seen[item->n_seen++] = (Seen){ t, t->tid, epoch };
        }
        threads_unlock();
        return item->seen ? 0 : -1;
}

static Retired *item_new(void) {
        Retired *item = calloc(1, sizeof(*item));

        for (unsigned i = 0; !item && i < RESERVE; i++)
                if (!reserve[i].release) {
                        item = &reserve[i];
                        item->is_reserve = true;
                }
        return item;
}

static void item_free(Retired *item) {
        free(item->seen);
        if (item->is_reserve)
                *item = (Retired){ 0 };
        else
                free(item);
}

void retire(void (*release)(void *, size_t), void *object, size_t bytes) {
        Retired *item;

        pthread_mutex_lock(&retired_mutex);
        item = item_new();
        if (item) {
                item->release = release;
                item->object = object;
                item->bytes = bytes;
                if (barrier() == 0)
                        (void)look(item);
                item->next = retired;
                retired = item;
        }
        pthread_mutex_unlock(&retired_mutex);
}

static bool still_inside(const Seen *seen) {
        for (Thread *t = threads_first(); t; t = t->next)
                if (t == seen->thread && t->tid == seen->tid)
                        return word_load(&t->epoch) == seen->epoch;
        return false;
}

static bool is_free(Retired *item) {
        bool inside = false;

        if (!item->seen && (barrier() < 0 || look(item) < 0))
                return false;
        threads_lock();
        for (size_t i = 0; i < item->n_seen && !inside; i++)
                inside = still_inside(&item->seen[i]);
        threads_unlock();
        return !inside;
}

void retire_collect(void) {
        Retired **link = &retired;
        Retired *item;

        pthread_mutex_lock(&retired_mutex);
        while ((item = *link)) {
                if (!is_free(item)) {
                        link = &item->next;
                        continue;
                }
                *link = item->next;
                item->release(item->object, item->bytes);
                item_free(item);
        }
        pthread_mutex_unlock(&retired_mutex);
}

/* What was retired is mapped with MADV_DONTFORK: there is nothing to give back in a child. */
void retire_after_fork(void) {
        pthread_mutex_init(&retired_mutex, NULL);
        retired = NULL;
        memset(reserve, 0, sizeof(reserve));
}
