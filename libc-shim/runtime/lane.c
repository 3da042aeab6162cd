/* SPDX-License-Identifier: MIT */
#include "runtime/lane.h"

#include "abi/wire.h"
#include "base/map.h"
#include "runtime/receipt.h"
#include "runtime/retire.h"
#include "runtime/session.h"
#include "shm/slot.h"

#include <errno.h>
#include <stdlib.h>

static Map lanes = MAP_INIT;

Lane *lane_find_locked(int scoid) {
        return map_get(&lanes, (uint32_t)scoid);
}

Lane *lane_at(const InBell *bell, uint32_t leaf) {
        Lane **group = bell->groups[leaf / BELL_GROUP];

        return group ? group[leaf % BELL_GROUP] : NULL;
}

int lane_open_locked(Channel *channel, InBell *bell, InLink *link, int32_t scoid, uint32_t leaf) {
        Lane ***group = &bell->groups[leaf / BELL_GROUP];
        Lane *lane;

        if (leaf >= BELL_LANES)
                return -EPROTO;
        if (!*group)
                *group = calloc(BELL_GROUP, sizeof(**group));
        lane = calloc(1, sizeof(*lane));
        if (!*group || !lane || map_add(&lanes, (uint32_t)scoid, lane) < 0) {
                free(lane);
                return -ENOMEM;
        }
        *lane = (Lane){
                .scoid = scoid, .leaf = leaf, .link = link, .channel = channel, .bell = bell,
        };
        (*group)[leaf % BELL_GROUP] = lane;
        link->n_lanes++;
        collect_early_locked(lane);
        return 0;
}

/* Messages of this lane that wait in the queue: their senders have gone, or are about to be told. */
static void unqueue_locked(Lane *lane) {
        for (uint32_t i = 0; i < inlink_n_slots(lane->link); i++) {
                InSlot *slot = inlink_slot(lane->link, i);

                if (slot->entry.queued && slot->lane == lane)
                        queue_remove(&lane->channel->queue, &slot->entry);
        }
}

/* The daemon may give the leaf to another lane while we keep this one for its scoid. */
static void leave_leaf(Lane *lane) {
        Lane **place = &lane->bell->groups[lane->leaf / BELL_GROUP][lane->leaf % BELL_GROUP];

        if (*place == lane)
                *place = NULL;
        collect_unexpect_locked(lane);
}

void lane_close_locked(Lane *lane) {
        unqueue_locked(lane);
        leave_leaf(lane);
        lane->closed = true;
}

static void free_record(void *record, size_t bytes) {
        (void)bytes;
        free(record);
}

void lane_free_locked(Lane *lane) {
        unqueue_locked(lane);
        map_remove(&lanes, (uint32_t)lane->scoid);
        leave_leaf(lane);
        inlink_put_lane_locked(lane->link);
        retire(free_record, lane, 0);
}

static void fail_waiting(const InSlot *slot) {
        if (!slot_receive(slot->shm, slot->generation))
                return;
        slot_put_error(slot->shm, ESRCH);
        slot_reply(slot->shm, slot->generation);
}

static void fail_locked(Lane *lane) {
        receipts_reclaim_locked();
        for (uint32_t i = 0; i < inlink_n_slots(lane->link); i++) {
                InSlot *slot = inlink_slot(lane->link, i);

                if (slot->receipt && slot->receipt->scoid == lane->scoid)
                        receipt_fail_locked(slot->receipt, ESRCH);
                /* that one may be answered already, and its client have sent again */
                if (slot->entry.queued && slot->lane == lane)
                        fail_waiting(slot);
        }
}

void lanes_fail_locked(Channel *channel) {
        Lane *lane, *chain = NULL;
        size_t at = 0;

        while ((lane = map_next(&lanes, &at, NULL)))
                if (lane->channel == channel) {
                        lane->chain = chain;
                        chain = lane;
                }
        while ((lane = chain)) {
                chain = lane->chain;
                fail_locked(lane);
                lane_free_locked(lane);
        }
}

int lane_detach(int scoid) {
        WireRequest request = { .op = WIRE_SCOID_DETACH, .scoid_detach = { .scoid = scoid } };
        WireReply reply;
        int fds[SESSION_FDS];
        Lane *lane;
        int r;

        server_lock();
        lane = lane_find_locked(scoid);
        server_unlock();
        if (!lane)
                return -EINVAL;
        r = session_ask(&request, -1, &reply, fds); /* makes its connections dead */
        server_lock();
        lane = lane_find_locked(scoid);
        if (lane) {
                channel_collect_locked(lane->channel, false);
                lane = lane_find_locked(scoid); /* collecting may have brought the news of its end */
        }
        if (lane) {
                fail_locked(lane);
                lane_free_locked(lane);
        }
        server_unlock();
        retire_collect();
        return r;
}

void lanes_after_fork(void) {
        lanes = (Map)MAP_INIT;
}
