/* SPDX-License-Identifier: MIT */
/*
 * Collect: from the bells of a channel into private queues.
 *
 * A leaf bit only says "look": what is there stands in the slot or in the ring, is read once, and
 * decides. Bits that mean nothing (a liar, a message withdrawn meanwhile) cost one look.
 */
#include "runtime/channel.h"
#include "runtime/lane.h"
#include "runtime/news.h"
#include "runtime/receipt.h"
#include "shm/bell.h"
#include "shm/ring.h"
#include "shm/slot.h"
#include "sys/neutrino.h"

#include <stdlib.h>

#define PULSES_OF_ONE_LINK 1024u

/* A sender cannot arrive before our last look nor after this one: a forged stamp gains nothing. */
static uint64_t clamp_stamp(const Channel *channel, uint64_t stamp, uint64_t now) {
        if (stamp < channel->collected)
                return channel->collected;
        return stamp > now ? now : stamp;
}

static uint8_t clamp_priority(const InLink *link, unsigned priority) {
        if (priority > link->priority_max)
                priority = link->priority_max;
        return priority ? (uint8_t)priority : 1;
}

static void take_message(Lane *lane, InSlot *slot, const ShmSlot *shm, uint64_t now) {
        if (slot->entry.queued)
                queue_remove(&slot->lane->channel->queue, &slot->entry);
        slot->lane = lane;
        slot->entry.kind = ENTRY_MESSAGE;
        slot->entry.priority = clamp_priority(lane->link, shm->priority);
        slot->entry.stamp = clamp_stamp(lane->channel, shm->stamp, now);
        queue_push(&lane->channel->queue, &slot->entry);
}

static void take_unblock(Lane *lane, InSlot *slot) {
        Receipt *receipt = slot->receipt;

        if (!receipt || receipt->unblock || receipt->scoid != lane->scoid)
                return;
        receipt->unblock = true;
        channel_pulse_locked(lane->channel, _PULSE_CODE_UNBLOCK, (uint64_t)receipt_rcvid(receipt),
                             receipt->scoid, receipt->priority);
}

static void take_slot(Lane *lane, InSlot *slot, uint64_t now) {
        ShmSlot *shm = inlink_shm(slot);
        uint32_t word;

        slot_expect_receive(shm);
        lane->channel->likely = shm;
        lane->channel->likely_leaf = &lane->bell->map->leaf[lane->leaf];
        word = slot_peek(shm);

        switch (slot_state(word)) {
        case SLOT_SEND:
                take_message(lane, slot, shm, now);
                return;
        case SLOT_REPLY:
                if (word & SLOT_UNBLOCK)
                        take_unblock(lane, slot);
                return;
        case SLOT_GONE:
                if (slot->receipt)
                        receipt_drop_locked(slot->receipt);
                else
                        slot_release(shm);
                return;
        default:
                return;
        }
}

/* Negative codes are the system's: believed only of ourselves. */
static bool may_send(const InLink *link, const RingPulse *in, const Lane *lane) {
        if (!lane || lane->link != link)
                return false;
        return in->code >= 0 || link->client.pid == lane->channel->owner_pid;
}

static void take_pulse(InLink *link, const RingPulse *in, uint64_t now) {
        Lane *lane = lane_find_locked(in->scoid);
        Pulse *pulse;

        if (!may_send(link, in, lane))
                return;
        pulse = pulse_new_locked();
        if (!pulse)
                return;
        pulse->entry.kind = ENTRY_PULSE;
        pulse->entry.priority = clamp_priority(link, in->priority);
        pulse->entry.stamp = clamp_stamp(lane->channel, in->stamp, now);
        pulse->code = in->code;
        pulse->value = in->value;
        pulse->scoid = in->scoid;
        pulse->from = link;
        link->pulses_queued++;
        queue_push(&lane->channel->queue, &pulse->entry);
}

/* At most so many of one link in our memory; the rest stays in its ring until some are received. */
static void collect_ring_up_to(InLink *link, unsigned most) {
        uint64_t now = clock_stamp();
        RingPulse in;

        link->ring_backlog = false;
        for (unsigned n = 0; n < RING_CELLS; n++) {
                if (link->pulses_queued >= most) {
                        link->ring_backlog = true;
                        return;
                }
                if (!ring_take(&link->map->ring, &link->ring_position, &in))
                        return;
                take_pulse(link, &in, now);
        }
        link->ring_backlog = true; /* a flood: the others first */
}

void collect_ring_locked(InLink *link) {
        collect_ring_up_to(link, PULSES_OF_ONE_LINK);
}

void collect_last_pulses_locked(InLink *link) {
        collect_ring_up_to(link, PULSES_OF_ONE_LINK + RING_CELLS);
}

static void take_bits(Lane *lane, uint64_t bits) {
        uint64_t now = clock_stamp();

        if (bits >> BELL_PULSES)
                collect_ring_locked(lane->link);
        bits &= ~(1ull << BELL_PULSES);
        for (; bits; bits &= bits - 1)
                for (uint32_t i = (uint32_t)__builtin_ctzll(bits); i < inlink_n_slots(lane->link);
                     i += BELL_SLOT_BITS)
                        take_slot(lane, inlink_slot(lane->link, i), now);
}

/*
 * A sender knows its lane as soon as the daemon has answered it; our news of it may still be on the way,
 * or unread while the news of a death makes us collect: then the leaf may still be that of the dead,
 * too. Its ringing is kept, for all who have that leaf from now on: several may have come and gone
 * before the one that rang, all in unread news. To look once too often costs nothing.
 */
static void keep_early(InBell *bell, uint32_t leaf, uint64_t bits) {
        uint64_t **group = &bell->early[leaf / BELL_GROUP];

        if (!*group)
                *group = calloc(BELL_GROUP, sizeof(**group));
        if (*group)
                (*group)[leaf % BELL_GROUP] |= bits;
}

void collect_early_locked(Lane *lane) {
        uint64_t *group = lane->bell->early[lane->leaf / BELL_GROUP];
        uint64_t bits;

        if (!group)
                return;
        bits = group[lane->leaf % BELL_GROUP];
        if (!bits)
                return;
        take_bits(lane, bits);
        word_store(&lane->channel->queued_hint, 1);
        if (lane->channel->sleepers > 0)
                bell_wake_one(lane->channel->bells[0]->map);
}

static void collect_bell_locked(InBell *bell, bool cool) {
        BellWalk walk = { .cool = cool };
        uint32_t leaf;
        uint64_t bits;

        while (bell_collect(bell->map, &walk, &leaf, &bits)) {
                Lane *lane;

                /* What the sender was told before it could ring stands in news sent before that. */
                if (news_pending())
                        news_read_locked();
                lane = lane_at(bell, leaf);
                if (!lane || news_is_being_read())
                        keep_early(bell, leaf, bits);
                if (lane)
                        take_bits(lane, bits);
        }
}

void channel_collect_locked(Channel *channel, bool cool) {
        uint64_t begun = clock_stamp();

        if (news_pending())
                news_read_locked();
        word_store_relaxed(&channel->queued_hint, 0);
        for (unsigned i = 0; i < channel->n_bells; i++)
                collect_bell_locked(channel->bells[i], cool);
        channel->collected = begun;
}

bool channel_has_work(Channel *channel) {
        if (word_load(&channel->queued_hint) || news_pending())
                return true;
        for (unsigned i = 0; i < channel->n_bells; i++)
                if (bell_has_work(channel->bells[i]->map)) {
                        if (channel->likely)
                                slot_expect_receive(channel->likely);
                        return true;
                }
        return false;
}
