/* SPDX-License-Identifier: MIT */
/*
 * Xfer: bytes between a caller's iovec and one contiguous run, or another process's iovec.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* In place of a length: "add it up", once inside the call. */
#define XFER_MEASURE ((ssize_t)(-SSIZE_MAX - 1))

/* Sum of the lengths; -EOVERFLOW past SSIZE_MAX, -EFAULT for an unreadable array. */
ssize_t xfer_total(const struct iovec *iov, size_t parts);

/* iov -> run and run -> iov, @n bytes, skipping the first @skip bytes of the iov. false: bad address in iov. */
bool xfer_gather(void *to, const struct iovec *iov, size_t parts, size_t skip, size_t n);
bool xfer_scatter(const struct iovec *iov, size_t parts, size_t skip, const void *from, size_t n);

/*
 * @n bytes at offset @skip of @remote (addresses in process @pid) -> @local from its start.
 * 0, -EPERM (not permitted here), -ESRCH (no such process), -EFAULT (bad remote address),
 * -ESRVRFAULT's stand-in -ENOMEM (bad local address).
 */
int xfer_read_direct(pid_t pid, const struct iovec *remote, size_t n_remote, size_t skip,
                     const struct iovec *local, size_t n_local, size_t n);
