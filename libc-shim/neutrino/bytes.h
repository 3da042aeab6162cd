/* SPDX-License-Identifier: MIT */
/*
 * Bytes: a server's access to the message and the reply area of a client that waits.
 */
#pragma once

#include "runtime/receipt.h"

#include <stddef.h>
#include <sys/uio.h>

/*
 * @n bytes of the message from @offset on, which must be inside it. 0, -EFAULT (client's address),
 * -ESRVRFAULT (ours), -ESRCH (client has gone), -EPERM (direct reading is refused).
 */
int receipt_read(const Receipt *receipt, const struct iovec *iov, size_t parts, size_t n, size_t offset);

/*
 * @n bytes into the reply area at @offset, which must have room. 0 or -ESRVRFAULT. One writer at a time:
 * MsgReply() is alone, MsgWrite() takes turns.
 */
int receipt_write(Receipt *receipt, const struct iovec *iov, size_t parts, size_t n, size_t offset);

/* Tells the client which bytes were written; the flags that say so. */
unsigned receipt_put_ranges(const Receipt *receipt);
