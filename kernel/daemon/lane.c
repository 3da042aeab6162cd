/* SPDX-License-Identifier: MIT */
#include "daemon/lane.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/channel.h"
#include "daemon/connection.h"
#include "daemon/flags.h"
#include "daemon/process.h"
#include "daemon/request.h"
#include "daemon/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

DEFINE_CLEANUP(Lane *, lane_free)

static uint64_t shared_key(const Process *client, const Channel *channel) {
        return map_key(client->record->id, channel->record->id);
}

static uint64_t scoid_key(const Process *server, int32_t scoid) {
        return map_key(server->record->id, (uint32_t)scoid);
}

Lane *lane_find_shared(const Process *client, const Channel *channel) {
        return map_get(&client->kernel->shared_lanes, shared_key(client, channel));
}

Lane *lane_find(const Process *server, int32_t scoid) {
        return map_get(&server->kernel->scoids, scoid_key(server, scoid));
}

/* The numbers with SCOID_BIT set, in order. */
static int32_t scoid_of(uint32_t n) {
        return (int32_t)(SCOID_BIT | (n & 0xffffu) | (n >> 16) << 17);
}

/* Upward, so that a number which a server still remembers does not come back soon. */
static int32_t lane_next_scoid(Process *server) {
        uint32_t n = server->record->next_scoid;

        while (lane_find(server, scoid_of(n)))
                n = (n + 1) % SCOID_NUMBERS;
        server->record->next_scoid = (n + 1) % SCOID_NUMBERS;
        return scoid_of(n);
}

static int lane_name(Lane *lane) {
        Process *server = lane->channel->process;
        Kernel *kernel = server->kernel;
        int r = map_add(&kernel->scoids, scoid_key(server, lane->record->scoid), lane);

        if (r)
                return error_fold(r);
        lane->is_named = true;
        if (lane->record->noshare || !lane->client)
                return 0;
        return error_fold(map_add(&kernel->shared_lanes, shared_key(lane->client, lane->channel), lane));
}

static void lane_fill(Lane *lane, bool noshare) {
        Table *tables = lane->client->kernel->tables;
        LaneRecord *record = lane->record;

        record->client = table_ref(&tables[NOUN_PROCESS], lane->client->record);
        record->channel = table_ref(&tables[NOUN_CHANNEL], lane->channel->record);
        record->bell = table_ref(&tables[NOUN_BELL], lane->bell->record);
        record->link = table_ref(&tables[NOUN_LINK], lane->link->record);
        record->noshare = noshare;
        record->credentials = lane->client->record->credentials;
        record->scoid = lane_next_scoid(lane->channel->process);
}

static Lane *lane_allocate(Process *client, Channel *channel, Bell *bell, Link *link) {
        Lane *lane = calloc(1, sizeof(*lane));

        if (!lane)
                return NULL;
        lane->client = client;
        lane->channel = channel;
        lane->bell = bell;
        lane->link = link;
        list_init(&lane->of_client);
        list_init(&lane->of_channel);
        list_init(&lane->connections);
        return lane;
}

int lane_adopt(Channel *channel, Bell *bell, Process *client, Link *link, LaneRecord *record, Lane **ret_lane) {
        Lane *lane = lane_allocate(client, channel, bell, link);
        int r;

        if (!lane)
                return error_fold(-ENOMEM);
        lane->record = record;
        bell_claim_leaf(bell, record->leaf);
        lane->has_leaf = true;
        if (record->zombie)
                user_charge_anyway(channel->process->user, CHARGE_SCOIDS, 1);
        r = lane_name(lane);
        if (r)
                return error_fold(r);
        if (client)
                list_append(&client->lanes, &lane->of_client);
        list_append(&channel->lanes, &lane->of_channel);
        *ret_lane = lane;
        return 0;
}

int lane_new(Process *client, Channel *channel, Bell *bell, Link *link, bool noshare, Lane **ret_lane) {
        _cleanup_(lane_freep) Lane *lane = NULL;
        int r;

        lane = lane_allocate(client, channel, bell, link);
        if (!lane)
                return error_fold(-ENOMEM);
        r = table_new(&client->kernel->tables[NOUN_LANE], &lane->record);
        if (r)
                return error_fold(r);
        lane_fill(lane, noshare);
        r = bell_take_leaf(bell, &lane->record->leaf);
        if (r)
                return r;
        lane->has_leaf = true;
        FAILPOINT("daemon-lane-built");
        r = lane_name(lane);
        if (r)
                return error_fold(r);
        list_append(&client->lanes, &lane->of_client);
        list_append(&channel->lanes, &lane->of_channel);
        *ret_lane = TAKE(lane);
        return 0;
}

