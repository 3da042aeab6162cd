/* SPDX-License-Identifier: MIT */
/*
 * Paths: reading and writing the path space's summary.
 *
 * Readers and the writer are never locked out of each other: whoever reads takes what it read only if nothing
 * was written meanwhile.
 */
#pragma once

#include "abi/paths.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- read ---- */

bool paths_is_valid(const ShmPaths *paths);
bool paths_is_empty(const ShmPaths *paths);
/* Its daemon has ended; the next one has a file of its own. */
bool paths_is_closed(const ShmPaths *paths);

/*
 * What can be said of a path in one pass, without copying anything.
 * @path: absolute. UNSURE: it must be normalised first, or the daemon was writing.
 */
typedef enum PathsHint {
        PATHS_NOWHERE, /* nothing serves it, and nothing lies below it */
        PATHS_PERHAPS,
        PATHS_UNSURE,
} PathsHint;
PathsHint paths_hint(const ShmPaths *paths, const char *path);

/*
 * Copies the entries with exactly this text, in the order in which they are to be asked, at most @max of them.
 * The number; -EAGAIN when the daemon was writing all the time.
 */
int paths_find(const ShmPaths *paths, const char *text, size_t length, ShmPath *ret, size_t max);

/* Entries from *at on that lie below @text; for directories that are there only because of them. False: no more. */
bool paths_next_below(const ShmPaths *paths, const char *text, size_t length, uint32_t *at, ShmPath *ret);

/* ---- write: the daemon ---- */

void paths_init(ShmPaths *paths);
void paths_close(ShmPaths *paths);
/* Writes all of it anew. Entries of one text stand in the order in which they are to be asked. */
void paths_write(ShmPaths *paths, const ShmPath *entries, uint32_t n);
