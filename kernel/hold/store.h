/* SPDX-License-Identifier: MIT */
/*
 * Store: descriptors by name, whatever they are. Several may have one name.
 */
#pragma once

#include "base/map.h"

#include <stdbool.h>
#include <stddef.h>

#define STORE_NAME_MAX 255u

typedef struct Store {
        Map by_name; /* hash of the name -> Kept, and on along Kept.next */
        size_t n;
        size_t max;
        size_t name_bytes; /* of all names together, one separator each */
} Store;

void store_init(Store *store, size_t max);

/* Printing ASCII without a colon, not too long: what fits into $LISTEN_FDNAMES. */
bool store_name_is_good(const char *name, size_t n);

/*
 * Takes @fd over, also when it fails. An open file that has this name already is kept once.
 * 0, -ENOSPC when the store is full, -ENOMEM.
 */
int store_add(Store *store, const char *name, int fd);

/* Closes all of that name. */
void store_remove(Store *store, const char *name);

/* Closes all but those of this name (NULL: all). */
void store_remove_all_but(Store *store, const char *name);

typedef struct StoreItem {
        const char *name; /* lives as long as it is kept */
        int fd;
} StoreItem;

/* All of them by rising descriptor number, in memory of the caller's; NULL when there is none or no memory. */
StoreItem *store_list(const Store *store);
