/* SPDX-License-Identifier: MIT */
/*
 * Reply: how a server answers a message it holds, and reads and writes it before.
 */
#include "base/failpoint.h"
#include "neutrino/bytes.h"
#include "neutrino/result.h"
#include "runtime/thread.h"
#include "shm/clock.h"
#include "shm/link.h"
#include "shm/slot.h"
#include "shm/word.h"
#include "shm/xfer.h"
#include "sys/neutrino.h"

#include <limits.h>

static size_t smaller(size_t a, size_t b) {
        return a < b ? a : b;
}

/* The daemon says so in the link at once; our news of it may not have been read yet. */
static bool client_is_dead(const Receipt *receipt) {
        return receipt->orphan || link_client_is_gone(receipt->link->map);
}

/* ---- MsgReply, MsgError ---- */

/* The answer is in place: tell the client, and forget the message. */
static int complete(Receipt *receipt, long status, unsigned failed) {
        ShmSlot *shm = receipt->shm;
        bool told = false;

        shm->status = status;
        shm->failed = (uint8_t)(failed | receipt_put_ranges(receipt));
        shm->server_core = clock_core();
        FAILPOINT("reply:written");
        if (!client_is_dead(receipt))
                told = slot_reply(shm, receipt->generation);
        FAILPOINT("reply:told");
        if (!told)
                slot_release(shm, receipt->generation);
        receipt_free(receipt);
        return told ? EOK : ESRCH;
}

static int reply_inside(int rcvid, long status, const iov_t *iov, size_t parts, ssize_t total) {
        Receipt *receipt;
        int r;

        if (total == XFER_MEASURE)
                total = xfer_total(iov, parts);
        if (total < 0)
                return total == -EFAULT ? ESRVRFAULT : EOVERFLOW;
        receipt = receipt_take(rcvid);
        if (!receipt)
                return ESRCH;
        FAILPOINT("reply:taken");
        r = receipt_write(receipt, iov, parts, smaller((size_t)total, receipt->reply_room), 0);
        if (r == 0)
                return complete(receipt, status, 0);
        /* the client must not wait for ever because our buffer was bad */
        complete(receipt, -ESRVRFAULT, SLOT_FAILED);
        return ESRVRFAULT;
}

static int reply(int rcvid, long status, const iov_t *iov, size_t parts, ssize_t total) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = reply_inside(rcvid, status, iov, parts, total);
        call_leave(thread);
        return r;
}

/* What the client noted when it asked to be let go: EINTR or ETIMEDOUT. */
static int noted_error(const Receipt *receipt) {
        int why = SHM_LOAD(receipt->shm->why);

        if (!(slot_peek(receipt->shm) & SLOT_UNBLOCK) || why == 0)
                return EINTR;
        return why;
}

static int error_inside(int rcvid, int error) {
        Receipt *receipt;

        if (error < -1)
                return EINVAL;
        receipt = receipt_take(rcvid);
        if (!receipt)
                return ESRCH;
        if (error == EOK)
                return complete(receipt, 0, 0);
        return complete(receipt, -(error == -1 ? noted_error(receipt) : error), SLOT_FAILED);
}

int MsgError_r(int rcvid, int error) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = error_inside(rcvid, error);
        call_leave(thread);
        return r;
}

/* One buffer as an iovec of one part, and how much it holds. */
#define PART(address, bytes)                                                                       \
        &(iov_t){ .iov_base = (void *)(address), .iov_len = (bytes) }, 1,                          \
                (bytes) > SSIZE_MAX ? -EOVERFLOW : (ssize_t)(bytes)

int MsgReply_r(int rcvid, long status, const void *msg, size_t bytes) {
        return reply(rcvid, status, PART(msg, bytes));
}

int MsgReplyv_r(int rcvid, long status, const iov_t *riov, size_t rparts) {
        return reply(rcvid, status, riov, rparts, XFER_MEASURE);
}

