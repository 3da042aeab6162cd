/* SPDX-License-Identifier: MIT */
/*
 * InLink: the server's side of a link: its mapping, its client, and one private record for each slot.
 *
 * Everything here is under the server lock, but for the mapping itself, which a thread that holds a
 * receipt reads and writes without; it is given back through retire().
 */
#pragma once

#include "abi/layout.h"
#include "abi/wire.h"
#include "runtime/queue.h"
#include "shm/word.h"

#include <stdint.h>
#include <sys/types.h>

typedef struct Receipt Receipt;
typedef struct Channel Channel;
typedef struct Lane Lane;

struct InSlot {
        Entry entry;     /* first: while it is queued */
        InLink *link;
        ShmSlot *shm;
        uint32_t index;
        uint32_t generation; /* of the message that is queued */
        Lane *lane;      /* while it is queued */
        Receipt *receipt; /* while the server holds its message */
};

typedef struct InBulk {
        uint8_t *map;
        uint64_t bytes;
} InBulk;

struct InLink {
        uint32_t id;
        ShmLink *map;
        uint8_t token[LINK_TOKEN_BYTES];
        WireCredentials client;
        unsigned priority_max;
        Word ring_position;     /* next to take; watchers read it without the lock */
        unsigned pulses_queued; /* pulses of this link in our queues; bounded */
        Word ring_backlog;      /* more waits in its ring, and may wait until some of those are received */
        bool gone;              /* client process is dead */
        enum { DIRECT_UNTRIED, DIRECT_WORKS, DIRECT_REFUSED } direct;
        unsigned n_lanes;
        unsigned n_receipts;    /* messages held; the record lives at least as long as they do */
        InSlot *slots[64];      /* blocks of EXTENT_SLOTS */
        ShmSlot *shm_slots[64];
        uint16_t extents[64];   /* of which each block is */
        uint32_t n_blocks;
        InBulk *bulks;          /* by extent number */
        uint32_t n_bulks;
        InLink *next;
};

InLink *inlink_find_locked(uint32_t id);
int inlink_add_locked(const WireNewsLaneOpen *news, int fd, InLink **ret_link);
int inlink_extent_locked(const WireNewsExtent *news, int fd);
/* The client is dead and told so; the record goes when nothing refers to it. */
void inlink_close_locked(InLink *link);
void inlink_put_lane_locked(InLink *link);
void inlink_put_receipt_locked(InLink *link);
void inlink_put_pulse_locked(InLink *link);

/* The slot of that number, or NULL when the link has none. */
InSlot *inlink_slot(InLink *link, uint32_t index);
uint32_t inlink_n_slots(const InLink *link);
/* Its bulk extent of that number if it is at least @bytes big, else NULL. */
uint8_t *inlink_bulk(InLink *link, uint32_t extent, uint64_t bytes);

/* Can we read the client's memory directly? Tried once; publishes the answer to the client. */
void inlink_try_direct_locked(InLink *link);

void inlinks_after_fork(void);
