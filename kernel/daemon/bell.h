/* SPDX-License-Identifier: MIT */
/*
 * Bell: one for each (channel, user of its clients). Its leaves are given to lanes.
 */
#pragma once

#include "abi/layout.h"
#include "daemon/kernel.h"

typedef struct Bell Bell;
typedef struct BellHold BellHold;
typedef struct Channel Channel;

struct Bell {
        Channel *channel;
        BellRecord *record;
        int fd;
        ShmBell *map;
        List holds; /* BellHold.of_bell */
        uint32_t n_lanes;
        uint64_t leaves[BELL_LANES / 64]; /* bit set = taken */
};

/* A client process that has the bell's descriptor already. */
struct BellHold {
        Kernel *kernel;
        uint64_t key;
        List of_bell;
        List of_process;
};

/* Made and charged to the channel's owner; not yet among the channel's bells. */
int bell_new(Channel *channel, uid_t uid, Bell **ret_bell);
/* A predecessor's; @fd and @map, its memory, are taken over. */
int bell_adopt(Channel *channel, BellRecord *record, int fd, void *map, Bell **ret_bell);
Bell *bell_free(Bell *bell);

/* The lowest free leaf; -EAGAIN when all are taken. */
int bell_take_leaf(Bell *bell, uint32_t *ret_leaf);
void bell_claim_leaf(Bell *bell, uint32_t leaf);
void bell_give_leaf(Bell *bell, uint32_t leaf);

bool bell_is_held(const Bell *bell, const Process *process);
int bell_hold(Bell *bell, Process *process, BellHold **ret_hold);
BellHold *bell_hold_free(BellHold *hold);
