/* SPDX-License-Identifier: MIT */
/*
 * Channel: the server's side of its channels: their bells, the lanes that lead to them, their queue
 * and the threads that receive on them.
 *
 * One lock, the server lock, guards all of it in this process; a receiver holds it while it
 * collects and takes, not while it waits or copies.
 */
#pragma once

#include "abi/layout.h"
#include "runtime/inlink.h"
#include "runtime/queue.h"
#include "runtime/regular.h"
#include "runtime/thread.h"

#include <stdbool.h>

#define CHANNEL_BELLS FUTEX_MANY

#define BELL_GROUP 256u
#define CHANNEL_FIXED_PRIORITY 0x0001u /* _NTO_CHF_FIXED_PRIORITY */

typedef struct Timer Timer;

typedef struct InBell {
        uint32_t id;
        ShmBell *map;
        Regular regular;
        Lane **groups[BELL_LANES / BELL_GROUP]; /* lanes by leaf */
        uint64_t *early[BELL_LANES / BELL_GROUP]; /* bits that came before the news of their lane */
} InBell;

struct Channel {
        int chid;
        int owner_pid; /* us, as the daemon sees us */
        unsigned flags;
        InBell *bells[CHANNEL_BELLS]; /* [0] is the one of our own user */
        unsigned n_bells;
        Queue queue;
        unsigned sleepers;  /* threads asleep on our bells */
        unsigned message_sleepers; /* those of them that take messages, too */
        unsigned waiting;   /* threads inside receive; the record lives as long as they do */
        bool watched;       /* one of them watches, the others need not be woken */
        bool destroyed;
        Timer *timers;      /* timer.c: pulses to come, the first first */
        Word queued_hint;   /* the queue is not empty: ends a watch */
        uint64_t collected; /* stamp of a look after which more than one entry was left, or none */
        long spin_ns;       /* -1 = the process's default */
        uint64_t crew_taken[2]; /* crew.c: entries of the first bell's crew ... */
        uint8_t crew_priority[BELL_CREW]; /* ... and what was written there */
        bool crowded;       /* more threads receive than can be listed */
        Channel *next;
};

void server_lock(void);
void server_unlock(void);

Channel *channel_find_locked(int chid);
/* One that is being destroyed, too: its last news must still find it. */
Channel *channel_find_even_destroyed_locked(int chid);
int channel_create(unsigned flags);
int channel_destroy(int chid);
/* Wakes every thread that receives on it. */
void channel_wake_all_locked(Channel *channel);
void channel_put_locked(Channel *channel);
Channel *channels_first(void);

/* The bells of a channel: [0] came with it, further ones come with news. */
InBell *channel_bell_locked(Channel *channel, uint32_t id);
int channel_add_bell_locked(Channel *channel, uint32_t id, int fd, InBell **ret_bell);

/* Pulses that the system itself sends: into the queue, without a ring. */
void channel_queue_pulse_locked(Channel *channel, Pulse *pulse); /* all but its stamp is filled in */
int channel_pulse_locked(Channel *channel, int code, uint64_t value, int32_t scoid, uint8_t priority);
/* NULL: no memory. The system's own pulses have a reserve; after pulse_stock_locked() there is one for all. */
Pulse *pulse_new_locked(void);
bool pulse_stock_locked(void);
void pulse_free_locked(Pulse *pulse);

/*
 * collect.c: looks at the bells and moves what is ready into the queues. @here, of rings: the channel that
 * the caller receives on; receivers of others are woken.
 */
void channel_collect_locked(Channel *channel, bool cool);
/* False: pulses were left where they are, for want of memory. */
bool collect_ring_locked(InLink *link, const Channel *here);
/* A lane of @link ends: what it sent before must be received all the same, however much it is. */
bool collect_last_pulses_locked(InLink *link, const Channel *here);
/* A lane has opened: what its client has rung for already. */
void collect_early_locked(Lane *lane);
/* A lane leaves its leaf, which the daemon may have given to another already. */
void collect_unexpect_locked(Lane *lane);

/* Is a regular here? A few instructions. */
static inline bool channel_has_regular(const Channel *channel) {
        for (unsigned i = 0; i < channel->n_bells; i++)
                if (regular_is_here(&channel->bells[i]->regular)) {
                        regular_prefetch(&channel->bells[i]->regular);
                        return true;
                }
        return false;
}

/* Would a collection find something? Racy by design: ends a watch or forbids a sleep. */
bool channel_has_work(Channel *channel);

/* A thread of this process has ended: _NTO_CHF_THREAD_DEATH. */
void channel_thread_death(uint32_t tid);

void channels_after_fork(void);
