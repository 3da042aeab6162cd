/* SPDX-License-Identifier: MIT */
/*
 * Lock: record locks of fcntl(), kept in the attributes.
 *
 * The owner is the client process (its scoid). A lock that must wait (F_SETLKW) is held back and
 * kept in the same list with
 * its rcvid; whoever gives something up looks through those that wait, oldest first.
 *
 *   none    -> HELD     F_SETLK, F_SETLKW: nothing is in the way
 *   none    -> WAITING  F_SETLKW: something is
 *   WAITING -> HELD     what was in the way has gone: answered with EOK
 *   WAITING -> none     the client wants out (EINTR), or has gone
 *   HELD    -> none     F_UNLCK, replaced, last close of the process
 */
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

#include <stdlib.h>

#define TO_THE_END INT64_MAX

struct _iofunc_lock_list {
        iofunc_lock_list_t *next;
        const iofunc_ocb_t *ocb; /* through which it was made */
        int scoid;
        pid_t pid;
        int rcvid; /* WAITING: whom to answer; 0: HELD */
        short type; /* F_RDLCK, F_WRLCK */
        int64_t from, to; /* [from, to) */
};

PUBLIC iofunc_lock_list_t *iofunc_lock_calloc(resmgr_context_t *ctp, iofunc_attr_t *attr, size_t bytes) {
        (void)ctp;
        (void)attr;
        return calloc(1, bytes < sizeof(iofunc_lock_list_t) ? sizeof(iofunc_lock_list_t) : bytes);
}

PUBLIC void iofunc_lock_free(iofunc_lock_list_t *lock, size_t bytes) {
        (void)bytes;
        free(lock);
}

/* ---- ranges ---- */

static int range_of(const struct flock *flock, const iofunc_ocb_t *ocb, iofunc_lock_list_t *lock) {
        int64_t from = flock->l_start, length = flock->l_len;

        if (flock->l_whence == SEEK_CUR)
                from += ocb->offset;
        else if (flock->l_whence == SEEK_END)
                from += ocb->attr->nbytes;
        else if (flock->l_whence != SEEK_SET)
                return EINVAL;
        if (length < 0) {
                from += length;
                length = -length;
        }
        if (from < 0)
                return EINVAL;
        lock->from = from;
        lock->to = length == 0 || length > TO_THE_END - from ? TO_THE_END : from + length;
        return EOK;
}

static bool meet(const iofunc_lock_list_t *a, const iofunc_lock_list_t *b) {
        return a->from < b->to && b->from < a->to;
}

static const iofunc_lock_list_t *in_the_way(const iofunc_attr_t *attr, const iofunc_lock_list_t *lock) {
        for (const iofunc_lock_list_t *other = attr->lock_list; other; other = other->next)
                if (!other->rcvid && other->scoid != lock->scoid && meet(other, lock) &&
                    (other->type == F_WRLCK || lock->type == F_WRLCK))
                        return other;
        return NULL;
}

static int add(resmgr_context_t *ctp, iofunc_attr_t *attr, const iofunc_lock_list_t *lock) {
        iofunc_lock_list_t **end = &attr->lock_list, *copy;

        copy = iofunc_lock_calloc(ctp, attr, sizeof(*copy));
        if (!copy)
                return ENOLCK;
        *copy = *lock;
        copy->next = NULL;
        while (*end)
                end = &(*end)->next;
        *end = copy;
        return EOK;
}

static void drop(iofunc_lock_list_t **at) {
        iofunc_lock_list_t *lock = *at;

        *at = lock->next;
        iofunc_lock_free(lock, sizeof(*lock));
}

/* Takes [lock->from, lock->to) out of all that its owner holds; what reaches beyond is cut. */
static int clear(resmgr_context_t *ctp, iofunc_attr_t *attr, const iofunc_lock_list_t *lock) {
        iofunc_lock_list_t **at = &attr->lock_list, rest;

        while (*at) {
                iofunc_lock_list_t *own = *at;

                if (own->rcvid || own->scoid != lock->scoid || !meet(own, lock)) {
                        at = &own->next;
                        continue;
                }
                rest = *own;
                rest.from = lock->to;
                if (own->to > lock->to && add(ctp, attr, &rest) != EOK)
                        return ENOLCK;
                own->to = lock->from;
                if (own->from < own->to)
                        at = &own->next;
                else
                        drop(at);
        }
        return EOK;
}

static int grant(resmgr_context_t *ctp, iofunc_attr_t *attr, const iofunc_lock_list_t *lock) {
        iofunc_lock_list_t held = *lock;
        int r = clear(ctp, attr, lock);

        held.rcvid = 0;
        return r == EOK ? add(ctp, attr, &held) : r;
}

