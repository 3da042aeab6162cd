/* SPDX-License-Identifier: MIT */
#include "daemon/link.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/connection.h"
#include "daemon/extent.h"
#include "daemon/news.h"
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
                return error_fold(-EAGAIN);
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

static Link *link_allocate(Process *client, Process *server) {
        Link *link = calloc(1, sizeof(*link));

        if (!link)
                return NULL;
        link->client = client;
        link->server = server;
        link->fd = -1;
        list_init(&link->of_client);
        list_init(&link->of_server);
        list_init(&link->connections);
        list_init(&link->extents);
        return link;
}

int link_adopt(Process *client, Process *server, LinkRecord *record, int fd, ShmLink *map, Link **ret_link) {
        Link *link = link_allocate(client, server);

        if (!link)
                return error_fold(-ENOMEM);
        link->record = record;
        link->fd = fd;
        link->map = map;
        link->client_has_fd = !record->client_lacks;
        user_charge_anyway(client->user, CHARGE_LINKS, 1);
        user_charge_anyway(client->user, CHARGE_BYTES, LINK_BYTES);
        process_charge_fds_anyway(client, 1);
        link->is_charged = true;
        *ret_link = link;
        return link_name(link);
}

int link_adopt_closed(Process *server, LinkRecord *record, Link **ret_link) {
        Link *link = link_allocate(NULL, server);

        if (!link)
                return error_fold(-ENOMEM);
        link->record = record;
        list_append(&server->closed_links, &link->of_server);
        *ret_link = link;
        return 0;
}

static uint32_t link_index(const Link *link) {
        return table_index(&link->server->kernel->tables[NOUN_LINK], link->record);
}

int link_new(Process *client, Process *server, Link **ret_link) {
        Kernel *kernel = client->kernel;
        _cleanup_(link_freep) Link *link = NULL;
        int r;

        link = link_allocate(client, server);
        if (!link)
                return error_fold(-ENOMEM);
        r = link_charge(link);
        if (r)
                return r;
        r = table_new(&kernel->tables[NOUN_LINK], &link->record);
        if (r)
                return error_fold(r);
        FAILPOINT("daemon-link-charged");
        link->record->id = ++kernel->record->next_link_id;
        link->record->bytes = LINK_BYTES;
        link->record->client = table_ref(&kernel->tables[NOUN_PROCESS], client->record);
        link->record->server = table_ref(&kernel->tables[NOUN_PROCESS], server->record);
        r = link_make_region(link);
        if (r)
                return error_fold(r);
        (void)store_keep(&kernel->store, STORED_LINK, link_index(link), link->fd);
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

/* Everything that its client has paid for, but the record and what is stored. */
static void link_release(Link *link) {
        Process *client = link->client;
        Extent *extent;

        if (!client)
                return;
        link_forget_connections(link);
        LIST_FOREACH(extent, &link->extents, Extent, of_link)
                extent_free(extent);
        if (link->is_named)
                link_unname(link);
        region_unmap(link->map, LINK_BYTES);
        fd_close(link->fd);
        if (link->is_charged) {
                process_discharge_fds(client, 1);
                user_discharge(client->user, CHARGE_BYTES, LINK_BYTES);
                user_discharge(client->user, CHARGE_LINKS, 1);
        }
        link->client = NULL;
}

Link *link_free(Link *link) {
        Kernel *kernel;
        uint32_t index;
        bool has_memory;

        if (!link)
                return NULL;
        kernel = link->server->kernel;
        has_memory = link->client != NULL;
        link->news = news_cancel(link->news);
        link_release(link);
        list_unlink(&link->of_server);
        if (link->record) {
                index = link_index(link);
                table_drop(&kernel->tables[NOUN_LINK], link->record);
                FAILPOINT("daemon-link-dropped");
                if (has_memory)
                        store_remove(&kernel->store, STORED_LINK, index);
        }
        free(link);
        return NULL;
}

void link_close(Link *link) {
        Process *server = link->server;

        table_retire(link->record);
        FAILPOINT("daemon-link-retired");
        if (!link->record->announced || server->is_dying) {
                link_free(link);
                return;
        }
        link_release(link);
        table_ref_clear(&link->record->client);
        FAILPOINT("daemon-link-closed");
        store_remove(&server->kernel->store, STORED_LINK, link_index(link));
        list_append(&server->closed_links, &link->of_server);
        news_link_close(link);
        FAILPOINT("daemon-link-close-told");
        if (!link->news)
                link_free(link);
}

void link_was_told(Link *link) {
        link_free(link);
}

void link_client_has_fd(Link *link, bool has) {
        link->client_has_fd = has;
        link->record->client_lacks = !has;
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

void link_claim_index(Link *link, uint32_t index) {
        link->indexes[index / 64] |= 1ull << (index % 64);
        link->n_connections++;
}

void link_give_index(Link *link, uint32_t index) {
        link->indexes[index / 64] &= ~(1ull << (index % 64));
        link->n_connections--;
}
