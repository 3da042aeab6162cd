/* SPDX-License-Identifier: MIT */
#include "runtime/priority.h"

#include "runtime/crew.h"
#include "runtime/session.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

#define RIGHT_UNKNOWN UINT32_MAX
#define SETTLE_TURNS  8u

static Word no_boosts;
WordPointer thread_daemon_boosts = &no_boosts;

/* Guards what is written of a thread's priority. A low one that holds it must not be kept from going on. */
static pthread_mutex_t priority_mutex;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static Word refused;                 /* the lowest real-time priority that the kernel refused; 0 = none */
static Word right = RIGHT_UNKNOWN;

static void make_mutex(void) {
        pthread_mutexattr_t inherit;

        pthread_mutexattr_init(&inherit);
        pthread_mutexattr_setprotocol(&inherit, PTHREAD_PRIO_INHERIT);
        pthread_mutex_init(&priority_mutex, &inherit);
        pthread_mutexattr_destroy(&inherit);
}

static void priority_lock(void) {
        pthread_once(&once, make_mutex);
        pthread_mutex_lock(&priority_mutex);
}

static void priority_unlock(void) {
        pthread_mutex_unlock(&priority_mutex);
}

/* ---- rights ---- */

static bool has_capability(void) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[2] = { 0 };

        if (syscall(SYS_capget, &head, sets) < 0)
                return false;
        return sets[CAP_SYS_NICE / 32].effective >> (CAP_SYS_NICE % 32) & 1;
}

static unsigned ask_right(void) {
        struct rlimit limit;

        if (has_capability())
                return PRIORITY_LINUX;
        if (getrlimit(RLIMIT_RTPRIO, &limit) < 0)
                return 0;
        return limit.rlim_cur < PRIORITY_LINUX ? (unsigned)limit.rlim_cur : PRIORITY_LINUX;
}

unsigned priority_right(void) {
        if (word_load_relaxed(&right) == RIGHT_UNKNOWN)
                word_store(&right, ask_right());
        return word_load_relaxed(&right);
}

/* Who has made itself nice may need a right to become as it was. */
static bool may_be_nice(const Schedule *ordinary) {
        struct rlimit limit;

        if (has_capability())
                return true;
        return getrlimit(RLIMIT_NICE, &limit) == 0 && limit.rlim_cur >= (rlim_t)(20 - ordinary->nice);
}

static void say_refused(void) {
        static Word said;

        if (word_swap(&said, 1))
                return;
        fprintf(stderr, "nuntius: no right to real-time scheduling (RLIMIT_RTPRIO, CAP_SYS_NICE): priorities "
                        "order queues, but not processors\n");
}

unsigned priority_most(void) {
        if (session_open() == 0)
                return session_priority_max();
        return geteuid() == 0 ? PRIORITY_MAX : 63;
}

/* ---- the kernel ---- */

static Schedule schedule_for(const Thread *thread, unsigned priority) {
        Schedule schedule = thread->ordinary;

        if (priority >= PRIORITY_REALTIME) {
                schedule.policy = thread->policy == SCHED_FIFO ? SCHED_FIFO : SCHED_RR;
                schedule.realtime = priority_realtime((int)priority);
                schedule.nice = 0;
        } else if (schedule.nice < priority_nice((int)priority) && may_be_nice(&thread->ordinary)) {
                schedule.nice = priority_nice((int)priority);
        }
        return schedule;
}

/* What the kernel says of @thread, where others may have changed it. */
static unsigned kernel_priority(const Thread *thread, unsigned otherwise) {
        Schedule schedule;

        if (schedule_get((pid_t)thread->linux_tid, &schedule) < 0 || !schedule.realtime)
                return otherwise;
        return (unsigned)schedule.realtime;
}

static void set_applied(Thread *thread, unsigned priority) {
        thread->applied = (uint8_t)priority;
        word_store(&thread->reach, priority >= PRIORITY_REALTIME ? priority : 0);
}

/* @forced: others have changed what the kernel was told. */
static void apply_locked(Thread *thread, unsigned priority, bool forced) {
        uint32_t known = word_load_relaxed(&refused);
        Schedule schedule;
        int r;

        if (thread->policy == SCHED_DEADLINE || (!forced && priority == thread->applied))
                return;
        if (!forced && known && priority >= known && priority > thread->applied)
                return;
        schedule = schedule_for(thread, priority);
        r = schedule_set((pid_t)thread->linux_tid, &schedule);
        if (r == 0) {
                set_applied(thread, priority);
                return;
        }
        if (r == -EPERM && priority >= PRIORITY_REALTIME) {
                if (!known || priority < known)
                        word_store(&refused, priority);
                say_refused();
        }
        if (forced)
                set_applied(thread, kernel_priority(thread, PRIORITY_DEFAULT));
}

static void show(Thread *thread) {
        if (thread->page)
                word_store_relaxed(&thread->page->priority, word_load_relaxed(&thread->priority));
        crew_show_priority(thread);
}

