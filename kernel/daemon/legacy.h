/* SPDX-License-Identifier: MIT */
/*
 * Legacy: the descriptors that a predecessor left in the store, as they come in at the start:
 * $LISTEN_FDS of them from 3 on, named by $LISTEN_FDNAMES, or, where that would be too long, by the text
 * in the descriptor that $NUNTIUS_FDNAMES numbers.
 *
 * What is taken belongs to the taker; what is left at the end belonged to nobody.
 */
#pragma once

#include "daemon/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Heirloom {
        Stored kind;
        uint32_t index;
        int fd; /* -1 = taken */
} Heirloom;

typedef struct Legacy {
        Heirloom *items; /* sorted by kind and index */
        size_t n;
        size_t n_named; /* came out of the store, whatever their names */
        int listen_fd; /* -1 = none */
        int lock_fd;
        bool listen_is_kept; /* by the store, not by a socket unit */
} Legacy;

#define LEGACY_INIT { .listen_fd = -1, .lock_fd = -1 }

/* 0 also when there is none. All of them are close-on-exec from here on. */
int legacy_receive(Legacy *ret_legacy);
/* Closes what was not taken. */
void legacy_deinit(Legacy *legacy);

/* -1 = there is none, or it is taken. */
int legacy_take(Legacy *legacy, Stored kind, uint32_t index);
/* It stays where it is. */
int legacy_peek(const Legacy *legacy, Stored kind, uint32_t index);
/* A further descriptor for it. */
int legacy_copy(const Legacy *legacy, Stored kind, uint32_t index);
bool legacy_has(const Legacy *legacy, Stored kind, uint32_t index);

/* Removes what is left from the store, too. Returns how many there were. */
size_t legacy_drop_rest(Legacy *legacy, Store *store);
