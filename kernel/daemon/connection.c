/* SPDX-License-Identifier: MIT */
#include "daemon/connection.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/ability.h"
#include "daemon/channel.h"
#include "daemon/file.h"
#include "daemon/flags.h"
#include "daemon/request.h"
#include "daemon/session.h"
#include "shm/link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(Connection *, connection_close)
DEFINE_CLEANUP(Link *, link_free)
DEFINE_CLEANUP(Lane *, lane_free)
DEFINE_CLEANUP(Lifeline *, lifeline_free)

/* ---- life ---- */

static uint32_t connection_next_id(Kernel *kernel) {
        uint32_t *next = &kernel->record->next_connection_id;

        do
                ++*next;
        while (*next == 0 || map_get(&kernel->connections, *next));
        return *next;
}

static void connection_fill(Connection *connection, const Lane *lane, uint32_t flags, int32_t coid) {
        Table *tables = connection->client->kernel->tables;
        ConnectionRecord *record = connection->record;
        const Lifeline *lifeline = connection->lifeline;

        record->client = table_ref(&tables[NOUN_PROCESS], connection->client->record);
        record->lane = table_ref(&tables[NOUN_LANE], lane->record);
        record->link = table_ref(&tables[NOUN_LINK], lane->link->record);
        record->lifeline = table_ref(&tables[NOUN_LIFELINE], lifeline ? lifeline->record : NULL);
        record->id = connection_next_id(connection->client->kernel);
        record->coid = coid;
        record->flags = flags;
        record->server_pid = lane->channel->process->record->pid;
        record->chid = lane->channel->record->chid;
        record->scoid = lane->record->scoid;
        record->channel_flags = lane->channel->record->flags;
}

static Connection *connection_allocate(Process *client, Lifeline *lifeline) {
        Connection *connection = calloc(1, sizeof(*connection));

        if (!connection)
                return NULL;
        connection->client = client;
        connection->lifeline = lifeline;
        list_init(&connection->of_client);
        list_init(&connection->of_lane);
        list_init(&connection->of_link);
        list_init(&connection->of_lifeline);
        return connection;
}

static int connection_name(Connection *connection) {
        Process *client = connection->client;
        int r;

        r = map_add(&client->kernel->connections, connection->record->id, connection);
        if (r)
                return error_fold(r);
        connection->is_named = true;
        return error_fold(coids_reserve(&client->coids));
}

/* Not yet in its lane and lifeline: that is connection_join(), which cannot fail. */
static int connection_new(Process *client, const Lane *lane, Lifeline *lifeline, uint32_t flags,
                          int32_t coid, Connection **ret_connection) {
        Kernel *kernel = client->kernel;
        _cleanup_(connection_closep) Connection *connection = NULL;
        int r;

        connection = connection_allocate(client, lifeline);
        if (!connection)
                return error_fold(-ENOMEM);
        r = user_charge(client->user, CHARGE_CONNECTIONS, 1);
        if (r)
                return r;
        connection->is_charged = true;
        r = table_new(&kernel->tables[NOUN_CONNECTION], &connection->record);
        if (r)
                return error_fold(r);
        connection_fill(connection, lane, flags, coid);
        r = link_take_index(lane->link, &connection->record->index);
        if (r)
                return r;
        connection->has_index = true;
        connection->link = lane->link;
        list_append(&connection->link->connections, &connection->of_link);
        r = connection_name(connection);
        if (r)
                return error_fold(r);
        *ret_connection = TAKE(connection);
        return 0;
}

/* @coid now means @connection; a number that an earlier one still claims has been closed or replaced. */
static void connection_number(Connection *connection, int32_t coid) {
        Coids *coids = &connection->client->coids;
        Connection *before;

        coids_remove(coids, connection->record->coid, connection);
        before = coids_set(coids, coid, connection);
        if (before)
                before->record->coid = COID_NONE;
        connection->record->coid = coid;
}

