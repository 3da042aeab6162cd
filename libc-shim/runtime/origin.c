/* SPDX-License-Identifier: MIT */
#include "runtime/origin.h"

#include "base/map.h"

#include <stdlib.h>

static Origin line[ORIGINS]; /* a ring; its pages are touched as messages come */
static uint32_t next_place;
static Map kept = MAP_INIT;  /* rcvid -> Origin, those that events went to */

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

static void keep(const Origin *origin) {
        Origin *copy = malloc(sizeof(*copy));
        Origin *before = map_remove(&kept, (uint32_t)origin->rcvid);

        free(before);
        if (!copy)
                return; /* found in the line as long as it is there */
        *copy = *origin;
        if (map_add(&kept, (uint32_t)origin->rcvid, copy) < 0)
                free(copy);
}

bool origin_find_locked(int rcvid, Origin *ret_origin) {
        const Origin *origin = map_get(&kept, (uint32_t)rcvid);

        if (!origin && rcvid > 0) {
                origin = search(rcvid);
                if (origin)
                        keep(origin);
        }
        if (origin)
                *ret_origin = *origin;
        return origin != NULL;
}

static Origin *kept_of(int scoid) {
        size_t at = 0;
        Origin *origin;

        while ((origin = map_next(&kept, &at, NULL)))
                if (origin->scoid == scoid)
                        return origin;
        return NULL;
}

void origin_forget_locked(int scoid) {
        Origin *origin;

        while (map_size(&kept) > 0 && (origin = kept_of(scoid)))
                free(map_remove(&kept, (uint32_t)origin->rcvid));
}

void origins_after_fork(void) {
        for (uint32_t i = 0; i < next_place && i < ORIGINS; i++)
                line[i].rcvid = 0;
        next_place = 0;
        map_deinit(&kept);
        kept = (Map)MAP_INIT;
}
