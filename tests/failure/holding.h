/* SPDX-License-Identifier: MIT */
/*
 * Holding: what this process holds: what would be more after a call that leaked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct Holding {
        long fds;
        long maps;      /* of the daemon's regions */
        long heap;      /* bytes; 0 where it cannot be told */
        long objects;   /* that the daemon holds for it: channels, connections, lanes */
} Holding;

Holding holding_now(void);

/* A sentence about the first thing of which @after has more than @before; NULL when there is none. */
const char *holding_excess(const Holding *before, const Holding *after);
