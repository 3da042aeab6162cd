/* SPDX-License-Identifier: MIT */
/*
 * Sync calls: mutexes, condition variables and semaphores as kernel objects.
 * Programs get them from <sys/neutrino.h>, the types from <sync.h> as well.
 *
 * pthread_mutex_t, pthread_cond_t and sem_t stay the C library's; a sync_t is none of them, and these calls
 * take nothing but what SyncTypeCreate() has made.
 */
#pragma once
#pragma GCC system_header

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/cdefs.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

struct sigevent;

/* Kinds of object. COND is QNX's number in public; the others are our choice. */
#define _NTO_SYNC_MUTEX_FREE 0x00000000u
#define _NTO_SYNC_SEM        0xfffffffcu
#define _NTO_SYNC_COND       0xfffffffbu

/* struct _sync_attr: __flags. The first two are QNX's numbers in public. */
#define _NTO_SYNC_NONRECURSIVE 0x80000000u /* the default; kept, without effect */
#define _NTO_SYNC_NOERRORCHECK 0x40000000u /* a thread that locks twice waits for itself */
#define _NTO_SYNC_RECURSIVE    0x00000002u /* may be locked again by its owner */
#define _NTO_SYNC_ROBUST       0x00000010u /* survives its owner: EOWNERDEAD, SyncMutexRevive() */

/* SyncCtl() */
#define _NTO_SCTL_SETPRIOCEILING   1 /* data: int *, becomes the old one */
#define _NTO_SCTL_GETPRIOCEILING   2 /* data: int * */
#define _NTO_SCTL_SETEVENT         3
#define _NTO_SCTL_MUTEX_WAKEUP     4
#define _NTO_SCTL_MUTEX_CONSISTENT 5 /* data: not used */
#define _NTO_SCTL_SEM_VALUE        6 /* data: int * */

/* Lives where the program likes, in memory that processes share too. May not be copied or moved. */
typedef struct _nuntius_sync {
        uint32_t __kind;
        uint32_t __pad;
        union {
                pthread_mutex_t __mutex;
                pthread_cond_t __cond;
                sem_t __sem;
        } __u;
} sync_t;

struct _sync_attr {
        int __protocol;    /* PTHREAD_PRIO_INHERIT, PTHREAD_PRIO_PROTECT, PTHREAD_PRIO_NONE */
        int __flags;       /* _NTO_SYNC_... */
        int __prioceiling; /* with PTHREAD_PRIO_PROTECT */
        int __clockid;     /* condition variable: clock of timed waits */
        int __count;       /* semaphore: its first value */
        int __reserved[3];
};
typedef struct _sync_attr sync_attr_t;

/*
 * SyncTypeCreate: make a mutex, a condition variable or a semaphore
 *
 * `type` is _NTO_SYNC_MUTEX_FREE, _NTO_SYNC_COND or _NTO_SYNC_SEM. Without `attr` a mutex inherits
 * priorities and tells who locks it twice; a semaphore begins at 0, with `attr` at its __count.
 * The object works for all processes that share its memory.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EAGAIN  the system has no room for it.
 *   EFAULT  `sync` is NULL.
 *   EINVAL  `type` or `attr` is none of those above.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: what is not public of the attributes, see <sync.h>.
 * See: SyncDestroy, SyncMutexLock, SyncCondvarWait, SyncSemWait, SyncCtl
 */
int SyncTypeCreate(unsigned type, sync_t *sync, const struct _sync_attr *attr);
int SyncTypeCreate_r(unsigned type, sync_t *sync, const struct _sync_attr *attr);

/*
 * SyncDestroy: end a synchronization object
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EBUSY   it is a mutex that somebody has locked.
 *   EFAULT  `sync` is NULL.
 *   EINVAL  SyncTypeCreate() has not made it.
 * Blocks: a condition variable waits until those that have been woken have left it. Not a
 *   cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: SyncTypeCreate
 */
int SyncDestroy(sync_t *sync);
int SyncDestroy_r(sync_t *sync);

/*
 * SyncCtl: look at a synchronization object or change it
 *
 * _NTO_SCTL_SETPRIOCEILING sets a mutex's ceiling to the int at `data` and stores the old one there,
 * _NTO_SCTL_GETPRIOCEILING stores it, _NTO_SCTL_SEM_VALUE stores a semaphore's value,
 * _NTO_SCTL_MUTEX_CONSISTENT is SyncMutexRevive().
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT   `sync` is NULL, or `data` where it is needed.
 *   EINVAL   `cmd` is unknown, or does not fit this object.
 *   ENOTSUP  `cmd` is _NTO_SCTL_SETEVENT or _NTO_SCTL_MUTEX_WAKEUP.
 * Blocks: while another thread has locked the mutex whose ceiling is set. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: ENOTSUP, see SyncMutexEvent().
 * See: SyncTypeCreate, SyncMutexRevive
 */