/* Something was given up: who can go on now? */
static void wake_waiters(resmgr_context_t *ctp, iofunc_attr_t *attr) {
        iofunc_lock_list_t **at = &attr->lock_list;

        while (*at) {
                iofunc_lock_list_t waiting = **at;
                int r;

                if (!waiting.rcvid || in_the_way(attr, &waiting)) {
                        at = &(*at)->next;
                        continue;
                }
                drop(at);
                r = grant(ctp, attr, &waiting);
                if (r == EOK)
                        MsgReply_r(waiting.rcvid, EOK, NULL, 0);
                else
                        MsgError_r(waiting.rcvid, r);
                at = &attr->lock_list;
        }
}

/* ---- requests ---- */

static int get_lock(resmgr_context_t *ctp, io_lock_t *msg, const iofunc_attr_t *attr,
                    const iofunc_lock_list_t *lock) {
        const iofunc_lock_list_t *other = in_the_way(attr, lock);
        struct flock flock = msg->i.flock;

        flock.l_type = F_UNLCK;
        if (other)
                flock = (struct flock){ .l_type = other->type,
                                        .l_whence = SEEK_SET,
                                        .l_start = other->from,
                                        .l_len = other->to == TO_THE_END ? 0 : other->to - other->from,
                                        .l_pid = other->pid };
        msg->o = (struct _io_lock_reply){ .flock = flock };
        return _RESMGR_PTR(ctp, &msg->o, sizeof(msg->o));
}

static int set_lock(resmgr_context_t *ctp, const io_lock_t *msg, iofunc_attr_t *attr, iofunc_lock_list_t *lock) {
        int r;

        if (lock->type == F_UNLCK) {
                r = clear(ctp, attr, lock);
                wake_waiters(ctp, attr);
                return r;
        }
        if (!in_the_way(attr, lock)) {
                r = grant(ctp, attr, lock);
                wake_waiters(ctp, attr); /* a write lock may have become a read lock */
                return r;
        }
        if (msg->i.subtype != F_SETLKW)
                return EAGAIN;
        lock->rcvid = ctp->rcvid;
        r = add(ctp, attr, lock);
        return r == EOK ? _RESMGR_NOREPLY : r;
}

static int check(const io_lock_t *msg, const iofunc_ocb_t *ocb) {
        short type = msg->i.flock.l_type;

        if (msg->i.subtype != F_GETLK && msg->i.subtype != F_SETLK && msg->i.subtype != F_SETLKW)
                return EINVAL;
        if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
                return EINVAL;
        if (msg->i.subtype == F_GETLK)
                return EOK;
        if ((type == F_RDLCK && !(ocb->ioflag & _IO_FLAG_RD)) || (type == F_WRLCK && !(ocb->ioflag & _IO_FLAG_WR)))
                return EBADF;
        return EOK;
}

PUBLIC int iofunc_lock(resmgr_context_t *ctp, io_lock_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        iofunc_lock_list_t lock = { .ocb = ocb, .scoid = ctp->info.scoid, .pid = ctp->info.pid,
                                    .type = msg->i.flock.l_type };
        int r;

        r = check(msg, ocb);
        if (r == EOK)
                r = range_of(&msg->i.flock, ocb, &lock);
        if (r != EOK)
                return r;
        if (msg->i.subtype == F_GETLK)
                return get_lock(ctp, msg, attr, &lock);
        return set_lock(ctp, msg, attr, &lock);
}

PUBLIC int iofunc_lock_default(resmgr_context_t *ctp, io_lock_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_lock(ctp, msg, ocb, ocb->attr);
}

/* Any close of the file by a process ends all its locks on it, as POSIX has it. */
void locks_drop(resmgr_context_t *ctp, iofunc_attr_t *attr, const iofunc_ocb_t *ocb) {
        iofunc_lock_list_t **at = &attr->lock_list;
        bool any = false;

        while (*at) {
                if ((*at)->scoid != ctp->info.scoid && (*at)->ocb != ocb) {
                        at = &(*at)->next;
                        continue;
                }
                any = true;
                drop(at);
        }
        if (any)
                wake_waiters(ctp, attr);
}

/* The client that waits for a lock wants out. */
PUBLIC int iofunc_unblock(resmgr_context_t *ctp, iofunc_attr_t *attr) {
        for (iofunc_lock_list_t **at = &attr->lock_list; *at; at = &(*at)->next) {
                if ((*at)->rcvid != ctp->rcvid || ctp->rcvid == 0)
                        continue;
                drop(at);
                MsgError_r(ctp->rcvid, EINTR);
                return _RESMGR_NOREPLY;
        }
        return _RESMGR_DEFAULT;
}

PUBLIC int iofunc_unblock_default(resmgr_context_t *ctp, io_pulse_t *msg, iofunc_ocb_t *ocb) {
        (void)msg;
        return iofunc_unblock(ctp, ocb->attr);
}
