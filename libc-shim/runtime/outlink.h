/* SPDX-License-Identifier: MIT */
/*
 * OutLink: the client's side of a link: its mapping, who owns which slot, and bulk memory.
 *
 * An OutLink record is never freed while the process lives (it is used again), so a sender may read
 * one it has just found; the mapping is given back through retire().
 */
#pragma once

#include "abi/layout.h"
#include "runtime/thread.h"

#include <stdint.h>

typedef struct OutLink OutLink;

/* One bulk extent that belongs to a slot for its message or for its reply area. */
typedef struct OutBulk {
        uint32_t extent; /* 0 = none */
        uint64_t bytes;
        uint8_t *map;
} OutBulk;

struct OutSlot {
        OutLink *link;
        ShmSlot *shm;
        uint32_t index;     /* in the link; its leaf bit is index % BELL_SLOT_BITS */
        uint32_t connection; /* index of the connection that the running send uses */
        OutBulk message;
        OutBulk reply;
        Thread *owner;
        OutSlot *next;      /* among its owner's, or on the link's list */
};

typedef struct OutBell {
        uint32_t id;
        ShmBell *map;
        struct OutBell *next;
} OutBell;

struct OutLink {
        uint32_t id;   /* 0 = not in use */
        int server_pid;
        ShmLink *map;
        uint8_t token[LINK_TOKEN_BYTES]; /* private copy that the server may read to prove it can */
        OutSlot *free_slots;
        OutSlot *gone_slots; /* abandoned; the server still holds them */
        OutSlot *all_slots[64]; /* blocks of EXTENT_SLOTS records, block 0 = the link itself */
        uint32_t n_blocks;
        OutBell *bells;
        uint32_t n_connections;
        OutLink *next;
};

/* The slot of @thread on @link, claimed on first use. NULL with -errno in @ret_error. */
OutSlot *outlink_slot(OutLink *link, Thread *thread, int *ret_error);

/* The owner has abandoned @slot: it is used again when the server has let go of it. */
void outlink_abandon(OutSlot *slot);

/* Makes @bulk at least @bytes big. 0 or -errno (EAGAIN: quota). */
int outlink_bulk(OutLink *link, OutBulk *bulk, uint64_t bytes);

/* The rest runs under session_lock(). */
OutLink *outlink_find_locked(uint32_t id);
int outlink_add_locked(uint32_t id, int server_pid, int fd, const uint8_t token[LINK_TOKEN_BYTES],
                       OutLink **ret_link);
ShmBell *outlink_bell_locked(OutLink *link, uint32_t id);
int outlink_add_bell_locked(OutLink *link, uint32_t id, int fd, ShmBell **ret_bell);
/* A connection of @link is gone; the last one of a dead server takes the mapping along. */
void outlink_put_locked(OutLink *link);

void outlink_thread_exit(Thread *thread);
void outlink_after_fork(void);
