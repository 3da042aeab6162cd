/* SPDX-License-Identifier: MIT */
/*
 * Receipt: a message that the server has received and not answered yet; what an rcvid stands for.
 *
 * rcvid = generation << RECEIPT_INDEX_BITS | index, positive. Free receipts wait in line, so the same
 * number comes back after tens of millions of messages at the earliest, and a stale one gets ESRCH.
 *
 *   FREE -> HELD    receiver          message taken                        receipt_new_locked
 *   HELD -> TAKEN   replier           the one that answers                 receipt_take
 *   TAKEN -> FREE   replier           answered                             receipt_free
 *   HELD -> FREE    receiver          client gave up, nobody reads         receipt_drop_locked
 *
 * The receiver, while it copies, and readers and writers (MsgRead, MsgWrite, MsgInfo) count themselves
 * in `word` while they use it; who takes a receipt sleeps until they are through: each finishes the one copy
 * that it has begun, and none can begin another.
 */
#pragma once

#include "runtime/channel.h"
#include "runtime/inlink.h"
#include "shm/word.h"

#include <stdbool.h>
#include <stdint.h>

#define RECEIPT_INDEX_BITS 14
#define RECEIPTS_MAX       (1u << RECEIPT_INDEX_BITS)
#define RECEIPT_GENERATIONS (1u << (31 - RECEIPT_INDEX_BITS))

/* Bytes [from, to) of a reply area. */
typedef struct Range {
        uint64_t from;
        uint64_t to;
} Range;
#define RECEIPT_RANGES 16

struct Receipt {
        Word word;             /* generation, state, users: receipt.c */
        uint32_t index;
        InLink *link;
        InSlot *slot;
        ShmSlot *shm;
        uint32_t generation;   /* of the slot */
        int chid;
        unsigned channel_flags;
        int32_t scoid;
        int32_t coid;
        uint32_t connection; /* its word in the link */
        int32_t tid;
        uint8_t priority;
        bool unblock;          /* the client wants out: _NTO_MI_UNBLOCK_REQ */
        int error;             /* the client is told, when nobody uses it any more; 0 = nothing */
        bool orphan;           /* its client process is dead; kept for MsgInfo until it is answered */
        uint64_t message_bytes;
        uint64_t received_bytes;
        uint64_t reply_room;
        const uint8_t *message; /* in shared memory, or NULL: direct */
        struct iovec *direct;   /* private copy of the client's iovec */
        uint32_t n_direct;
        uint8_t *reply;
        unsigned n_ranges;      /* what has been written of the reply area */
        Range ranges[RECEIPT_RANGES + 1];
        Receipt *next;
};

/* The caller uses it: it stays whole until receipt_done(), even if the client gives up meanwhile. */
Receipt *receipt_new_locked(int *ret_rcvid);
int receipt_rcvid(const Receipt *receipt);

/* Use: NULL unless @rcvid is held. */
Receipt *receipt_use(int rcvid);
void receipt_done(Receipt *receipt);
void receipt_done_locked(Receipt *receipt);

/* Answer: NULL unless @rcvid is held and this caller is the first. Then receipt_free(). */
Receipt *receipt_take(int rcvid);
void receipt_free(Receipt *receipt);
/* Puts answered ones back into the line; before anything that asks what is still held. */
void receipts_reclaim_locked(void);

/* The client gave up. False while somebody uses it; then receipt_done() finishes the job. */
void receipt_drop_locked(Receipt *receipt);

/*
 * The server lets go of it: the client is told @error by whoever is the last to use it. A replier that has
 * taken it answers it: both writing into the slot, one of them after the client has gone on, would answer
 * the client's next message.
 */
void receipt_fail_locked(Receipt *receipt, int error);

void receipts_after_fork(void);
