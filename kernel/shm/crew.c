/* SPDX-License-Identifier: MIT */
#include "shm/crew.h"

#include "shm/word.h"

void crew_set(ShmBell *bell, unsigned i, unsigned priority) {
        word_store(&bell->crew[i].priority, priority);
}

void crew_enter(ShmBell *bell, unsigned i, uint32_t tid, unsigned priority) {
        word_store_relaxed(&bell->crew[i].state, 1 /* STATE_RUNNING */);
        crew_set(bell, i, priority);
        word_store(&bell->crew[i].tid, tid);
}

void crew_leave(ShmBell *bell, unsigned i) {
        word_store(&bell->crew[i].tid, 0);
}

void crew_set_crowded(ShmBell *bell) {
        word_store(&bell->crowded, 1);
}

bool crew_is_crowded(const ShmBell *bell) {
        return word_load(&bell->crowded) != 0;
}

bool crew_member(const ShmBell *bell, unsigned i, CrewMember *ret_member) {
        const ShmCrew *entry = &bell->crew[i];

        ret_member->tid = word_load(&entry->tid);
        ret_member->priority = word_load(&entry->priority);
        ret_member->state = word_load(&entry->state);
        return ret_member->tid != 0;
}

void crew_publish_lowest(ShmBell *bell, unsigned lowest) {
        if (word_load(&bell->lowest) != lowest)
                word_store(&bell->lowest, lowest);
}

void crew_begin_boost(ShmBell *bell) {
        word_add(&bell->boosts, 1);
}
