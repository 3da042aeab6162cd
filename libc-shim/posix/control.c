/* SPDX-License-Identifier: MIT */
/* Control: devctl, ioctl, fcntl: what is neither read nor write. */
#include "posix/manager.h"
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"

#include <devctl.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/dcmd_all.h>
#include <sys/dcmd_blk.h>
#include <sys/ioctl.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- devctl ---- */

static size_t sum(const iov_t *parts, int n) {
        size_t bytes = 0;

        for (int i = 0; i < n; i++)
                bytes += parts[i].iov_len;
        return bytes;
}

/* EOK or a positive errno. */
static int devctl_managed(int fd, int dcmd, const iov_t *sv, int sparts, const iov_t *rv, int rparts, size_t nbytes,
                          int *dev_info) {
        struct _io_devctl message = { .type = _IO_DEVCTL, .combine_len = sizeof(message), .dcmd = dcmd,
                                      .nbytes = (uint32_t)nbytes };
        struct _io_devctl_reply reply = { .ret_val = 0 };
        iov_t send[sparts + 1], receive[rparts + 1];
        long r;

        SETIOV(&send[0], &message, sizeof(message));
        SETIOV(&receive[0], &reply, sizeof(reply));
        if (sparts > 0)
                memcpy(&send[1], sv, (size_t)sparts * sizeof(*sv));
        if (rparts > 0)
                memcpy(&receive[1], rv, (size_t)rparts * sizeof(*rv));
        r = MsgSendv_r(fd, send, sparts + 1, receive, rparts + 1);
        if (r < 0)
                return r == -ENOSYS ? ENOTTY : (int)-r;
        if (dev_info)
                *dev_info = reply.ret_val;
        return EOK;
}

/* Linux's own ioctl() with the same number; what it returns is the device's result. */
static int devctl_of_linux(int fd, int dcmd, void *data, int *dev_info) {
        int saved = errno;
        int r = NEXT(ioctl)(fd, (unsigned long)(unsigned)dcmd, data);
        int error = errno;

        errno = saved;
        if (r < 0)
                return error;
        if (dev_info)
                *dev_info = r;
        return EOK;
}

PUBLIC int devctl(int fd, int dcmd, void *data, size_t nbytes, int *dev_info) {
        iov_t part;

        if (nbytes > UINT32_MAX)
                return EINVAL;
        if (fd >= 0 && !(fd & _NTO_SIDE_CHANNEL) && !connection_is_descriptor(fd))
                return devctl_of_linux(fd, dcmd, data, dev_info);
        SETIOV(&part, data, nbytes);
        return devctl_managed(fd, dcmd, &part, dcmd & _POSIX_DEVDIR_TO ? 1 : 0, &part,
                              dcmd & _POSIX_DEVDIR_FROM ? 1 : 0, nbytes, dev_info);
}

PUBLIC int devctlv(int fd, int dcmd, int sparts, int rparts, const iov_t *sv, const iov_t *rv, int *dev_info) {
        size_t bytes;

        if (sparts < 0 || rparts < 0 || sparts > IOV_MAX || rparts > IOV_MAX)
                return EINVAL;
        bytes = sum(sv, sparts) > sum(rv, rparts) ? sum(sv, sparts) : sum(rv, rparts);
        if (bytes > UINT32_MAX)
                return EINVAL;
        return devctl_managed(fd, dcmd, sv, sparts, rv, rparts, bytes, dev_info);
}

/* ---- ioctl ---- */

static int ioctl_managed(int fd, int request, void *argument) {
        size_t bytes = _IOC_SIZE((unsigned)request);
        int info = 0, r;

        if (request == FIONBIO) /* all of Linux's have it, without a size in its number */
                return fcntl(fd, F_SETFL, *(int *)argument ? fcntl(fd, F_GETFL) | O_NONBLOCK
                                                           : fcntl(fd, F_GETFL) & ~O_NONBLOCK);
        r = devctl(fd, request, argument, bytes, &info);
        return r == EOK ? info : (int)plain(-r);
}

PUBLIC int ioctl(int fd, unsigned long request, ...) {
        va_list list;
        void *argument;

        va_start(list, request);
        argument = va_arg(list, void *);
        va_end(list);
        if (!connection_is_descriptor(fd))
                return NEXT(ioctl)(fd, request, argument);
        return ioctl_managed(fd, (int)request, argument);
}

/* ---- fcntl ---- */

static int get_flags(int fd) {
        int flags = 0;
        int r = devctl(fd, DCMD_ALL_GETFLAGS, &flags, sizeof(flags), NULL);

        return r == EOK ? flags : -r;
}

static int set_flags(int fd, int flags) {
        return -devctl(fd, DCMD_ALL_SETFLAGS, &flags, sizeof(flags), NULL);
}

static int lock(int fd, int command, struct flock *flock) {
        struct _io_lock message = { .type = _IO_LOCK, .combine_len = sizeof(message), .subtype = command,
                                    .flock = *flock };
        struct _io_lock_reply reply = { .zero = { 0 } };
        long r = MsgSend_r(fd, &message, sizeof(message), &reply, sizeof(reply));

        if (r >= 0 && command == F_GETLK)
                *flock = reply.flock;
        return r < 0 ? (int)r : 0;
}

static int duplicate(int fd, int command, int from) {
        int copy = NEXT(fcntl)(fd, command, from);

        if (copy >= 0)
                connection_duplicated(fd, copy);
        return copy;
}

static int fcntl_managed(int fd, int command, void *argument) {
        switch (command) {
        case F_DUPFD:
        case F_DUPFD_CLOEXEC:
                return duplicate(fd, command, (int)(intptr_t)argument);
        case F_GETFL:
                return (int)plain(get_flags(fd));
        case F_SETFL:
                return (int)plain(set_flags(fd, (int)(intptr_t)argument));
        case F_GETLK:
        case F_SETLK:
        case F_SETLKW:
                return (int)plain(lock(fd, command, argument));
        default:
                return NEXT(fcntl)(fd, command, argument);
        }
}

PUBLIC int fcntl(int fd, int command, ...) {
        va_list list;
        void *argument;

        va_start(list, command);
        argument = va_arg(list, void *);
        va_end(list);
        if (!connection_is_descriptor(fd))
                return NEXT(fcntl)(fd, command, argument);
        return fcntl_managed(fd, command, argument);
}
SAME(fcntl, fcntl64);

/* ---- statvfs ---- */

PUBLIC int fstatvfs(int fd, struct statvfs *statvfs_) {
        int r;

        if (!connection_is_descriptor(fd))
                return NEXT(fstatvfs)(fd, statvfs_);
        memset(statvfs_, 0, sizeof(*statvfs_));
        r = devctl(fd, DCMD_FSYS_STATVFS, statvfs_, sizeof(*statvfs_), NULL);
        return (int)plain(r == ENOTTY ? -ENOSYS : -r);
}
PUBLIC int fstatvfs64(int fd, struct statvfs64 *statvfs_) {
        return fstatvfs(fd, (struct statvfs *)statvfs_);
}

PUBLIC int statvfs(const char *path, struct statvfs *result) {
        char whole[PATH_MAX];
        int fd, r;

        if (manager_path(AT_FDCWD, path, whole) < 0)
                return NEXT(statvfs)(path, result);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -1;
        r = fstatvfs(fd, result);
        close(fd);
        return r;
}

PUBLIC int statvfs64(const char *path, struct statvfs64 *result) {
        return statvfs(path, (struct statvfs *)result);
}
