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

/* The client's own bytes between two writes are not known here: such a gap reads as zeros. */
static void note_written(Receipt *receipt, size_t from, size_t to) {
        if (receipt->written_from == receipt->written_to) {
                receipt->written_from = from;
                receipt->written_to = to;
                return;
        }
        if (from > receipt->written_to)
                memset(receipt->reply + receipt->written_to, 0, from - receipt->written_to);
        if (to < receipt->written_from)
                memset(receipt->reply + to, 0, receipt->written_from - to);
        if (from < receipt->written_from)
                receipt->written_from = from;
        if (to > receipt->written_to)
                receipt->written_to = to;
}

int receipt_write(Receipt *receipt, const struct iovec *iov, size_t parts, size_t n, size_t offset) {
        if (n == 0)
                return 0;
        if (!xfer_gather(receipt->reply + offset, iov, parts, 0, n))
                return -ESRVRFAULT;
        note_written(receipt, offset, offset + n);
        return 0;
}
