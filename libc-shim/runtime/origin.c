/* SPDX-License-Identifier: MIT */
#include "runtime/origin.h"

#include "base/map.h"

#include <stdlib.h>

typedef struct Kept {
        Origin origin;
        uint32_t place; /* in kept_line, counted on */
} Kept;

static Origin line[ORIGINS]; /* a ring; its pages are touched as messages come */
static uint32_t next_place;
static Map kept = MAP_INIT;  /* rcvid -> Kept */
static Kept *kept_line[ORIGINS_KEPT];
static uint32_t next_kept;

void origin_note_locked(const Origin *origin) {
        line[next_place++ % ORIGINS] = *origin;
}

/* Latest first: a number that has come again means the latest. */
static const Origin *search(int rcvid) {
        for (uint32_t back = 1; back <= ORIGINS; back++) {
                const Origin *origin = &line[(next_place - back) % ORIGINS];

                if (origin->rcvid == rcvid)
                        return origin;
                if (origin->rcvid == 0)
                        return NULL;
        }
        return NULL;
}

static void drop(Kept *entry) {
        kept_line[entry->place % ORIGINS_KEPT] = NULL;
        map_remove(&kept, (uint32_t)entry->origin.rcvid);
        free(entry);
}

/* Without memory it is found in the line as long as it is there. */
static void keep(const Origin *origin) {
        Kept *oldest = kept_line[next_kept % ORIGINS_KEPT];
        Kept *entry = malloc(sizeof(*entry));

        if (oldest)
                drop(oldest);
        if (!entry || map_add(&kept, (uint32_t)origin->rcvid, entry) < 0) {
                free(entry);
                return;
        }
        *entry = (Kept){ .origin = *origin, .place = next_kept };
        kept_line[next_kept++ % ORIGINS_KEPT] = entry;
}

/* One that is about to be forgotten goes to the end of the line. */
static void refresh(Kept *entry) {
        Origin origin = entry->origin;

        if (next_kept - entry->place < ORIGINS_KEPT / 2)
                return;
        drop(entry);
        keep(&origin);
}

bool origin_find_locked(int rcvid, Origin *ret_origin) {
        Kept *entry = map_get(&kept, (uint32_t)rcvid);
        const Origin *origin;

        if (rcvid <= 0)
                return false;
        if (entry) {
                *ret_origin = entry->origin;
                refresh(entry);
                return true;
        }
        origin = search(rcvid);
        if (!origin)
                return false;
        *ret_origin = *origin;
        keep(origin);
        return true;
}

void origins_after_fork(void) {
        for (uint32_t i = 0; i < next_place && i < ORIGINS; i++)
                line[i].rcvid = 0;
        for (uint32_t i = 0; i < ORIGINS_KEPT; i++)
                if (kept_line[i])
                        drop(kept_line[i]);
        next_place = next_kept = 0;
}
