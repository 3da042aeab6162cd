/* SPDX-License-Identifier: MIT */
#include "runtime/outlink.h"

#include "abi/wire.h"
#include "runtime/retire.h"
#include "runtime/session.h"
#include "shm/link.h"
#include "shm/region.h"
#include "shm/slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS_MAX 64u

static OutLink *links;

OutLink *outlink_find_locked(uint32_t id) {
        for (OutLink *link = links; link; link = link->next)
                if (link->id == id)
                        return link;
        return NULL;
}

/* A record that is not in use, or a new one: records are never freed (see the header). */
static OutLink *record_locked(void) {
        OutLink *link = outlink_find_locked(0);

        if (link)
                return link;
        link = calloc(1, sizeof(*link));
        if (!link)
                return NULL;
        link->next = links;
        links = link;
        return link;
}

/* Slot records of one block over the slots at @shm. */
static int add_block_locked(OutLink *link, ShmSlot *shm) {
        uint32_t first = link->n_blocks * EXTENT_SLOTS;
        OutSlot *block;

        if (link->n_blocks == BLOCKS_MAX)
                return -EAGAIN;
        block = calloc(EXTENT_SLOTS, sizeof(*block));
        if (!block)
                return -ENOMEM;
        for (uint32_t i = EXTENT_SLOTS; i-- > 0;) {
                block[i] = (OutSlot){ .link = link, .shm = &shm[i], .index = first + i };
                block[i].next = link->free_slots;
                link->free_slots = &block[i];
        }
        link->all_slots[link->n_blocks++] = block;
        return 0;
}

int outlink_add_locked(uint32_t id, int server_pid, int fd, const uint8_t token[LINK_TOKEN_BYTES],
                       OutLink **ret_link) {
        OutLink *link = record_locked();
        void *map;
        int r;

        if (!link)
                return -ENOMEM;
        r = region_map_private_to_process(fd, LINK_BYTES, true, &map);
        if (r < 0)
                return r;
        link->map = map;
        r = add_block_locked(link, link->map->slots);
        if (r < 0) {
                region_unmap(map, LINK_BYTES);
                return r;
        }
        memcpy(link->token, token, LINK_TOKEN_BYTES);
        word64_store(&link->map->probe_at, (uintptr_t)link->token);
        link->server_pid = server_pid;
        link->n_connections = 0;
        link->id = id;
        *ret_link = link;
        return 0;
}

ShmBell *outlink_bell_locked(OutLink *link, uint32_t id) {
        for (OutBell *bell = link->bells; bell; bell = bell->next)
                if (bell->id == id)
                        return bell->map;
        return NULL;
}

int outlink_add_bell_locked(OutLink *link, uint32_t id, int fd, ShmBell **ret_bell) {
        OutBell *bell = calloc(1, sizeof(*bell));
        void *map;
        int r;

        if (!bell)
                return -ENOMEM;
        r = region_map_private_to_process(fd, BELL_BYTES, true, &map);
        if (r < 0) {
                free(bell);
                return r;
        }
        *bell = (OutBell){ .id = id, .map = map, .next = link->bells };
        link->bells = bell;
        *ret_bell = map;
        return 0;
}

static void disown(OutSlot *slot) {
        OutSlot **at;

        if (!slot->owner)
                return;
        for (at = &slot->owner->slots; *at; at = &(*at)->next)
                if (*at == slot) {
                        *at = slot->next;
                        break;
                }
        slot->owner = NULL;
}

static void unmap_bulk(OutBulk *bulk) {
        if (bulk->map)
                retire(region_unmap, bulk->map, bulk->bytes);
        *bulk = (OutBulk){ 0 };
}

static void free_block(void *block, size_t bytes) {
        free(block);
}

/*
 * The server is dead and no connection is left: nothing can be sent here any more. Slot records are
 * retired like the mapping, because their owners may be on their way out of a call.
 */
static void close_locked(OutLink *link) {
        OutBell *bell;

        link->id = 0;
        threads_lock();
        for (uint32_t b = 0; b < link->n_blocks; b++)
                for (uint32_t i = 0; i < EXTENT_SLOTS; i++)
                        disown(&link->all_slots[b][i]);
        threads_unlock();
        for (uint32_t b = 0; b < link->n_blocks; b++) { /* retire() takes the threads' lock itself */
                for (uint32_t i = 0; i < EXTENT_SLOTS; i++) {
                        unmap_bulk(&link->all_slots[b][i].message);
                        unmap_bulk(&link->all_slots[b][i].reply);
                }
                if (b > 0)
                        retire(region_unmap, link->all_slots[b][0].shm, EXTENT_SLOTS * SLOT_STRIDE);
                retire(free_block, link->all_slots[b], 0);
        }
        while ((bell = link->bells)) {
                link->bells = bell->next;
                retire(region_unmap, bell->map, BELL_BYTES);
                free(bell);
        }
        retire(region_unmap, link->map, LINK_BYTES);
        link->free_slots = link->gone_slots = NULL;
        link->n_blocks = 0;
}

