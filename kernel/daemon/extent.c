/* SPDX-License-Identifier: MIT */
#include "daemon/extent.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/process.h"
#include "daemon/request.h"
#include "daemon/session.h"
#include "shm/region.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SLOTS_BYTES ((uint64_t)EXTENT_SLOTS * SLOT_STRIDE)

DEFINE_CLEANUP(Extent *, extent_free)

static void extent_drop_fd(Extent *extent) {
        extent->fd = fd_close(extent->fd);
        if (extent->has_fd)
                process_discharge_fds(extent->link->client, 1);
        extent->has_fd = false;
}

Extent *extent_free(Extent *extent) {
        Process *client;

        if (!extent)
                return NULL;
        client = extent->link->client;
        extent->news = news_cancel(extent->news);
        list_unlink(&extent->of_link);
        region_unmap(extent->slots, SLOTS_BYTES);
        extent_drop_fd(extent);
        if (extent->record)
                table_drop(&client->kernel->tables[NOUN_EXTENT], extent->record);
        user_discharge(client->user, CHARGE_BYTES, extent->bytes);
        free(extent);
        return NULL;
}

static int extent_charge(Extent *extent, uint64_t bytes) {
        int r = user_charge(extent->link->client->user, CHARGE_BYTES, bytes);

        if (r)
                return r;
        extent->bytes = bytes;
        r = process_charge_fds(extent->link->client, 1);
        if (r)
                return r;
        extent->has_fd = true;
        return 0;
}

static int extent_make_region(Extent *extent, uint32_t kind) {
        struct stat st;
        void *map;
        int r;

        r = region_create("nuntius-extent", extent->bytes, &extent->fd);
        if (r)
                return error_fold(r);
        if (fstat(extent->fd, &st) < 0)
                return error_fold(-errno);
        extent->record->inode = st.st_ino;
        if (kind == WIRE_EXTENT_BULK)
                return 0;
        r = region_map(extent->fd, extent->bytes, true, &map);
        if (r)
                return error_fold(r);
        extent->slots = map;
        return 0;
}

static int extent_new(Link *link, uint32_t kind, uint64_t bytes, Extent **ret_extent) {
        Kernel *kernel = link->client->kernel;
        _cleanup_(extent_freep) Extent *extent = NULL;
        int r;

        extent = calloc(1, sizeof(*extent));
        if (!extent)
                return error_fold(-ENOMEM);
        extent->link = link;
        extent->fd = -1;
        list_init(&extent->of_link);
        r = extent_charge(extent, bytes);
        if (r)
                return r;
        r = table_new(&kernel->tables[NOUN_EXTENT], &extent->record);
        if (r)
                return error_fold(r);
        FAILPOINT("daemon-extent-charged");
        r = extent_make_region(extent, kind);
        if (r)
                return error_fold(r);
        FAILPOINT("daemon-extent-made");
        extent->record->link = table_ref(&kernel->tables[NOUN_LINK], link->record);
        extent->record->kind = kind;
        extent->record->bytes = bytes;
        extent->record->number = link->n_extents + 1;
        *ret_extent = TAKE(extent);
        return 0;
}

void extent_announced(Extent *extent) {
        /* a buffer's bytes are the two peers' business alone: no reason to hold a descriptor */
        if (extent->record->kind == WIRE_EXTENT_BULK)
                extent_drop_fd(extent);
}

static bool bulk_size_is_fine(uint64_t bytes) {
        return bytes >= EXTENT_BULK_MIN && bytes <= EXTENT_BULK_MAX && (bytes & (bytes - 1)) == 0;
}

int request_link_grow(Session *session, Request *request, Answer *answer) {
        const WireLinkGrow *grow = &request->wire.link_grow;
        Link *link = link_find_id(session->kernel, grow->link);
        uint64_t bytes = grow->kind == WIRE_EXTENT_BULK ? grow->bytes : SLOTS_BYTES;
        _cleanup_(extent_freep) Extent *extent = NULL;
        int r;

        if (!link || link->client != session->process)
                return -ESRCH;
        if (grow->kind != WIRE_EXTENT_SLOTS && grow->kind != WIRE_EXTENT_BULK)
                return -EINVAL;
        if (grow->kind == WIRE_EXTENT_BULK && !bulk_size_is_fine(bytes))
                return -EINVAL;
        if (link->n_extents + 1 >= EXTENTS_MAX)
                return -EAGAIN;
        r = extent_new(link, grow->kind, bytes, &extent);
        if (r)
                return r;
        /* the news may cost us our own descriptor before the answer is sent */
        r = answer_fd_copy(answer, WIRE_FD_EXTENT, extent->fd);
        if (r)
                return error_fold(r);

        /* point of no return */
        table_publish(extent->record);
        list_append(&link->extents, &extent->of_link);
        link->n_extents++;
        FAILPOINT("daemon-extent-published");
        answer->reply.extent = (WireReplyExtent){ .extent = extent->record->number, .bytes = bytes };
        news_link_extent(TAKE(extent));
        return 0;
}
