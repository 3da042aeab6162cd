/* SPDX-License-Identifier: MIT */
/*
 * Origin: where a message came from, known beyond its answer.
 *
 * A server keeps the rcvid of a client and delivers events to it long after it has replied. Its receipt is
 * another message's by then. So the last ORIGINS messages are remembered here, four words each; and of
 * those that events went to the last ORIGINS_KEPT. One that is used again is among the last again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ORIGINS      65536u
#define ORIGINS_KEPT 16384u

typedef struct Origin {
        int32_t rcvid;
        int32_t scoid;
        int32_t coid; /* at the client */
        int32_t tid;  /* of the client */
} Origin;

void origin_note_locked(const Origin *origin);
/* False when the message is unknown, or too long ago. Its client may have gone. */
bool origin_find_locked(int rcvid, Origin *ret_origin);

void origins_after_fork(void);
