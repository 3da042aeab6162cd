/* SPDX-License-Identifier: MIT */
/* Name: what may be done with the names of a directory: link, unlink, rename, mknod, readlink. */
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

/* Who may change the names in a directory. */
static int check_directory(resmgr_context_t *ctp, const iofunc_attr_t *dattr, const struct _client_info *info) {
        if (!S_ISDIR(dattr->mode))
                return ENOTDIR;
        if (attr_is_read_only(dattr))
                return EROFS;
        return iofunc_check_access(ctp, dattr, S_IWRITE | S_IEXEC, info);
}

/* In a directory with the sticky bit only owners take names away. */
static int check_sticky(const iofunc_attr_t *attr, const iofunc_attr_t *dattr, const struct _client_info *info) {
        if (!(dattr->mode & S_ISVTX) || client_owns(info, attr) || client_owns(info, dattr))
                return EOK;
        return EPERM;
}

static int need_info(resmgr_context_t *ctp, struct _client_info **info, struct _client_info *room) {
        if (*info)
                return EOK;
        *info = room;
        return client_read(ctp, room);
}

static void changed(iofunc_attr_t *attr, uint32_t times) {
        if (attr)
                attr_touch(attr, times);
}

PUBLIC int iofunc_unlink(resmgr_context_t *ctp, io_unlink_t *msg, iofunc_attr_t *attr, iofunc_attr_t *dattr,
                         struct _client_info *info) {
        struct _client_info room;
        int r = need_info(ctp, &info, &room);

        (void)msg;
        if (r == EOK && dattr)
                r = check_directory(ctp, dattr, info);
        if (r == EOK && dattr)
                r = check_sticky(attr, dattr, info);
        if (r != EOK)
                return r;
        attr->nlink -= attr->nlink > 0;
        attr->flags |= IOFUNC_ATTR_DIRTY_NLINK;
        changed(attr, IOFUNC_ATTR_CTIME);
        changed(dattr, IOFUNC_ATTR_MTIME | IOFUNC_ATTR_CTIME);
        return EOK;
}

PUBLIC int iofunc_link(resmgr_context_t *ctp, io_link_t *msg, iofunc_attr_t *attr, iofunc_attr_t *dattr,
                       struct _client_info *info) {
        bool may_link_directories = attr->mount && attr->mount->conf & IOFUNC_PC_LINK_DIR;
        struct _client_info room;
        int r = need_info(ctp, &info, &room);

        (void)msg;
        if (r == EOK)
                r = check_directory(ctp, dattr, info);
        if (r == EOK && S_ISDIR(attr->mode) && (info->cred.euid != 0 || !may_link_directories))
                r = EPERM;
        if (r == EOK && attr->nlink == USHRT_MAX)
                r = EMLINK;
        if (r != EOK)
                return r;
        attr->nlink++;
        attr->flags |= IOFUNC_ATTR_DIRTY_NLINK;
        changed(attr, IOFUNC_ATTR_CTIME);
        changed(dattr, IOFUNC_ATTR_MTIME | IOFUNC_ATTR_CTIME);
        return EOK;
}

PUBLIC int iofunc_mknod(resmgr_context_t *ctp, io_mknod_t *msg, iofunc_attr_t *attr, iofunc_attr_t *dattr,
                        struct _client_info *info) {
        mode_t mode = msg->connect.mode;
        struct _client_info room;
        int r = need_info(ctp, &info, &room);

        if (r == EOK)
                r = check_directory(ctp, dattr, info);
        if (r != EOK)
                return r;
        iofunc_attr_init(attr, mode & S_IFMT ? mode : mode | S_IFREG, dattr, info);
        changed(dattr, IOFUNC_ATTR_MTIME | IOFUNC_ATTR_CTIME);
        return EOK;
}

PUBLIC int iofunc_readlink(resmgr_context_t *ctp, io_readlink_t *msg, iofunc_attr_t *attr,
                           struct _client_info *info) {
        (void)ctp;
        (void)msg;
        (void)info;
        if (!S_ISLNK(attr->mode))
                return EINVAL;
        changed(attr, IOFUNC_ATTR_ATIME);
        return EOK;
}

/* A directory takes the place of a directory only, and nothing else of one. */
static int check_replaced(const iofunc_attr_t *old, const iofunc_attr_t *replaced) {
        if (!replaced)
                return EOK;
        if (S_ISDIR(old->mode) && !S_ISDIR(replaced->mode))
                return ENOTDIR;
        return !S_ISDIR(old->mode) && S_ISDIR(replaced->mode) ? EISDIR : EOK;
}

PUBLIC int iofunc_rename(resmgr_context_t *ctp, io_rename_t *msg, iofunc_attr_t *oldattr, iofunc_attr_t *olddattr,
                         iofunc_attr_t *newattr, iofunc_attr_t *newdattr, struct _client_info *info) {
        struct _client_info room;
        int r = need_info(ctp, &info, &room);

        (void)msg;
        if (r == EOK)
                r = check_directory(ctp, olddattr, info);
        if (r == EOK)
                r = check_directory(ctp, newdattr, info);
        if (r == EOK)
                r = check_sticky(oldattr, olddattr, info);
        if (r == EOK && newattr)
                r = check_sticky(newattr, newdattr, info);
        if (r == EOK)
                r = check_replaced(oldattr, newattr);
        if (r != EOK)
                return r;
        changed(oldattr, IOFUNC_ATTR_CTIME);
        changed(olddattr, IOFUNC_ATTR_MTIME | IOFUNC_ATTR_CTIME);
        changed(newdattr, IOFUNC_ATTR_MTIME | IOFUNC_ATTR_CTIME);
        if (newattr) {
                newattr->nlink -= newattr->nlink > 0;
                changed(newattr, IOFUNC_ATTR_CTIME);
        }
        return EOK;
}

/* ---- defaults: a manager that has no names of its own has none to change ---- */

PUBLIC int iofunc_unlink_default(resmgr_context_t *ctp, io_unlink_t *msg, iofunc_attr_t *attr, void *reserved) {
        (void)ctp;
        (void)msg;
        (void)attr;
        (void)reserved;
        return ENOSYS;
}

PUBLIC int iofunc_link_default(resmgr_context_t *ctp, io_link_t *msg, iofunc_attr_t *dattr, io_link_extra_t *extra) {
        (void)ctp;
        (void)msg;
        (void)dattr;
        (void)extra;
        return ENOSYS;
}

PUBLIC int iofunc_mknod_default(resmgr_context_t *ctp, io_mknod_t *msg, iofunc_attr_t *dattr, void *reserved) {
        (void)ctp;
        (void)msg;
        (void)dattr;
        (void)reserved;
        return ENOSYS;
}

PUBLIC int iofunc_readlink_default(resmgr_context_t *ctp, io_readlink_t *msg, iofunc_attr_t *attr, void *reserved) {
        (void)reserved;
        return iofunc_readlink(ctp, msg, attr, NULL);
}

PUBLIC int iofunc_rename_default(resmgr_context_t *ctp, io_rename_t *msg, iofunc_attr_t *dattr,
                                 io_rename_extra_t *extra) {
        (void)ctp;
        (void)msg;
        (void)dattr;
        (void)extra;
        return ENOSYS;
}
