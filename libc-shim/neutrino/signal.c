/* SPDX-License-Identifier: MIT */
/*
 * Signal calls.
 *
 * What Linux keeps to the process itself (handlers, masks, thread numbers) is refused for others. Those that
 * wait do so outside of a call of ours, so that handlers run at once (limit.h).
 */
#include "neutrino/limit.h"
#include "neutrino/result.h"
#include "runtime/signal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef NSIG
#define NSIG 65
#endif

static bool is_own(pid_t pid) {
        return pid == 0 || pid == getpid();
}

/* Why another process's signals cannot be touched. */
static int refusal(pid_t pid) {
        return kill(pid, 0) < 0 && errno == ESRCH ? ESRCH : EPERM;
}

/* The kernel's number of an own thread, or 0. */
static pid_t linux_tid(int tid) {
        Thread *thread;
        pid_t found;

        threads_lock();
        thread = thread_find_locked((uint32_t)tid);
        found = thread ? (pid_t)thread->linux_tid : 0;
        threads_unlock();
        return found;
}

/* ---- SignalKill ---- */

static int to_group(pid_t pid, int tid, int signo) {
        if (tid != 0)
                return EINVAL;
        return kill(pid, signo) < 0 ? errno : EOK;
}

static int to_thread(pid_t pid, int tid, int signo, siginfo_t *info) {
        pid_t thread;

        if (!is_own(pid))
                return kill(pid, 0) < 0 ? errno : ENOTSUP;
        thread = linux_tid(tid);
        if (thread == 0)
                return ESRCH;
        if (signo == 0)
                return EOK;
        return syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, signo, info) < 0 ? errno : EOK;
}

/* Linux lets a process claim SI_USER for others through kill() alone. */
static int to_process(pid_t pid, int signo, siginfo_t *info) {
        if (signo == 0 || (info->si_code == SI_USER && !is_own(pid)))
                return kill(pid, signo) < 0 ? errno : EOK;
        return syscall(SYS_rt_sigqueueinfo, pid, signo, info) < 0 ? errno : EOK;
}

static int send(uint32_t nd, pid_t pid, int tid, int signo, int code, union sigval value) {
        siginfo_t info;

        if (signo < 0 || signo >= NSIG || code < INT8_MIN || code > INT8_MAX)
                return EINVAL;
        if (nd != ND_LOCAL_NODE)
                return ESRCH;
        if (pid <= 0)
                return to_group(pid, tid, signo);
        memset(&info, 0, sizeof(info));
        info.si_signo = signo;
        info.si_code = code;
        info.si_pid = getpid();
        info.si_uid = getuid();
        info.si_value = value;
        return tid ? to_thread(pid, tid, signo, &info) : to_process(pid, signo, &info);
}

int SignalKillSigval_r(uint32_t nd, pid_t pid, int tid, int signo, int code,
                       const union sigval *value) {
        int saved = errno;
        int r;

        limit_drop();
        if (!value)
                return EFAULT;
        r = send(nd, pid, tid, signo, code, *value);
        errno = saved;
        return r;
}

int SignalKillSigval(uint32_t nd, pid_t pid, int tid, int signo, int code, const union sigval *value) {
        return plain_status(SignalKillSigval_r(nd, pid, tid, signo, code, value));
}

int SignalKill_r(uint32_t nd, pid_t pid, int tid, int signo, int code, int value) {
        union sigval sigval = { .sival_long = value };

        return SignalKillSigval_r(nd, pid, tid, signo, code, &sigval);
}

int SignalKill(uint32_t nd, pid_t pid, int tid, int signo, int code, int value) {
        return plain_status(SignalKill_r(nd, pid, tid, signo, code, value));
}

/* ---- SignalAction, SignalProcmask ---- */

int SignalAction_r(pid_t pid, void (*sigstub)(void), int signo, const struct sigaction *act,
                   struct sigaction *oact) {
        int saved = errno;
        int r;

        limit_drop();
        if (!is_own(pid))
                r = refusal(pid);
        else
                r = signal_action(signo, act, oact) < 0 ? errno : EOK;
        errno = saved;
        return r;
}

int SignalAction(pid_t pid, void (*sigstub)(void), int signo, const struct sigaction *act,
                 struct sigaction *oact) {
        return plain_status(SignalAction_r(pid, sigstub, signo, act, oact));
}

