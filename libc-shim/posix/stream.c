/* SPDX-License-Identifier: MIT */
/*
 * Stream: FILE on an open file of a manager's. The C library reads and writes its own streams by
 * calls that nobody can stand in front
 * of, so ours get their functions as a cookie.
 */
#include "posix/manager.h"
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fd_of(void *cookie) {
        return (int)(intptr_t)cookie - 1;
}

static ssize_t cookie_read(void *cookie, char *buffer, size_t bytes) {
        return read(fd_of(cookie), buffer, bytes);
}

/* A stream's write function says 0 where write(2) says -1. */
static ssize_t cookie_write(void *cookie, const char *buffer, size_t bytes) {
        ssize_t n = write(fd_of(cookie), buffer, bytes);

        return n < 0 ? 0 : n;
}

static int cookie_seek(void *cookie, off64_t *offset, int whence) {
        off_t to = lseek(fd_of(cookie), *offset, whence);

        if (to < 0)
                return -1;
        *offset = to;
        return 0;
}

static int cookie_close(void *cookie) {
        return close(fd_of(cookie));
}

static FILE *stream_on(int fd, const char *mode) {
        static const cookie_io_functions_t functions = { cookie_read, cookie_write, cookie_seek, cookie_close };
        FILE *stream = fopencookie((void *)(intptr_t)(fd + 1), mode, functions);

        if (stream) /* fileno() */
                stream->_fileno = fd;
        return stream;
}

static int flags_of(const char *mode) {
        int flags = mode[0] == 'r' ? O_RDONLY : mode[0] == 'a' ? O_WRONLY | O_CREAT | O_APPEND
                                                               : O_WRONLY | O_CREAT | O_TRUNC;

        if (strchr(mode, '+'))
                flags = (flags & ~O_ACCMODE) | O_RDWR;
        if (strchr(mode, 'x'))
                flags |= O_EXCL;
        return strchr(mode, 'e') ? flags | O_CLOEXEC : flags;
}

PUBLIC FILE *fopen(const char *restrict path, const char *restrict mode) {
        char whole[PATH_MAX];
        FILE *stream;
        int fd;

        if (manager_path(AT_FDCWD, path, whole) < 0 || !strchr("rwa", mode[0]))
                return NEXT(fopen)(path, mode);
        fd = open(path, flags_of(mode), 0666);
        if (fd < 0)
                return NULL;
        if (!connection_is_descriptor(fd))
                return fdopen(fd, mode);
        stream = stream_on(fd, mode);
        if (!stream)
                close(fd);
        return stream;
}
SAME(fopen, fopen64);

PUBLIC FILE *fdopen(int fd, const char *mode) {
        return connection_is_descriptor(fd) ? stream_on(fd, mode) : NEXT(fdopen)(fd, mode);
}
