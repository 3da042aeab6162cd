/* SPDX-License-Identifier: MIT */
/*
 * Lane: the way of one client process to one of our channels; QNX's scoid.
 *
 *   OPEN   -> CLOSED   news: its last connection has gone, channel has DISCONNECT   lane_close_locked
 *   OPEN   -> (free)   news, channel has no DISCONNECT; ChannelDestroy              lane_free_locked
 *   any    -> (free)   ConnectDetach(scoid)                                         lane_detach
 */
#pragma once

#include "runtime/channel.h"

struct Lane {
        int32_t scoid;
        uint32_t leaf;
        InLink *link;
        Channel *channel;
        InBell *bell;
        bool closed; /* kept until ConnectDetach(scoid); its leaf may be another's */
        Lane *chain; /* lanes_fail_locked() */
};

Lane *lane_find_locked(int scoid);
Lane *lane_at(const InBell *bell, uint32_t leaf);
int lane_open_locked(Channel *channel, InBell *bell, InLink *link, int32_t scoid, uint32_t leaf);
void lane_close_locked(Lane *lane);
void lane_free_locked(Lane *lane);

/* ConnectDetach(scoid): the server gives up a client, whose blocked threads get ESRCH. */
int lane_detach(int scoid);

/* ChannelDestroy: every lane of @channel fails its blocked senders and goes. */
void lanes_fail_locked(Channel *channel);

void lanes_after_fork(void);
