/* SPDX-License-Identifier: MIT */
/*
 * Open: from a connect message to an OCB that counts.
 *
 * Share modes: an open file that forbids others to read counts in rlocks, one that forbids writing in wlocks.
 * It is refused while somebody does what it forbids, and whoever would do it is refused while it is open.
 */
#include "dispatch/attach.h"
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

#include <stdlib.h>

#define SYNC_FLAGS (O_SYNC | O_DSYNC)

/* ---- may it be opened ---- */

static bool denies_read(unsigned sflag) {
        return (sflag & SH_MASK) == SH_DENYRD || (sflag & SH_MASK) == SH_DENYRW;
}

static bool denies_write(unsigned sflag) {
        return (sflag & SH_MASK) == SH_DENYWR || (sflag & SH_MASK) == SH_DENYRW;
}

static int check_sharing(const io_open_t *msg, const iofunc_attr_t *attr) {
        unsigned ioflag = msg->connect.ioflag, sflag = msg->connect.sflag;

        if ((ioflag & _IO_FLAG_RD && attr->rlocks > 0) || (ioflag & _IO_FLAG_WR && attr->wlocks > 0))
                return EACCES;
        if ((denies_read(sflag) && attr->rcount > 0) || (denies_write(sflag) && attr->wcount > 0))
                return EACCES;
        return EOK;
}

static int check_type(const io_open_t *msg, const iofunc_attr_t *attr) {
        unsigned ioflag = msg->connect.ioflag;

        if (ioflag & O_CREAT && ioflag & O_EXCL)
                return EEXIST;
        if ((msg->connect.eflag & _IO_CONNECT_EFLAG_DIR || ioflag & O_DIRECTORY) && !S_ISDIR(attr->mode))
                return ENOTDIR;
        if (S_ISDIR(attr->mode) && ioflag & (_IO_FLAG_WR | O_TRUNC))
                return EISDIR;
        if (S_ISLNK(attr->mode))
                return ELOOP;
        return EOK;
}

static int check_sync(const io_open_t *msg, const iofunc_attr_t *attr) {
        bool can = attr->mount && attr->mount->conf & IOFUNC_PC_SYNC_IO;

        return msg->connect.ioflag & SYNC_FLAGS && !can && attr->mount ? EINVAL : EOK;
}

static mode_t wanted_rights(unsigned ioflag) {
        return (ioflag & _IO_FLAG_RD ? S_IREAD : 0) | (ioflag & _IO_FLAG_WR || ioflag & O_TRUNC ? S_IWRITE : 0) |
               (ioflag & _IO_FLAG_EX ? S_IEXEC : 0);
}

static int open_old(resmgr_context_t *ctp, io_open_t *msg, iofunc_attr_t *attr, const struct _client_info *info) {
        unsigned ioflag = msg->connect.ioflag;
        int r;

        r = check_type(msg, attr);
        if (r == EOK)
                r = check_sync(msg, attr);
        if (r == EOK)
                r = iofunc_check_access(ctp, attr, wanted_rights(ioflag), info);
        if (r == EOK && ioflag & (_IO_FLAG_WR | O_TRUNC) && attr_is_read_only(attr))
                r = EROFS;
        if (r == EOK)
                r = check_sharing(msg, attr);
        if (r == EOK && ioflag & O_TRUNC && S_ISREG(attr->mode)) {
                attr->nbytes = 0;
                attr->flags |= IOFUNC_ATTR_DIRTY_SIZE;
                attr_touch(attr, IOFUNC_ATTR_MTIME | IOFUNC_ATTR_CTIME);
        }
        return r;
}

static int open_new(resmgr_context_t *ctp, io_open_t *msg, iofunc_attr_t *attr, iofunc_attr_t *dattr,
                    struct _client_info *info) {
        mode_t mode = msg->connect.mode;
        int r;

        if (!(msg->connect.ioflag & O_CREAT))
                return ENOENT;
        if (!S_ISDIR(dattr->mode))
                return ENOTDIR;
        if (attr_is_read_only(dattr))
                return EROFS;
        r = check_sync(msg, dattr);
        if (r == EOK)
                r = iofunc_check_access(ctp, dattr, S_IWRITE | S_IEXEC, info);
        if (r != EOK)
                return r;
        iofunc_attr_init(attr, (mode & S_IFMT ? mode : mode | S_IFREG), dattr, info);
        attr_touch(dattr, IOFUNC_ATTR_MTIME | IOFUNC_ATTR_CTIME);
        return EOK;
}

PUBLIC int iofunc_open(resmgr_context_t *ctp, io_open_t *msg, iofunc_attr_t *attr, iofunc_attr_t *dattr,
                       struct _client_info *info) {
        struct _client_info asked;
        int r;

        if (!info) {
                r = client_read(ctp, &asked);
                if (r != EOK)
                        return r;
                info = &asked;
        }
        return dattr ? open_new(ctp, msg, attr, dattr, info) : open_old(ctp, msg, attr, info);
}

/* ---- the OCB ---- */

static const iofunc_funcs_t *funcs_of(const iofunc_attr_t *attr) {
        return attr && attr->mount ? attr->mount->funcs : NULL;
}

PUBLIC iofunc_ocb_t *iofunc_ocb_calloc(resmgr_context_t *ctp, IOFUNC_ATTR_T *attr) {
        (void)ctp;
        (void)attr;
        return calloc(1, sizeof(iofunc_ocb_t));
}

PUBLIC void iofunc_ocb_free(iofunc_ocb_t *ocb) {
        free(ocb);
}