static void connection_join(Connection *connection, Lane *lane) {
        connection->lane = lane;
        list_append(&connection->client->connections, &connection->of_client);
        if (lane)
                list_append(&lane->connections, &connection->of_lane);
        if (connection->lifeline)
                list_append(&connection->lifeline->connections, &connection->of_lifeline);
        if (connection->record->coid != COID_NONE)
                connection_number(connection, connection->record->coid);
}

/* With the commit, the number that it will have means no other connection any more. */
static void connection_claim_number(Connection *connection, int32_t coid) {
        Kernel *kernel = connection->client->kernel;
        Connection *before = coids_get(&connection->client->coids, coid);

        if (before && before != connection)
                journal_set(kernel, NOUN_CONNECTION, before->record, &before->record->coid,
                            (uint32_t)COID_NONE);
}

static void connection_adopt_link(Connection *connection, Link *link) {
        uint32_t index = connection->record->index, state = link_connection(link->map, index);

        link_claim_index(link, index);
        connection->has_index = true;
        connection->link = link;
        list_append(&link->connections, &connection->of_link);
        if (!connection->lane)
                link_set_connection(link->map, index, CONNECTION_DEAD);
        else if (state == CONNECTION_FREE) /* else it may be DEAD already for its process, which detaches */
                link_set_connection(link->map, index, CONNECTION_LIVE);
}

int connection_adopt(Process *client, ConnectionRecord *record, const ConnectionEnds *ends,
                     Connection **ret_connection) {
        Connection *connection = connection_allocate(client, ends->lifeline);
        int r;

        if (!connection)
                return error_fold(-ENOMEM);
        connection->record = record;
        user_charge_anyway(client->user, CHARGE_CONNECTIONS, 1);
        connection->is_charged = true;
        r = connection_name(connection);
        if (r)
                return error_fold(r);
        connection_join(connection, ends->lane);
        if (ends->link)
                connection_adopt_link(connection, ends->link);
        *ret_connection = connection;
        return 0;
}

void connection_lose_link(Connection *connection) {
        table_ref_clear(&connection->record->link);
        list_unlink(&connection->of_link);
        link_give_index(connection->link, connection->record->index);
        connection->has_index = false;
        connection->link = NULL;
}

static void connection_leave_lane(Connection *connection) {
        Lane *lane = connection->lane;

        if (!lane)
                return;
        connection->lane = NULL;
        table_ref_clear(&connection->record->lane);
        FAILPOINT("daemon-connection-left-lane");
        list_unlink(&connection->of_lane);
        if (list_is_empty(&lane->connections))
                lane_release(lane);
}

Connection *connection_close(Connection *connection) {
        Process *client;

        if (!connection)
                return NULL;
        client = connection->client;
        if (connection->record)
                table_retire(connection->record);
        FAILPOINT("daemon-connection-retired");
        connection->news = news_cancel(connection->news);
        if (connection->record)
                file_connection_ends(connection);
        if (connection->has_index) {
                link_set_connection(connection->link->map, connection->record->index, CONNECTION_FREE);
                connection_lose_link(connection);
        }
        FAILPOINT("daemon-connection-freed");
        connection_leave_lane(connection);
        list_unlink(&connection->of_client);
        list_unlink(&connection->of_lifeline);
        if (connection->is_named) {
                coids_remove(&client->coids, connection->record->coid, connection);
                map_remove(&client->kernel->connections, connection->record->id);
        }
        if (connection->record)
                table_drop(&client->kernel->tables[NOUN_CONNECTION], connection->record);
        if (connection->is_charged)
                user_discharge(client->user, CHARGE_CONNECTIONS, 1);
        free(connection);
        return NULL;
}

void connection_die(Connection *connection) {
        connection->record->flags |= CONNECT_DEAD;
        table_ref_clear(&connection->record->lane);
        link_set_connection(connection->link->map, connection->record->index, CONNECTION_DEAD);
        FAILPOINT("daemon-connection-dead");
        list_unlink(&connection->of_lane);
        connection->lane = NULL;
        news_coid_death(connection);
}

/* ---- attach, adopt ---- */

