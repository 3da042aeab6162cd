/* SPDX-License-Identifier: MIT */
/*
 * Pulse: a few bytes through a connection, without waiting. MsgSendPulse and events send them.
 */
#pragma once

#include <stdint.h>

/*
 * Inside a call; any lock may be held. @priority: 1 .. 255. 0, -EBADF (no connection, or its channel has
 * gone), -EPERM (a system's code to another process), -EAGAIN (the ring between the two is full).
 */
int pulse_send(int coid, unsigned priority, int code, uint64_t value);
