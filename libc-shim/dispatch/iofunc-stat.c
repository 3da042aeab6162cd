/* SPDX-License-Identifier: MIT */
/* Stat, chmod, chown, utime, fdinfo: attributes read and changed by clients. */
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

#include <string.h>

/* ---- stat ---- */

static void stat_number(resmgr_context_t *ctp, const iofunc_attr_t *attr, struct stat *stat) {
        dev_t device = 0;
        ino_t inode = 0;

        resmgr_devino(ctp->id, &device, &inode);
        stat->st_dev = attr->mount && attr->mount->dev ? attr->mount->dev : device;
        stat->st_ino = attr->inode ? attr->inode : inode;
}

PUBLIC int iofunc_stat(resmgr_context_t *ctp, iofunc_attr_t *attr, struct stat *stat) {
        int blocksize = attr->mount && attr->mount->blocksize > 0 ? attr->mount->blocksize : 4096;

        iofunc_time_update(attr);
        memset(stat, 0, sizeof(*stat));
        stat_number(ctp, attr, stat);
        stat->st_mode = attr->mode;
        stat->st_nlink = attr->nlink;
        stat->st_uid = attr->uid;
        stat->st_gid = attr->gid;
        stat->st_rdev = attr->rdev;
        stat->st_size = attr->nbytes;
        stat->st_blksize = blocksize;
        stat->st_blocks = (attr->nbytes + 511) / 512;
        stat->st_mtim = (struct timespec){ .tv_sec = attr->mtime, .tv_nsec = attr->mtime_ns };
        stat->st_atim = (struct timespec){ .tv_sec = attr->atime, .tv_nsec = attr->atime_ns };
        stat->st_ctim = (struct timespec){ .tv_sec = attr->ctime, .tv_nsec = attr->ctime_ns };
        return EOK;
}

/* There is one format of struct stat here. */
PUBLIC int iofunc_stat_format(resmgr_context_t *ctp, iofunc_attr_t *attr, void *buffer, size_t *bytes,
                              uint32_t format) {
        (void)format;
        if (!buffer || !bytes || *bytes < sizeof(struct stat))
                return EINVAL;
        *bytes = sizeof(struct stat);
        return iofunc_stat(ctp, attr, buffer);
}

PUBLIC int iofunc_stat_default(resmgr_context_t *ctp, io_stat_t *msg, iofunc_ocb_t *ocb) {
        int r = iofunc_stat(ctp, ocb->attr, &msg->o);

        return r == EOK ? _RESMGR_PTR(ctp, &msg->o, sizeof(msg->o)) : r;
}

/* ---- changes ---- */

static int owner_needed(resmgr_context_t *ctp, const iofunc_attr_t *attr, struct _client_info *ret_info) {
        int r = client_read(ctp, ret_info);

        if (r != EOK)
                return r;
        if (attr_is_read_only(attr))
                return EROFS;
        return client_owns(ret_info, attr) ? EOK : EPERM;
}

PUBLIC int iofunc_chmod(resmgr_context_t *ctp, io_chmod_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        struct _client_info info;
        mode_t mode = msg->i.mode & S_RIGHTS;
        int r = owner_needed(ctp, attr, &info);

        (void)ocb;
        if (r != EOK)
                return r;
        if (info.cred.euid != 0 && !client_is_of_group(&info, attr->gid))
                mode &= ~(mode_t)S_ISGID;
        attr->mode = (attr->mode & ~(mode_t)S_RIGHTS) | mode;
        attr->flags |= IOFUNC_ATTR_DIRTY_MODE;
        attr_touch(attr, IOFUNC_ATTR_CTIME);
        return EOK;
}

PUBLIC int iofunc_chmod_default(resmgr_context_t *ctp, io_chmod_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_chmod(ctp, msg, ocb, ocb->attr);
}

/* -1: leave it. Only root gives a file away; an owner may give it to a group of its own. */
PUBLIC int iofunc_chown(resmgr_context_t *ctp, io_chown_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        uid_t uid = msg->i.uid == -1 ? attr->uid : (uid_t)msg->i.uid;
        gid_t gid = msg->i.gid == -1 ? attr->gid : (gid_t)msg->i.gid;
        struct _client_info info;
        int r = owner_needed(ctp, attr, &info);

        (void)ocb;
        if (r != EOK)
                return r;
        if (info.cred.euid != 0 && uid != attr->uid)
                return EPERM;
        if (info.cred.euid != 0 && gid != attr->gid && !client_is_of_group(&info, gid))
                return EPERM;
        attr->uid = uid;
        attr->gid = gid;
        if (info.cred.euid != 0)
                attr->mode &= ~(mode_t)(S_ISUID | S_ISGID);
        attr->flags |= IOFUNC_ATTR_DIRTY_OWNER | IOFUNC_ATTR_DIRTY_MODE;
        attr_touch(attr, IOFUNC_ATTR_CTIME);
        return EOK;
}

PUBLIC int iofunc_chown_default(resmgr_context_t *ctp, io_chown_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_chown(ctp, msg, ocb, ocb->attr);
}

