/* SPDX-License-Identifier: MIT */
/*
 * Party: an honest server and its honest clients, who notice every wrong byte.
 *
 * A message is an Order followed by a pattern; the server checks the pattern, sums it up, and answers with
 * an Answer followed by a pattern of its own. What is not an order is refused with EINVAL.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum OrderKind {
        ORDER_ECHO, /* answered at once */
        ORDER_HOLD, /* answered when the client wants out, or with the next ORDER_FREE */
        ORDER_FREE,
        ORDER_STOP, /* the server ends */
} OrderKind;

#define PARTY_BYTES_MAX  (512u * 1024u)
#define PARTY_CLIENTS    4096u
#define PARTY_PULSE_CODE 7

/* What the server shows to the director and its clients; shared memory of the test. */
typedef struct Party {
        _Atomic uint32_t open; /* the channel is there (counts servers so far) */
        _Atomic int32_t pid;
        _Atomic int32_t chid;
        _Atomic uint32_t messages;
        _Atomic uint32_t refused;
        _Atomic uint32_t pulses;
        _Atomic uint32_t disconnects;
        _Atomic uint32_t unblocks;
        _Atomic uint32_t held; /* now */
        _Atomic uint32_t seen; /* clients that have sent something and have not been disconnected */
        _Atomic uint32_t served; /* messages answered by a server that is alive to its client */
} Party;

typedef struct ServerOrders {
        Party *party;
        unsigned flags;   /* of the channel */
        unsigned threads;
        const char *environment; /* one variable that is set first, or NULL */
        const char *value;
        bool is_hard_of_hearing; /* stops itself for a while before it receives (floods) */
} ServerOrders;

/* The server's life, for rig_play(). */
void party_serve(void *server_orders);

/* Connects to the party's server: coid or -errno. */
int party_attach(const Party *party);
int party_attach_at(const Party *party, unsigned index, int flags);

/*
 * One order of @bytes and its answer of @answer bytes, checked to the last byte. 0 or the errno.
 */
int party_order(int coid, OrderKind kind, uint32_t bytes, uint32_t answer, uint64_t seed);

/* The same, for a server that may lie: -1 when what came back is wrong. */
int party_order_unsure(int coid, OrderKind kind, uint32_t bytes, uint32_t answer, uint64_t seed);
