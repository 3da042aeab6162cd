/* SPDX-License-Identifier: MIT */
/* Open: a path becomes a descriptor, at a manager or at Linux. */
#include "posix/cwd.h"
#include "posix/manager.h"
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"

#include <fcntl.h>
#include <share.h>
#include <stdarg.h>
#include <sys/neutrino.h>
#include <sys/stat.h>

/* O_PATH opens nothing; what Linux would do with it no manager can. */
static int open_managed(const char *whole, int flags, mode_t mode) {
        const ConnectRequest request = {
                .subtype = _IO_CONNECT_OPEN,
                .ioflag = (unsigned)(flags & ~(O_ACCMODE | O_CLOEXEC)) | (unsigned)((flags & O_ACCMODE) + 1),
                .mode = flags & O_CREAT ? S_IFREG | cwd_mode(mode & 07777) : 0,
                .follows_last = !(flags & O_NOFOLLOW),
                .closes_on_exec = flags & O_CLOEXEC,
        };
        int fd = manager_connect(whole, &request);

        if (fd >= 0 && flags & O_DIRECTORY)
                manager_opened(fd, whole);
        return fd;
}

static int open_any(int directory, const char *path, int flags, mode_t mode) {
        char whole[PATH_MAX];
        int r = flags & O_PATH ? MANAGER_NONE : manager_path(directory, path, whole);

        return r < 0 ? r : open_managed(whole, flags, mode);
}

static bool has_mode(int flags) {
        return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

static mode_t mode_of(int flags, va_list list) {
        return has_mode(flags) ? va_arg(list, mode_t) : 0;
}

PUBLIC int open(const char *path, int flags, ...) {
        va_list list;
        mode_t mode;
        int r;

        va_start(list, flags);
        mode = mode_of(flags, list);
        va_end(list);
        r = open_any(AT_FDCWD, path, flags, mode);
        return r == MANAGER_NONE ? NEXT(open)(path, flags, mode) : (int)plain(r);
}
SAME(open, open64);

PUBLIC int openat(int directory, const char *path, int flags, ...) {
        va_list list;
        mode_t mode;
        int r;

        va_start(list, flags);
        mode = mode_of(flags, list);
        va_end(list);
        r = open_any(directory, path, flags, mode);
        return r == MANAGER_NONE ? NEXT(openat)(directory, path, flags, mode) : (int)plain(r);
}
SAME(openat, openat64);

/* What the C library's headers make of open() with _FORTIFY_SOURCE. */
PUBLIC int __open_2(const char *path, int flags);
PUBLIC int __open_2(const char *path, int flags) {
        return open(path, flags);
}
SAME(__open_2, __open64_2);

PUBLIC int __openat_2(int directory, const char *path, int flags);
PUBLIC int __openat_2(int directory, const char *path, int flags) {
        return openat(directory, path, flags);
}
SAME(__openat_2, __openat64_2);

PUBLIC int creat(const char *path, mode_t mode) {
        return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
SAME(creat, creat64);

/* ---- QNX's own ---- */

PUBLIC int sopen(const char *path, int flags, int share, ...) {
        va_list list;
        mode_t mode;

        (void)share; /* only managers know sharing modes; Linux's files have none */
        va_start(list, share);
        mode = mode_of(flags, list);
        va_end(list);
        return open(path, flags, mode);
}
