/* SPDX-License-Identifier: MIT */
#include "hold/store.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct Kept Kept;

struct Kept {
        Kept *next; /* with the same hash */
        int fd;
        char name[];
};

void store_init(Store *store, size_t max) {
        *store = (Store){ .max = max };
        map_init(&store->by_name);
}

bool store_name_is_good(const char *name, size_t n) {
        if (n == 0 || n > STORE_NAME_MAX)
                return false;
        for (size_t i = 0; i < n; i++)
                if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
                        return false;
        return true;
}

/* FNV-1a */
static uint64_t name_hash(const char *name) {
        uint64_t hash = 0xcbf29ce484222325u;

        for (; *name; name++)
                hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
        return hash;
}

/* Is this the same open file? Where the kernel does not say, it is another one. */
static bool is_same_file(int a, int b) {
        pid_t self = getpid();

        return syscall(SYS_kcmp, self, self, KCMP_FILE, a, b) == 0;
}

static bool has_already(const Kept *kept, const char *name, int fd) {
        for (; kept; kept = kept->next)
                if (strcmp(kept->name, name) == 0 && is_same_file(kept->fd, fd))
                        return true;
        return false;
}

int store_add(Store *store, const char *name, int fd) {
        _cleanup_close_ int owned = fd;
        _cleanup_free_ Kept *kept = NULL;
        uint64_t hash = name_hash(name);
        int r;

        if (has_already(map_get(&store->by_name, hash), name, fd))
                return 0;
        if (store->n >= store->max)
                return -ENOSPC;
        kept = malloc(sizeof(*kept) + strlen(name) + 1);
        if (!kept)
                return error_fold(-ENOMEM);
        strcpy(kept->name, name);
        kept->next = map_get(&store->by_name, hash);
        r = map_set(&store->by_name, hash, kept);
        if (r)
                return error_fold(r);
        kept->fd = TAKE_FD(owned);
        store->n++;
        store->name_bytes += strlen(name) + 1;
        (void)TAKE(kept);
        return 0;
}

static void kept_free(Store *store, Kept *kept) {
        store->n--;
        store->name_bytes -= strlen(kept->name) + 1;
        fd_close(kept->fd);
        free(kept);
}

/* Frees those of the chain that are called @name, or are not when @but; returns what is left of it. */
static Kept *weed(Store *store, Kept *chain, const char *name, bool but) {
        Kept *left = NULL, *next;

        for (; chain; chain = next) {
                bool is_called = name && strcmp(chain->name, name) == 0;

                next = chain->next;
                if (is_called != but) {
                        kept_free(store, chain);
                        continue;
                }
                chain->next = left;
                left = chain;
        }
        return left;
}

void store_remove(Store *store, const char *name) {
        uint64_t hash = name_hash(name);
        Kept *left = weed(store, map_remove(&store->by_name, hash), name, false);

        if (left)
                (void)map_set(&store->by_name, hash, left); /* into the cell that has just become free */
}

void store_remove_all_but(Store *store, const char *name) {
        Map old = store->by_name;
        uint64_t hash;
        size_t at = 0;
        Kept *chain;

        map_init(&store->by_name);
        while ((chain = map_next(&old, &at, &hash))) {
                Kept *left = weed(store, chain, name, true);

                if (left && map_set(&store->by_name, hash, left) < 0)
                        weed(store, left, NULL, true);
        }
        map_deinit(&old);
}

static int by_fd(const void *a, const void *b) {
        const StoreItem *left = a, *right = b;

        return (left->fd > right->fd) - (left->fd < right->fd);
}

StoreItem *store_list(const Store *store) {
        StoreItem *items = store->n ? malloc(store->n * sizeof(*items)) : NULL;
        size_t at = 0, n = 0;
        const Kept *kept;

        if (!items)
                return NULL;
        while ((kept = map_next(&store->by_name, &at, NULL)))
                for (; kept; kept = kept->next)
                        items[n++] = (StoreItem){ .name = kept->name, .fd = kept->fd };
        qsort(items, n, sizeof(*items), by_fd);
        return items;
}
