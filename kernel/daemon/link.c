/* SPDX-License-Identifier: MIT */
#include "daemon/link.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/connection.h"
#include "daemon/extent.h"
#include "daemon/process.h"
#include "shm/link.h"
#include "shm/region.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

DEFINE_CLEANUP(Link *, link_free)

static uint64_t link_key(const Process *client, const Process *server) {
        return map_key(client->record->id, server->record->id);
}

Link *link_find(const Process *client, const Process *server) {
        return map_get(&client->kernel->links_by_pair, link_key(client, server));
}

Link *link_find_id(Kernel *kernel, uint32_t id) {
        return map_get(&kernel->links, id);
}

static int link_charge(Link *link) {
        User *user = link->client->user;
        int r = user_charge(user, CHARGE_LINKS, 1);

        if (r)
                return r;
        r = user_charge(user, CHARGE_BYTES, LINK_BYTES);
        if (!r) {
                r = process_charge_fds(link->client, 1);
                if (r)
                        user_discharge(user, CHARGE_BYTES, LINK_BYTES);
        }
        if (r) {
                user_discharge(user, CHARGE_LINKS, 1);
                return r;
        }
        link->is_charged = true;
        return 0;
}

static int link_make_region(Link *link) {
        struct stat st;
        void *map;
        int r;

        r = region_create("nuntius-link", LINK_BYTES, &link->fd);
        if (r)
                return error_fold(r);
        r = region_map(link->fd, LINK_BYTES, true, &map);
        if (r)
                return error_fold(r);
        link->map = map;
        if (fstat(link->fd, &st) < 0)
                return error_fold(-errno);
        link->record->inode = st.st_ino;
        if (getrandom(link->record->token, LINK_TOKEN_BYTES, 0) != LINK_TOKEN_BYTES)
                return error_fold(-EIO);
        link_init(link->map, link->record->token);
        return 0;
}

static int link_name(Link *link) {
        Kernel *kernel = link->client->kernel;
        int r = map_add(&kernel->links, link->record->id, link);

        if (r)
                return error_fold(r);
        r = map_add(&kernel->links_by_pair, link_key(link->client, link->server), link);
        if (r) {
                map_remove(&kernel->links, link->record->id);
                return error_fold(r);
        }
        link->is_named = true;
        list_append(&link->client->client_links, &link->of_client);
        list_append(&link->server->server_links, &link->of_server);
        return 0;
}

int link_new(Process *client, Process *server, Link **ret_link) {
        Kernel *kernel = client->kernel;
        _cleanup_(link_freep) Link *link = NULL;
        int r;

        link = calloc(1, sizeof(*link));
        if (!link)
                return error_fold(-ENOMEM);
        link->client = client;
        link->server = server;
        link->fd = -1;
        list_init(&link->of_client);
        list_init(&link->of_server);
        list_init(&link->connections);
        list_init(&link->extents);
        r = link_charge(link);
        if (r)
                return r;
        r = table_new(&kernel->tables[NOUN_LINK], &link->record);
        if (r)
                return error_fold(r);
        FAILPOINT("daemon-link-charged");
        link->record->id = ++kernel->next_link_id;
        link->record->bytes = LINK_BYTES;
        link->record->client = table_ref(&kernel->tables[NOUN_PROCESS], client->record);
        link->record->server = table_ref(&kernel->tables[NOUN_PROCESS], server->record);
        r = link_make_region(link);
        if (r)
                return error_fold(r);
        FAILPOINT("daemon-link-made");
        r = link_name(link);
        if (r)
                return error_fold(r);
        *ret_link = TAKE(link);
        return 0;
}

static void link_forget_connections(Link *link) {
        Connection *connection;

        LIST_FOREACH(connection, &link->connections, Connection, of_link)
                connection_lose_link(connection);
        assert(link->n_connections == 0);
}

static void link_unname(Link *link) {
        Kernel *kernel = link->client->kernel;

        map_remove(&kernel->links, link->record->id);
        map_remove(&kernel->links_by_pair, link_key(link->client, link->server));
        list_unlink(&link->of_client);
        list_unlink(&link->of_server);
}

Link *link_free(Link *link) {
        User *user;
        Extent *extent;

        if (!link)
                return NULL;
        user = link->client->user;
        link_forget_connections(link);
        LIST_FOREACH(extent, &link->extents, Extent, of_link)
                extent_free(extent);
        if (link->is_named)
                link_unname(link);
        region_unmap(link->map, LINK_BYTES);
        fd_close(link->fd);
        if (link->record)
                table_drop(&link->client->kernel->tables[NOUN_LINK], link->record);
        if (link->is_charged) {
                process_discharge_fds(link->client, 1);
                user_discharge(user, CHARGE_BYTES, LINK_BYTES);
                user_discharge(user, CHARGE_LINKS, 1);
        }
        free(link);
        return NULL;
}

void link_fail(Link *link, int error) {
        Extent *extent;

        link_fail_slots(link->map->slots, LINK_SLOTS, error);
        LIST_FOREACH(extent, &link->extents, Extent, of_link)
                if (extent->slots)
                        link_fail_slots(extent->slots, EXTENT_SLOTS, error);
}

int link_take_index(Link *link, uint32_t *ret_index) {
        for (uint32_t i = 0; i < LINK_CONNECTIONS / 64; i++) {
                if (link->indexes[i] == UINT64_MAX)
                        continue;
                *ret_index = i * 64 + (uint32_t)__builtin_ctzll(~link->indexes[i]);
                link->indexes[i] |= 1ull << (*ret_index % 64);
                link->n_connections++;
                return 0;
        }
        user_log_refusal(link->client->user, "connections-of-one-link", LINK_CONNECTIONS);
        return -EAGAIN;
}

void link_give_index(Link *link, uint32_t index) {
        link->indexes[index / 64] &= ~(1ull << (index % 64));
        link->n_connections--;
}
