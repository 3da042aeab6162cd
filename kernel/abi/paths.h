/* SPDX-License-Identifier: MIT */
/*
 * Paths: the path space as every process reads it, without asking anybody.
 *
 * A file beside the daemon's socket (SOCKET.paths), written by the daemon alone, read by all.
 * Names in it are public, as the
 * names of /dev are. It says where a path leads; whether one may go there is decided when one does.
 *
 *       0  +----------------------------------+
 *          | header                           |
 *    4096  +----------------------------------+
 *          | filters, one bit a hash          |
 *    8192  +----------------------------------+
 *          | buckets: entry + 1, 0 = none     |
 *   24576  +----------------------------------+
 *          | entries                          |
 *          +----------------------------------+
 *
 * sequence is odd while the daemon writes. A reader copies what it needs, then looks whether sequence is
 * still what it was before, and even. A daemon that died while it wrote leaves it odd: the next one writes
 * the whole anew.
 *
 * Filters: `served` has the hash of each path in it, `above` that of each directory on the way to one. A
 * path none of whose prefixes is in the first, and which is itself not in the second, leads
 * nowhere: that is the usual case.
 */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PATHS_MAGIC   0x4e505448u /* "NPTH" */
#define PATHS_VERSION 1u
#define PATHS_ENTRIES 4096u
#define PATHS_BUCKETS 4096u
#define PATHS_FILTER_BITS 16384u
#define PATH_TEXT     216u /* with its 0 */

/* A path is its text without a slash at the end; the root is the empty one. */
typedef struct ShmPath {
        uint32_t hash;
        uint32_t next;   /* entry + 1 of the same bucket, in the order in which they are to be asked */
        uint32_t id;     /* the daemon's */
        int32_t pid;
        int32_t chid;
        uint32_t handle; /* of resmgr_attach(), for the server */
        int32_t type;    /* _FTYPE_... */
        uint32_t flags;  /* _RESMGR_FLAG_... */
        uint32_t uid;    /* whose processes see it; PATHS_EVERYBODY */
        uint16_t length; /* of the text */
        uint16_t pad;
        char text[PATH_TEXT];
} ShmPath;
static_assert(sizeof(ShmPath) == 256, "entry size");
#define PATHS_EVERYBODY 0xffffffffu
#define PATHS_CLOSED    0xffffffffu /* the daemon has ended */

typedef struct ShmPaths {
        uint32_t magic;
        uint32_t version;
        _Atomic uint32_t sequence; /* daemon: odd while it writes */
        _Atomic uint32_t n;        /* daemon: entries in use, the first ones; PATHS_CLOSED */
        uint8_t pad[4096 - 16];
        _Atomic uint64_t served[PATHS_FILTER_BITS / 64];
        _Atomic uint64_t above[PATHS_FILTER_BITS / 64];
        _Atomic uint32_t buckets[PATHS_BUCKETS];
        ShmPath entries[PATHS_ENTRIES];
} ShmPaths;
static_assert(offsetof(ShmPaths, served) == 4096, "header is one page");
static_assert(offsetof(ShmPaths, buckets) == 8192, "filters are one page");
static_assert(offsetof(ShmPaths, entries) == 24576, "entries");
#define PATHS_BYTES sizeof(ShmPaths)