int MsgReply(int rcvid, long status, const void *msg, size_t bytes) {
        return plain_status(MsgReply_r(rcvid, status, msg, bytes));
}

int MsgReplyv(int rcvid, long status, const iov_t *riov, size_t rparts) {
        return plain_status(MsgReplyv_r(rcvid, status, riov, rparts));
}

int MsgError(int rcvid, int error) {
        return plain_status(MsgError_r(rcvid, error));
}

/* ---- MsgRead, MsgWrite ---- */

typedef ssize_t (*Access)(Receipt *receipt, const iov_t *iov, size_t parts, size_t n, size_t offset);

static ssize_t read_message(Receipt *receipt, const iov_t *iov, size_t parts, size_t n, size_t offset) {
        int r;

        if (offset >= receipt->message_bytes)
                return 0;
        n = smaller(n, receipt->message_bytes - offset);
        r = receipt_read(receipt, iov, parts, n, offset);
        return r < 0 ? (r == -EPERM ? -EFAULT : r) : (ssize_t)n;
}

static ssize_t write_reply(Receipt *receipt, const iov_t *iov, size_t parts, size_t n, size_t offset) {
        int r;

        if (offset >= receipt->reply_room)
                return 0;
        n = smaller(n, receipt->reply_room - offset);
        server_lock(); /* threads that write to one reply take turns: they share its ranges */
        r = receipt_write(receipt, iov, parts, n, offset);
        server_unlock();
        return r < 0 ? r : (ssize_t)n;
}

static ssize_t access_inside(int rcvid, Access access, const iov_t *iov, size_t parts, ssize_t total,
                             size_t offset) {
        Receipt *receipt;
        ssize_t r;

        if (total == XFER_MEASURE)
                total = xfer_total(iov, parts);
        if (total < 0)
                return total == -EFAULT ? -ESRVRFAULT : total;
        receipt = receipt_use(rcvid);
        if (!receipt)
                return -ESRCH;
        r = client_is_dead(receipt) ? -ESRCH : access(receipt, iov, parts, (size_t)total, offset);
        receipt_done(receipt);
        return r;
}

static ssize_t access_message(int rcvid, Access access, const iov_t *iov, size_t parts, ssize_t total,
                              size_t offset) {
        Thread *thread = call_enter();
        ssize_t r;

        call_take_timeout(thread);
        r = access_inside(rcvid, access, iov, parts, total, offset);
        call_leave(thread);
        return r;
}

ssize_t MsgRead_r(int rcvid, void *msg, size_t bytes, size_t offset) {
        return access_message(rcvid, read_message, PART(msg, bytes), offset);
}

ssize_t MsgReadv_r(int rcvid, const iov_t *iov, size_t parts, size_t offset) {
        return access_message(rcvid, read_message, iov, parts, XFER_MEASURE, offset);
}

ssize_t MsgWrite_r(int rcvid, const void *msg, size_t bytes, size_t offset) {
        return access_message(rcvid, write_reply, PART(msg, bytes), offset);
}

ssize_t MsgWritev_r(int rcvid, const iov_t *iov, size_t parts, size_t offset) {
        return access_message(rcvid, write_reply, iov, parts, XFER_MEASURE, offset);
}

ssize_t MsgRead(int rcvid, void *msg, size_t bytes, size_t offset) {
        return plain_value(MsgRead_r(rcvid, msg, bytes, offset));
}

ssize_t MsgReadv(int rcvid, const iov_t *iov, size_t parts, size_t offset) {
        return plain_value(MsgReadv_r(rcvid, iov, parts, offset));
}

ssize_t MsgWrite(int rcvid, const void *msg, size_t bytes, size_t offset) {
        return plain_value(MsgWrite_r(rcvid, msg, bytes, offset));
}

ssize_t MsgWritev(int rcvid, const iov_t *iov, size_t parts, size_t offset) {
        return plain_value(MsgWritev_r(rcvid, iov, parts, offset));
}
