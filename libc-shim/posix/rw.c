/* SPDX-License-Identifier: MIT */
/*
 * Read, write, seek on an open file of a manager's: one message each. On any other descriptor it
 * is the C library's call after one look
 * into a table.
 */
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"

#include <limits.h>
#include <string.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>
#include <sys/uio.h>
#include <unistd.h>

#define PARTS_MAX 1024 /* IOV_MAX */

static struct _io_read read_header(size_t bytes, unsigned xtype) {
        return (struct _io_read){ .type = _IO_READ,
                                  .combine_len = sizeof(struct _io_read),
                                  .nbytes = (uint32_t)bytes,
                                  .xtype = xtype,
                                  .zero = (uint32_t)(bytes >> 32) };
}

static struct _io_write write_header(size_t bytes, unsigned xtype) {
        return (struct _io_write){ .type = _IO_WRITE,
                                   .combine_len = sizeof(struct _io_write),
                                   .nbytes = (uint32_t)bytes,
                                   .xtype = xtype,
                                   .zero = (uint32_t)(bytes >> 32) };
}

/* A server may answer what it likes; nobody has read more than there was room for. */
static ssize_t bounded(long r, size_t most) {
        return r > 0 && (size_t)r > most ? (ssize_t)most : (ssize_t)r;
}

/* ---- one buffer ---- */

PUBLIC ssize_t read(int fd, void *buffer, size_t bytes) {
        struct _io_read header;

        if (!connection_is_descriptor(fd))
                return NEXT(read)(fd, buffer, bytes);
        header = read_header(bytes, _IO_XTYPE_NONE);
        return plain(bounded(MsgSend_r(fd, &header, sizeof(header), buffer, bytes), bytes));
}

PUBLIC ssize_t write(int fd, const void *buffer, size_t bytes) {
        struct _io_write header;
        iov_t parts[2];

        if (!connection_is_descriptor(fd))
                return NEXT(write)(fd, buffer, bytes);
        header = write_header(bytes, _IO_XTYPE_NONE);
        SETIOV(&parts[0], &header, sizeof(header));
        SETIOV(&parts[1], buffer, bytes);
        return plain(bounded(MsgSendvs_r(fd, parts, 2, NULL, 0), bytes));
}

PUBLIC ssize_t __read_chk(int fd, void *buffer, size_t bytes, size_t room);
PUBLIC ssize_t __read_chk(int fd, void *buffer, size_t bytes, size_t room) {
        if (!connection_is_descriptor(fd) || bytes > room)
                return NEXT(__read_chk)(fd, buffer, bytes, room);
        return read(fd, buffer, bytes);
}

/* ---- several ---- */

static ssize_t total(const struct iovec *parts, int n) {
        size_t sum = 0;

        if (n < 0 || n >= PARTS_MAX)
                return -EINVAL;
        for (int i = 0; i < n; i++)
                if (__builtin_add_overflow(sum, parts[i].iov_len, &sum) || sum > SSIZE_MAX)
                        return -EINVAL;
        return (ssize_t)sum;
}

static ssize_t readv_managed(int fd, const struct iovec *parts, int n, const off_t *offset) {
        ssize_t bytes = total(parts, n);
        struct _xtype_offset where = { .offset = offset ? *offset : 0 };
        struct _io_read header;
        iov_t send[2];

        if (bytes < 0)
                return bytes;
        header = read_header((size_t)bytes, offset ? _IO_XTYPE_OFFSET : _IO_XTYPE_NONE);
        SETIOV(&send[0], &header, sizeof(header));
        SETIOV(&send[1], &where, sizeof(where));
        return bounded(MsgSendv_r(fd, send, offset ? 2 : 1, parts, n), (size_t)bytes);
}

static ssize_t writev_managed(int fd, const struct iovec *parts, int n, const off_t *offset) {
        ssize_t bytes = total(parts, n);
        struct _xtype_offset where = { .offset = offset ? *offset : 0 };
        iov_t send[n > 0 ? n + 2 : 2];
        struct _io_write header;
        int n_send = 0;

        if (bytes < 0)
                return bytes;
        header = write_header((size_t)bytes, offset ? _IO_XTYPE_OFFSET : _IO_XTYPE_NONE);
        SETIOV(&send[n_send++], &header, sizeof(header));
        if (offset)
                SETIOV(&send[n_send++], &where, sizeof(where));
        memcpy(&send[n_send], parts, (size_t)n * sizeof(*parts));
        return bounded(MsgSendv_r(fd, send, n_send + n, NULL, 0), (size_t)bytes);
}

