/* SPDX-License-Identifier: MIT */
/*
 * Origin: where a message came from, known beyond its answer.
 *
 * A server keeps the rcvid of a client and delivers events to it long after it has replied. Its receipt is
 * another message's by then. So the last ORIGINS messages are remembered here, four words each; one that an
 * event was delivered to is remembered for as long as its connection lives.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ORIGINS 65536u

typedef struct Origin {
        int32_t rcvid;
        int32_t scoid;
        int32_t coid; /* at the client */
        int32_t tid;  /* of the client */
} Origin;

void origin_note_locked(const Origin *origin);
/* False when the message is unknown, or too long ago. */
bool origin_find_locked(int rcvid, Origin *ret_origin);
/* The client has gone. */
void origin_forget_locked(int scoid);

void origins_after_fork(void);
