/* SPDX-License-Identifier: MIT */
/*
 * Priority: what a thread runs at, in QNX's numbers, and telling the kernel.
 *
 *   base      its own, set by SchedSet() and its relatives
 *   priority  in force: its base, or that of the message or pulse it received last
 *   applied   what the kernel was told; differs from `priority` where the right is lacking
 *
 *   base     -> message  it received one, on a channel without FIXED_PRIORITY    priority_take
 *   any      -> higher   something more urgent waits at its channel (boost)      priority_settle, _refresh
 *   any      -> another  MsgCurrent()                                            priority_take
 *   any      -> base     MsgReceive(-1), a receive that failed, FIXED_PRIORITY   priority_rest
 *
 * A thread that is alone with its own priority makes no system call here.
 */
#pragma once

#include "runtime/thread.h"

#include <stdbool.h>

/* A thread is new to the library, or the only one of a forked child. */
void priority_begin(Thread *thread);
void priority_after_fork(Thread *thread);
/* A thread made by pthread_create(): not the priority that its maker happened to work at. */
void priority_set_origin(Thread *thread, int policy, unsigned base);

/* The daemon's count of boosts has come, or gone (NULL). */
void priority_use_notice(ShmNotice *notice);

/*
 * Sets another base, of this thread or of another one of the process. 0, -EINVAL, or -EPERM past what
 * the daemon allows. Where only the kernel refuses, queues follow the number, and stderr says so once.
 */
int priority_set_base(Thread *thread, int policy, int priority);
int priority_check(int priority);
/* The highest that this process may use. */
unsigned priority_most(void);

/* The highest real-time priority that the kernel would let the process have; 0 = none. */
unsigned priority_right(void);

/* Slow paths of those below. */
void priority_settle(Thread *thread, unsigned priority);
void priority_refresh(Thread *thread);

/* Has somebody raised this thread since it looked last? */
static inline bool priority_is_stale(Thread *thread) {
        return thread_boosts(thread) != word_load_relaxed(&thread->boosts_seen);
}

/* It works at @priority from now on. */
static inline void priority_take(Thread *thread, unsigned priority) {
        if (word_load_relaxed(&thread->priority) != priority || priority_is_stale(thread))
                priority_settle(thread, priority);
}

static inline void priority_rest(Thread *thread) {
        priority_take(thread, word_load_relaxed(&thread->base));
}

/* What it sends with. */
static inline unsigned priority_now(Thread *thread) {
        if (__builtin_expect(priority_is_stale(thread), 0))
                priority_refresh(thread);
        return word_load_relaxed(&thread->priority);
}
