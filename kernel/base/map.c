/* SPDX-License-Identifier: MIT */
/* Map: linear probing, at most 3/4 full, removal by moving followers back (no tombstones). */
#include "base/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define MAP_CELLS_MIN 16u

void map_init(Map *map) {
        *map = (Map)MAP_INIT;
}

void map_deinit(Map *map) {
        free(map->cells);
        map_init(map);
}

static size_t cell_home(const Map *map, uint64_t key) {
        key ^= key >> 32;
        key *= 0x9e3779b97f4a7c15ull;
        return (size_t)(key >> 32) & (map->n_cells - 1);
}

/* The cell of @key, or the free cell where it would go. */
static MapCell *map_find(const Map *map, uint64_t key) {
        size_t at = cell_home(map, key);

        while (map->cells[at].value && map->cells[at].key != key)
                at = (at + 1) & (map->n_cells - 1);
        return &map->cells[at];
}

static int map_resize(Map *map, size_t n_cells) {
        Map grown = { .n_cells = n_cells, .n = map->n };

        grown.cells = calloc(n_cells, sizeof(*grown.cells));
        if (!grown.cells)
                return -ENOMEM;
        for (size_t i = 0; i < map->n_cells; i++)
                if (map->cells[i].value)
                        *map_find(&grown, map->cells[i].key) = map->cells[i];
        free(map->cells);
        *map = grown;
        return 0;
}

static int map_make_room(Map *map) {
        if (map->n_cells == 0)
                return map_resize(map, MAP_CELLS_MIN);
        if ((map->n + 1) * 4 <= map->n_cells * 3)
                return 0;
        return map_resize(map, map->n_cells * 2);
}

static int map_store(Map *map, uint64_t key, void *value, bool replace) {
        MapCell *cell;
        int r;

        assert(value);
        r = map_make_room(map);
        if (r)
                return r;
        cell = map_find(map, key);
        if (cell->value && !replace)
                return -EEXIST;
        if (!cell->value)
                map->n++;
        *cell = (MapCell){ .key = key, .value = value };
        return 0;
}

int map_add(Map *map, uint64_t key, void *value) {
        return map_store(map, key, value, false);
}

int map_set(Map *map, uint64_t key, void *value) {
        return map_store(map, key, value, true);
}

void *map_get(const Map *map, uint64_t key) {
        if (map->n == 0)
                return NULL;
        return map_find(map, key)->value;
}

/* Moves followers back into the hole, so that every key stays reachable from its home. */
static void map_close_gap(Map *map, size_t hole) {
        size_t mask = map->n_cells - 1;

        for (size_t at = (hole + 1) & mask; map->cells[at].value; at = (at + 1) & mask) {
                size_t home = cell_home(map, map->cells[at].key);

                if (((at - home) & mask) < ((at - hole) & mask))
                        continue;
                map->cells[hole] = map->cells[at];
                hole = at;
        }
        map->cells[hole] = (MapCell){ .key = 0 };
}

void *map_remove(Map *map, uint64_t key) {
        MapCell *cell;
        void *value;

        if (map->n == 0)
                return NULL;
        cell = map_find(map, key);
        value = cell->value;
        if (!value)
                return NULL;
        map_close_gap(map, (size_t)(cell - map->cells));
        map->n--;
        return value;
}

void *map_next(const Map *map, size_t *at, uint64_t *ret_key) {
        while (*at < map->n_cells) {
                const MapCell *cell = &map->cells[(*at)++];

                if (!cell->value)
                        continue;
                if (ret_key)
                        *ret_key = cell->key;
                return cell->value;
        }
        return NULL;
}
