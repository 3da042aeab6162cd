/* SPDX-License-Identifier: MIT */
/* Read, write, seek, sync: what is checked, and a device that swallows all and gives nothing. */
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

#include <limits.h>

/* ---- verify ---- */

static void set_nonblock(const iofunc_ocb_t *ocb, unsigned xtype, int *nonblock) {
        if (!nonblock)
                return;
        *nonblock = ocb->ioflag & O_NONBLOCK;
        if (xtype & _IO_XFLAG_NONBLOCK)
                *nonblock = O_NONBLOCK;
        else if (xtype & _IO_XFLAG_BLOCK)
                *nonblock = 0;
}

PUBLIC int iofunc_read_verify(resmgr_context_t *ctp, io_read_t *msg, iofunc_ocb_t *ocb, int *nonblock) {
        (void)ctp;
        if (!(ocb->ioflag & _IO_FLAG_RD))
                return EBADF;
        if (S_ISDIR(ocb->attr->mode) && (msg->i.xtype & _IO_XTYPE_MASK) != _IO_XTYPE_READDIR)
                return EISDIR;
        set_nonblock(ocb, msg->i.xtype, nonblock);
        return EOK;
}

PUBLIC int iofunc_read64_verify(resmgr_context_t *ctp, io_read_t *msg, iofunc_ocb_t *ocb, int *nonblock) {
        return iofunc_read_verify(ctp, msg, ocb, nonblock);
}

/* Extra data of the type stands between the header and what is written. */
static size_t extra_of(unsigned xtype) {
        switch (xtype & _IO_XTYPE_MASK) {
        case _IO_XTYPE_OFFSET:
                return sizeof(struct _xtype_offset);
        case _IO_XTYPE_READCOND:
                return sizeof(struct _xtype_readcond);
        default:
                return 0;
        }
}

PUBLIC int iofunc_write_verify(resmgr_context_t *ctp, io_write_t *msg, iofunc_ocb_t *ocb, int *nonblock) {
        size_t sent = (size_t)ctp->info.srcmsglen - ctp->offset;

        if (!(ocb->ioflag & _IO_FLAG_WR))
                return EBADF;
        if (attr_is_read_only(ocb->attr))
                return EROFS;
        if (sent < sizeof(msg->i) + extra_of(msg->i.xtype) ||
            sent - sizeof(msg->i) - extra_of(msg->i.xtype) < _IO_WRITE_GET_NBYTES(msg))
                return EBADMSG;
        set_nonblock(ocb, msg->i.xtype, nonblock);
        return EOK;
}

PUBLIC int iofunc_write64_verify(resmgr_context_t *ctp, io_write_t *msg, iofunc_ocb_t *ocb, int *nonblock) {
        return iofunc_write_verify(ctp, msg, ocb, nonblock);
}

PUBLIC int iofunc_space_verify(resmgr_context_t *ctp, io_space_t *msg, iofunc_ocb_t *ocb, int *nonblock) {
        (void)ctp;
        if (!(ocb->ioflag & _IO_FLAG_WR))
                return EBADF;
        if (attr_is_read_only(ocb->attr))
                return EROFS;
        if (msg->i.subtype != (uint16_t)F_ALLOCSP && msg->i.subtype != (uint16_t)F_FREESP)
                return EINVAL;
        set_nonblock(ocb, 0, nonblock);
        return EOK;
}

PUBLIC int iofunc_sync_verify(resmgr_context_t *ctp, io_sync_t *msg, iofunc_ocb_t *ocb) {
        bool can = ocb->attr->mount && ocb->attr->mount->conf & IOFUNC_PC_SYNC_IO;

        (void)ctp;
        return msg->i.flag & (O_SYNC | O_DSYNC) && ocb->attr->mount && !can ? EINVAL : EOK;
}

/* ---- defaults ---- */

PUBLIC int iofunc_read_default(resmgr_context_t *ctp, io_read_t *msg, iofunc_ocb_t *ocb) {
        int r = iofunc_read_verify(ctp, msg, ocb, NULL);

        if (r != EOK)
                return r;
        _IO_SET_READ_NBYTES(ctp, 0);
        if (_IO_READ_GET_NBYTES(msg) > 0)
                attr_touch(ocb->attr, IOFUNC_ATTR_ATIME);
        return EOK;
}

PUBLIC int iofunc_write_default(resmgr_context_t *ctp, io_write_t *msg, iofunc_ocb_t *ocb) {
        int r = iofunc_write_verify(ctp, msg, ocb, NULL);

        if (r != EOK)
                return r;
        _IO_SET_WRITE_NBYTES(ctp, _IO_WRITE_GET_NBYTES(msg));
        if (_IO_WRITE_GET_NBYTES(msg) > 0)
                attr_touch(ocb->attr, IOFUNC_ATTR_MTIME | IOFUNC_ATTR_CTIME);
        return EOK;
}

