/* SPDX-License-Identifier: MIT */
/*
 * Peer: a daemon and the other side of some links, all of it in this process and under the fuzzer's control.
 *
 * The library is linked without its session: peer.c answers in its place and hands out regions that it has made
 * itself. The fuzzer writes into them like a hostile program would, and may have a word change just before the
 * library looks at it, each time at the same load, so that what is found can be done again.
 */
#pragma once

#include "input.h"

#include "abi/layout.h"
#include "abi/wire.h"

#define PEER_LINKS   2u
#define PEER_EXTENTS 4u
#define PEER_CHID    1
#define PEER_BELL    1u

typedef struct PeerRegion {
        int fd; /* -1 = there is none */
        uint8_t *map;
        size_t bytes;
} PeerRegion;

typedef struct PeerWorld {
        PeerRegion bell;
        PeerRegion links[PEER_LINKS];
        PeerRegion extents[PEER_EXTENTS];
} PeerWorld;

extern PeerWorld peer;

void peer_begin(void);
/* The library must have let go of everything before. */
void peer_end(void);

ShmLink *peer_link(unsigned i);
ShmBell *peer_bell(void);

/* What the daemon has to say next; the descriptors stay the peer's. */
void peer_say_news(const WireNews *news, const int *fds, size_t n_fds);

/* Overwrites some bytes, mostly those that mean something. */
void peer_scribble(Input *input);
/* The @n-th load of shared memory from now on finds something else there. */
void peer_mutate_later(Input *input);
void peer_mutate_never(void);