void outlink_put_locked(OutLink *link) {
        if (--link->n_connections == 0 && link_server_is_gone(link->map))
                close_locked(link);
        retire_collect();
}

static int grow(OutLink *link, uint32_t kind, uint64_t bytes, WireReplyExtent *ret, void **ret_map) {
        WireRequest request = {
                .op = WIRE_LINK_GROW,
                .link_grow = { .link = link->id, .kind = kind, .bytes = bytes },
        };
        WireReply reply;
        int fds[SESSION_FDS];
        int r;

        r = session_ask(&request, -1, &reply, fds);
        if (r < 0)
                return r;
        r = region_map_private_to_process(fds[0], reply.extent.bytes, true, ret_map);
        session_close(fds[0]);
        *ret = reply.extent;
        return r;
}

static int grow_slots_locked(OutLink *link) {
        WireReplyExtent extent;
        void *map;
        int r;

        r = grow(link, WIRE_EXTENT_SLOTS, 0, &extent, &map);
        if (r < 0)
                return r;
        r = add_block_locked(link, map);
        if (r < 0)
                region_unmap(map, extent.bytes);
        return r;
}

static uint64_t bulk_size(uint64_t bytes) {
        uint64_t size = EXTENT_BULK_MIN;

        while (size < bytes)
                size *= 2;
        return size;
}

int outlink_bulk(OutLink *link, OutBulk *bulk, uint64_t bytes) {
        WireReplyExtent extent;
        void *map;
        int r;

        if (bulk->bytes >= bytes)
                return 0;
        if (bytes > EXTENT_BULK_MAX)
                return -ENOMEM;
        r = grow(link, WIRE_EXTENT_BULK, bulk_size(bytes), &extent, &map);
        if (r < 0)
                return r;
        unmap_bulk(bulk);
        *bulk = (OutBulk){ .extent = extent.extent, .bytes = extent.bytes, .map = map };
        return 0;
}

/* Slots that the server has let go of meanwhile. */
static void take_back_gone_locked(OutLink *link) {
        OutSlot **at = &link->gone_slots;
        OutSlot *slot;

        while ((slot = *at)) {
                if (slot_state(slot_peek(slot->shm)) != SLOT_IDLE) {
                        at = &slot->next;
                        continue;
                }
                *at = slot->next;
                slot->next = link->free_slots;
                link->free_slots = slot;
        }
}

static OutSlot *claim_locked(OutLink *link, Thread *thread, int *ret_error) {
        OutSlot *slot;

        *ret_error = link->id ? 0 : -EBADF;
        if (*ret_error < 0)
                return NULL;
        if (!link->free_slots)
                take_back_gone_locked(link);
        if (!link->free_slots)
                *ret_error = grow_slots_locked(link);
        slot = link->free_slots;
        if (!slot)
                return NULL;
        link->free_slots = slot->next;
        threads_lock();
        slot->owner = thread;
        slot->next = thread->slots;
        thread->slots = slot;
        threads_unlock();
        return slot;
}

OutSlot *outlink_slot(OutLink *link, Thread *thread, int *ret_error) {
        OutSlot *slot;

        for (slot = thread->slots; slot; slot = slot->next)
                if (slot->link == link)
                        return slot;
        session_lock();
        slot = claim_locked(link, thread, ret_error);
        session_unlock();
        return slot;
}

static void drop_locked(OutSlot *slot, OutSlot **list) {
        threads_lock();
        disown(slot);
        threads_unlock();
        slot->next = *list;
        *list = slot;
}

void outlink_abandon(OutSlot *slot) {
        session_lock();
        if (slot->link->id)
                drop_locked(slot, &slot->link->gone_slots);
        session_unlock();
}

void outlink_thread_exit(Thread *thread) {
        session_lock();
        while (thread->slots)
                drop_locked(thread->slots, &thread->slots->link->free_slots);
        session_unlock();
}

/* The mappings did not come along (MADV_DONTFORK); the records of the parent are left behind. */
void outlink_after_fork(void) {
        links = NULL;
}
