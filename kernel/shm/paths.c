/* SPDX-License-Identifier: MIT */
#include "shm/paths.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define TRIES 1000

#define HASH_EMPTY 2166136261u

static uint32_t hash_add(uint32_t hash, char c) {
        return (hash ^ (uint8_t)c) * 16777619u;
}

static uint32_t hash_of(const char *text, size_t length) {
        uint32_t hash = HASH_EMPTY;

        for (size_t i = 0; i < length; i++)
                hash = hash_add(hash, text[i]);
        return hash;
}

/* ---- read ---- */

static bool filter_has(const _Atomic uint64_t *filter, uint32_t hash) {
        uint32_t bit = hash % PATHS_FILTER_BITS;

        return atomic_load_explicit(&filter[bit / 64], memory_order_relaxed) >> (bit % 64) & 1;
}

bool paths_is_valid(const ShmPaths *paths) {
        return paths->magic == PATHS_MAGIC && paths->version == PATHS_VERSION;
}

bool paths_is_closed(const ShmPaths *paths) {
        return atomic_load_explicit(&paths->n, memory_order_relaxed) == PATHS_CLOSED;
}

bool paths_is_empty(const ShmPaths *paths) {
        return atomic_load_explicit(&paths->n, memory_order_relaxed) == 0;
}

static uint32_t read_begin(const ShmPaths *paths) {
        return atomic_load_explicit(&paths->sequence, memory_order_acquire);
}

/* What was read is true if nobody wrote since read_begin(). */
static bool read_end(const ShmPaths *paths, uint32_t sequence) {
        atomic_thread_fence(memory_order_acquire);
        return !(sequence & 1) && atomic_load_explicit(&paths->sequence, memory_order_relaxed) == sequence;
}

/* Each prefix in turn; PERHAPS at the first that is served. */
static PathsHint hint_once(const ShmPaths *paths, const char *path) {
        uint32_t hash = HASH_EMPTY;

        for (const char *at = path; *at; at++) {
                if (*at == '/') {
                        if (at[1] == '/' || at[1] == '.' || at[1] == '\0')
                                return PATHS_UNSURE;
                        if (filter_has(paths->served, hash))
                                return PATHS_PERHAPS;
                }
                hash = hash_add(hash, *at);
        }
        return filter_has(paths->served, hash) || filter_has(paths->above, hash) ? PATHS_PERHAPS
                                                                                 : PATHS_NOWHERE;
}

PathsHint paths_hint(const ShmPaths *paths, const char *path) {
        uint32_t sequence = read_begin(paths);
        PathsHint hint = hint_once(paths, path);

        return read_end(paths, sequence) ? hint : PATHS_UNSURE;
}

/* Copied whole before it is looked at; the length may be torn. */
static bool copy_entry(const ShmPaths *paths, uint32_t at, ShmPath *ret) {
        if (at >= PATHS_ENTRIES)
                return false;
        *ret = paths->entries[at];
        return ret->length < PATH_TEXT;
}

static size_t find_once(const ShmPaths *paths, const char *text, size_t length, ShmPath *ret, size_t max) {
        uint32_t hash = hash_of(text, length);
        uint32_t at = atomic_load_explicit(&paths->buckets[hash % PATHS_BUCKETS], memory_order_relaxed);
        size_t n = 0;
        ShmPath entry;

        /* bounded: a torn chain may go round */
        for (uint32_t steps = 0; at != 0 && n < max && steps < PATHS_ENTRIES; steps++, at = entry.next) {
                if (!copy_entry(paths, at - 1, &entry))
                        break;
                if (entry.hash == hash && entry.length == length && memcmp(entry.text, text, length) == 0)
                        ret[n++] = entry;
        }
        return n;
}

int paths_find(const ShmPaths *paths, const char *text, size_t length, ShmPath *ret, size_t max) {
        if (length >= PATH_TEXT)
                return 0;
        for (int i = 0; i < TRIES; i++) {
                uint32_t sequence = read_begin(paths);
                size_t n = find_once(paths, text, length, ret, max);

                if (read_end(paths, sequence))
                        return (int)n;
                sched_yield();
        }
        return -EAGAIN;
}

