/* SPDX-License-Identifier: MIT */
/*
 * Goodbye: in which order others learn of a death.
 *
 * Its clients: first no new message can start (server_gone, connection words), then those that wait are
 * failed. A sender that starts in between sees the word when it looks again before it sleeps.
 * Its servers: LANE_CLOSE for each lane, then LINK_CLOSE for the link, so that a server which has read
 * LINK_CLOSE has nothing left that points into the link.
 */
#include "daemon/goodbye.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "daemon/bell.h"
#include "daemon/channel.h"
#include "daemon/connection.h"
#include "daemon/flags.h"
#include "daemon/lifeline.h"
#include "daemon/link.h"
#include "daemon/news.h"
#include "daemon/remnant.h"
#include "daemon/watch.h"
#include "shm/link.h"

#include <assert.h>
#include <errno.h>

static void stop_senders(Link *link) {
        Connection *connection;

        link_set_server_gone(link->map);
        LIST_FOREACH(connection, &link->connections, Connection, of_link)
                link_set_connection(link->map, connection->record->index, CONNECTION_DEAD);
}

static void goodbye_as_server(Process *process) {
        Channel *channel;
        Link *link;

        LIST_FOREACH(link, &process->server_links, Link, of_server)
                stop_senders(link);
        FAILPOINT("daemon-goodbye-senders-stopped");
        LIST_FOREACH(link, &process->server_links, Link, of_server)
                link_fail(link, ESRCH);
        FAILPOINT("daemon-goodbye-slots-failed");
        LIST_FOREACH(channel, &process->channels, Channel, of_process)
                channel_close(channel);
        FAILPOINT("daemon-goodbye-channels-gone");
        LIST_FOREACH(link, &process->server_links, Link, of_server) {
                table_retire(link->record);
                link_free(link);
        }
        LIST_FOREACH(link, &process->closed_links, Link, of_server)
                link_free(link);
        FAILPOINT("daemon-goodbye-server-done");
}

static void goodbye_as_client(Process *process) {
        BellHold *hold;
        Connection *connection;
        Lifeline *lifeline;
        Link *link;

        LIST_FOREACH(link, &process->client_links, Link, of_client)
                link_set_client_gone(link->map);
        FAILPOINT("daemon-goodbye-client-gone");
        coids_deinit(&process->coids); /* at once, not one by one */
        LIST_FOREACH(connection, &process->connections, Connection, of_client)
                connection_close(connection);
        FAILPOINT("daemon-goodbye-connections-gone");
        assert(list_is_empty(&process->lanes));
        LIST_FOREACH(link, &process->client_links, Link, of_client)
                link_close(link);
        FAILPOINT("daemon-goodbye-links-gone");
        LIST_FOREACH(hold, &process->bell_holds, BellHold, of_process)
                bell_hold_free(hold);
        LIST_FOREACH(lifeline, &process->lifelines, Lifeline, of_creator)
                lifeline_lose_creator(lifeline);
}

Process *goodbye(Process *process) {
        log_debug("event=goodbye pid=%d uid=%u", process->record->pid, process->record->uid);
        process->is_dying = true;
        table_retire(process->record);
        FAILPOINT("daemon-goodbye-begins");
        goodbye_as_server(process);
        goodbye_as_client(process);
        process->watch = watch_free(process->watch);
        remnant_keep(process);
        process = process_free(process);
        FAILPOINT("daemon-goodbye-done");
        return process;
}
