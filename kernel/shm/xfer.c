/* SPDX-License-Identifier: MIT */
#include "shm/xfer.h"

#include "shm/copy.h"

#include <errno.h>
#include <limits.h>

/* Copies one part of a walk: to or from the run at @run. */
typedef bool (*PartCopy)(uint8_t *run, void *part, size_t n);

static bool part_in(uint8_t *run, void *part, size_t n) {
        return copy_bytes(run, part, n);
}

static bool part_out(uint8_t *run, void *part, size_t n) {
        return copy_bytes(part, run, n);
}

static size_t smaller(size_t a, size_t b) {
        return a < b ? a : b;
}

static bool walk(const struct iovec *iov, size_t parts, size_t skip, uint8_t *run, size_t n,
                 PartCopy copy) {
        for (size_t i = 0; i < parts && n > 0; i++) {
                size_t take;

                if (skip >= iov[i].iov_len) {
                        skip -= iov[i].iov_len;
                        continue;
                }
                take = smaller(iov[i].iov_len - skip, n);
                if (!copy(run, (uint8_t *)iov[i].iov_base + skip, take))
                        return false;
                run += take;
                n -= take;
                skip = 0;
        }
        return true;
}

ssize_t xfer_total(const struct iovec *iov, size_t parts) {
        size_t total = 0;

        for (size_t i = 0; i < parts; i++) {
                struct iovec part;

                if (!copy_bytes(&part, &iov[i], sizeof(part)))
                        return -EFAULT;
                if (part.iov_len > (size_t)SSIZE_MAX - total)
                        return -EOVERFLOW;
                total += part.iov_len;
        }
        return (ssize_t)total;
}

bool xfer_gather(void *to, const struct iovec *iov, size_t parts, size_t skip, size_t n) {
        return walk(iov, parts, skip, to, n, part_in);
}

bool xfer_scatter(const struct iovec *iov, size_t parts, size_t skip, const void *from, size_t n) {
        return walk(iov, parts, skip, (uint8_t *)from, n, part_out);
}

#define WINDOW 64u

/* The next at most WINDOW pieces of @iov after @skip bytes, together at most @n bytes long. */
static size_t window_of(struct iovec window[WINDOW], const struct iovec *iov, size_t parts,
                        size_t skip, size_t n, size_t *ret_bytes) {
        size_t pieces = 0, bytes = 0;

        for (size_t i = 0; i < parts && pieces < WINDOW && bytes < n; i++) {
                size_t take;

                if (skip >= iov[i].iov_len) {
                        skip -= iov[i].iov_len;
                        continue;
                }
                take = smaller(iov[i].iov_len - skip, n - bytes);
                window[pieces++] = (struct iovec){ (uint8_t *)iov[i].iov_base + skip, take };
                bytes += take;
                skip = 0;
        }
        *ret_bytes = bytes;
        return pieces;
}

/* A short or failed read does not say whose address was bad: touch ours. */
static int blame(const struct iovec *local, size_t n_local) {
        for (size_t i = 0; i < n_local; i++) {
                volatile uint8_t *first = local[i].iov_base;
                volatile uint8_t *last = first + local[i].iov_len - 1;
                uint8_t byte;

                if (!copy_bytes(&byte, (void *)first, 1) || !copy_bytes((void *)first, &byte, 1) ||
                    !copy_bytes(&byte, (void *)last, 1) || !copy_bytes((void *)last, &byte, 1))
                        return -ENOMEM;
        }
        return -EFAULT;
}

int xfer_read_direct(pid_t pid, const struct iovec *remote, size_t n_remote, size_t skip,
                     const struct iovec *local, size_t n_local, size_t n) {
        size_t done = 0;

        while (done < n) {
                struct iovec from[WINDOW], to[WINDOW];
                size_t bytes, n_from, n_to;
                ssize_t r;

                n_to = window_of(to, local, n_local, done, n - done, &bytes);
                n_from = window_of(from, remote, n_remote, skip + done, bytes, &bytes);
                if (bytes == 0)
                        return -EFAULT;
                r = process_vm_readv(pid, to, n_to, from, n_from, 0);
                if (r < 0 && errno != EFAULT)
                        return -errno;
                if (r <= 0)
                        return blame(to, n_to);
                done += (size_t)r;
        }
        return 0;
}