static bool is_below(const ShmPath *entry, const char *text, size_t length) {
        return entry->length > length && entry->text[length] == '/' && memcmp(entry->text, text, length) == 0;
}

bool paths_next_below(const ShmPaths *paths, const char *text, size_t length, uint32_t *at, ShmPath *ret) {
        uint32_t n = paths_is_closed(paths) ? 0 : atomic_load_explicit(&paths->n, memory_order_acquire);

        for (; *at < n && *at < PATHS_ENTRIES; ++*at) {
                for (int i = 0; i < TRIES; i++) {
                        uint32_t sequence = read_begin(paths);
                        bool whole = copy_entry(paths, *at, ret);

                        if (read_end(paths, sequence)) {
                                if (whole && is_below(ret, text, length)) {
                                        ++*at;
                                        return true;
                                }
                                break;
                        }
                        sched_yield();
                }
        }
        return false;
}

/* ---- write ---- */

static void write_begin(ShmPaths *paths) {
        uint32_t sequence = atomic_load_explicit(&paths->sequence, memory_order_relaxed);

        atomic_store_explicit(&paths->sequence, sequence | 1, memory_order_relaxed);
        /* readers that see any of what follows see the odd number */
        atomic_thread_fence(memory_order_release);
}

static void write_end(ShmPaths *paths) {
        uint32_t sequence = atomic_load_explicit(&paths->sequence, memory_order_relaxed);

        atomic_store_explicit(&paths->sequence, (sequence | 1) + 1, memory_order_release);
}

static void filter_add(_Atomic uint64_t *filter, uint32_t hash) {
        uint32_t bit = hash % PATHS_FILTER_BITS;

        atomic_fetch_or_explicit(&filter[bit / 64], 1ull << (bit % 64), memory_order_relaxed);
}

static void filter_add_entry(ShmPaths *paths, const ShmPath *entry) {
        uint32_t hash = HASH_EMPTY;

        for (uint32_t i = 0; i < entry->length; i++) {
                if (entry->text[i] == '/')
                        filter_add(paths->above, hash);
                hash = hash_add(hash, entry->text[i]);
        }
        filter_add(paths->served, hash);
}

static void filter_clear(_Atomic uint64_t *filter) {
        for (uint32_t i = 0; i < PATHS_FILTER_BITS / 64; i++)
                atomic_store_explicit(&filter[i], 0, memory_order_relaxed);
}

/* Last first, so that each chain has the order of the array. */
static void fill(ShmPaths *paths, const ShmPath *entries, uint32_t n) {
        for (uint32_t i = n; i > 0; i--) {
                ShmPath *entry = &paths->entries[i - 1];
                _Atomic uint32_t *bucket;

                *entry = entries[i - 1];
                entry->hash = hash_of(entry->text, entry->length);
                bucket = &paths->buckets[entry->hash % PATHS_BUCKETS];
                entry->next = atomic_load_explicit(bucket, memory_order_relaxed);
                atomic_store_explicit(bucket, i, memory_order_relaxed);
                filter_add_entry(paths, entry);
        }
}

void paths_init(ShmPaths *paths) {
        paths->magic = PATHS_MAGIC;
        paths->version = PATHS_VERSION;
}

void paths_write(ShmPaths *paths, const ShmPath *entries, uint32_t n) {
        write_begin(paths);
        filter_clear(paths->served);
        filter_clear(paths->above);
        for (uint32_t i = 0; i < PATHS_BUCKETS; i++)
                atomic_store_explicit(&paths->buckets[i], 0, memory_order_relaxed);
        fill(paths, entries, n);
        atomic_store_explicit(&paths->n, n, memory_order_relaxed);
        write_end(paths);
}

void paths_close(ShmPaths *paths) {
        paths_write(paths, NULL, 0);
        atomic_store_explicit(&paths->n, PATHS_CLOSED, memory_order_release);
}
