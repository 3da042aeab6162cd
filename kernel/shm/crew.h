/* SPDX-License-Identifier: MIT */
/*
 * Crew: the threads of a channel, as its first bell lists them for those who raise them.
 *
 * Whoever raises first counts `boosts` up, then looks at the crew; whoever lowers itself first says so
 * in the crew, then does it, then looks at `boosts`. One of the two sees the other.
 */
#pragma once

#include "abi/layout.h"

#include <stdbool.h>

/* Server, under its own lock. */
void crew_enter(ShmBell *bell, unsigned i, uint32_t tid, unsigned priority);
void crew_leave(ShmBell *bell, unsigned i);
void crew_set(ShmBell *bell, unsigned i, unsigned priority);
void crew_set_crowded(ShmBell *bell);

/* Server: the lowest priority of all, for every bell of the channel; 0 = nobody. */
void crew_publish_lowest(ShmBell *bell, unsigned lowest);

/* Sender: begins to raise; from here on the server looks again. */
void crew_begin_boost(ShmBell *bell);

/* Sender: a copy of entry @i; false when it is free. */
typedef struct CrewMember {
        uint32_t tid;
        uint32_t priority;
        uint32_t state;
} CrewMember;
bool crew_member(const ShmBell *bell, unsigned i, CrewMember *ret_member);
bool crew_is_crowded(const ShmBell *bell);
