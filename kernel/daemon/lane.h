/* SPDX-License-Identifier: MIT */
/*
 * Lane: the way of one client process to one channel. Its server knows it as scoid, its bell as leaf.
 *
 *   LIVE   -> CLOSED  last connection gone: the client side has let go                lane_release
 *   CLOSED -> ZOMBIE  channel has DISCONNECT: the scoid stays                         lane_settle
 *   CLOSED -> freed   the server has been told, or need not be                        lane_settle, lane_was_told
 *   any    -> freed   scoid detached; channel gone                                    lane_free
 */
#pragma once

#include "daemon/bell.h"
#include "daemon/link.h"
#include "daemon/news.h"

struct Lane {
        Process *client; /* NULL once it is closed */
        Channel *channel;
        Bell *bell;
        Link *link; /* NULL once it is closed */
        LaneRecord *record;
        News *news;       /* LANE_OPEN, later LANE_CLOSE, that waits to be told */
        List of_client;
        List of_channel;
        List connections; /* Connection.of_lane, live ones */
        bool has_leaf;
        bool is_named; /* in Kernel.scoids */
};

/* The lane that further connections of @client to @channel join. NULL if there is none. */
Lane *lane_find_shared(const Process *client, const Channel *channel);
Lane *lane_find(const Process *server, int32_t scoid);

/* A shared one is found by lane_find_shared() from here on. */
int lane_new(Process *client, Channel *channel, Bell *bell, Link *link, bool noshare, Lane **ret_lane);
/* Its connections must be gone; nobody is told. */
Lane *lane_free(Lane *lane);

/* A predecessor's. @client and @link: NULL when it is closed. */
int lane_adopt(Channel *channel, Bell *bell, Process *client, Link *link, LaneRecord *record, Lane **ret_lane);

/* Its last connection has gone, or its client is dying: the server is told. */
void lane_release(Lane *lane);
/* What is left to do with one that is closed; may free it. */
void lane_settle(Lane *lane);
/* That it is closed, late; may free it. */
void lane_was_told(Lane *lane);

/* The far side ends it: each connection is dead from now on, and its process is told. */
void lane_kill_connections(Lane *lane);
