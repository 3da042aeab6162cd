/* SPDX-License-Identifier: MIT */
/*
 * Sync calls, on the C library's primitives.
 *
 * A sync_t says what it is, so that a call on the wrong kind, or on memory that was never made one, is EINVAL
 * instead of damage.
 */
#include "neutrino/limit.h"
#include "neutrino/result.h"

#include <errno.h>

#define KIND_MUTEX 0x6d757478u /* "mutx" */
#define KIND_COND  0x636f6e64u /* "cond" */
#define KIND_SEM   0x73656d61u /* "sema" */

#define FLAGS_KNOWN                                                                                \
        (_NTO_SYNC_NONRECURSIVE | _NTO_SYNC_NOERRORCHECK | _NTO_SYNC_RECURSIVE | _NTO_SYNC_ROBUST)

static int check(const sync_t *sync, uint32_t kind) {
        if (!sync)
                return EFAULT;
        return sync->__kind == kind ? EOK : EINVAL;
}

/* ---- SyncTypeCreate, SyncDestroy ---- */

static int mutex_type(unsigned flags) {
        if (flags & _NTO_SYNC_RECURSIVE)
                return PTHREAD_MUTEX_RECURSIVE;
        return flags & _NTO_SYNC_NOERRORCHECK ? PTHREAD_MUTEX_NORMAL : PTHREAD_MUTEX_ERRORCHECK;
}

