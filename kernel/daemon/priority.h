/* SPDX-License-Identifier: MIT */
/*
 * Priority: whom a process may raise, and who is raised then.
 *
 * A process asks for it with a WireBoost, before it waits on a connection. Nothing in it and nothing in shared
 * memory is believed: how high is what the kernel says of the asking thread, who is what the kernel says of
 * the server's threads. What the server says of them (which channel, waiting on whom) can only spare its
 * own threads, or lead on to a server to which it is connected.
 */
#pragma once

#include "daemon/process.h"

typedef struct Channel Channel;

/* 0; -EPERM: raises nobody; another -errno: it made no sense. */
int priority_boost(Process *client, const WireBoost *boost);

/* Of real-time priority @wanted, what @client may lend when its thread @tid waits; 0 = nothing. */
int priority_lendable(const Process *client, pid_t tid, int wanted);

/* The number by which the kernel knows a thread that @process calls @tid; 0 = it has no such thread. */
pid_t priority_thread(Process *process, uint32_t tid);
