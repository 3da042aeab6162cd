/* SPDX-License-Identifier: MIT */
/*
 * Thread calls: threads by number, as _msg_info and _PULSE_CODE_THREADDEATH name them.
 * Programs get them from <sys/neutrino.h>.
 */
#pragma once
#pragma GCC system_header

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

/* ThreadCreate(). A field that is 0 means the system's own choice. */
struct _thread_attr {
        int __flags;             /* PTHREAD_CREATE_DETACHED, _NTO_THREAD_EXPLICIT_SCHED */
        size_t __stacksize;
        void *__stackaddr;       /* with __stacksize: memory of the program's own */
        void (*__exitfunc)(void *status); /* called by the thread with what `func` returned */
        int __policy;
        struct sched_param __param;
        unsigned __guardsize;
        unsigned __prealloc;     /* kept, without effect */
        int __spare[2];
};

/* In __flags: __policy and __param count; else the thread is scheduled as its maker. Our choice of value. */
#define _NTO_THREAD_EXPLICIT_SCHED 0x00010000

/*
 * ThreadCreate: start a thread
 *
 * The thread runs `func(arg)` in the caller's process: `pid` is 0 or the caller's own. `attr` may be NULL.
 *
 * Returns: the thread's number, greater than 0; -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   EAGAIN   no thread is left.
 *   EFAULT   `func` is NULL.
 *   EINVAL   `attr` has sizes or a priority that cannot be.
 *   ENOTSUP  `pid` is another process.
 *   EPERM    the caller may not have this policy or priority.
 * Blocks: until the new thread runs. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: ENOTSUP.
 * See: ThreadJoin, ThreadDetach, ThreadDestroy, ThreadCancel
 */
int ThreadCreate(pid_t pid, void *(*func)(void *), void *arg, const struct _thread_attr *attr);
int ThreadCreate_r(pid_t pid, void *(*func)(void *), void *arg, const struct _thread_attr *attr);

/*
 * ThreadDestroy: end threads
 *
 * The calling thread, with `status` for who joins it, when `tid` is 0 or its own; thread `tid`; or with
 * `tid` -1 all other threads whose priority is `priority`, all of any priority when that is -1.
 *
 * Returns: EOK; -1 and errno; not at all for the calling thread. The _r form returns a positive errno.
 * Errors:
 *   ESRCH  there is no such thread.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: other threads are cancelled, so they end where POSIX
 *   lets them, run their cleanup handlers, and PTHREAD_CANCELED is their status. Nothing on Linux ends
 *   another thread at once without harm to what it holds.
 * See: ThreadCreate, ThreadCancel, ThreadJoin
 */
int ThreadDestroy(int tid, int priority, void *status);
int ThreadDestroy_r(int tid, int priority, void *status);

/*
 * ThreadDetach: let nobody join a thread
 *
 * `tid` 0 is the calling thread.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  it is detached already.
 *   ESRCH   there is no such thread.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: ThreadCreate, ThreadJoin
 */
int ThreadDetach(int tid);
int ThreadDetach_r(int tid);

/*
 * ThreadJoin: wait for a thread's end
 *
 * Stores what it returned, or gave to pthread_exit(), at `status`, which may be NULL.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EBUSY      another thread is joining it.
 *   EDEADLK    `tid` is the caller.
 *   EINVAL     it is detached.
 *   ESRCH      there is no such thread, or it was joined already.
 *   ETIMEDOUT  the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_JOIN. A cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: a thread that pthread_create() has made is known by its number
 *   as long as it lives; join it with pthread_join() when it may have ended.
 * See: ThreadCreate, ThreadDetach, TimerTimeout
 */
int ThreadJoin(int tid, void **status);
int ThreadJoin_r(int tid, void **status);

/*
 * ThreadCancel: cancel a thread
 *
 * As pthread_cancel(). `canstub` is not used. `tid` 0 is the calling thread.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   ESRCH  there is no such thread.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: ThreadCreate, ThreadDestroy
 */
int ThreadCancel(int tid, void (*canstub)(void));
int ThreadCancel_r(int tid, void (*canstub)(void));

#pragma GCC visibility pop
__END_DECLS
