/* SPDX-License-Identifier: MIT */
/*
 * Coids: the connections of a process in the order of their numbers, for "this one or the next
 * higher". A sorted array: numbers mostly grow, so an insertion mostly appends.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Connection Connection;

typedef struct Coid {
        int32_t number;
        Connection *connection;
} Coid;

typedef struct Coids {
        Coid *entries;
        size_t n;
        size_t room;
} Coids;

void coids_deinit(Coids *coids);

/* Makes room for one more, so that the next coids_set() cannot fail. 0 or -ENOMEM. */
int coids_reserve(Coids *coids);
/* @number now means @connection. Returns what it meant before, or NULL. */
Connection *coids_set(Coids *coids, int32_t number, Connection *connection);
/* Forgets @number if it means @connection. */
void coids_remove(Coids *coids, int32_t number, const Connection *connection);

Connection *coids_get(const Coids *coids, int32_t number);
/* Position of the first entry whose number is @number or higher; coids->n at the end. */
size_t coids_at_or_above(const Coids *coids, int32_t number);