/* What a new connection needs beside itself; those made for it go away again if it fails. */
typedef struct Road {
        Link *link, *new_link;
        Lane *lane, *new_lane;
        Bell *bell;
        BellHold *new_hold;
} Road;

static void road_deinit(Road *road) {
        bell_hold_free(road->new_hold);
        lane_free(road->new_lane);
        link_free(road->new_link);
}

static int road_build(Road *road, Process *client, Channel *channel, bool noshare) {
        int r = 0;

        road->lane = noshare ? NULL : lane_find_shared(client, channel);
        if (road->lane) {
                road->link = road->lane->link;
                road->bell = road->lane->bell;
                return 0;
        }
        r = channel_bell(channel, client->record->uid, &road->bell);
        if (r)
                return r;
        road->link = link_find(client, channel->process);
        if (!road->link)
                r = link_new(client, channel->process, &road->new_link);
        if (r)
                return r;
        if (road->new_link)
                road->link = road->new_link;
        r = lane_new(client, channel, road->bell, road->link, noshare, &road->new_lane);
        if (r)
                return r;
        road->lane = road->new_lane;
        return 0;
}

static void road_publish(Road *road) {
        road->new_hold = NULL;
        if (TAKE(road->new_link))
                table_publish(road->link->record);
        if (TAKE(road->new_lane))
                table_publish(road->lane->record);
}

static int road_hold_bell(Road *road, Process *client, Answer *answer) {
        int r;

        if (bell_is_held(road->bell, client))
                return 0;
        r = bell_hold(road->bell, client, &road->new_hold);
        if (r)
                return error_fold(r);
        answer_fd(answer, WIRE_FD_LANE_BELL, road->bell->fd, STORED_BELL,
                  table_index(&client->kernel->tables[NOUN_BELL], road->bell->record));
        return 0;
}

static void connection_describe(const Connection *connection, const Lane *lane, Answer *answer) {
        const ConnectionRecord *record = connection->record;
        bool is_file = connection->lifeline && connection->lifeline->record->bound;

        answer->reply.connect = (WireReplyConnect){
                .id = record->id,
                .index = record->index,
                .link = connection->link->record->id,
                .bell = lane->bell->record->id,
                .lane = lane->record->leaf,
                .scoid = record->scoid,
                .server_pid = record->server_pid,
                .chid = record->chid,
                .channel_flags = record->channel_flags,
                .flags = record->flags | (is_file ? WIRE_CONNECT_FILE : 0),
        };
        memcpy(answer->reply.connect.token, connection->link->record->token, LINK_TOKEN_BYTES);
}

/* @lifeline: NULL for a side channel. */
static int connection_open(Process *client, Channel *channel, Lifeline *lifeline, uint32_t flags,
                           int32_t coid, const Request *request, Answer *answer) {
        _cleanup_(road_deinit) Road road = { .link = NULL };
        Connection *connection = NULL;
        bool is_new_lane;
        int r;

        r = road_build(&road, client, channel, flags & CONNECT_NOSHARE);
        if (r)
                return r;
        FAILPOINT("daemon-attach-road-built");
        if (!road.link->client_has_fd)
                answer_fd(answer, WIRE_FD_LINK, road.link->fd, STORED_LINK,
                          table_index(&client->kernel->tables[NOUN_LINK], road.link->record));
        r = road_hold_bell(&road, client, answer);
        if (r)
                return r;
        r = connection_new(client, road.lane, lifeline, flags, coid, &connection);
        if (r)
                return r;
        FAILPOINT("daemon-attach-connection-built");
        connection_describe(connection, road.lane, answer);
        connection_claim_number(connection, coid);

        request_commit(client, request, answer);
        is_new_lane = road.new_lane != NULL;
        road_publish(&road);
        if (lifeline && table_record_state(lifeline->record) == RECORD_BUILDING)
                table_publish(lifeline->record);
        FAILPOINT("daemon-attach-road-published");
        link_client_has_fd(road.link, true);
        connection_join(connection, road.lane);
        table_publish(connection->record);
        FAILPOINT("daemon-attach-published");
        if (is_new_lane)
                news_lane_open(road.lane);
        FAILPOINT("daemon-attach-told");
        link_set_connection(connection->link->map, connection->record->index, CONNECTION_LIVE);
        return 0;
}

