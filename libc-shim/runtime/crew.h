/* SPDX-License-Identifier: MIT */
/*
 * Crew: which channel a thread works for, and how that is shown to senders.
 *
 * A thread belongs to the channel it last received on, until it receives on another one, says that it has
 * left (MsgReceive of -1), or ends. Under the server lock.
 */
#pragma once

#include "runtime/channel.h"
#include "runtime/thread.h"

void crew_join_locked(Thread *thread, Channel *channel);
void crew_leave_locked(Thread *thread);
/* The channel goes: nobody belongs to it any more. */
void crew_dissolve_locked(Channel *channel);
/* A bell has come: it shows the lowest priority, too. */
void crew_publish_locked(Channel *channel);

/* What @thread runs at from now on. */
void crew_show_priority(Thread *thread);

/* The highest priority that waits at the channel of @thread; 0 = nothing waits. */
unsigned crew_most_urgent(Thread *thread);

void crew_thread_exit(Thread *thread);
void crew_after_fork(Thread *thread);