/* ---- times ---- */

/* "Now" needs the right to write; any other time is the owner's to set. */
static int utime_check(resmgr_context_t *ctp, const iofunc_attr_t *attr, bool is_now) {
        struct _client_info info;
        int r = owner_needed(ctp, attr, &info);

        if (r == EPERM && is_now)
                return iofunc_check_access(ctp, attr, S_IWRITE, &info);
        return r;
}

PUBLIC int iofunc_utime(resmgr_context_t *ctp, io_utime_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr) {
        bool is_now = msg->i.cur_flag != 0;
        int r = utime_check(ctp, attr, is_now);

        (void)ocb;
        if (r != EOK)
                return r;
        if (is_now) {
                attr_touch(attr, IOFUNC_ATTR_MTIME | IOFUNC_ATTR_ATIME | IOFUNC_ATTR_CTIME);
                return iofunc_time_update(attr);
        }
        attr->flags &= ~(uint32_t)(IOFUNC_ATTR_MTIME | IOFUNC_ATTR_ATIME);
        attr->mtime = msg->i.times.modtime;
        attr->atime = msg->i.times.actime;
        attr->mtime_ns = attr->atime_ns = 0;
        attr_touch(attr, IOFUNC_ATTR_CTIME);
        return iofunc_time_update(attr);
}

PUBLIC int iofunc_utime_default(resmgr_context_t *ctp, io_utime_t *msg, iofunc_ocb_t *ocb) {
        return iofunc_utime(ctp, msg, ocb, ocb->attr);
}

/* One time of the two: now, as it is, or as told. */
static void set_time(iofunc_attr_t *attr, const struct timespec *time, uint32_t flag) {
        if (time->tv_nsec == UTIME_OMIT)
                return;
        if (time->tv_nsec == UTIME_NOW) {
                attr_touch(attr, flag);
                return;
        }
        attr->flags &= ~flag;
        if (flag == IOFUNC_ATTR_MTIME) {
                attr->mtime = time->tv_sec;
                attr->mtime_ns = (uint32_t)time->tv_nsec;
        } else {
                attr->atime = time->tv_sec;
                attr->atime_ns = (uint32_t)time->tv_nsec;
        }
}

static bool is_now(const io_utime64_t *msg) {
        return msg->i.cur_flag || (msg->i.actime.tv_nsec == UTIME_NOW && msg->i.modtime.tv_nsec == UTIME_NOW);
}

PUBLIC int iofunc_utime64_default(resmgr_context_t *ctp, io_utime64_t *msg, iofunc_ocb_t *ocb) {
        static const struct timespec now = { .tv_nsec = UTIME_NOW };
        int r = utime_check(ctp, ocb->attr, is_now(msg));

        if (r != EOK)
                return r;
        set_time(ocb->attr, msg->i.cur_flag ? &now : &msg->i.modtime, IOFUNC_ATTR_MTIME);
        set_time(ocb->attr, msg->i.cur_flag ? &now : &msg->i.actime, IOFUNC_ATTR_ATIME);
        attr_touch(ocb->attr, IOFUNC_ATTR_CTIME);
        return iofunc_time_update(ocb->attr);
}

/* ---- fdinfo ---- */

PUBLIC int iofunc_fdinfo(resmgr_context_t *ctp, iofunc_ocb_t *ocb, iofunc_attr_t *attr, struct _fdinfo *info) {
        (void)ctp;
        memset(info, 0, sizeof(*info));
        info->mode = attr->mode;
        info->size = (uint64_t)attr->nbytes;
        info->flags = attr->flags;
        info->count = attr->count;
        info->rcount = attr->rcount;
        info->wcount = attr->wcount;
        info->rlocks = attr->rlocks;
        info->wlocks = attr->wlocks;
        if (ocb) {
                info->ioflag = (uint32_t)ocb->ioflag;
                info->offset = (uint64_t)ocb->offset;
                info->sflag = ocb->sflag;
        }
        return EOK;
}

/* The status is the length of the path, which follows where there was room for it. */
PUBLIC int iofunc_fdinfo_default(resmgr_context_t *ctp, io_fdinfo_t *msg, iofunc_ocb_t *ocb) {
        size_t left = ctp->msg_max_size - ctp->offset;
        int room = msg->i.path_len, length;
        char *path = (char *)&msg->o + sizeof(msg->o);

        memset(&msg->o, 0, sizeof(msg->o));
        iofunc_fdinfo(ctp, ocb, ocb->attr, &msg->o.info);
        length = resmgr_pathname(ctp->id, 0, NULL, 0);
        if (length < 0)
                length = 0;
        if (left < sizeof(msg->o) + (size_t)length + 1)
                room = 0;
        SETIOV(&ctp->iov[0], &msg->o, sizeof(msg->o));
        _RESMGR_STATUS(ctp, length + 1);
        if (room <= length || resmgr_pathname(ctp->id, 0, path, room) < 0)
                return _RESMGR_NPARTS(1);
        SETIOV(&ctp->iov[1], path, (size_t)length + 1);
        return _RESMGR_NPARTS(2);
}