static int attach_check(Session *session, const WireConnectAttach *attach, Channel **ret_channel) {
        Process *self = session->process;
        Process *server = process_find(session->kernel, self, attach->pid);
        Channel *channel;

        if (attach->flags & ~CONNECT_FLAGS)
                return -EINVAL;
        if (attach->coid != 0 && attach->coid < COID_SIDE_FIRST)
                return -EINVAL;
        channel = server ? channel_find(server, attach->chid) : NULL;
        if (!channel)
                return -ESRCH;
        if (channel->record->flags & CHANNEL_PRIVATE && server != self)
                return -EPERM;
        if (server != self && !ability_is_allowed(self, ABILITY_CHANNEL_CONNECT))
                return -EPERM;
        if (attach->coid != 0 && coids_get(&self->coids, attach->coid))
                return -EEXIST;
        *ret_channel = channel;
        return 0;
}

int request_connect_attach(Session *session, Request *request, Answer *answer) {
        const WireConnectAttach *attach = &request->wire.connect_attach;
        _cleanup_(lifeline_freep) Lifeline *lifeline = NULL;
        uint32_t flags = attach->flags & ~CONNECT_DEAD;
        Kernel *kernel = session->kernel;
        Channel *channel;
        int given = -1, r;

        r = attach_check(session, attach, &channel);
        if (r)
                return r;
        FAILPOINT("daemon-attach-checked");
        if (attach->coid != 0)
                return connection_open(session->process, channel, NULL, flags, attach->coid, request, answer);
        r = lifeline_new(session->process, channel, flags, &lifeline, &given);
        if (r)
                return r;
        answer_give(kernel, answer, WIRE_FD_COID, given, STORED_LIFELINE_PEER,
                    table_index(&kernel->tables[NOUN_LIFELINE], lifeline->record));
        FAILPOINT("daemon-attach-descriptor-kept");
        r = connection_open(session->process, channel, lifeline, flags, COID_NONE, request, answer);
        if (r)
                return r;
        lifeline = NULL; /* its descriptor keeps it from here on */
        return 0;
}

static Connection *lifeline_connection_of(const Lifeline *lifeline, const Process *client) {
        Connection *connection = NULL;

        LIST_FOREACH(connection, &lifeline->connections, Connection, of_lifeline)
                if (connection->client == client)
                        return connection;
        return NULL;
}

/* A copy (dup) of a descriptor that the process uses already is the same connection. */
static int adopt_again(Connection *connection, Answer *answer) {
        if (!connection->lane)
                return -EBADF;
        connection_describe(connection, connection->lane, answer);
        return 0;
}

int request_connect_adopt(Session *session, Request *request, Answer *answer) {
        Process *self = session->process;
        int32_t coid = request->wire.connect_adopt.coid;
        Connection *mine;
        Lifeline *lifeline;

        if (request->n_fds != 1)
                return -EPROTO;
        if (coid < 0 || coid >= COID_SIDE_FIRST)
                return -EINVAL;
        lifeline = lifeline_find(session->kernel, request->fds[0]);
        if (!lifeline)
                return -EBADF;
        mine = lifeline_connection_of(lifeline, self);
        if (mine)
                return adopt_again(mine, answer);
        if (!lifeline->channel)
                return -EBADF;
        if (lifeline->channel->record->flags & CHANNEL_PRIVATE && lifeline->channel->process != self)
                return -EPERM;
        FAILPOINT("daemon-adopt-checked");
        return connection_open(self, lifeline->channel, lifeline, lifeline->record->flags, coid,
                               request, answer);
}

/* ---- the rest ---- */

/* Requests that are not answered cannot be refused either: what they name may just have gone. */
static Connection *connection_of(const Session *session, uint32_t id) {
        Connection *connection = map_get(&session->kernel->connections, id);

        return connection && connection->client == session->process ? connection : NULL;
}