static int mutex_attributes(pthread_mutexattr_t *attributes, const struct _sync_attr *attr) {
        unsigned flags = attr ? (unsigned)attr->__flags : 0;
        int protocol = attr ? attr->__protocol : PTHREAD_PRIO_INHERIT;
        int r;

        if (flags & ~FLAGS_KNOWN)
                return EINVAL;
        pthread_mutexattr_settype(attributes, mutex_type(flags));
        pthread_mutexattr_setpshared(attributes, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(attributes, flags & _NTO_SYNC_ROBUST ? PTHREAD_MUTEX_ROBUST
                                                                         : PTHREAD_MUTEX_STALLED);
        r = pthread_mutexattr_setprotocol(attributes, protocol);
        if (r == 0 && protocol == PTHREAD_PRIO_PROTECT)
                r = pthread_mutexattr_setprioceiling(attributes, attr->__prioceiling);
        return r;
}

static int make_mutex(sync_t *sync, const struct _sync_attr *attr) {
        pthread_mutexattr_t attributes;
        int r;

        pthread_mutexattr_init(&attributes);
        r = mutex_attributes(&attributes, attr);
        if (r == 0)
                r = pthread_mutex_init(&sync->__u.__mutex, &attributes);
        pthread_mutexattr_destroy(&attributes);
        return r;
}

static int make_cond(sync_t *sync, const struct _sync_attr *attr) {
        pthread_condattr_t attributes;
        int r;

        pthread_condattr_init(&attributes);
        pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        r = pthread_condattr_setclock(&attributes, attr ? attr->__clockid : CLOCK_REALTIME);
        if (r == 0)
                r = pthread_cond_init(&sync->__u.__cond, &attributes);
        pthread_condattr_destroy(&attributes);
        return r;
}

static int make_sem(sync_t *sync, const struct _sync_attr *attr) {
        int count = attr ? attr->__count : 0;

        if (count < 0)
                return EINVAL;
        return sem_init(&sync->__u.__sem, 1, (unsigned)count) == 0 ? EOK : errno;
}

static int make(unsigned type, sync_t *sync, const struct _sync_attr *attr, uint32_t *ret_kind) {
        switch (type) {
        case _NTO_SYNC_MUTEX_FREE:
                *ret_kind = KIND_MUTEX;
                return make_mutex(sync, attr);
        case _NTO_SYNC_COND:
                *ret_kind = KIND_COND;
                return make_cond(sync, attr);
        case _NTO_SYNC_SEM:
                *ret_kind = KIND_SEM;
                return make_sem(sync, attr);
        }
        return EINVAL;
}

int SyncTypeCreate_r(unsigned type, sync_t *sync, const struct _sync_attr *attr) {
        int saved = errno;
        uint32_t kind = 0;
        int r;

        limit_drop();
        if (!sync)
                return EFAULT;
        sync->__kind = 0;
        r = make(type, sync, attr, &kind);
        if (r == EOK)
                sync->__kind = kind;
        errno = saved;
        return r;
}

int SyncTypeCreate(unsigned type, sync_t *sync, const struct _sync_attr *attr) {
        return plain_status(SyncTypeCreate_r(type, sync, attr));
}

static int unmake(sync_t *sync) {
        switch (sync->__kind) {
        case KIND_MUTEX:
                return pthread_mutex_destroy(&sync->__u.__mutex);
        case KIND_COND:
                return pthread_cond_destroy(&sync->__u.__cond);
        case KIND_SEM:
                return sem_destroy(&sync->__u.__sem) == 0 ? EOK : errno;
        }
        return EINVAL;
}

int SyncDestroy_r(sync_t *sync) {
        int saved = errno;
        int r;

        limit_drop();
        if (!sync)
                return EFAULT;
        r = unmake(sync);
        if (r == EOK)
                sync->__kind = 0;
        errno = saved;
        return r;
}

int SyncDestroy(sync_t *sync) {
        return plain_status(SyncDestroy_r(sync));
}

/* ---- mutexes ---- */

int SyncMutexLock_r(sync_t *sync) {
        Deadline deadline = limit_take(_NTO_TIMEOUT_MUTEX);
        int r = check(sync, KIND_MUTEX);

        if (r != EOK)
                return r;
        r = pthread_mutex_trylock(&sync->__u.__mutex);
        if (r != EBUSY)
                return r;
        if (!deadline.set)
                return pthread_mutex_lock(&sync->__u.__mutex);
        return pthread_mutex_clocklock(&sync->__u.__mutex, deadline.clock, &deadline.at);
}

int SyncMutexLock(sync_t *sync) {
        return plain_status(SyncMutexLock_r(sync));
}

int SyncMutexUnlock_r(sync_t *sync) {
        int r = check(sync, KIND_MUTEX);

        limit_drop();
        return r != EOK ? r : pthread_mutex_unlock(&sync->__u.__mutex);
}

int SyncMutexUnlock(sync_t *sync) {
        return plain_status(SyncMutexUnlock_r(sync));
}

int SyncMutexEvent_r(sync_t *sync, const struct sigevent *event) {
        limit_drop();
        return sync ? ENOTSUP : EFAULT;
}

int SyncMutexEvent(sync_t *sync, const struct sigevent *event) {
        return plain_status(SyncMutexEvent_r(sync, event));
}

int SyncMutexRevive_r(sync_t *sync) {
        int r = check(sync, KIND_MUTEX);

        limit_drop();
        return r != EOK ? r : pthread_mutex_consistent(&sync->__u.__mutex);
}

int SyncMutexRevive(sync_t *sync) {
        return plain_status(SyncMutexRevive_r(sync));
}

/* ---- condition variables ---- */

int SyncCondvarWait_r(sync_t *sync, sync_t *mutex) {
        Deadline deadline = limit_take(_NTO_TIMEOUT_CONDVAR);
        int r = check(sync, KIND_COND);

        if (r == EOK)
                r = check(mutex, KIND_MUTEX);
        if (r != EOK)
                return r;
        if (!deadline.set)
                return pthread_cond_wait(&sync->__u.__cond, &mutex->__u.__mutex);
        return pthread_cond_clockwait(&sync->__u.__cond, &mutex->__u.__mutex, deadline.clock,
                                      &deadline.at);
}

int SyncCondvarWait(sync_t *sync, sync_t *mutex) {
        return plain_status(SyncCondvarWait_r(sync, mutex));
}

int SyncCondvarSignal_r(sync_t *sync, int all) {
        int r = check(sync, KIND_COND);

        limit_drop();
        if (r != EOK)
                return r;
        return all ? pthread_cond_broadcast(&sync->__u.__cond) : pthread_cond_signal(&sync->__u.__cond);
}

int SyncCondvarSignal(sync_t *sync, int all) {
        return plain_status(SyncCondvarSignal_r(sync, all));
}

/* ---- semaphores ---- */

int SyncSemPost_r(sync_t *sync) {
        int saved = errno;
        int r = check(sync, KIND_SEM);

        limit_drop();
        if (r == EOK && sem_post(&sync->__u.__sem) < 0)
                r = errno == EOVERFLOW ? EAGAIN : errno;
        errno = saved;
        return r;
}

int SyncSemPost(sync_t *sync) {
        return plain_status(SyncSemPost_r(sync));
}

static int sem_take(sem_t *sem, int tryto, const Deadline *deadline) {
        if (tryto)
                return sem_trywait(sem);
        return deadline->set ? sem_clockwait(sem, deadline->clock, &deadline->at) : sem_wait(sem);
}

int SyncSemWait_r(sync_t *sync, int tryto) {
        Deadline deadline = limit_take(_NTO_TIMEOUT_SEM);
        int saved = errno;
        int r = check(sync, KIND_SEM);

        if (r == EOK && sem_take(&sync->__u.__sem, tryto, &deadline) < 0)
                r = errno;
        errno = saved;
        return r;
}

int SyncSemWait(sync_t *sync, int tryto) {
        return plain_status(SyncSemWait_r(sync, tryto));
}

/* ---- SyncCtl ---- */

static int set_ceiling(sync_t *sync, int *data) {
        int old = 0;
        int r = pthread_mutex_setprioceiling(&sync->__u.__mutex, *data, &old);

        if (r == 0)
                *data = old;
        return r;
}

static int control(int cmd, sync_t *sync, int *data) {
        switch (cmd) {
        case _NTO_SCTL_SETPRIOCEILING:
                return set_ceiling(sync, data);
        case _NTO_SCTL_GETPRIOCEILING:
                return pthread_mutex_getprioceiling(&sync->__u.__mutex, data);
        case _NTO_SCTL_MUTEX_CONSISTENT:
                return pthread_mutex_consistent(&sync->__u.__mutex);
        case _NTO_SCTL_SEM_VALUE:
                return sem_getvalue(&sync->__u.__sem, data) == 0 ? EOK : errno;
        }
        return EINVAL;
}

int SyncCtl_r(int cmd, sync_t *sync, void *data) {
        int r;

        limit_drop();
        if (cmd < _NTO_SCTL_SETPRIOCEILING || cmd > _NTO_SCTL_SEM_VALUE)
                return EINVAL;
        if (!sync || (!data && cmd != _NTO_SCTL_MUTEX_CONSISTENT))
                return EFAULT;
        if (cmd == _NTO_SCTL_SETEVENT || cmd == _NTO_SCTL_MUTEX_WAKEUP)
                return ENOTSUP;
        r = check(sync, cmd == _NTO_SCTL_SEM_VALUE ? KIND_SEM : KIND_MUTEX);
        return r != EOK ? r : control(cmd, sync, data);
}

int SyncCtl(int cmd, sync_t *sync, void *data) {
        return plain_status(SyncCtl_r(cmd, sync, data));
}
