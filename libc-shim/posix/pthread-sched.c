/* SPDX-License-Identifier: MIT */
/*
 * Pthread-sched: POSIX's calls that take a priority, with QNX's numbers.
 *
 * The public headers give these functions other names in the object file (nuntius_...), so only programs that
 * are compiled with them come here: other libraries of the process keep glibc's calls and its smaller
 * struct sched_param.
 */
#include "posix/next.h"
#include "runtime/priority.h"
#include "runtime/thread.h"
#include "sys/neutrino.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#define PUBLIC __attribute__((visibility("default")))

#define TURNS_FOR_BIRTH 1000 /* of a millisecond */

/* ---- pthread_t ---- */

static uint32_t tid_of(pthread_t id) {
        uint32_t tid = 0;

        threads_lock();
        for (Thread *thread = threads_first(); thread && !tid; thread = thread->next)
                if (pthread_equal(thread->id, id))
                        tid = thread->tid;
        threads_unlock();
        return tid;
}

/* One that was created just now may not have begun yet: it makes itself known first of all. */
static int find(pthread_t id, int *ret_tid) {
        const struct timespec pause = { .tv_nsec = 1000000 };

        *ret_tid = 0;
        if (pthread_equal(id, pthread_self()))
                return 0;
        for (int i = 0; i < TURNS_FOR_BIRTH; i++) {
                *ret_tid = (int)tid_of(id);
                if (*ret_tid)
                        return 0;
                nanosleep(&pause, NULL);
        }
        return ESRCH;
}

PUBLIC int pthread_setschedparam(pthread_t id, int policy, const struct sched_param *param) {
        int tid, r;

        if (policy == SCHED_SPORADIC)
                return ENOTSUP;
        r = find(id, &tid);
        return r ? r : SchedSet_r(0, tid, policy, param);
}

PUBLIC int pthread_getschedparam(pthread_t id, int *policy, struct sched_param *param) {
        int tid, r;

        r = find(id, &tid);
        if (r)
                return r;
        r = SchedGet_r(0, tid, param);
        if (r < 0)
                return -r;
        *policy = r;
        return 0;
}

PUBLIC int pthread_setschedprio(pthread_t id, int priority) {
        struct sched_param param = { .sched_priority = priority };
        int tid, r;

        r = find(id, &tid);
        return r ? r : SchedSet_r(0, tid, SCHED_NOCHANGE, &param);
}

/* ---- pthread_attr_t ---- */

/*
 * glibc keeps the number in its attributes, within its own range and only with a policy that has
 * one: 10 of SCHED_OTHER becomes 10 of SCHED_RR, which is the same on QNX. pthread_create() reads it.
 */
PUBLIC int pthread_attr_setschedparam(pthread_attr_t *attr, const struct sched_param *param) {
        struct sched_param kept = *param;
        int policy, r;

        if (kept.sched_priority == 0) /* of a program that knows Linux: an ordinary thread */
                return NEXT(pthread_attr_setschedparam)(attr, &kept);
        if (kept.sched_priority < PRIORITY_MIN || kept.sched_priority > PRIORITY_MAX)
                return EINVAL;
        kept.sched_priority = kept.sched_priority < PRIORITY_LINUX ? kept.sched_priority : PRIORITY_LINUX;
        r = pthread_attr_getschedpolicy(attr, &policy);
        if (r == 0 && policy == SCHED_OTHER)
                r = NEXT(pthread_attr_setschedpolicy)(attr, SCHED_RR);
        return r ? r : NEXT(pthread_attr_setschedparam)(attr, &kept);
}

PUBLIC int pthread_attr_getschedparam(const pthread_attr_t *attr, struct sched_param *param) {
        int r;

        *param = (struct sched_param){ 0 };
        r = NEXT(pthread_attr_getschedparam)(attr, param);
        if (param->sched_priority == 0)
                param->sched_priority = PRIORITY_DEFAULT;
        param->sched_curpriority = param->sched_priority;
        return r;
}

/* A priority that was set before stays, and is not to be out of glibc's range for the policy. */
PUBLIC int pthread_attr_setschedpolicy(pthread_attr_t *attr, int policy) {
        struct sched_param param;
        int r;

        if (policy == SCHED_SPORADIC)
                return ENOTSUP;
        if (policy == SCHED_NOCHANGE)
                return 0;
        r = NEXT(pthread_attr_getschedparam)(attr, &param);
        if (r == 0 && policy == SCHED_OTHER && param.sched_priority != 0)
                policy = SCHED_RR;
        return r ? r : NEXT(pthread_attr_setschedpolicy)(attr, policy);
}

/* ---- <sched.h> ---- */

PUBLIC int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param) {
        struct sched_param before;
        int old = SchedGet(pid, 0, &before);

        if (old < 0)
                return -1;
        return SchedSet(pid, 0, policy, param) < 0 ? -1 : old;
}

PUBLIC int sched_getscheduler(pid_t pid) {
        struct sched_param param;

        return SchedGet(pid, 0, &param);
}

PUBLIC int sched_setparam(pid_t pid, const struct sched_param *param) {
        return SchedSet(pid, 0, SCHED_NOCHANGE, param);
}

PUBLIC int sched_getparam(pid_t pid, struct sched_param *param) {
        return SchedGet(pid, 0, param) < 0 ? -1 : 0;
}

static bool is_policy(int policy) {
        return policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_OTHER;
}

static int refuse(void) {
        errno = EINVAL;
        return -1;
}

/* What this process may use, so that a program which asks for the most gets it. */
PUBLIC int sched_get_priority_max(int policy) {
        return is_policy(policy) ? (int)priority_most() : refuse();
}

PUBLIC int sched_get_priority_min(int policy) {
        return is_policy(policy) ? PRIORITY_MIN : refuse();
}
