/* SPDX-License-Identifier: MIT */
/*
 * Signal calls: the kernel calls behind kill(), sigaction() and their relatives.
 * Programs get them from <sys/neutrino.h>.
 */
#pragma once
#pragma GCC system_header

#include <signal.h>
#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/types.h>

/* SignalAction(): the stub that QNX gives it; none is needed here. */
#define __signalstub ((void (*)(void))0)

__BEGIN_DECLS
#pragma GCC visibility push(default)

/* SignalProcmask(): tell which signals are pending. Our choice of value. */
#define SIG_PENDING 5

/* Codes that a program may choose for its signals. QNX's values. */
#ifndef SI_MINAVAIL
#define SI_MINAVAIL (-128)
#define SI_MAXAVAIL (-64)
#endif

struct _sighandler_info;

/*
 * SignalKill: send a signal with a code and a value
 *
 * To process `pid`, or to its thread `tid` when that is not 0. `pid` 0 is the caller's process group,
 * a negative one the group -`pid`; `tid` is 0 then. `signo` 0 only checks whether it could be sent. The
 * handler finds `code` in si_code and `value` in si_value.
 *
 * Returns: EOK; -1 and errno. The _r forms return a positive errno.
 * Errors:
 *   EAGAIN   the receiver's queue is full.
 *   EFAULT   SignalKillSigval()'s `value` is NULL.
 *   EINVAL   there is no signal `signo`, `code` does not fit 8 bits with a sign, or `tid` is given
 *            with a group.
 *   ENOTSUP  `tid` names a thread of another process.
 *   EPERM    the caller may not signal this process; or `code` is above 0 and the process is not its own.
 *   ESRCH    there is no such process, group or thread, or `nd` is not ND_LOCAL_NODE.
 * Blocks: no. Not a cancellation point. May be called from a signal handler, if `tid` is 0.
 * Rule: QNX 7.1 documentation. Our choice: a group gets no code nor value, and so does another process
 *   with `code` SI_USER: Linux does not carry them there. ENOTSUP, because a thread's number is known
 *   to its own process alone.
 * See: SignalAction, SignalWaitinfo
 */
int SignalKill(uint32_t nd, pid_t pid, int tid, int signo, int code, int value);
int SignalKill_r(uint32_t nd, pid_t pid, int tid, int signo, int code, int value);
int SignalKillSigval(uint32_t nd, pid_t pid, int tid, int signo, int code, const union sigval *value);
int SignalKillSigval_r(uint32_t nd, pid_t pid, int tid, int signo, int code,
                       const union sigval *value);

/*
 * SignalAction: look at what a signal does, or change it
 *
 * sigaction() for the caller's own process: `pid` is 0 or its own. `sigstub` is not used.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  `signo` is no signal, or one that cannot be caught.
 *   EPERM   `pid` is another process.
 *   ESRCH   there is no process `pid`.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: EPERM, Linux lets nobody change another process's handlers.
 * See: SignalKill, SignalProcmask
 */
int SignalAction(pid_t pid, void (*sigstub)(void), int signo, const struct sigaction *act,
                 struct sigaction *oact);
int SignalAction_r(pid_t pid, void (*sigstub)(void), int signo, const struct sigaction *act,
                   struct sigaction *oact);

/*
 * SignalProcmask: look at the blocked signals of a thread, or change them
 *
 * `how` is SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK for the calling thread; SIG_PENDING stores at
 * `oldset` which signals wait for it. `pid` and `tid` are 0 or the caller's own.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT  `how` is SIG_PENDING, and `oldset` NULL.
 *   EINVAL  `how` is unknown.
 *   EPERM   `pid` or `tid` is another process or thread.
 *   ESRCH   there is no such process or thread.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: EPERM, a thread's mask is its own on Linux.
 * See: SignalSuspend, SignalWaitinfo
 */
int SignalProcmask(pid_t pid, int tid, int how, const sigset_t *set, sigset_t *oldset);
int SignalProcmask_r(pid_t pid, int tid, int how, const sigset_t *set, sigset_t *oldset);

/*
 * SignalSuspend: wait with other blocked signals until a handler has run
 *
 * Returns: -1 and errno, always. The _r form returns a positive errno.
 * Errors:
 *   EFAULT     `set` is NULL.
 *   EINTR      a handler has run.
 *   ETIMEDOUT  the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_SIGSUSPEND. A cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: SignalProcmask, SignalWaitinfo, TimerTimeout
 */
int SignalSuspend(const sigset_t *set);
int SignalSuspend_r(const sigset_t *set);

/*
 * SignalWaitinfo: take a signal without a handler
 *
 * Waits until one of `set`, which should be blocked, is pending, and takes it. `info` may be NULL. The
 * Mask forms wait with `mask` as the blocked signals; NULL leaves them as they are.
 *
 * Returns: the signal's number; -1 and errno. The _r forms return a negative errno.
 * Errors:
 *   EFAULT     `set` is NULL.
 *   EINTR      a handler of another signal has run.
 *   ETIMEDOUT  the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_SIGWAITINFO. A cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: `mask` is set for the time of the wait, not in one step with
 *   it; a handler that runs in between does not end the wait.
 * See: SignalKill, SignalSuspend, TimerTimeout
 */
int SignalWaitinfo(const sigset_t *set, siginfo_t *info);
int SignalWaitinfo_r(const sigset_t *set, siginfo_t *info);
int SignalWaitinfoMask(const sigset_t *set, siginfo_t *info, const sigset_t *mask);
int SignalWaitinfoMask_r(const sigset_t *set, siginfo_t *info, const sigset_t *mask);

/*
 * SignalReturn: leave a signal handler
 *
 * Not supported; always fails. Handlers return here as functions do. SignalFault(), which simulates a
 * fault, fails as well.
 *
 * Returns: -1 and errno.
 * Errors:
 *   ENOTSUP  always.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: both serve QNX's own library, and Linux's signal frames are not QNX's.
 * See: SignalAction
 */
int SignalReturn(struct _sighandler_info *info);
int SignalFault(unsigned sigcode, void *regs, uintptr_t refaddr);

#pragma GCC visibility pop
__END_DECLS
