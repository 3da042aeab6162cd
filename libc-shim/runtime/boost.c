/* SPDX-License-Identifier: MIT */
#include "runtime/boost.h"

#include "abi/wire.h"
#include "runtime/channel.h"
#include "runtime/session.h"
#include "shm/bell.h"
#include "shm/crew.h"

#include <errno.h>
#include <unistd.h>

#define RECEIVE 5u /* STATE_RECEIVE */
#define SEND    4u /* STATE_SEND */

/* The daemon's numbers of processes are ours, unless we live in another PID namespace. */
static bool sees_as_the_daemon(void) {
        return session_pid() == getpid();
}

static bool somebody_receives(const ShmBell *bell) {
        CrewMember member;

        for (unsigned i = 0; i < BELL_CREW; i++)
                if (crew_member(bell, i, &member) && member.state == RECEIVE)
                        return true;
        return false;
}

/* False: it is not for us to do. One that waits for another server is raised, and its server is, too. */
static bool lift(const Connection *connection, const CrewMember *member, unsigned priority) {
        int r = 0;

        if (member->priority < priority)
                r = schedule_lift_of(connection->server_pid, (pid_t)member->tid,
                                     priority_realtime((int)priority));
        return r == 0 && member->state != SEND;
}

static bool lift_crew(const Connection *connection, unsigned priority) {
        bool idle = somebody_receives(connection->bell);
        CrewMember member;
        unsigned n = 0;
        bool all = true;

        for (unsigned i = 0; i < BELL_CREW; i++) {
                if (!crew_member(connection->bell, i, &member) || (idle && member.state != RECEIVE))
                        continue;
                n++;
                if (!lift(connection, &member, priority))
                        all = false;
        }
        return all && n > 0;
}

/* Nobody waits for it: the daemon may be stopped, and messages pass all the same. */
static void ask_daemon(const Thread *thread, const Connection *connection, unsigned priority) {
        WireBoost boost = {
                .connection = connection->id,
                .tid = thread->linux_tid,
                .priority = priority,
        };

        session_tell_boost(&boost);
}

static void lift_server(const Thread *thread, const Connection *connection, unsigned priority) {
        ShmBell *bell = connection->bell;

        if (word_load(&bell->lowest) == 0)
                return; /* nobody has received yet */
        crew_begin_boost(bell);
        if (crew_is_crowded(bell) || !sees_as_the_daemon() || !lift_crew(connection, priority))
                ask_daemon(thread, connection, priority);
}

/* The queue it waits in sorts it anew. */
static void resend(const Connection *connection, const OutSlot *slot, unsigned priority) {
        if (slot->shm->priority >= priority)
                return;
        slot->shm->priority = (uint8_t)priority;
        bell_ring(connection->bell, connection->lane, slot->index % BELL_SLOT_BITS);
}

void boost_pass_on(Thread *thread, const Connection *connection, const OutSlot *slot) {
        resend(connection, slot, priority_now(thread));
}

void boost_for_message(Thread *thread, const Connection *connection) {
        if (!(connection->channel_flags & CHANNEL_FIXED_PRIORITY))
                lift_server(thread, connection, word_load_relaxed(&thread->reach));
}

void boost_for_pulse(Thread *thread, const Connection *connection, unsigned priority) {
        unsigned reach = word_load_relaxed(&thread->reach);

        if (connection->channel_flags & CHANNEL_FIXED_PRIORITY)
                return;
        if (reach < priority && reach < priority_right())
                reach = priority_right();
        if (reach < priority)
                priority = reach;
        if (boost_is_due(connection->bell, priority))
                lift_server(thread, connection, priority);
}