int SyncCtl(int cmd, sync_t *sync, void *data);
int SyncCtl_r(int cmd, sync_t *sync, void *data);

/*
 * SyncMutexLock: lock a mutex
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EAGAIN      a recursive mutex has been locked too often.
 *   EDEADLK     the caller has it already.
 *   EFAULT      `sync` is NULL.
 *   EINVAL      it is no mutex of SyncTypeCreate(), or the caller's priority is above its ceiling.
 *   EOWNERDEAD  its owner died; the caller has it now, see SyncMutexRevive().
 *   ETIMEDOUT   the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_MUTEX. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: SyncMutexUnlock, SyncMutexRevive, TimerTimeout
 */
int SyncMutexLock(sync_t *sync);
int SyncMutexLock_r(sync_t *sync);

/*
 * SyncMutexUnlock: unlock a mutex
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT  `sync` is NULL.
 *   EINVAL  it is no mutex of SyncTypeCreate().
 *   EPERM   the caller has not locked it.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: SyncMutexLock
 */
int SyncMutexUnlock(sync_t *sync);
int SyncMutexUnlock_r(sync_t *sync);

/*
 * SyncMutexEvent: ask for an event when a mutex's owner dies
 *
 * Not supported; always fails. A mutex with _NTO_SYNC_ROBUST tells the next who locks it.
 *
 * Returns: -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT   `sync` is NULL.
 *   ENOTSUP  always else.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: Linux tells nobody but the one who locks it next.
 * See: SyncMutexRevive
 */
int SyncMutexEvent(sync_t *sync, const struct sigevent *event);
int SyncMutexEvent_r(sync_t *sync, const struct sigevent *event);

/*
 * SyncMutexRevive: make a mutex usable after its owner's death
 *
 * For the thread whose SyncMutexLock() gave EOWNERDEAD, once what the mutex guards is in order. When it
 * unlocks without, nobody can lock the mutex any more.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT  `sync` is NULL.
 *   EINVAL  it is no mutex of SyncTypeCreate(), or its owner has not died.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: the caller has the mutex already, as POSIX has it; on QNX it
 *   gets it by this call.
 * See: SyncMutexLock, SyncTypeCreate
 */
int SyncMutexRevive(sync_t *sync);
int SyncMutexRevive_r(sync_t *sync);

/*
 * SyncCondvarWait: wait on a condition variable
 *
 * Unlocks `mutex`, waits, and locks it again, whatever the result.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT      `sync` or `mutex` is NULL.
 *   EINVAL      they are not what SyncTypeCreate() has made.
 *   EOWNERDEAD  the mutex's owner died meanwhile; the caller has it now.
 *   EPERM       the caller has not locked `mutex`.
 *   ETIMEDOUT   the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_CONDVAR, then for the mutex. A cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: SyncCondvarSignal, SyncMutexLock, TimerTimeout
 */
int SyncCondvarWait(sync_t *sync, sync_t *mutex);
int SyncCondvarWait_r(sync_t *sync, sync_t *mutex);

/*
 * SyncCondvarSignal: wake those that wait on a condition variable
 *
 * One of them, or all when `all` is not 0.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT  `sync` is NULL.
 *   EINVAL  it is no condition variable of SyncTypeCreate().
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: SyncCondvarWait
 */
int SyncCondvarSignal(sync_t *sync, int all);
int SyncCondvarSignal_r(sync_t *sync, int all);

/*
 * SyncSemPost: count a semaphore up
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EAGAIN  it cannot count any further.
 *   EFAULT  `sync` is NULL.
 *   EINVAL  it is no semaphore of SyncTypeCreate().
 * Blocks: no. Not a cancellation point. May be called from a signal handler.
 * Rule: QNX 7.1 documentation.
 * See: SyncSemWait
 */
int SyncSemPost(sync_t *sync);
int SyncSemPost_r(sync_t *sync);

/*
 * SyncSemWait: count a semaphore down
 *
 * Waits while it is 0, unless `tryto` is not 0.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EAGAIN     it is 0, and `tryto` is not.
 *   EFAULT     `sync` is NULL.
 *   EINTR      a signal was handled.
 *   EINVAL     it is no semaphore of SyncTypeCreate().
 *   ETIMEDOUT  the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_SEM. A cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: SyncSemPost, TimerTimeout
 */
int SyncSemWait(sync_t *sync, int tryto);
int SyncSemWait_r(sync_t *sync, int tryto);

#pragma GCC visibility pop
__END_DECLS
