/* SPDX-License-Identifier: MIT */
/*
 * Observer: a session with a daemon that is already there, for a tool that is no process to it.
 */
#pragma once

#include "abi/wire.h"

/*
 * Connects and greets. @path: where, or NULL for $NUNTIUS_SOCKET, else the system's daemon, else the
 * user's. 0, or -errno after a sentence on stderr; never starts a daemon.
 */
int observer_open(const char *path, int *ret_socket);

/* Sends @request, waits for its reply. @ret_fd (may be NULL): the descriptor that comes along, or -1. */
int observer_ask(int socket, const WireRequest *request, WireReply *reply, int *ret_fd);
