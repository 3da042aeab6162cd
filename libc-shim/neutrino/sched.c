/* SPDX-License-Identifier: MIT */
/*
 * Sched: a thread's priority and policy, read and set.
 *
 * Threads of this process are known by the library's numbers and by what it keeps of them. Of another
 * process only the first thread is, by the kernel's.
 */
#include "neutrino/result.h"
#include "runtime/priority.h"
#include "runtime/thread.h"
#include "sys/neutrino.h"

#include <limits.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY_PRIVILEGED 64

static bool is_known(int policy) {
        return policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_OTHER || policy == SCHED_NOCHANGE;
}

static bool is_own(pid_t pid) {
        return pid == 0 || pid == getpid();
}

/* Linux has more policies than QNX; each but two is for ordinary threads. */
static int policy_shown(int policy) {
        return policy == SCHED_FIFO || policy == SCHED_RR ? policy : SCHED_OTHER;
}

/* ---- threads of this process ---- */

/* Under the registry's lock, so that it does not end meanwhile. */
static int get_own(int tid, struct sched_param *param) {
        Thread *thread;
        int policy = -ESRCH;

        threads_lock();
        thread = thread_find_locked((uint32_t)tid);
        if (thread) {
                policy = policy_shown(thread->policy);
                param->sched_priority = (int)word_load(&thread->base);
                param->sched_curpriority = (int)word_load(&thread->priority);
        }
        threads_unlock();
        return policy;
}

static int set_own(int tid, int policy, int priority) {
        Thread *thread;
        int r = -ESRCH;

        r = priority_check(priority);
        if (r < 0)
                return r;
        threads_lock();
        thread = thread_find_locked((uint32_t)tid);
        if (thread)
                r = priority_set_base(thread, policy == SCHED_NOCHANGE ? thread->policy : policy, priority);
        else
                r = -ESRCH;
        threads_unlock();
        return r;
}

/* ---- the first thread of another process ---- */

static int get_other(pid_t pid, int tid, struct sched_param *param) {
        Schedule schedule;
        int r;

        if (pid < 0 || tid < 0 || tid > 1)
                return -ESRCH;
        r = schedule_get(pid, &schedule);
        if (r < 0)
                return r;
        param->sched_priority = param->sched_curpriority =
                schedule.realtime ? schedule.realtime : PRIORITY_DEFAULT;
        return policy_shown(schedule.policy);
}

static int set_other(pid_t pid, int tid, int policy, int priority) {
        Schedule schedule;
        int r;

        if (pid < 0 || tid < 0 || tid > 1)
                return -ESRCH;
        r = priority_check(priority);
        if (r < 0)
                return r;
        r = schedule_get(pid, &schedule);
        if (r < 0)
                return r;
        schedule.realtime = priority_realtime(priority);
        schedule.nice = priority_nice(priority);
        if (!schedule.realtime)
                schedule.policy = SCHED_OTHER;
        else if (policy == SCHED_FIFO || (policy == SCHED_NOCHANGE && schedule.policy == SCHED_FIFO))
                schedule.policy = SCHED_FIFO;
        else
                schedule.policy = SCHED_RR;
        return schedule_set(pid, &schedule);
}

/* ---- SchedGet, SchedSet ---- */

int SchedGet_r(pid_t pid, int tid, struct sched_param *param) {
        Thread *thread;
        int r;

        if (!param)
                return -EFAULT;
        thread = call_enter();
        call_take_timeout(thread);
        memset(param, 0, sizeof(*param));
        r = is_own(pid) ? get_own(tid, param) : get_other(pid, tid, param);
        call_leave(thread);
        return r;
}

int SchedGet(pid_t pid, int tid, struct sched_param *param) {
        return (int)plain_value(SchedGet_r(pid, tid, param));
}

int SchedSet_r(pid_t pid, int tid, int policy, const struct sched_param *param) {
        Thread *thread;
        int r;

        if (!param)
                return EFAULT;
        if (!is_known(policy))
                return EINVAL;
        thread = call_enter();
        call_take_timeout(thread);
        if (is_own(pid))
                r = set_own(tid, policy, param->sched_priority);
        else
                r = set_other(pid, tid, policy, param->sched_priority);
        call_leave(thread);
        return positive(r);
}

int SchedSet(pid_t pid, int tid, int policy, const struct sched_param *param) {
        return plain_status(SchedSet_r(pid, tid, policy, param));
}

/* ---- SchedInfo, SchedYield and the rest ---- */

int SchedInfo_r(pid_t pid, int policy, struct _sched_info *info) {
        struct timespec slice = { 0 };
        Schedule schedule;

        if (!info)
                return EFAULT;
        if (!is_known(policy))
                return EINVAL;
        if (!is_own(pid) && (pid < 0 || schedule_get(pid, &schedule) < 0))
                return ESRCH;
        (void)sched_rr_get_interval(pid, &slice);
        *info = (struct _sched_info){
                .priority_min = PRIORITY_MIN,
                .priority_max = PRIORITY_MAX,
                .interval = (uint64_t)slice.tv_sec * 1000000000u + (uint64_t)slice.tv_nsec,
                .priority_priv = PRIORITY_PRIVILEGED,
        };
        return EOK;
}

int SchedInfo(pid_t pid, int policy, struct _sched_info *info) {
        return plain_status(SchedInfo_r(pid, policy, info));
}

int SchedYield_r(void) {
        sched_yield();
        return EOK;
}

int SchedYield(void) {
        return SchedYield_r();
}

unsigned SchedGetCpuNum(void) {
        int core = sched_getcpu();

        return core < 0 ? 0 : (unsigned)core;
}

int SchedCtl_r(int cmd, void *data, size_t length) {
        (void)cmd;
        (void)data;
        (void)length;
        return ENOSYS;
}

int SchedCtl(int cmd, void *data, size_t length) {
        return plain_status(SchedCtl_r(cmd, data, length));
}

/* ---- getprio, setprio ---- */

int getprio(pid_t pid) {
        struct sched_param param;

        return SchedGet(pid, 0, &param) < 0 ? -1 : param.sched_curpriority;
}

int setprio(pid_t pid, int priority) {
        struct sched_param param;
        int before = getprio(pid);

        if (before < 0)
                return -1;
        param.sched_priority = priority;
        return SchedSet(pid, 0, SCHED_NOCHANGE, &param) < 0 ? -1 : before;
}
