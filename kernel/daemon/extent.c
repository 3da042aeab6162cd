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

static uint32_t extent_index(const Extent *extent) {
        return table_index(&extent->link->client->kernel->tables[NOUN_EXTENT], extent->record);
}

/* @index: of its record, which may have been dropped. */
static void extent_drop_fd(Extent *extent, uint32_t index) {
        if (extent->fd >= 0 && extent->has_fd)
                store_remove(&extent->link->client->kernel->store, STORED_EXTENT, index);
        extent->fd = fd_close(extent->fd);
        if (extent->has_fd)
                process_discharge_fds(extent->link->client, 1);
        extent->has_fd = false;
}

Extent *extent_free(Extent *extent) {
        uint32_t index = 0;
        Process *client;

        if (!extent)
                return NULL;
        client = extent->link->client;
        extent->news = news_cancel(extent->news);
        list_unlink(&extent->of_link);
        region_unmap(extent->slots, SLOTS_BYTES);
        if (extent->record) {
                index = extent_index(extent);
                table_drop(&client->kernel->tables[NOUN_EXTENT], extent->record);
        }
        FAILPOINT("daemon-extent-dropped");
        extent_drop_fd(extent, index);
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

static Extent *extent_allocate(Link *link) {
        Extent *extent = calloc(1, sizeof(*extent));

        if (!extent)
                return NULL;
        extent->link = link;
        extent->fd = -1;
        list_init(&extent->of_link);
        return extent;
}

bool extent_record_has_fd(const ExtentRecord *record) {
        return record->kind != WIRE_EXTENT_BULK || !record->announced;
}

/* In the order of their numbers. */
static void extent_join(Extent *extent) {
        Link *link = extent->link;
        List *after = link->extents.previous;

        while (after != &link->extents &&
               LIST_ENTRY(after, Extent, of_link)->record->number > extent->record->number)
                after = after->previous;
        list_insert_before(after->next, &extent->of_link);
        if (extent->record->number > link->n_extents)
                link->n_extents = extent->record->number;
}

int extent_adopt(Link *link, ExtentRecord *record, int fd, void *map) {
        Extent *extent = extent_allocate(link);

        if (!extent)
                return error_fold(-ENOMEM);
        extent->record = record;
        extent->fd = fd;
        extent->slots = map;
        extent->bytes = record->bytes;
        extent->has_fd = extent_record_has_fd(record);
        if (extent->has_fd)
                process_charge_fds_anyway(link->client, 1);
        user_charge_anyway(link->client->user, CHARGE_BYTES, extent->bytes);
        extent_join(extent);
        return 0;
}

static int extent_new(Link *link, uint32_t kind, uint64_t bytes, Extent **ret_extent) {
        Kernel *kernel = link->client->kernel;
        _cleanup_(extent_freep) Extent *extent = NULL;
        int r;

        extent = extent_allocate(link);
        if (!extent)
                return error_fold(-ENOMEM);
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
        (void)store_keep(&kernel->store, STORED_EXTENT, extent_index(extent), extent->fd);
        FAILPOINT("daemon-extent-made");
        extent->record->link = table_ref(&kernel->tables[NOUN_LINK], link->record);
        extent->record->kind = kind;
        extent->record->bytes = bytes;
        extent->record->number = link->n_extents + 1;
        *ret_extent = TAKE(extent);
        return 0;
}

void extent_announced(Extent *extent) {
        extent->record->announced = 1;
        FAILPOINT("daemon-extent-announced");
        extent_release(extent);
}

/* An answer that carries it may have to be given by a successor, who has it from the store only. */
void extent_release(Extent *extent) {
        if (!extent->is_in_answer && !extent_record_has_fd(extent->record))
                extent_drop_fd(extent, extent_index(extent));
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
        answer_fd(answer, WIRE_FD_EXTENT, extent->fd, STORED_EXTENT, extent_index(extent));
        answer->reply.extent = (WireReplyExtent){ .extent = extent->record->number, .bytes = bytes };

        request_commit(session->process, request, answer);
        table_publish(extent->record);
        extent_join(extent);
        FAILPOINT("daemon-extent-published");
        extent->is_in_answer = true;
        answer->extent = extent;
        news_link_extent(TAKE(extent));
        return 0;
}