PUBLIC ssize_t readv(int fd, const struct iovec *parts, int n) {
        if (!connection_is_descriptor(fd))
                return NEXT(readv)(fd, parts, n);
        return plain(readv_managed(fd, parts, n, NULL));
}

PUBLIC ssize_t writev(int fd, const struct iovec *parts, int n) {
        if (!connection_is_descriptor(fd))
                return NEXT(writev)(fd, parts, n);
        if (n < 0 || n >= PARTS_MAX)
                return plain(-EINVAL);
        return plain(writev_managed(fd, parts, n, NULL));
}

/* ---- at an offset ---- */

static off_t seek(int fd, off_t offset, int whence) {
        struct _io_lseek message = { .type = _IO_LSEEK,
                                     .combine_len = sizeof(message),
                                     .whence = (int16_t)whence,
                                     .offset = (uint64_t)offset };
        uint64_t to = 0;
        long r = MsgSend_r(fd, &message, sizeof(message), &to, sizeof(to));

        return r < 0 ? r : (off_t)to;
}

/*
 * A manager that knows no offset in a read or write (most know none) refuses it: then the file's
 * own offset is moved there and back,
 * which other users of the same open file may see.
 */
static bool refuses_offset(ssize_t r) {
        return r == -ENOSYS || r == -EINVAL || r == -ENOTSUP;
}

typedef ssize_t Transfer(int fd, const struct iovec *parts, int n, const off_t *offset);

static ssize_t transfer_at(Transfer *transfer, int fd, const struct iovec *parts, int n, off_t offset) {
        ssize_t r = offset < 0 ? -EINVAL : transfer(fd, parts, n, &offset);
        off_t before;

        if (offset < 0 || !refuses_offset(r))
                return r;
        before = seek(fd, 0, SEEK_CUR);
        if (before < 0)
                return before;
        r = seek(fd, offset, SEEK_SET);
        if (r >= 0)
                r = transfer(fd, parts, n, NULL);
        seek(fd, before, SEEK_SET);
        return r;
}

PUBLIC ssize_t pread(int fd, void *buffer, size_t bytes, off_t offset) {
        struct iovec part = { .iov_base = buffer, .iov_len = bytes };

        if (!connection_is_descriptor(fd))
                return NEXT(pread)(fd, buffer, bytes, offset);
        return plain(transfer_at(readv_managed, fd, &part, 1, offset));
}
SAME(pread, pread64);

PUBLIC ssize_t pwrite(int fd, const void *buffer, size_t bytes, off_t offset) {
        struct iovec part = { .iov_base = (void *)buffer, .iov_len = bytes };

        if (!connection_is_descriptor(fd))
                return NEXT(pwrite)(fd, buffer, bytes, offset);
        return plain(transfer_at(writev_managed, fd, &part, 1, offset));
}
SAME(pwrite, pwrite64);

PUBLIC ssize_t preadv(int fd, const struct iovec *parts, int n, off_t offset) {
        if (!connection_is_descriptor(fd))
                return NEXT(preadv)(fd, parts, n, offset);
        return plain(transfer_at(readv_managed, fd, parts, n, offset));
}
SAME(preadv, preadv64);

PUBLIC ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset) {
        if (!connection_is_descriptor(fd))
                return NEXT(pwritev)(fd, parts, n, offset);
        if (n < 0 || n >= PARTS_MAX)
                return plain(-EINVAL);
        return plain(transfer_at(writev_managed, fd, parts, n, offset));
}
SAME(pwritev, pwritev64);

PUBLIC off_t lseek(int fd, off_t offset, int whence) {
        if (!connection_is_descriptor(fd))
                return NEXT(lseek)(fd, offset, whence);
        return plain(seek(fd, offset, whence));
}
SAME(lseek, lseek64);
