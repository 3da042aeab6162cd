/* SPDX-License-Identifier: MIT */
#include "runtime/thread.h"

#include "runtime/channel.h"
#include "runtime/crew.h"
#include "runtime/outlink.h"
#include "runtime/priority.h"
#include "runtime/signal.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

__thread Thread thread_this;

typedef int (*CreateCall)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static Thread *registry;
static uint32_t last_tid;
static ShmProcess *process_page;
static pthread_key_t exit_key;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;

void threads_lock(void) {
        pthread_mutex_lock(&registry_mutex);
}

void threads_unlock(void) {
        pthread_mutex_unlock(&registry_mutex);
}

Thread *threads_first(void) {
        return registry;
}

Thread *thread_find_locked(uint32_t tid) {
        if (tid == 0)
                return &thread_this;
        for (Thread *thread = registry; thread; thread = thread->next)
                if (thread->tid == tid)
                        return thread;
        return NULL;
}

ShmProcess *threads_page_locked(void) {
        return process_page;
}

static void page_enter_locked(Thread *thread) {
        if (!process_page || thread->is_library)
                return;
        for (unsigned i = 0; i < PROCESS_THREADS; i++) {
                ShmThread *entry = &process_page->threads[i];
                uint32_t none = 0;

                if (!word_swap_if(&entry->tid, &none, thread->tid))
                        continue;
                entry->linux_tid = thread->linux_tid;
                word_store_relaxed(&entry->priority, word_load_relaxed(&thread->priority));
                word_store_relaxed(&entry->channel, 0);
                word_store_relaxed(&entry->state, 1 /* STATE_RUNNING */);
                thread->page = entry;
                if (word_load(&process_page->used) <= i)
                        word_store(&process_page->used, i + 1);
                return;
        }
}

static void page_leave_locked(Thread *thread) {
        if (thread->page)
                word_store(&thread->page->tid, 0);
        thread->page = NULL;
}

static void unlink_locked(Thread *thread) {
        if (thread->previous)
                thread->previous->next = thread->next;
        else
                registry = thread->next;
        if (thread->next)
                thread->next->previous = thread->previous;
}

/* Runs when the thread ends, as the destructor of a pthread key. */
static void thread_exit(void *value) {
        Thread *thread = value;

        outlink_thread_exit(thread);
        crew_thread_exit(thread);
        channel_thread_death(thread->tid);
        threads_lock();
        page_leave_locked(thread);
        unlink_locked(thread);
        threads_unlock();
        thread->registered = false;
}

static void make_exit_key(void) {
        pthread_key_create(&exit_key, thread_exit);
}

static void enter_registry(Thread *thread) {
        threads_lock();
        thread->tid = thread->is_library ? 0 : ++last_tid;
        thread->next = registry;
        thread->previous = NULL;
        if (registry)
                registry->previous = thread;
        registry = thread;
        page_enter_locked(thread);
        threads_unlock();
}

/* Signals stay out until the record is whole: a handler's own first call would register twice. */
static void register_thread(bool is_library) {
        Thread *thread = &thread_this;
        sigset_t all, old;

        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &old);
        if (!thread->registered) {
                pthread_once(&exit_key_once, make_exit_key);
                pthread_setspecific(exit_key, thread);
                memset(thread, 0, sizeof(*thread));
                thread->is_library = is_library;
                thread->id = pthread_self();
                thread->last_client_core = -1;
                thread->send_head.sixteenths = SPIN_HEAD_MAX / 4;
                thread->send_credit.credit = SPIN_CREDIT_MAX / 4;
                thread->receive_credit.credit = SPIN_CREDIT_MAX / 4;
                thread->linux_tid = (uint32_t)syscall(SYS_gettid);
                priority_begin(thread);
                enter_registry(thread);
                thread->registered = true;
        }
        pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void thread_register(void) {
        register_thread(false);
}

void thread_register_library(void) {
        register_thread(true);
}

void thread_run_deferred(Thread *thread) {
        signal_run_deferred(thread);
}

/* libc's own, so that it is no thread of the program: it takes no number and its end is nobody's news. */
int thread_start_library(const char *name, size_t stack, void *(*serve)(void *), void *argument) {
        CreateCall create = (CreateCall)dlsym(RTLD_NEXT, "pthread_create");
        pthread_attr_t attributes;
        sigset_t all, old;
        pthread_t id;
        int r;

        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, stack);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &old);
        r = create(&id, &attributes, serve, argument);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        pthread_attr_destroy(&attributes);
        if (r == 0)
                pthread_setname_np(id, name);
        return r ? -EAGAIN : 0;
}

void threads_use_page(ShmProcess *page) {
        threads_lock();
        process_page = page;
        for (Thread *thread = registry; thread; thread = thread->next) {
                thread->page = NULL;
                page_enter_locked(thread);
        }
        threads_unlock();
}

void threads_after_fork(void) {
        Thread *thread = &thread_this;

        pthread_mutex_init(&registry_mutex, NULL);
        registry = NULL;
        process_page = NULL;
        last_tid = 0;
        if (!thread->registered)
                return;
        thread->page = NULL;
        thread->slots = NULL;
        thread->last_client_core = -1;
        thread->linux_tid = (uint32_t)syscall(SYS_gettid);
        thread->timeout.flags = 0;
        crew_after_fork(thread);
        priority_after_fork(thread);
        enter_registry(thread);
}
