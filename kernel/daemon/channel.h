/* SPDX-License-Identifier: MIT */
/*
 * Channel: where a process receives. It owns its bells and lanes; the first bell is made with it and
 * serves its own user and root.
 */
#pragma once

#include "daemon/bell.h"
#include "daemon/kernel.h"

#define CHANNEL_BELLS_MAX 100u

struct Channel {
        Process *process;
        ChannelRecord *record;
        List of_process;
        List lanes;     /* Lane.of_channel, zombies too */
        List paths;     /* Path.of_channel */
        List lifelines; /* Lifeline.of_channel */
        Bell **bells;
        uint32_t n_bells;
        bool is_charged;
        uint64_t boost_stamp; /* the last boost that came by (priority.c) */
};

/* A predecessor's; its bells follow, in any order. */
int channel_adopt(Process *process, ChannelRecord *record, Channel **ret_channel);
int channel_adopt_bell(Channel *channel, BellRecord *record, int fd, void *map, Bell **ret_bell);
/* Half-built is fine; connections and lanes must be gone. */
Channel *channel_free(Channel *channel);

/* NULL when the process has no such channel. */
Channel *channel_find(const Process *process, int32_t chid);

/* The bell for clients of @uid, made if that is due. */
int channel_bell(Channel *channel, uid_t uid, Bell **ret_bell);

/* Ends it: connections die, lanes and bells go. */
void channel_close(Channel *channel);
