/* SPDX-License-Identifier: MIT */
#include "neutrino/bytes.h"

#include "shm/slot.h"
#include "shm/xfer.h"
#include "sys/neutrino.h"

#include <errno.h>
#include <string.h>

/* The pid may be another process's by now; what was read counts only if the client still waits. */
static int read_direct(const Receipt *receipt, const struct iovec *iov, size_t parts, size_t n,
                       size_t offset) {
        uint32_t word;
        int r = xfer_read_direct(receipt->link->client.pid, receipt->direct, receipt->n_direct, offset,
                                 iov, parts, n);

        word = slot_peek(receipt->shm);
        if (slot_state(word) != SLOT_REPLY || slot_generation(word) != receipt->generation)
                return -ESRCH;
        return r == -ENOMEM ? -ESRVRFAULT : r;
}

int receipt_read(const Receipt *receipt, const struct iovec *iov, size_t parts, size_t n, size_t offset) {
        if (n == 0)
                return 0;
        if (!receipt->message)
                return read_direct(receipt, iov, parts, n, offset);
        return xfer_scatter(iov, parts, 0, receipt->message + offset, n) ? 0 : -ESRVRFAULT;
}

/* Joins [from, to) with the ranges that it touches; they stay sorted and apart. */
static void add_range(Receipt *receipt, size_t from, size_t to) {
        Range *ranges = receipt->ranges;
        unsigned first = 0, last;

        if (receipt->n_ranges == 0) {
                ranges[receipt->n_ranges++] = (Range){ from, to };
                return;
        }
        while (first < receipt->n_ranges && ranges[first].to < from)
                first++;
        for (last = first; last < receipt->n_ranges && ranges[last].from <= to; last++) {
                from = ranges[last].from < from ? ranges[last].from : from;
                to = ranges[last].to > to ? ranges[last].to : to;
        }
        memmove(&ranges[first + 1], &ranges[last], (receipt->n_ranges - last) * sizeof(*ranges));
        receipt->n_ranges += first + 1 - last;
        ranges[first] = (Range){ from, to };
}

/* So scattered that they are not worth counting: the first gap becomes zeros. */
static void close_gap(Receipt *receipt) {
        Range *ranges = receipt->ranges;

        memset(receipt->reply + ranges[0].to, 0, ranges[1].from - ranges[0].to);
        add_range(receipt, ranges[0].from, ranges[1].to);
}

int receipt_write(Receipt *receipt, const struct iovec *iov, size_t parts, size_t n, size_t offset) {
        if (n == 0)
                return 0;
        if (!xfer_gather(receipt->reply + offset, iov, parts, 0, n))
                return -ESRVRFAULT;
        add_range(receipt, offset, offset + n);
        if (receipt->n_ranges == RECEIPT_RANGES)
                close_gap(receipt);
        return 0;
}

/* The message is not needed any more: its place tells the client which bytes are meant. */
unsigned receipt_put_ranges(const Receipt *receipt) {
        ShmSlot *shm = receipt->shm;
        unsigned n = receipt->n_ranges;

        shm->reply_bytes = n ? receipt->ranges[n - 1].to : 0;
        if (n == 0 || (n == 1 && receipt->ranges[0].from == 0))
                return 0;
        shm->reply_ranges = n;
        memcpy(shm->message, receipt->ranges, n * sizeof(*receipt->ranges));
        return SLOT_REPLY_HAS_RANGES;
}