static iofunc_ocb_t *ocb_new(resmgr_context_t *ctp, iofunc_attr_t *attr) {
        const iofunc_funcs_t *funcs = funcs_of(attr);

        if (funcs && funcs->nfuncs >= 1 && funcs->ocb_calloc)
                return funcs->ocb_calloc(ctp, attr);
        return iofunc_ocb_calloc(ctp, attr);
}

static void ocb_delete(iofunc_ocb_t *ocb) {
        const iofunc_funcs_t *funcs = funcs_of(ocb->attr);

        if (funcs && funcs->nfuncs >= 2 && funcs->ocb_free)
                funcs->ocb_free(ocb);
        else
                iofunc_ocb_free(ocb);
}

/* +1 at open, -1 at close. */
static void ocb_count(const iofunc_ocb_t *ocb, iofunc_attr_t *attr, int by) {
        unsigned ioflag = (unsigned)ocb->ioflag;

        attr->count = (uint16_t)(attr->count + by);
        if (ioflag & _IO_FLAG_RD)
                attr->rcount = (uint16_t)(attr->rcount + by);
        if (ioflag & _IO_FLAG_WR)
                attr->wcount = (uint16_t)(attr->wcount + by);
        if (denies_read(ocb->sflag))
                attr->rlocks = (uint16_t)(attr->rlocks + by);
        if (denies_write(ocb->sflag))
                attr->wlocks = (uint16_t)(attr->wlocks + by);
}

static bool client_is_root(resmgr_context_t *ctp) {
        struct _client_info info;

        return client_read(ctp, &info) == EOK && info.cred.euid == 0;
}

PUBLIC int iofunc_ocb_attach(resmgr_context_t *ctp, io_open_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr,
                             const resmgr_io_funcs_t *io) {
        iofunc_ocb_t *made = NULL;
        int r;

        if (!ocb)
                ocb = made = ocb_new(ctp, attr);
        if (!ocb)
                return ENOSPC;
        ocb->attr = attr;
        ocb->ioflag = (int32_t)(msg->connect.ioflag & ~(unsigned)(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY));
        ocb->sflag = msg->connect.sflag;
        ocb->flags |= client_is_root(ctp) ? IOFUNC_OCB_PRIVILEGED : 0;
        r = resmgr_open_bind(ctp, ocb, io);
        if (r == -1) {
                r = errno;
                if (made)
                        ocb_delete(made);
                return r;
        }
        ocb_count(ocb, attr, 1);
        return EOK;
}

PUBLIC int iofunc_ocb_detach(resmgr_context_t *ctp, iofunc_ocb_t *ocb) {
        iofunc_attr_t *attr = ocb->attr;
        iofunc_attr_t before = *attr;
        int ended = 0;

        (void)ctp;
        ocb_count(ocb, attr, -1);
        ended |= before.count && !attr->count ? IOFUNC_OCB_LAST_INUSE : 0;
        ended |= before.rcount && !attr->rcount ? IOFUNC_OCB_LAST_READER : 0;
        ended |= before.wcount && !attr->wcount ? IOFUNC_OCB_LAST_WRITER : 0;
        ended |= before.rlocks && !attr->rlocks ? IOFUNC_OCB_LAST_RDLOCK : 0;
        ended |= before.wlocks && !attr->wlocks ? IOFUNC_OCB_LAST_WRLOCK : 0;
        return ended;
}

/* ---- defaults ---- */

PUBLIC int iofunc_open_default(resmgr_context_t *ctp, io_open_t *msg, iofunc_attr_t *attr, void *extra) {
        const resmgr_io_funcs_t *io = attach_io_funcs(ctp);
        int r;

        (void)extra;
        iofunc_attr_lock(attr);
        r = iofunc_open(ctp, msg, attr, NULL, NULL);
        if (r == EOK)
                r = iofunc_ocb_attach(ctp, msg, NULL, attr, io);
        iofunc_attr_unlock(attr);
        return r;
}

PUBLIC int iofunc_close_dup(resmgr_context_t *ctp, io_close_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        (void)msg;
        locks_drop(ctp, attr, ocb);
        return EOK;
}

PUBLIC int iofunc_close_dup_default(resmgr_context_t *ctp, io_close_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_close_dup(ctp, msg, ocb, ocb->attr);
}

PUBLIC int iofunc_close_ocb(resmgr_context_t *ctp, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        (void)attr;
        iofunc_ocb_detach(ctp, ocb);
        ocb_delete(ocb);
        return EOK;
}

/* Comes without lock_ocb: there would be nothing left to unlock afterwards. */
PUBLIC int iofunc_close_ocb_default(resmgr_context_t *ctp, void *reserved, iofunc_ocb_t *ocb) {
        iofunc_attr_t *attr = ocb->attr;

        (void)reserved;
        iofunc_attr_lock(attr);
        iofunc_time_update(attr);
        locks_drop(ctp, attr, ocb);
        iofunc_close_ocb(ctp, ocb, attr);
        iofunc_attr_unlock(attr);
        return EOK;
}

/* The right to write cannot be gained by opening an open file again. */
PUBLIC int iofunc_openfd(resmgr_context_t *ctp, io_openfd_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        unsigned wanted = msg->i.ioflag & _IO_FLAG_MASK;

        (void)ctp;
        if (wanted & ~((unsigned)ocb->ioflag & _IO_FLAG_MASK))
                return EACCES;
        if ((wanted & _IO_FLAG_RD && attr->rlocks > 0) || (wanted & _IO_FLAG_WR && attr->wlocks > 0))
                return EBUSY;
        return msg->i.xtype == _IO_OPENFD_NONE ? EOK : EINVAL;
}

PUBLIC int iofunc_openfd_default(resmgr_context_t *ctp, io_openfd_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_openfd(ctp, msg, ocb, ocb->attr);
}
