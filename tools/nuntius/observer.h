/* SPDX-License-Identifier: MIT */
/*
 * Observer: a session with a daemon that is already there, for a tool that is no process to it.
 */
#pragma once

#include "abi/wire.h"

/*
 * Connects, greets, sends @request, waits for its reply. @path: where, or NULL for $NUNTIUS_SOCKET, else the
 * system's daemon, else the user's. @ret_fd: the descriptor that comes along. A daemon that is killed in between is
 * asked again when another one has taken over. 0, or -errno after a sentence on stderr; never starts a daemon.
 */
int observer_query(const char *path, const WireRequest *request, WireReply *reply, int *ret_fd);
