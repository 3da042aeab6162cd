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
#include "runtime/thread.h"
#include "shm/slot.h"

#include <stdbool.h>

#define CHANNEL_BELLS FUTEX_MANY

#define BELL_GROUP 256u

typedef struct Timer Timer;

typedef struct InBell {
        uint32_t id;
        ShmBell *map;
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
        const ShmSlot *likely; /* the slot that sent last; only ever prefetched */
        const Word64 *likely_leaf; /* and its leaf in one of our bells: a watch looks there first */
        Timer *timers;      /* timer.c: pulses to come, the first first */
        Word queued_hint;   /* the queue is not empty: ends a watch */
        uint64_t collected; /* stamp of the last collection: nothing can arrive before it */
        long spin_ns;       /* -1 = the process's default */
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
Pulse *pulse_new_locked(void);
void pulse_free_locked(Pulse *pulse);

/* collect.c: looks at the bells and moves what is ready into the queues. */
void channel_collect_locked(Channel *channel, bool cool);
void collect_ring_locked(InLink *link);
/* A lane of @link ends: what it sent before must be received all the same, however much it is. */
void collect_last_pulses_locked(InLink *link);
/* A lane has opened: what its client has rung for already. */
void collect_early_locked(Lane *lane);
/* The same for the sender that came last only; a few instructions. */
static inline bool channel_has_likely_work(const Channel *channel) {
        if (!channel->likely_leaf || !word64_load(channel->likely_leaf))
                return false;
        slot_expect_receive(channel->likely);
        return true;
}

/* Would a collection find something? Racy by design: ends a watch or forbids a sleep. */
bool channel_has_work(Channel *channel);

/* A thread of this process has ended: _NTO_CHF_THREAD_DEATH. */
void channel_thread_death(uint32_t tid);

void channels_after_fork(void);