static int seek_from(const iofunc_ocb_t *ocb, const iofunc_attr_t *attr, int whence, off_t *ret_base) {
        switch (whence) {
        case SEEK_SET:
                *ret_base = 0;
                return EOK;
        case SEEK_CUR:
                *ret_base = ocb->offset;
                return EOK;
        case SEEK_END:
                *ret_base = attr->nbytes;
                return EOK;
        default:
                return EINVAL;
        }
}

/* In a combine message the next part wants the place, not the client. */
PUBLIC int iofunc_lseek(resmgr_context_t *ctp, io_lseek_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        bool is_combined = msg->i.combine_len & _IO_COMBINE_FLAG;
        off_t base, to;
        int r;

        if (S_ISFIFO(attr->mode) || S_ISSOCK(attr->mode))
                return ESPIPE;
        r = seek_from(ocb, attr, msg->i.whence, &base);
        if (r != EOK)
                return r;
        if (__builtin_add_overflow(base, (off_t)msg->i.offset, &to))
                return EOVERFLOW;
        if (to < 0)
                return EINVAL;
        ocb->offset = to;
        if (is_combined)
                return EOK;
        msg->o = (uint64_t)to;
        return _RESMGR_PTR(ctp, &msg->o, sizeof(msg->o));
}

PUBLIC int iofunc_lseek_default(resmgr_context_t *ctp, io_lseek_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_lseek(ctp, msg, ocb, ocb->attr);
}

PUBLIC int iofunc_sync(resmgr_context_t *ctp, io_sync_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        (void)attr;
        return iofunc_sync_verify(ctp, msg, ocb);
}

PUBLIC int iofunc_sync_default(resmgr_context_t *ctp, io_sync_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_sync(ctp, msg, ocb, ocb->attr);
}

PUBLIC int iofunc_space_default(resmgr_context_t *ctp, io_space_t *msg, iofunc_ocb_t *ocb) {
        int r = iofunc_space_verify(ctp, msg, ocb, NULL);

        return r == EOK ? ENOSYS : r;
}

/* ---- pathconf ---- */

static int pathconf_of(const iofunc_attr_t *attr, int name, long *ret_value) {
        unsigned conf = attr->mount ? attr->mount->conf : 0;

        switch (name) {
        case _PC_CHOWN_RESTRICTED:
                *ret_value = (conf & IOFUNC_PC_CHOWN_RESTRICTED) != 0;
                return EOK;
        case _PC_NO_TRUNC:
                *ret_value = (conf & IOFUNC_PC_NO_TRUNC) != 0;
                return EOK;
        case _PC_SYNC_IO:
                *ret_value = (conf & IOFUNC_PC_SYNC_IO) != 0;
                return EOK;
        case _PC_LINK_MAX:
                *ret_value = USHRT_MAX;
                return EOK;
        case _PC_NAME_MAX:
                *ret_value = NAME_MAX;
                return EOK;
        case _PC_PATH_MAX:
                *ret_value = PATH_MAX;
                return EOK;
        case _PC_PIPE_BUF:
                *ret_value = PIPE_BUF;
                return EOK;
        default:
                return EINVAL;
        }
}

PUBLIC int iofunc_pathconf(resmgr_context_t *ctp, io_pathconf_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        long value;
        int r = pathconf_of(attr, msg->i.name, &value);

        (void)ocb;
        if (r == EOK)
                _IO_SET_PATHCONF_VALUE(ctp, value);
        return r;
}

PUBLIC int iofunc_pathconf_default(resmgr_context_t *ctp, io_pathconf_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_pathconf(ctp, msg, ocb, ocb->attr);
}

/* ---- what a plain device has not ---- */

PUBLIC int iofunc_mmap(resmgr_context_t *ctp, io_mmap_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        (void)ctp;
        (void)attr;
        if (!(ocb->ioflag & _IO_FLAG_RD))
                return EACCES;
        if (msg->i.required_prot & 2 && !(ocb->ioflag & _IO_FLAG_WR)) /* PROT_WRITE, shared */
                return EACCES;
        return EOK;
}

/* Nothing can be mapped of a device that has no memory to show. */
PUBLIC int iofunc_mmap_default(resmgr_context_t *ctp, io_mmap_t *msg, iofunc_ocb_t *ocb) {
        int r = iofunc_mmap(ctp, msg, ocb, ocb->attr);

        return r == EOK ? ENODEV : r;
}

PUBLIC int iofunc_power_default(resmgr_context_t *ctp, io_power_t *msg, iofunc_ocb_t *ocb) {
        (void)ctp;
        (void)msg;
        (void)ocb;
        return ENOSYS;
}

PUBLIC int iofunc_acl_default(resmgr_context_t *ctp, io_acl_t *msg, iofunc_ocb_t *ocb) {
        (void)ctp;
        (void)msg;
        (void)ocb;
        return ENOTSUP;
}
