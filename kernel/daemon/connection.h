/* SPDX-License-Identifier: MIT */
/*
 * Connection: one coid of one process: an index in its link, a share in a lane.
 *
 *   LIVE -> DEAD   channel destroyed, scoid detached, server process died   connection_die
 *   any  -> freed  detached, last descriptor closed, client process died    connection_close
 */
#pragma once

#include "daemon/lane.h"
#include "daemon/lifeline.h"
#include "daemon/link.h"
#include "daemon/news.h"
#include "daemon/process.h"

struct Connection {
        Process *client;
        Lane *lane;         /* NULL when dead */
        Link *link;         /* NULL when the server process has died */
        Lifeline *lifeline; /* NULL for a side channel */
        ConnectionRecord *record;
        News *news; /* COID_DEATH that waits to be told */
        List of_client;
        List of_lane;
        List of_link;
        List of_lifeline;
        bool is_charged;
        bool is_named; /* in Kernel.connections */
        bool has_index;
};

/* A predecessor's, with all that its record names; NULL what has gone. */
typedef struct ConnectionEnds {
        Lane *lane;
        Link *link;
        Lifeline *lifeline;
} ConnectionEnds;
int connection_adopt(Process *client, ConnectionRecord *record, const ConnectionEnds *ends,
                     Connection **ret_connection);

void connection_die(Connection *connection);
Connection *connection_close(Connection *connection);

/* Its link goes, because the server process died; it has died itself before. */
void connection_lose_link(Connection *connection);
