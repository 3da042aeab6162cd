/* SPDX-License-Identifier: MIT */
/* Attributes: a new one, its lock, its times, its mount. */
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

#include <string.h>
#include <sys/sysmacros.h>

#define MOUNT_MAJOR 0x3f1

static pthread_mutex_t lock_mutex = PTHREAD_MUTEX_INITIALIZER; /* only for locks that are not ready */

/* ---- birth ---- */

static void attr_own(iofunc_attr_t *attr, const iofunc_attr_t *dattr, const struct _client_info *info) {
        attr->uid = info ? info->cred.euid : geteuid();
        attr->gid = info ? info->cred.egid : getegid();
        if (dattr && dattr->mode & S_ISGID) { /* the directory hands its group down */
                attr->gid = dattr->gid;
                if (S_ISDIR(attr->mode))
                        attr->mode |= S_ISGID;
        }
}

PUBLIC void iofunc_attr_init_sized(iofunc_attr_t *attr, mode_t mode, iofunc_attr_t *dattr,
                                   struct _client_info *info, size_t bytes) {
        struct timespec now;

        memset(attr, 0, bytes < sizeof(*attr) ? sizeof(*attr) : bytes);
        clock_gettime(CLOCK_REALTIME, &now);
        attr->mount = dattr ? dattr->mount : NULL;
        attr->mode = mode;
        attr->nlink = S_ISDIR(mode) ? 2 : 1;
        attr->mtime = attr->atime = attr->ctime = now.tv_sec;
        attr->mtime_ns = attr->atime_ns = attr->ctime_ns = (uint32_t)now.tv_nsec;
        attr->flags = IOFUNC_ATTR_DIRTY_TIME | IOFUNC_ATTR_DIRTY_OWNER | IOFUNC_ATTR_DIRTY_MODE;
        attr_own(attr, dattr, info);
}

PUBLIC void iofunc_attr_init(iofunc_attr_t *attr, mode_t mode, iofunc_attr_t *dattr, struct _client_info *info) {
        iofunc_attr_init_sized(attr, mode, dattr, info, sizeof(*attr));
}

PUBLIC int iofunc_mount_init(iofunc_mount_t *mount, size_t bytes) {
        static unsigned minor_number;

        if (!mount || bytes < offsetof(iofunc_mount_t, funcs))
                return fail(EINVAL);
        memset(mount, 0, bytes);
        pthread_mutex_lock(&lock_mutex);
        mount->dev = makedev(MOUNT_MAJOR, ++minor_number);
        pthread_mutex_unlock(&lock_mutex);
        return 0;
}

PUBLIC int iofunc_mount_set_time(iofunc_mount_t *mount, const struct timespec *resolution) {
        if (!mount || !resolution || resolution->tv_nsec < 0 || resolution->tv_nsec > 999999999)
                return fail(EINVAL);
        mount->timeres = *resolution;
        return 0;
}

/* ---- lock ---- */

/* Programs also make attributes with memset() and by hand. */
static void make_ready(iofunc_attr_lock_t *lock) {
        pthread_mutexattr_t recursive;

        pthread_mutex_lock(&lock_mutex);
        if (!lock->ready) {
                pthread_mutexattr_init(&recursive);
                pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
                pthread_mutex_init(&lock->mutex, &recursive);
                pthread_mutexattr_destroy(&recursive);
                lock->ready = 1;
        }
        pthread_mutex_unlock(&lock_mutex);
}

PUBLIC int iofunc_attr_lock(iofunc_attr_t *attr) {
        make_ready(&attr->lock);
        return pthread_mutex_lock(&attr->lock.mutex);
}

PUBLIC int iofunc_attr_trylock(iofunc_attr_t *attr) {
        make_ready(&attr->lock);
        return pthread_mutex_trylock(&attr->lock.mutex);
}

PUBLIC int iofunc_attr_unlock(iofunc_attr_t *attr) {
        return pthread_mutex_unlock(&attr->lock.mutex);
}

PUBLIC int iofunc_attr_lock_two(iofunc_attr_t *attr1, iofunc_attr_t *attr2) {
        iofunc_attr_t *first = attr1 < attr2 ? attr1 : attr2;
        int r = iofunc_attr_lock(first);

        if (r != EOK || attr1 == attr2)
                return r;
        r = iofunc_attr_lock(first == attr1 ? attr2 : attr1);
        if (r != EOK)
                iofunc_attr_unlock(first);
        return r;
}

PUBLIC int iofunc_attr_unlock_two(iofunc_attr_t *attr1, iofunc_attr_t *attr2) {
        int r = iofunc_attr_unlock(attr1);

        return attr1 == attr2 ? r : iofunc_attr_unlock(attr2);
}

/* A mount may bring its own; the attributes are the program's then. */
PUBLIC int iofunc_lock_ocb_default(resmgr_context_t *ctp, void *reserved, iofunc_ocb_t *ocb) {
        const iofunc_mount_t *mount = ocb->attr->mount;

        (void)ctp;
        (void)reserved;
        if (mount && mount->funcs && mount->funcs->nfuncs >= 3 && mount->funcs->attr_lock)
                return mount->funcs->attr_lock(ocb->attr);
        return iofunc_attr_lock(ocb->attr);
}

PUBLIC int iofunc_unlock_ocb_default(resmgr_context_t *ctp, void *reserved, iofunc_ocb_t *ocb) {
        const iofunc_mount_t *mount = ocb->attr->mount;

        (void)ctp;
        (void)reserved;
        if (mount && mount->funcs && mount->funcs->nfuncs >= 4 && mount->funcs->attr_unlock)
                return mount->funcs->attr_unlock(ocb->attr);
        return iofunc_attr_unlock(ocb->attr);
}

/* ---- times ---- */

PUBLIC int iofunc_time_update(iofunc_attr_t *attr) {
        struct timespec now;

        if (!(attr->flags & (IOFUNC_ATTR_MTIME | IOFUNC_ATTR_ATIME | IOFUNC_ATTR_CTIME)))
                return EOK;
        clock_gettime(CLOCK_REALTIME, &now);
        if (attr->flags & IOFUNC_ATTR_MTIME) {
                attr->mtime = now.tv_sec;
                attr->mtime_ns = (uint32_t)now.tv_nsec;
        }
        if (attr->flags & IOFUNC_ATTR_ATIME) {
                attr->atime = now.tv_sec;
                attr->atime_ns = (uint32_t)now.tv_nsec;
        }
        if (attr->flags & IOFUNC_ATTR_CTIME) {
                attr->ctime = now.tv_sec;
                attr->ctime_ns = (uint32_t)now.tv_nsec;
        }
        attr->flags &= ~(uint32_t)(IOFUNC_ATTR_MTIME | IOFUNC_ATTR_ATIME | IOFUNC_ATTR_CTIME);
        attr->flags |= IOFUNC_ATTR_DIRTY_TIME;
        return EOK;
}
