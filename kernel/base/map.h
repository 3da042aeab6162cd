/* SPDX-License-Identifier: MIT */
/*
 * Map: from a number to a pointer. Open addressing, so a lookup touches one or two cache lines and
 * an entry costs no allocation of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct MapCell {
        uint64_t key;
        void *value; /* NULL = cell is free */
} MapCell;

typedef struct Map {
        MapCell *cells;
        size_t n_cells; /* 0 or a power of two */
        size_t n;
} Map;

#define MAP_INIT { .cells = NULL }

/* Two 32-bit numbers as one key. */
static inline uint64_t map_key(uint32_t high, uint32_t low) {
        return (uint64_t)high << 32 | low;
}

void map_init(Map *map);
void map_deinit(Map *map);

/* @value must not be NULL. 0, -EEXIST when @key is taken, -ENOMEM. */
int map_add(Map *map, uint64_t key, void *value);

/* As map_add(), but an old value is replaced. */
int map_set(Map *map, uint64_t key, void *value);

/* The value that was there, or NULL. */
void *map_remove(Map *map, uint64_t key);
void *map_get(const Map *map, uint64_t key);

static inline size_t map_size(const Map *map) {
        return map->n;
}

/* Iterates: *at starts at 0; NULL at the end. Nothing may be added or removed meanwhile. */
void *map_next(const Map *map, size_t *at, uint64_t *ret_key);
