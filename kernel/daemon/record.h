/* SPDX-License-Identifier: MIT */
/*
 * Record: what stands in the object tables, one structure for each noun: all facts that a daemon
 * started after this one needs to go on. Objects in memory point to their record and keep no copy.
 */
#pragma once

#include "abi/layout.h"
#include "abi/wire.h"
#include "daemon/table.h"

/* What users are charged for: name in status and logs, option. */
#define CHARGES(X)                                                                                 \
        X(PROCESSES, processes)     /* greeted processes */                                        \
        X(CHANNELS, channels)       /* of its processes */                                         \
        X(CONNECTIONS, connections) /* of its processes, to whomever */                            \
        X(LINKS, links)             /* of its processes as clients */                              \
        X(BYTES, bytes)             /* of shared memory, reserved */                               \
        X(FDS, fds)                 /* that the daemon holds for it */                             \
        X(SESSIONS, sessions)       /* that have not greeted, or only look */                      \
        X(SCOIDS, scoids)           /* of clients that have gone, kept for a server */

typedef enum Charge {
#define X(name, word) CHARGE_##name,
        CHARGES(X)
#undef X
        CHARGE_N
} Charge;

/* Nouns: name, structure, records at most. */
#define NOUNS(X)                                                                                   \
        X(USER, UserRecord, 1u << 16)                                                              \
        X(PROCESS, ProcessRecord, 1u << 20)                                                        \
        X(CHANNEL, ChannelRecord, 1u << 21)                                                        \
        X(BELL, BellRecord, 1u << 22)                                                              \
        X(LINK, LinkRecord, 1u << 21)                                                              \
        X(EXTENT, ExtentRecord, 1u << 22)                                                          \
        X(LANE, LaneRecord, 1u << 22)                                                              \
        X(LIFELINE, LifelineRecord, 1u << 22)                                                      \
        X(CONNECTION, ConnectionRecord, 1u << 23)

typedef enum Noun {
#define X(name, type, max) NOUN_##name,
        NOUNS(X)
#undef X
        NOUN_N
} Noun;

typedef struct UserRecord {
        RecordHead head;
        uint32_t uid;
        uint32_t pad;
        uint64_t charges[CHARGE_N];
} UserRecord;

typedef struct ProcessRecord {
        RecordHead head;
        RecordRef user;
        uint32_t id; /* never used twice */
        int32_t pid;
        uint32_t uid;
        uint32_t greet_flags;
        uint32_t priority_max;
        int32_t next_chid;
        uint32_t next_scoid; /* number of it, before the bits are placed */
        uint32_t pad;
        WireCredentials credentials;
        Abilities abilities;
        uint32_t is_daemon; /* 1 = procmgr_daemon() */
        uint32_t pad2;
} ProcessRecord;

typedef struct ChannelRecord {
        RecordHead head;
        RecordRef process;
        uint32_t id; /* never used twice */
        int32_t chid;
        uint32_t flags;
        uint32_t pad;
} ChannelRecord;

typedef struct BellRecord {
        RecordHead head;
        RecordRef channel;
        uint64_t inode;
        uint32_t id; /* never used twice */
        uint32_t uid; /* of the clients that it was made for */
        uint32_t announced; /* 1 = the server has its descriptor */
        uint32_t pad;
} BellRecord;

typedef struct LinkRecord {
        RecordHead head;
        RecordRef client;
        RecordRef server;
        uint64_t inode;
        uint64_t bytes;
        uint32_t id; /* never used twice */
        uint32_t announced;
        uint8_t token[LINK_TOKEN_BYTES];
} LinkRecord;

typedef struct ExtentRecord {
        RecordHead head;
        RecordRef link;
        uint64_t inode;
        uint64_t bytes;
        uint32_t number;
        uint32_t kind; /* WIRE_EXTENT_... */
} ExtentRecord;

typedef struct LaneRecord {
        RecordHead head;
        RecordRef client; /* none when it has died */
        RecordRef channel;
        RecordRef bell;
        RecordRef link; /* none when its client has died */
        int32_t scoid;
        uint32_t leaf;
        uint32_t noshare;
        uint32_t announced;
        uint32_t zombie; /* 1 = its client has gone, the server has not detached the scoid */
        uint32_t pad;
        WireCredentials credentials; /* of the client; may have to outlive it */
} LaneRecord;

typedef struct LifelineRecord {
        RecordHead head;
        RecordRef channel; /* none when it has gone */
        RecordRef creator; /* none when it has gone */
        uint64_t cookie; /* SO_COOKIE of the end that programs hold: the kernel never gives it twice */
        uint32_t uid;
        uint32_t flags; /* _NTO_COF_... given at ConnectAttach */
} LifelineRecord;

typedef struct ConnectionRecord {
        RecordHead head;
        RecordRef client;
        RecordRef lane; /* none when dead */
        RecordRef link; /* none when the server process has died */
        RecordRef lifeline; /* none for a side channel */
        uint32_t id;
        uint32_t index; /* of its word in the link */
        int32_t coid; /* COID_NONE = not told yet */
        uint32_t flags; /* _NTO_COF_..., DEAD when it is */
        int32_t server_pid;
        int32_t chid;
        int32_t scoid;
        uint32_t channel_flags;
} ConnectionRecord;