/* Lower: said first and done then, so that who wants it higher sees it or is seen (crew.h). */
static void enter(Thread *thread, unsigned priority, bool forced) {
        unsigned before;

        priority_lock();
        before = thread->applied;
        word_store(&thread->priority, priority);
        if (priority < before) {
                thread->applied = (uint8_t)priority;
                show(thread);
                thread->applied = (uint8_t)before;
        }
        apply_locked(thread, priority, forced);
        show(thread);
        priority_unlock();
}

/* Does the kernel's view of it matter at all, or are there only numbers? */
static bool is_real(const Thread *thread, unsigned applied_before) {
        return thread->applied != applied_before;
}

/* Who counts boosts up all the time keeps nobody here: the next look is at the next receive or send. */
void priority_settle(Thread *thread, unsigned priority) {
        for (unsigned turn = 0; turn < SETTLE_TURNS; turn++) {
                uint32_t boosts = thread_boosts(thread);
                bool raised = boosts != word_load_relaxed(&thread->boosts_seen);
                unsigned before = thread->applied, urgent;

                word_store(&thread->boosts_seen, boosts);
                enter(thread, priority, raised);
                if (!raised && !is_real(thread, before))
                        return;
                urgent = crew_most_urgent(thread);
                if (urgent <= priority && !priority_is_stale(thread))
                        return;
                if (urgent > priority)
                        priority = urgent;
        }
}

/* In the middle of its work: what was lent to it stays. */
void priority_refresh(Thread *thread) {
        unsigned priority = word_load_relaxed(&thread->priority);
        unsigned lent, urgent;

        word_store(&thread->boosts_seen, thread_boosts(thread));
        lent = kernel_priority(thread, thread->applied);
        urgent = crew_most_urgent(thread);
        priority_lock();
        set_applied(thread, lent);
        if (lent >= PRIORITY_REALTIME && lent > priority)
                priority = lent;
        if (urgent > priority)
                priority = urgent;
        word_store(&thread->priority, priority);
        apply_locked(thread, priority, false);
        show(thread);
        priority_unlock();
}

/* ---- life ---- */

static unsigned number_of(const Schedule *schedule) {
        if (schedule->policy == SCHED_DEADLINE)
                return PRIORITY_LINUX;
        if (!schedule->realtime)
                return PRIORITY_DEFAULT;
        return schedule->realtime < PRIORITY_REALTIME ? PRIORITY_REALTIME : (unsigned)schedule->realtime;
}

/* As the kernel runs it now: a program may have been started with chrt or nice. */
void priority_begin(Thread *thread) {
        Schedule schedule = { .policy = SCHED_OTHER };
        unsigned priority;

        (void)schedule_get(0, &schedule);
        priority = number_of(&schedule);
        thread->policy = schedule.policy;
        thread->ordinary = schedule;
        if (schedule.realtime || schedule.policy == SCHED_DEADLINE)
                thread->ordinary = (Schedule){ .policy = SCHED_OTHER,
                                               .resets_on_fork = schedule.resets_on_fork };
        word_store_relaxed(&thread->base, priority);
        word_store_relaxed(&thread->priority, priority);
        word_store_relaxed(&thread->crew_index, CREW_UNLISTED);
        word_store_relaxed(&thread->boosts_seen, thread_boosts(thread));
        set_applied(thread, priority);
}

void priority_after_fork(Thread *thread) {
        unsigned base = word_load_relaxed(&thread->base);

        make_mutex();
        word_store(&right, RIGHT_UNKNOWN);
        word_store(&thread->priority, base);
        apply_locked(thread, base, false);
}

void priority_set_origin(Thread *thread, int policy, unsigned base) {
        thread->policy = policy;
        word_store(&thread->base, base);
        enter(thread, base, false);
}

void priority_use_notice(ShmNotice *notice) {
        word_pointer_store(&thread_daemon_boosts, notice ? &notice->boosts : &no_boosts);
}

/* ---- base ---- */

int priority_check(int priority) {
        if (priority < PRIORITY_MIN || priority > PRIORITY_MAX)
                return -EINVAL;
        return (unsigned)priority > priority_most() ? -EPERM : 0;
}

/* Where it works for a client, that goes on; else the new base counts at once. */
static bool rebase_locked(Thread *thread, int policy, unsigned base) {
        bool is_own = word_load(&thread->priority) == word_load(&thread->base);

        if (thread->policy != SCHED_DEADLINE)
                thread->policy = policy;
        word_store(&thread->base, base);
        word_store(&refused, 0); /* rights may have changed: try anew */
        word_store(&right, RIGHT_UNKNOWN);
        return is_own;
}

int priority_set_base(Thread *thread, int policy, int priority) {
        int r = priority_check(priority);
        bool is_own;

        if (r < 0)
                return r;
        priority_lock();
        is_own = rebase_locked(thread, policy, (unsigned)priority);
        priority_unlock();
        if (is_own)
                enter(thread, (unsigned)priority, true);
        return 0;
}