static int check_mask_owner(pid_t pid, int tid) {
        if (!is_own(pid))
                return refusal(pid);
        if (tid == 0 || (uint32_t)tid == thread_this.tid)
                return EOK;
        return linux_tid(tid) ? EPERM : ESRCH;
}

static int pending(sigset_t *ret_set) {
        if (!ret_set)
                return EFAULT;
        return sigpending(ret_set) < 0 ? errno : EOK;
}

int SignalProcmask_r(pid_t pid, int tid, int how, const sigset_t *set, sigset_t *oldset) {
        int saved = errno;
        int r;

        limit_drop();
        r = check_mask_owner(pid, tid);
        if (r == EOK)
                r = how == SIG_PENDING ? pending(oldset) : pthread_sigmask(how, set, oldset);
        errno = saved;
        return r;
}

int SignalProcmask(pid_t pid, int tid, int how, const sigset_t *set, sigset_t *oldset) {
        return plain_status(SignalProcmask_r(pid, tid, how, set, oldset));
}

/* ---- SignalSuspend, SignalWaitinfo ---- */

/* What is left until @deadline, nothing when it has passed. */
static struct timespec remaining(const Deadline *deadline) {
        struct timespec now, left;

        clock_gettime(deadline->clock, &now);
        left.tv_sec = deadline->at.tv_sec - now.tv_sec;
        left.tv_nsec = deadline->at.tv_nsec - now.tv_nsec;
        if (left.tv_nsec < 0) {
                left.tv_nsec += 1000000000;
                left.tv_sec--;
        }
        return left.tv_sec < 0 ? (struct timespec){ 0 } : left;
}

static int suspend(const sigset_t *set, const Deadline *deadline) {
        struct timespec left;

        if (!deadline->set) {
                sigsuspend(set);
                return errno;
        }
        left = remaining(deadline);
        return ppoll(NULL, 0, &left, set) == 0 ? ETIMEDOUT : errno;
}

int SignalSuspend_r(const sigset_t *set) {
        Deadline deadline = limit_take(_NTO_TIMEOUT_SIGSUSPEND);
        int saved = errno;
        int r = set ? suspend(set, &deadline) : EFAULT;

        errno = saved;
        return r;
}

int SignalSuspend(const sigset_t *set) {
        return plain_status(SignalSuspend_r(set));
}

/* sigwaitinfo() for ever, sigtimedwait() until then; EAGAIN is its word for "in time". */
static int take_signal(const sigset_t *set, siginfo_t *info, const Deadline *deadline) {
        struct timespec left;
        int r;

        if (deadline->set)
                left = remaining(deadline);
        r = deadline->set ? sigtimedwait(set, info, &left) : sigwaitinfo(set, info);
        if (r >= 0)
                return r;
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

int SignalWaitinfoMask_r(const sigset_t *set, siginfo_t *info, const sigset_t *mask) {
        Deadline deadline = limit_take(_NTO_TIMEOUT_SIGWAITINFO);
        int saved = errno;
        sigset_t before;
        int r;

        if (!set)
                return -EFAULT;
        if (mask)
                pthread_sigmask(SIG_SETMASK, mask, &before);
        r = take_signal(set, info, &deadline);
        if (mask)
                pthread_sigmask(SIG_SETMASK, &before, NULL);
        errno = saved;
        return r;
}

int SignalWaitinfoMask(const sigset_t *set, siginfo_t *info, const sigset_t *mask) {
        return (int)plain_value(SignalWaitinfoMask_r(set, info, mask));
}

int SignalWaitinfo_r(const sigset_t *set, siginfo_t *info) {
        return SignalWaitinfoMask_r(set, info, NULL);
}

int SignalWaitinfo(const sigset_t *set, siginfo_t *info) {
        return (int)plain_value(SignalWaitinfo_r(set, info));
}

/* ---- what has no meaning here ---- */

int SignalReturn(struct _sighandler_info *info) {
        limit_drop();
        return plain_status(ENOTSUP);
}

int SignalFault(unsigned sigcode, void *regs, uintptr_t refaddr) {
        limit_drop();
        return plain_status(ENOTSUP);
}
