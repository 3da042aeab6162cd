/* SPDX-License-Identifier: MIT */
#include "daemon/coids.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void coids_deinit(Coids *coids) {
        free(coids->entries);
        *coids = (Coids){ .entries = NULL };
}

int coids_reserve(Coids *coids) {
        size_t room = coids->room ? coids->room * 2 : 8;
        Coid *entries;

        if (coids->n < coids->room)
                return 0;
        entries = realloc(coids->entries, room * sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        coids->entries = entries;
        coids->room = room;
        return 0;
}

size_t coids_at_or_above(const Coids *coids, int32_t number) {
        size_t low = 0, high = coids->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (coids->entries[middle].number < number)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static size_t coids_find(const Coids *coids, int32_t number) {
        size_t at = coids_at_or_above(coids, number);

        return at < coids->n && coids->entries[at].number == number ? at : coids->n;
}

Connection *coids_get(const Coids *coids, int32_t number) {
        size_t at = coids_find(coids, number);

        return at < coids->n ? coids->entries[at].connection : NULL;
}

Connection *coids_set(Coids *coids, int32_t number, Connection *connection) {
        size_t at = coids_at_or_above(coids, number);

        if (at < coids->n && coids->entries[at].number == number) {
                Connection *before = coids->entries[at].connection;

                coids->entries[at].connection = connection;
                return before;
        }
        assert(coids->n < coids->room);
        memmove(&coids->entries[at + 1], &coids->entries[at], (coids->n - at) * sizeof(Coid));
        coids->entries[at] = (Coid){ .number = number, .connection = connection };
        coids->n++;
        return NULL;
}

void coids_remove(Coids *coids, int32_t number, const Connection *connection) {
        size_t at = coids_find(coids, number);

        if (at == coids->n || coids->entries[at].connection != connection)
                return;
        memmove(&coids->entries[at], &coids->entries[at + 1], (coids->n - at - 1) * sizeof(Coid));
        coids->n--;
}
