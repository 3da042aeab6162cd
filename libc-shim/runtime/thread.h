/* SPDX-License-Identifier: MIT */
/*
 * Thread: what the library keeps for each thread that uses it, and the border of a call.
 *
 * Every public call runs between call_enter() and call_leave(). Inside:
 *   - signal handlers are put off until call_leave(), so a handler may use every call and finds no
 *     lock held by the thread that it interrupted (signal.c);
 *   - what another thread retires stays mapped until this thread has left (retire.c).
 * Both read `epoch`, which is odd inside a call and counted up at each border.
 */
#pragma once

#include "abi/layout.h"
#include "abi/priority.h"
#include "base/schedule.h"
#include "shm/futex.h"
#include "shm/spin.h"
#include "shm/word.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>

typedef struct Channel Channel;
typedef struct OutSlot OutSlot;
typedef struct Thread Thread;

/* A kernel time-out armed by TimerTimeout() for the next call. */
typedef struct Timeout {
        uint32_t flags; /* _NTO_TIMEOUT_... of the states it ends; 0 = not armed */
        bool immediate;
        bool delivers; /* an event of the thread's in place of ETIMEDOUT: timeout.c */
        Deadline deadline;
} Timeout;

/* In Thread.interrupts: look up, a handler has come or SIGEV_UNBLOCK. */
#define INTERRUPTS_NUDGED 0x80000000u

#define CREW_UNLISTED UINT32_MAX

struct Thread {
        Word epoch;                     /* odd = inside a call */
        volatile sig_atomic_t deferred; /* handlers wait for call_leave() */
        volatile sig_atomic_t interrupted; /* EINTR: one of them has come since the call began; ETIMEDOUT:
                                    * SIGEV_UNBLOCK has (event.c) */
        ShmSlot *volatile asleep_on;    /* what the handler must nudge ... */
        ShmBell *volatile listens_to;   /* ... so that the kernel does not restart the wait */
        Word interrupts;                /* SIGEV_INTR that have come: InterruptWait() sleeps on it */
        Word kicked;                    /* id of a connection that another thread has detached: leave it */
        sigset_t deferred_set;
        int saved_errno;                /* the _r forms leave errno alone */
        Timeout timeout;
        struct sigevent timeout_event;     /* with it, if it delivers one */
        uint64_t *timeout_left_ns;         /* where a sleep that it ends tells what was left ... */
        struct timespec *timeout_left;     /* ... in one of two forms; NULL = nowhere */
        uint32_t tid;
        uint32_t linux_tid;
        pthread_t id;
        Word priority;                  /* QNX's, in force: what it sends with (priority.c) */
        Word base;                      /* its own; differs while it works for a client */
        Word reach;                     /* real-time priority that it has in the kernel; 0 = none */
        uint8_t applied;                /* what the kernel was told, in QNX's numbers */
        int policy;                     /* SCHED_..., as it was set */
        Schedule ordinary;              /* how the kernel runs it at PRIORITY_DEFAULT */
        Word boosts_seen;               /* of what others did to its priority: counted in its channel's */
        Channel *channel;               /* bell and in the notice; the channel it last received on */
        WordPointer bell;               /* its first bell, NULL = no channel; crew.c */
        Word crew_index;                /* in that bell; CREW_UNLISTED */
        cpu_set_t heir_mask;            /* processors for the threads it creates ... */
        bool has_heir_mask;             /* ... where they differ from its own */
        SpinCredit send_credit;
        SpinHead send_head;
        SpinCredit receive_credit;
        OutSlot *slots;                 /* owned, one for each link this thread sent on */
        ShmThread *page;                /* its entry in the process page, or NULL */
        int last_client_core;           /* receive.c: where the last message came from; -1 = nowhere */
        Thread *next;                   /* registry */
        Thread *previous;
        bool registered;
        bool is_library; /* no thread of the program's */
};

/* What the daemon counts when it raises threads of this process; a 0 while there is no daemon. */
extern WordPointer thread_daemon_boosts __attribute__((visibility("hidden")));

extern __thread Thread thread_this __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Slow path of call_enter(): first call of this thread. */
void thread_register(void);
/* The same for a thread of the library's own: it takes no number and tools do not see it. */
void thread_register_library(void);
/* Starts one that runs @serve for ever, detached, with every signal blocked. 0 or -EAGAIN. */
int thread_start_library(const char *name, size_t stack, void *(*serve)(void *), void *argument);
/* Slow path of call_leave(): run what was put off. */
void thread_run_deferred(Thread *thread);

static inline Thread *call_enter(void) {
        Thread *thread = &thread_this;

        if (__builtin_expect(!thread->registered, 0))
                thread_register();
        thread->saved_errno = errno;
        word_store_relaxed(&thread->epoch, word_load_relaxed(&thread->epoch) + 1);
        word_signal_fence();
        return thread;
}

static inline void call_leave(Thread *thread) {
        word_signal_fence();
        errno = thread->saved_errno;
        word_store_release(&thread->epoch, word_load_relaxed(&thread->epoch) + 1);
        word_signal_fence();
        /* After the epoch: what was put off until there must not end the next call. */
        thread->interrupted = 0;
        word_signal_fence();
        if (__builtin_expect(thread->deferred != 0, 0))
                thread_run_deferred(thread);
}

static inline bool call_is_open(const Thread *thread) {
        return word_load_relaxed(&thread->epoch) & 1;
}

/* Every call takes the time-out that was armed for it, blocking or not. */
static inline Timeout call_take_timeout(Thread *thread) {
        Timeout timeout = thread->timeout;

        thread->timeout.flags = 0;
        return timeout;
}

/* Who watches keeps the processor from all below it: real-time threads sleep at once. */
static inline bool thread_is_realtime(const Thread *thread) {
        return word_load_relaxed(&thread->reach) != 0;
}

/* How often somebody began to raise this thread, or one beside it. Who has no channel is raised by nobody. */
static inline uint32_t thread_boosts(Thread *thread) {
        const ShmBell *bell = word_pointer_load(&thread->bell);

        if (!bell)
                return 0;
        return word_load((const Word *)word_pointer_load(&thread_daemon_boosts)) + word_load(&bell->boosts);
}

/* State of this thread for those who would raise it. */
static inline void thread_show_crew(Thread *thread, uint32_t state) {
        ShmBell *bell = word_pointer_load(&thread->bell);

        uint32_t i = word_load_relaxed(&thread->crew_index);

        if (bell && i < BELL_CREW)
                word_store_relaxed(&bell->crew[i].state, state);
}

/* State of this thread for tools: one relaxed store each. */
static inline void thread_show(Thread *thread, uint32_t state, int32_t pid, int32_t chid,
                               uint32_t link, uint32_t slot) {
        ShmThread *page = thread->page;

        if (!page)
                return;
        page->on_pid = pid;
        page->on_chid = chid;
        page->on_link = link;
        page->on_slot = slot;
        word_store_relaxed(&page->state, state);
}

static inline void thread_show_running(Thread *thread) {
        if (thread->page)
                word_store_relaxed(&thread->page->state, 1 /* STATE_RUNNING */);
}

/* The registry: for sweeps over all threads (retire.c, ConnectDetach). */
void threads_lock(void);
void threads_unlock(void);
Thread *threads_first(void);

/* The thread of that number (0: the caller's own record), or NULL. */
Thread *thread_find_locked(uint32_t tid);

/* The process page, or NULL while there is none. */
ShmProcess *threads_page_locked(void);

/* The process page has arrived (or gone, NULL): threads take their entries. */
void threads_use_page(ShmProcess *page);

/* In the child of a fork: only this thread is left. */
void threads_after_fork(void);
