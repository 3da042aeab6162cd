/* SPDX-License-Identifier: MIT */
#include "runtime/inlink.h"

#include "runtime/retire.h"
#include "shm/region.h"
#include "shm/word.h"
#include "shm/xfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 64u

static InLink *links;

InLink *inlink_find_locked(uint32_t id) {
        for (InLink *link = links; link; link = link->next)
                if (link->id == id)
                        return link;
        return NULL;
}

static int add_block(InLink *link, ShmSlot *shm, uint32_t extent) {
        InSlot *block;

        if (link->n_blocks == BLOCKS_MAX)
                return -EAGAIN;
        block = calloc(EXTENT_SLOTS, sizeof(*block));
        if (!block)
                return -ENOMEM;
        for (uint32_t i = 0; i < EXTENT_SLOTS; i++) {
                block[i].link = link;
                block[i].shm = &shm[i];
                block[i].index = link->n_blocks * EXTENT_SLOTS + i;
        }
        link->slots[link->n_blocks] = block;
        link->extents[link->n_blocks] = (uint16_t)extent;
        link->shm_slots[link->n_blocks++] = shm;
        return 0;
}

int inlink_add_locked(const WireNewsLaneOpen *news, int fd, InLink **ret_link) {
        InLink *link = calloc(1, sizeof(*link));
        void *map;
        int r;

        if (!link)
                return -ENOMEM;
        r = region_map_private_to_process(fd, LINK_BYTES, true, &map);
        if (r == 0) {
                link->map = map;
                r = add_block(link, link->map->slots, 0);
                if (r < 0)
                        region_unmap(map, LINK_BYTES);
        }
        if (r < 0) {
                free(link);
                return r;
        }
        link->id = news->link;
        link->client = news->client;
        link->priority_max = news->priority_max;
        memcpy(link->token, news->token, LINK_TOKEN_BYTES);
        link->next = links;
        links = link;
        *ret_link = link;
        return 0;
}

static int add_bulk(InLink *link, uint32_t extent, uint64_t bytes, void *map) {
        InBulk *bulks;

        if (extent >= link->n_bulks) {
                bulks = reallocarray(link->bulks, extent + 8, sizeof(*bulks));
                if (!bulks)
                        return -ENOMEM;
                memset(&bulks[link->n_bulks], 0, (extent + 8 - link->n_bulks) * sizeof(*bulks));
                link->bulks = bulks;
                link->n_bulks = extent + 8;
        }
        link->bulks[extent] = (InBulk){ .map = map, .bytes = bytes };
        return 0;
}

/* A daemon that was started again may not know that its predecessor had told us. */
static bool has_extent(const InLink *link, uint32_t extent) {
        for (uint32_t i = 0; i < link->n_blocks; i++)
                if (link->extents[i] == extent)
                        return true;
        return extent < link->n_bulks && link->bulks[extent].map;
}

int inlink_extent_locked(const WireNewsExtent *news, int fd) {
        InLink *link = inlink_find_locked(news->link);
        void *map;
        int r;

        if (!link || news->extent >= EXTENTS_MAX)
                return -EPROTO;
        if (has_extent(link, news->extent))
                return 0;
        r = region_map_private_to_process(fd, news->bytes, true, &map);
        if (r < 0)
                return r;
        r = news->kind == WIRE_EXTENT_SLOTS ? add_block(link, map, news->extent)
                                            : add_bulk(link, news->extent, news->bytes, map);
        if (r < 0)
                region_unmap(map, news->bytes);
        return r;
}

static void free_record(void *object, size_t bytes) {
        (void)bytes;
        free(object);
}

static void release(InLink *link) {
        for (uint32_t b = 1; b < link->n_blocks; b++)
                retire(region_unmap, link->shm_slots[b], EXTENT_SLOTS * SLOT_STRIDE);
        for (uint32_t i = 0; i < link->n_bulks; i++)
                if (link->bulks[i].map)
                        retire(region_unmap, link->bulks[i].map, link->bulks[i].bytes);
        for (uint32_t b = 0; b < link->n_blocks; b++)
                retire(free_record, link->slots[b], 0);
        retire(region_unmap, link->map, LINK_BYTES);
        retire(free_record, link->bulks, 0);
        retire(free_record, link, 0);
        retire_collect();
}

static void release_if_unused_locked(InLink *link) {
        InLink **at;

        if (!link->gone || link->n_lanes > 0 || link->n_receipts > 0 || link->pulses_queued > 0)
                return;
        for (at = &links; *at; at = &(*at)->next)
                if (*at == link) {
                        *at = link->next;
                        release(link);
                        return;
                }
}

void inlink_close_locked(InLink *link) {
        link->gone = true;
        release_if_unused_locked(link);
}

void inlink_put_lane_locked(InLink *link) {
        link->n_lanes--;
        release_if_unused_locked(link);
}

void inlink_put_receipt_locked(InLink *link) {
        link->n_receipts--;
        release_if_unused_locked(link);
}

void inlink_put_pulse_locked(InLink *link) {
        link->pulses_queued--;
        release_if_unused_locked(link);
}

uint32_t inlink_n_slots(const InLink *link) {
        return link->n_blocks * EXTENT_SLOTS;
}

InSlot *inlink_slot(InLink *link, uint32_t index) {
        if (index >= inlink_n_slots(link))
                return NULL;
        return &link->slots[index / EXTENT_SLOTS][index % EXTENT_SLOTS];
}

uint8_t *inlink_bulk(InLink *link, uint32_t extent, uint64_t bytes) {
        if (extent >= link->n_bulks || link->bulks[extent].bytes < bytes)
                return NULL;
        return link->bulks[extent].map;
}

/*
 * A pid may mean another process here than it does to the daemon (PID namespaces), and reading may be
 * forbidden. Both are settled by reading the client's private copy of the token.
 */
void inlink_try_direct_locked(InLink *link) {
        uint8_t token[LINK_TOKEN_BYTES];
        struct iovec remote = {
                .iov_base = (void *)(uintptr_t)word64_load(&link->map->probe_at),
                .iov_len = LINK_TOKEN_BYTES,
        };
        struct iovec local = { .iov_base = token, .iov_len = sizeof(token) };

        if (link->direct != DIRECT_UNTRIED)
                return;
        link->direct = DIRECT_REFUSED;
        if (xfer_read_direct(link->client.pid, &remote, 1, 0, &local, 1, sizeof(token)) < 0 ||
            memcmp(token, link->token, sizeof(token)) != 0)
                return;
        link->direct = DIRECT_WORKS;
        word_store(&link->map->direct, 1);
}

void inlinks_after_fork(void) {
        links = NULL;
}
