/* SPDX-License-Identifier: MIT */
/*
 * Boost: a sender raises who is to receive from it, before it waits itself.
 *
 * Threads that receive on the channel are raised; when none does, all that belong to it. The sender does it
 * itself where the kernel lets it; for other users' threads, for those in another PID namespace, and for
 * those that wait for further servers, it tells the daemon, which walks on from there.
 *
 * The message is in the slot and rung for before anybody is raised: whoever wakes finds it.
 */
#pragma once

#include "runtime/connection.h"
#include "runtime/outlink.h"
#include "runtime/priority.h"

/* Slow paths of those below. */
void boost_pass_on(Thread *thread, const Connection *connection, const OutSlot *slot);
void boost_for_message(Thread *thread, const Connection *connection);
void boost_for_pulse(Thread *thread, const Connection *connection, unsigned priority);

static inline bool boost_is_due(const ShmBell *bell, unsigned reach) {
        return reach > word_load(&bell->lowest);
}

/*
 * The slot says SEND, and this thread shows that it waits: was it raised itself until here? Whoever raises it
 * from here on sees that it waits, and sees to its server as well (priority.c of the daemon).
 */
static inline void boost_while_sending(Thread *thread, const Connection *connection, const OutSlot *slot) {
        if (priority_is_stale(thread))
                boost_pass_on(thread, connection, slot);
}

/* After the ringing, before the wait. */
static inline void boost_after_send(Thread *thread, const Connection *connection) {
        if (boost_is_due(connection->bell, word_load_relaxed(&thread->reach)))
                boost_for_message(thread, connection);
}

/* A pulse may be more urgent than its sender. */
static inline void boost_after_pulse(Thread *thread, const Connection *connection, unsigned priority) {
        if (priority >= PRIORITY_REALTIME && boost_is_due(connection->bell, priority))
                boost_for_pulse(thread, connection, priority);
}
