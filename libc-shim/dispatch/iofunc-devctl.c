/* SPDX-License-Identifier: MIT */
/* Devctl: the commands that every device has, and the checks for all others. */
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

#include <devctl.h>
#include <string.h>
#include <sys/dcmd_all.h>

#define SETTABLE (O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC)

static int reply_int(resmgr_context_t *ctp, io_devctl_t *msg, int value) {
        msg->o = (struct _io_devctl_reply){ .nbytes = sizeof(value) };
        memcpy(_DEVCTL_DATA(msg->o), &value, sizeof(value));
        return _RESMGR_PTR(ctp, &msg->o, sizeof(msg->o) + sizeof(value));
}

static int set_flags(io_devctl_t *msg, iofunc_ocb_t *ocb, const iofunc_attr_t *attr) {
        bool can_sync = attr->mount && attr->mount->conf & IOFUNC_PC_SYNC_IO;
        int flags;

        memcpy(&flags, _DEVCTL_DATA(msg->i), sizeof(flags));
        if (flags & (O_SYNC | O_DSYNC) && !can_sync)
                return EINVAL;
        ocb->ioflag = (ocb->ioflag & ~SETTABLE) | (flags & SETTABLE);
        return EOK;
}

PUBLIC int iofunc_devctl(resmgr_context_t *ctp, io_devctl_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        switch ((unsigned)msg->i.dcmd) {
        case (unsigned)DCMD_ALL_GETFLAGS:
                return reply_int(ctp, msg, ocb->ioflag - 1); /* _IO_FLAG_... back to O_RDONLY ... */
        case (unsigned)DCMD_ALL_SETFLAGS:
                if (msg->i.nbytes < sizeof(int) || ctp->size < sizeof(msg->i) + sizeof(int))
                        return EINVAL;
                return set_flags(msg, ocb, attr);
        case (unsigned)DCMD_ALL_GETMOUNTFLAGS:
                return reply_int(ctp, msg, attr->mount ? (int)attr->mount->flags : 0);
        default:
                return _RESMGR_DEFAULT;
        }
}

PUBLIC int iofunc_devctl_default(resmgr_context_t *ctp, io_devctl_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_devctl(ctp, msg, ocb, ocb->attr);
}

/* ---- verify ---- */

static size_t size_of(int dcmd) {
        return (unsigned)dcmd >> 16 & 0x3fff;
}

static int verify_access(resmgr_context_t *ctp, const iofunc_attr_t *attr, unsigned flags) {
        static const struct {
                unsigned flag;
                mode_t mode;
        } rights[] = { { _IO_DEVCTL_VERIFY_ACC_ISUID, S_ISUID },
                       { _IO_DEVCTL_VERIFY_ACC_ISGID, S_ISGID },
                       { _IO_DEVCTL_VERIFY_ACC_IREAD, S_IREAD },
                       { _IO_DEVCTL_VERIFY_ACC_IWRITE, S_IWRITE },
                       { _IO_DEVCTL_VERIFY_ACC_IEXEC, S_IEXEC } };
        mode_t mode = 0;

        for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
                mode |= flags & rights[i].flag ? rights[i].mode : 0;
        return mode ? iofunc_check_access(ctp, attr, mode, NULL) : EOK;
}

PUBLIC int iofunc_devctl_verify(resmgr_context_t *ctp, io_devctl_t *msg, iofunc_ocb_t *ocb, unsigned flags) {
        bool gives = msg->i.dcmd & _POSIX_DEVDIR_TO;

        if (flags & _IO_DEVCTL_VERIFY_LEN && msg->i.nbytes != size_of(msg->i.dcmd))
                return EINVAL;
        if (flags & _IO_DEVCTL_VERIFY_MSG_LEN && gives &&
            (size_t)ctp->info.srcmsglen - ctp->offset < sizeof(msg->i) + msg->i.nbytes)
                return EBADMSG;
        if (flags & _IO_DEVCTL_VERIFY_DIR && !gives && size_of(msg->i.dcmd) > 0 &&
            !(msg->i.dcmd & _POSIX_DEVDIR_FROM))
                return EINVAL;
        if (flags & _IO_DEVCTL_VERIFY_PRIV && !(ocb->flags & IOFUNC_OCB_PRIVILEGED))
                return EPERM;
        if (flags & _IO_DEVCTL_VERIFY_OCB_READ && !(ocb->ioflag & _IO_FLAG_RD))
                return EBADF;
        if (flags & _IO_DEVCTL_VERIFY_OCB_WRITE && !(ocb->ioflag & _IO_FLAG_WR))
                return EBADF;
        return verify_access(ctp, ocb->attr, flags);
}
