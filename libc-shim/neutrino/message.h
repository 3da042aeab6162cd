/* SPDX-License-Identifier: MIT */
/*
 * Message: what one MsgSend has to carry, and its way into and out of a slot.
 */
#pragma once

#include "runtime/connection.h"
#include "runtime/outlink.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef struct Message {
        const struct iovec *send;
        size_t send_parts;
        ssize_t send_bytes; /* or -errno of adding up */
        const struct iovec *reply;
        size_t reply_parts;
        ssize_t reply_bytes; /* likewise */
} Message;

/* Copies it into @slot, or says there where it lies. 0, -EFAULT, -EAGAIN (quota for bulk memory). */
int message_put(const Message *message, OutSlot *slot);

/* Copies the answer out of @slot. 0 or -EFAULT. */
int message_take_reply(const Message *message, const OutSlot *slot);
