/* SPDX-License-Identifier: MIT */
/*
 * Store: copies of our descriptors with somebody who outlives us, by the service manager's
 * descriptor-store protocol to $NOTIFY_SOCKET. Who listens there is systemd or nuntius-hold; a datagram
 * that was sent is safe.
 *
 * A stored descriptor has a short name: the letter of its kind, then the index of its record in base 64.
 * All names come back in one environment variable, which the kernel limits to 128 KiB.
 * Without $NOTIFY_SOCKET there is no store, and each call below is a comparison.
 */
#pragma once

#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of descriptors: name, letter, what the index is of. No letter ever gets another meaning. */
#define STORED(X)                                                                                  \
        X(TABLE, 't')         /* noun, + STORED_TABLE_NEW while a carried-over one replaces it */  \
        X(REQUESTS, 's')      /* process: its request socket */                                    \
        X(PIDFD, 'p')         /* process */                                                        \
        X(NOTICE, 'n')        /* process */                                                        \
        X(PAGE, 'g')          /* process */                                                        \
        X(NEWS, 'w')          /* process: our end */                                               \
        X(NEWS_PEER, 'W')     /* process: its end, until it has been given away */                 \
        X(BELL, 'b')          /* bell */                                                           \
        X(LINK, 'l')          /* link */                                                           \
        X(EXTENT, 'e')        /* extent */                                                         \
        X(LIFELINE, 'f')      /* lifeline: our end */                                              \
        X(LIFELINE_PEER, 'F') /* lifeline: the program's end, until it has been given away */

typedef enum Stored {
#define X(name, letter) STORED_##name,
        STORED(X)
#undef X
        STORED_N
} Stored;

#define STORED_TABLE_NEW  32u
#define STORE_NAME_BYTES  8u /* with the 0 at its end */
#define STORE_MAX_DEFAULT 24000u

/* What belongs to no record. */
#define STORE_NAME_LISTEN "listen" /* the socket that everybody connects to */
#define STORE_NAME_LOCK   "lock"   /* the locked file beside it */

typedef struct Store {
        int fd; /* connected to $NOTIFY_SOCKET; -1 = no store */
        const char *provider;
        uint64_t max; /* descriptors that it takes */
        uint64_t n;   /* that it has */
        uint64_t n_failed;
        bool is_unsettled; /* something was removed that is known to be gone only after a barrier */
        LogRate rate;
} Store;

#define STORE_INIT { .fd = -1, .provider = "none" }

/* Does whoever started us keep descriptors for us? */
bool store_is_offered(void);

/* Looks at the environment. @max: 0 = default; the provider's own $FDSTORE counts for more. */
void store_init(Store *store, uint64_t max);
void store_deinit(Store *store);
bool store_is_on(const Store *store);

/* "READY=1", "STOPPING=1" */
void store_say(Store *store, const char *words);

/*
 * 0, or -errno when it is not kept, which is logged: what @fd belongs to will not survive us.
 * A name that was kept before must have been removed.
 */
int store_keep(Store *store, Stored kind, uint32_t index, int fd);
void store_remove(Store *store, Stored kind, uint32_t index);
/*
 * Waits until the store has let go of all that has been removed, so that what we hold the other end of has
 * hung up; not longer than some milliseconds. Costs nothing if nothing was.
 */
void store_settle(Store *store);
int store_keep_name(Store *store, const char *name, int fd);
void store_remove_name(Store *store, const char *name);

/* Came in from a predecessor's store: it is there already. */
void store_count_kept(Store *store, uint64_t n);

void store_name(Stored kind, uint32_t index, char name[STORE_NAME_BYTES]);
/* False for what is none of ours. */
bool store_name_parse(const char *name, Stored *ret_kind, uint32_t *ret_index);
