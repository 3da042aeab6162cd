/* SPDX-License-Identifier: MIT */
#include "shm/xfer.h"

#include "shm/copy.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static size_t smaller(size_t a, size_t b) {
        return a < b ? a : b;
}

/* ---- lengths ---- */

typedef struct Sum {
        const struct iovec *iov;
        size_t parts;
        ssize_t total;
} Sum;

__attribute__((no_sanitize("null"))) static void sum_body(void *argument) {
        Sum *sum = argument;
        size_t total = 0;

        for (size_t i = 0; i < sum->parts; i++) {
                size_t n = sum->iov[i].iov_len;

                if (n > (size_t)SSIZE_MAX - total) {
                        sum->total = -EOVERFLOW;
                        return;
                }
                total += n;
        }
        sum->total = (ssize_t)total;
}

ssize_t xfer_total(const struct iovec *iov, size_t parts) {
        Sum sum = { .iov = iov, .parts = parts };

        return copy_run(sum_body, &sum) ? sum.total : -EFAULT;
}

/* ---- bytes: one walk over the parts, in or out ---- */

typedef struct Walk {
        const struct iovec *iov;
        size_t parts;
        size_t skip;
        uint8_t *run;
        size_t n;
        bool out;
} Walk;

/* NULL is a bad address like any other here: it faults, and is reported. */
__attribute__((no_sanitize("nonnull-attribute", "pointer-overflow"))) static void walk_body(
        void *argument) {
        Walk walk = *(Walk *)argument;

        for (size_t i = 0; i < walk.parts && walk.n > 0; i++) {
                size_t length = walk.iov[i].iov_len;
                uint8_t *part = walk.iov[i].iov_base;
                size_t take;

                if (walk.skip >= length) {
                        walk.skip -= length;
                        continue;
                }
                take = smaller(length - walk.skip, walk.n);
                if (walk.out)
                        memcpy(part + walk.skip, walk.run, take);
                else
                        memcpy(walk.run, part + walk.skip, take);
                walk.run += take;
                walk.n -= take;
                walk.skip = 0;
        }
}

/* @n bytes at @skip that lie in the first part and are few, as nearly always: where. */
static uint8_t *few_bytes(const struct iovec *iov, size_t parts, size_t skip, size_t n) {
        struct iovec first;

        if (n > COPY_SMALL_MAX || parts == 0 || !copy_small(&first, iov, sizeof(first)))
                return NULL;
        if (skip > first.iov_len || n > first.iov_len - skip)
                return NULL;
        return (uint8_t *)first.iov_base + skip;
}

bool xfer_gather(void *to, const struct iovec *iov, size_t parts, size_t skip, size_t n) {
        Walk walk = { iov, parts, skip, to, n, false };
        const uint8_t *few = few_bytes(iov, parts, skip, n);

        if (few)
                return copy_small(to, few, n);
        return n == 0 || copy_run(walk_body, &walk);
}

bool xfer_scatter(const struct iovec *iov, size_t parts, size_t skip, const void *from, size_t n) {
        Walk walk = { iov, parts, skip, (uint8_t *)from, n, true };
        uint8_t *few = few_bytes(iov, parts, skip, n);

        if (few)
                return copy_small(few, from, n);
        return n == 0 || copy_run(walk_body, &walk);
}

/* ---- another process's memory ---- */

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
                /* an address may be another process's, or nonsense: a number, not a pointer of ours */
                window[pieces++] = (struct iovec){ (void *)((uintptr_t)iov[i].iov_base + skip), take };
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
