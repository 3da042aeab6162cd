/* SPDX-License-Identifier: MIT */
#include "neutrino/message.h"

#include "shm/word.h"
#include "shm/xfer.h"

#include <errno.h>
#include <string.h>

/* From this size on one copy by the kernel beats two through shared memory, where it is permitted (measured). */
#define DIRECT_MIN (32u * 1024u)
#define DIRECT_PARTS_MAX (SLOT_MESSAGE_ROOM / sizeof(struct iovec))

static bool may_go_direct(const Message *message, const OutSlot *slot) {
        return (size_t)message->send_bytes >= DIRECT_MIN && message->send_parts <= DIRECT_PARTS_MAX &&
               word_load_relaxed(&slot->link->map->direct) == 1;
}

/* The server reads our memory while we are blocked: it gets our iovec in place of the bytes. */
static int put_direct(const Message *message, OutSlot *slot) {
        memcpy(slot->shm->message, message->send, message->send_parts * sizeof(struct iovec));
        slot->shm->message_at = SLOT_AT_DIRECT;
        slot->shm->parts = (uint32_t)message->send_parts;
        return 0;
}

static int put_bulk(const Message *message, OutSlot *slot) {
        int r = outlink_bulk(slot->link, &slot->message, (uint64_t)message->send_bytes);

        if (r < 0)
                return r;
        slot->shm->message_at = slot->message.extent;
        return xfer_gather(slot->message.map, message->send, message->send_parts, 0,
                           (size_t)message->send_bytes) ? 0 : -EFAULT;
}

static int put_bytes(const Message *message, OutSlot *slot) {
        if ((size_t)message->send_bytes > SLOT_MESSAGE_ROOM)
                return may_go_direct(message, slot) ? put_direct(message, slot)
                                                    : put_bulk(message, slot);
        slot->shm->message_at = SLOT_AT_INLINE;
        return xfer_gather(slot->shm->message, message->send, message->send_parts, 0,
                           (size_t)message->send_bytes) ? 0 : -EFAULT;
}

static int put_reply_area(const Message *message, OutSlot *slot) {
        int r;

        slot->shm->reply_at = SLOT_AT_INLINE;
        if ((size_t)message->reply_bytes <= SLOT_REPLY_ROOM)
                return 0;
        r = outlink_bulk(slot->link, &slot->reply, (uint64_t)message->reply_bytes);
        slot->shm->reply_at = slot->reply.extent;
        return r;
}

int message_put(const Message *message, OutSlot *slot) {
        ShmSlot *shm = slot->shm;
        int r;

        shm->message_bytes = (uint64_t)message->send_bytes;
        shm->reply_room = (uint64_t)message->reply_bytes;
        r = put_reply_area(message, slot);
        return r < 0 ? r : put_bytes(message, slot);
}

/* One range of the answer; what the server says is believed no further than the area goes. */
static int take_range(const Message *message, const uint8_t *area, uint64_t from, uint64_t to) {
        if (to > (uint64_t)message->reply_bytes)
                to = (uint64_t)message->reply_bytes;
        if (from >= to)
                return 0;
        return xfer_scatter(message->reply, message->reply_parts, from, area + from, to - from)
                       ? 0 : -EFAULT;
}

static int take_ranges(const Message *message, const ShmSlot *shm, const uint8_t *area) {
        uint64_t ranges[SLOT_RANGES_MAX][2];
        uint64_t n = SHM_LOAD(shm->reply_ranges);
        int r = 0;

        if (n > SLOT_RANGES_MAX)
                return 0;
        memcpy(ranges, shm->message, n * sizeof(ranges[0]));
        for (uint64_t i = 0; i < n && r == 0; i++)
                r = take_range(message, area, ranges[i][0], ranges[i][1]);
        return r;
}

int message_take_reply(const Message *message, const OutSlot *slot) {
        const ShmSlot *shm = slot->shm;
        const uint8_t *area = slot->reply.map;

        if ((size_t)message->reply_bytes <= SLOT_REPLY_ROOM)
                area = shm->reply;
        if (SHM_LOAD(shm->failed) & SLOT_REPLY_HAS_RANGES)
                return take_ranges(message, shm, area);
        return take_range(message, area, 0, SHM_LOAD(shm->reply_bytes));
}