/* The process had no memory or no descriptor for them: they come again with its next connection. */
static void connection_lost_fds(const Process *client, const WireConnectDetach *detach) {
        Kernel *kernel = client->kernel;
        Link *link = link_find_id(kernel, detach->link);

        if (detach->lost & WIRE_FD_LINK && link && link->client == client)
                link_client_has_fd(link, false);
        if (detach->lost & WIRE_FD_LANE_BELL)
                bell_hold_free(map_get(&kernel->bell_holds, map_key(client->record->id, detach->bell)));
}

int request_connect_detach(Session *session, Request *request, Answer *answer) {
        Connection *connection = connection_of(session, request->wire.connect_detach.connection);

        connection_lost_fds(session->process, &request->wire.connect_detach);
        if (!connection)
                return -EINVAL;
        journal_retire(session->kernel, NOUN_CONNECTION, connection->record);

        request_commit(session->process, request, answer);
        connection_close(connection);
        FAILPOINT("daemon-detach-done");
        return 0;
}

int request_connect_number(Session *session, Request *request, Answer *answer) {
        const WireConnectNumber *number = &request->wire.connect_number;
        Connection *connection = connection_of(session, number->connection);
        int32_t before;
        int r;

        if (!connection || !connection->lifeline)
                return -EINVAL;
        if (number->coid < 0 || number->coid >= COID_SIDE_FIRST)
                return -EINVAL;
        r = coids_reserve(&session->process->coids);
        if (r)
                return error_fold(r);

        connection_claim_number(connection, number->coid);
        before = connection->record->coid;
        journal_set(session->kernel, NOUN_CONNECTION, connection->record, &connection->record->coid,
                    (uint32_t)number->coid);

        request_commit(session->process, request, answer);
        coids_remove(&session->process->coids, before, connection);
        connection_number(connection, number->coid);
        FAILPOINT("daemon-number-done");
        return 0;
}

/* Whose connections may be looked at and changed: one's own, one's user's, anybody's by root. */
static int process_reach(Session *session, int32_t pid, Process **ret_process) {
        Process *process = process_find(session->kernel, session->process, pid);

        if (!process)
                return -ESRCH;
        if (session->uid != 0 && session->uid != process->record->uid)
                return -EPERM;
        *ret_process = process;
        return 0;
}

int request_connect_flags(Session *session, Request *request, Answer *answer) {
        const WireConnectFlags *flags = &request->wire.connect_flags;
        Connection *connection = NULL;
        Process *process;
        uint32_t before, mask = flags->mask & ~CONNECT_DEAD;
        int r;

        if ((flags->mask | flags->bits) & ~CONNECT_FLAGS)
                return -EINVAL;
        r = process_reach(session, flags->pid, &process);
        if (r)
                return r;
        connection = coids_get(&process->coids, flags->coid);
        if (!connection)
                return -EBADF;

        before = connection->record->flags;
        answer->reply.flags.flags = before;
        journal_set(session->kernel, NOUN_CONNECTION, connection->record, &connection->record->flags,
                    (before & ~mask) | (flags->bits & mask));

        request_commit(session->process, request, answer);
        return 0;
}

int request_server_info(Session *session, Request *request, Answer *answer) {
        const WireServerInfo *info = &request->wire.server_info;
        const Coids *coids;
        Process *process;
        size_t at;
        int r;

        r = process_reach(session, info->pid, &process);
        if (r)
                return r;
        coids = &process->coids;
        at = coids_at_or_above(coids, info->coid);
        while (at < coids->n && !info->dead && !coids->entries[at].connection->lane)
                at++;
        if (at == coids->n)
                return -EINVAL;
        answer->reply.server_info = (WireReplyServerInfo){
                .coid = coids->entries[at].number,
                .pid = coids->entries[at].connection->record->server_pid,
                .chid = coids->entries[at].connection->record->chid,
                .scoid = coids->entries[at].connection->record->scoid,
                .flags = coids->entries[at].connection->record->flags,
        };
        return 0;
}
