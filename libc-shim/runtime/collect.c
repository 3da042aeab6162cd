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
#include "shm/word.h"
#include "sys/neutrino.h"

#include <stdlib.h>

#define PULSES_OF_ONE_LINK 1024u

/*
 * A sender cannot arrive before our last look nor after this one: a forged stamp gains nothing. The clock
 * costs as much as all the rest of a look, so it is read only where there is somebody to compare with.
 */
static uint64_t clamp_stamp(const Channel *channel, uint64_t stamp) {
        uint64_t now;

        if (stamp < channel->collected)
                return channel->collected;
        if (channel->queue.n == 0)
                return stamp;
        now = clock_stamp();
        return stamp > now ? now : stamp;
}

static uint8_t clamp_priority(const InLink *link, unsigned priority) {
        if (priority > link->priority_max)
                priority = link->priority_max;
        return priority ? (uint8_t)priority : 1;
}

/* False: it goes by another lane, at whose bell it will be found. */
static bool take_message(Lane *lane, InSlot *slot, uint32_t generation) {
        const ShmSlot *shm = slot->shm;

        if (SHM_LOAD(shm->scoid) != lane->scoid)
                return false;
        if (slot->entry.queued && slot->generation == generation && slot->lane == lane &&
            slot->entry.priority >= clamp_priority(lane->link, SHM_LOAD(shm->priority)))
                return true; /* else its sender has been raised */
        if (slot->entry.queued)
                queue_remove(&slot->lane->channel->queue, &slot->entry);
        slot->lane = lane;
        slot->generation = generation;
        slot->entry.kind = ENTRY_MESSAGE;
        slot->entry.priority = clamp_priority(lane->link, SHM_LOAD(shm->priority));
        slot->entry.stamp = clamp_stamp(lane->channel, SHM_LOAD(shm->stamp));
        queue_push(&lane->channel->queue, &slot->entry);
        return true;
}

static void take_unblock(Lane *lane, InSlot *slot) {
        Receipt *receipt = slot->receipt;

        if (!receipt || receipt->unblock || receipt->scoid != lane->scoid)
                return;
        receipt->unblock = true;
        channel_pulse_locked(lane->channel, _PULSE_CODE_UNBLOCK, (uint64_t)receipt_rcvid(receipt),
                             receipt->scoid, receipt->priority);
}

/* True when it was a message. */
static bool take_slot(Lane *lane, InSlot *slot) {
        uint32_t word = slot_peek(slot->shm);

        switch (slot_state(word)) {
        case SLOT_SEND:
                return take_message(lane, slot, slot_generation(word));
        case SLOT_REPLY:
                if (word & SLOT_UNBLOCK)
                        take_unblock(lane, slot);
                return false;
        case SLOT_GONE:
                if (slot->receipt)
                        receipt_drop_locked(slot->receipt);
                else
                        slot_release(slot->shm, slot_generation(word));
                return false;
        default:
                return false;
        }
}

/* Negative codes are the system's: believed only of ourselves. */
static bool may_send(const InLink *link, const RingPulse *in, const Lane *lane) {
        if (!lane || lane->link != link)
                return false;
        return in->code >= 0 || link->client.pid == lane->channel->owner_pid;
}

/* Its receivers may look at nothing but their queue, or sleep. */
static void wake_receiver_locked(Channel *channel) {
        word_store(&channel->queued_hint, 1);
        if (channel->sleepers > 0)
                bell_wake_one(channel->bells[0]->map);
}

/* Nearly always that of the regular. */
static Lane *lane_of(const RingPulse *in, const Channel *here) {
        Lane *regular = here->bells[0]->regular.lane;

        return regular && regular->scoid == in->scoid ? regular : lane_find_locked(in->scoid);
}

static void take_pulse(InLink *link, const RingPulse *in, const Channel *here) {
        Lane *lane = lane_of(in, here);
        Pulse *pulse;

        if (!may_send(link, in, lane))
                return;
        pulse = pulse_new_locked(); /* there is one: collect_ring_up_to() has seen to it */
        pulse->entry.kind = ENTRY_PULSE;
        pulse->entry.priority = clamp_priority(link, in->priority);
        pulse->entry.stamp = clamp_stamp(lane->channel, in->stamp);
        pulse->code = in->code;
        pulse->value = in->value;
        pulse->scoid = in->scoid;
        pulse->from = link;
        link->pulses_queued++;
        queue_push(&lane->channel->queue, &pulse->entry);
        if (lane->channel != here)
                wake_receiver_locked(lane->channel);
}

static bool ring_next_locked(InLink *link, RingPulse *ret_pulse) {
        uint32_t position = word_load_relaxed(&link->ring_position);

        if (!ring_take(&link->map->ring, &position, ret_pulse))
                return false;
        word_store_relaxed(&link->ring_position, position);
        return true;
}

/*
 * Its lane may stand in news behind that which makes us collect: then it waits in the ring, and its sender's
 * ringing waits for the lane. Once all news is read, a lane that we do not know is none.
 */
static bool is_early(const RingPulse *in) {
        return news_unread() && !lane_find_locked(in->scoid);
}