/* The client side lets go; what the server side knows stays. */
static void lane_leave_client(Lane *lane) {
        Kernel *kernel = lane->channel->process->kernel;

        if (!lane->client)
                return;
        if (lane_find_shared(lane->client, lane->channel) == lane)
                map_remove(&kernel->shared_lanes, shared_key(lane->client, lane->channel));
        list_unlink(&lane->of_client);
        lane->client = NULL;
        lane->link = NULL;
}

Lane *lane_free(Lane *lane) {
        Process *server;

        if (!lane)
                return NULL;
        assert(list_is_empty(&lane->connections));
        server = lane->channel->process;
        if (lane->record && table_record_state(lane->record) == RECORD_LIVE)
                table_retire(lane->record);
        lane->news = news_cancel(lane->news);
        lane_leave_client(lane);
        list_unlink(&lane->of_channel);
        if (lane->is_named)
                map_remove(&server->kernel->scoids, scoid_key(server, lane->record->scoid));
        if (lane->has_leaf)
                bell_give_leaf(lane->bell, lane->record->leaf);
        if (lane->record) {
                if (lane->record->zombie)
                        user_discharge(server->user, CHARGE_SCOIDS, 1);
                table_drop(&server->kernel->tables[NOUN_LANE], lane->record);
        }
        free(lane);
        return NULL;
}

/* A server that never detaches keeps only as many as its user may; never heard of, none is kept. */
static bool lane_may_stay(const Lane *lane) {
        Process *server = lane->channel->process;

        if (!(lane->channel->record->flags & CHANNEL_DISCONNECT) || server->is_dying)
                return false;
        if (!lane->record->announced)
                return false;
        return user_charge(server->user, CHARGE_SCOIDS, 1) == 0;
}

void lane_release(Lane *lane) {
        assert(list_is_empty(&lane->connections));
        lane->record->closed = lane->client->is_dying ? LANE_DIED : LANE_DETACHED;
        FAILPOINT("daemon-lane-closed");
        lane_leave_client(lane);
        lane_settle(lane);
}

void lane_settle(Lane *lane) {
        LaneRecord *record = lane->record;

        if (!record->announced)
                lane->news = news_cancel(lane->news); /* that it has opened */
        if (!record->zombie && table_record_state(record) == RECORD_LIVE) {
                if (lane_may_stay(lane))
                        record->zombie = 1;
                else
                        table_retire(record);
        }
        FAILPOINT("daemon-lane-settled");
        if (record->announced && !record->told && !lane->news)
                news_lane_close(lane);
        FAILPOINT("daemon-lane-close-told");
        if (!lane->news)
                lane_was_told(lane);
}

void lane_was_told(Lane *lane) {
        if (table_record_state(lane->record) == RECORD_DYING)
                lane_free(lane);
}

void lane_kill_connections(Lane *lane) {
        Connection *connection;

        LIST_FOREACH(connection, &lane->connections, Connection, of_lane)
                connection_die(connection);
        assert(list_is_empty(&lane->connections));
}

int request_scoid_detach(Session *session, Request *request, Answer *answer) {
        Lane *lane = lane_find(session->process, request->wire.scoid_detach.scoid);

        if (!lane)
                return -EINVAL;
        journal_retire(session->kernel, NOUN_LANE, lane->record);

        request_commit(session->process, request, answer);
        lane_kill_connections(lane);
        FAILPOINT("daemon-scoid-detached");
        lane_free(lane);
        return 0;
}

int request_client_info(Session *session, Request *request, Answer *answer) {
        int32_t scoid = request->wire.client_info.scoid;
        Lane *lane;

        if (scoid == -1) {
                answer->reply.client_info = session->process->record->credentials;
                return 0;
        }
        lane = lane_find(session->process, scoid);
        if (!lane)
                return -EINVAL;
        answer->reply.client_info = lane->record->credentials;
        return 0;
}