/*
 * At most so many of one link in our memory; the rest stays in its ring until some are received. False: it
 * stays there because there is no memory.
 */
static bool collect_ring_up_to(InLink *link, unsigned most, const Channel *here) {
        RingPulse in;

        word_store_relaxed(&link->ring_backlog, 0);
        for (unsigned n = 0; n < RING_CELLS; n++) {
                if (link->pulses_queued >= most) {
                        word_store_relaxed(&link->ring_backlog, 1);
                        return true;
                }
                if (!ring_peek(&link->map->ring, word_load_relaxed(&link->ring_position), &in))
                        return true;
                if (is_early(&in)) {
                        word_store_relaxed(&link->ring_backlog, 1);
                        return true;
                }
                if (!pulse_stock_locked())
                        return false;
                if (!ring_next_locked(link, &in))
                        return true;
                take_pulse(link, &in, here);
        }
        word_store_relaxed(&link->ring_backlog, 1); /* a flood: the others first */
        return true;
}

bool collect_ring_locked(InLink *link, const Channel *here) {
        return collect_ring_up_to(link, PULSES_OF_ONE_LINK, here);
}

bool collect_last_pulses_locked(InLink *link, const Channel *here) {
        return collect_ring_up_to(link, PULSES_OF_ONE_LINK + RING_CELLS, here);
}

/* Whom to expect: see regular.h. A predecessor may have come without ringing, as it was told. */
static void note_visit(Lane *lane, uint32_t number) {
        Visitor former;

        if (!regular_came_locked(lane->bell, (Visitor){ lane, number }, &former) || !former.lane)
                return;
        if (former.slot == BELL_EXPECTS_PULSES)
                collect_ring_locked(former.lane->link, lane->channel);
        else
                take_slot(former.lane, inlink_slot(former.lane->link, former.slot));
}

static void take_bits(Lane *lane, uint64_t bits) {
        if (bits >> BELL_PULSES) {
                if (!collect_ring_locked(lane->link, lane->channel))
                        bell_put_back(lane->bell->map, lane->leaf, 1ull << BELL_PULSES);
                note_visit(lane, BELL_EXPECTS_PULSES);
        }
        bits &= ~(1ull << BELL_PULSES);
        for (; bits; bits &= bits - 1)
                for (uint32_t i = (uint32_t)__builtin_ctzll(bits); i < inlink_n_slots(lane->link);
                     i += BELL_SLOT_BITS)
                        if (take_slot(lane, inlink_slot(lane->link, i)))
                                note_visit(lane, i);
}

/*
 * Whatever its message is (one for another channel, too), it has been looked at. A backlog is looked at once for
 * each wake, and no reason to go on looking.
 */
static void collect_regular_locked(Regular *regular, const Channel *here) {
        InSlot *slot = word_pointer_load(&regular->slot);
        InLink *link = word_pointer_load(&regular->link);

        if (slot && regular_is_here(regular)) {
                regular_seen_locked(regular, slot_generation(slot_peek(slot->shm)));
                take_slot(regular->lane, slot);
        }
        if (link && ring_has_next(&link->map->ring, word_load_relaxed(&link->ring_position))) {
                regular_seen_locked(regular, 0);
                collect_ring_locked(link, here);
        }
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
        else
                bell_put_back(bell->map, leaf, bits); /* no memory: the next look finds it again */
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
        wake_receiver_locked(lane->channel);
}

/* Its next owner may have read in the bell that it is expected; the regular may have come just now. */
void collect_unexpect_locked(Lane *lane) {
        uint32_t slot;

        if (!regular_leaves_locked(lane->bell, lane, &slot))
                return;
        keep_early(lane->bell, lane->leaf,
                   1ull << (slot == BELL_EXPECTS_PULSES ? BELL_PULSES : slot % BELL_SLOT_BITS));
}

static void collect_bell_locked(InBell *bell, bool cool) {
        BellWalk walk = { .cool = cool || bell->regular.is_new };
        uint32_t leaf;
        uint64_t bits;

        bell->regular.is_new = false;
        while (bell_collect(bell->map, &walk, &leaf, &bits)) {
                Lane *lane;

                /* What the sender was told before it could ring stands in news sent before that. */
                if (news_pending())
                        news_read_locked();
                lane = lane_at(bell, leaf);
                if (!lane || news_unread())
                        keep_early(bell, leaf, bits);
                if (lane)
                        take_bits(lane, bits);
        }
}

void channel_collect_locked(Channel *channel, bool cool) {
        if (news_pending())
                news_read_locked();
        word_store_relaxed(&channel->queued_hint, 0);
        for (unsigned i = 0; i < channel->n_bells; i++) {
                collect_regular_locked(&channel->bells[i]->regular, channel);
                collect_bell_locked(channel->bells[i], cool);
        }
        if (channel->queue.n != 1)
                channel->collected = clock_stamp();
}

bool channel_has_work(Channel *channel) {
        if (word_load(&channel->queued_hint) || news_pending() || channel_has_regular(channel))
                return true;
        for (unsigned i = 0; i < channel->n_bells; i++)
                if (bell_has_work(channel->bells[i]->map))
                        return true;
        return false;
}
