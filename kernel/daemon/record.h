/* SPDX-License-Identifier: MIT */
/*
 * Record: what stands in the object tables, one structure for each noun: all facts that a daemon
 * started after this one needs to go on. Objects in memory point to their record and keep no copy.
 */
#pragma once

#include "abi/layout.h"
#include "abi/paths.h"
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
        X(PATHS, paths)             /* names in the path space */                                  \
        X(SCOIDS, scoids)           /* of clients that have gone, kept for a server */

typedef enum Charge {
#define X(name, word) CHARGE_##name,
        CHARGES(X)
#undef X
        CHARGE_N
} Charge;

/*
 * Nouns: name, structure, records at most. New ones go to the end: a noun's number names its table. New
 * fields go to the end of their structure, and zero means what was before; the structure without them is
 * carried over (table.h).
 */
#define NOUNS(X)                                                                                   \
        X(KERNEL, KernelRecord, 1)                                                                 \
        X(JOURNAL, JournalRecord, 1)                                                               \
        X(USER, UserRecord, 1u << 16)                                                              \
        X(PROCESS, ProcessRecord, 1u << 20)                                                        \
        X(CHANNEL, ChannelRecord, 1u << 21)                                                        \
        X(BELL, BellRecord, 1u << 22)                                                              \
        X(LINK, LinkRecord, 1u << 21)                                                              \
        X(EXTENT, ExtentRecord, 1u << 22)                                                          \
        X(LANE, LaneRecord, 1u << 22)                                                              \
        X(LIFELINE, LifelineRecord, 1u << 22)                                                      \
        X(CONNECTION, ConnectionRecord, 1u << 23)                                                  \
        X(PATH, PathRecord, PATHS_ENTRIES)

typedef enum Noun {
#define X(name, type, max) NOUN_##name,
        NOUNS(X)
#undef X
        NOUN_N
} Noun;

typedef struct NounShape {
        const char *name; /* of its table */
        size_t record_bytes;
        uint32_t records_max;
} NounShape;

const NounShape *noun_shape(Noun noun);

typedef struct KernelRecord {
        RecordHead head;
        uint32_t n_nouns;
        uint32_t n_starts;     /* of daemons that went on with these tables */
        uint32_t n_unfinished; /* starts in a row that did not come to their end */
        uint32_t next_process_id, next_channel_id, next_bell_id, next_link_id, next_connection_id;
        uint32_t wire_version;   /* that its processes speak, and by which their memory is laid out: of */
        uint32_t layout_version; /* others, a daemon can take over the tables and not the processes */
        uint32_t n_crashed; /* starts in a row that ended by a fault of their own */
        uint32_t next_path_id;
        uint32_t pad;
} KernelRecord;

#define JOURNAL_REDO_MAX 8u
#define ANSWER_FDS       3u /* one for each bit of WireReply.fds */

/* "There stands this": done as often as one likes. */
typedef struct JournalRedo {
        uint32_t noun;
        RecordRef record; /* which may have gone since */
        uint32_t offset;
        uint32_t value;
} JournalRedo;

typedef struct JournalFd {
        uint32_t kind; /* Stored */
        uint32_t index;
} JournalFd;

/* One request that is being carried out (journal.h). LIVE = committed. */
typedef struct JournalRecord {
        RecordHead head;
        RecordRef process; /* who asked */
        WireRequest request;
        WireReply reply;
        uint32_t answers; /* 1 = the reply is sent */
        uint32_t n_redo;
        JournalFd fds[ANSWER_FDS]; /* by bit of reply.fds */
        JournalRedo redo[JOURNAL_REDO_MAX];
        uint32_t is_sent; /* 1 = the reply has been sent: not again */
        int32_t news_chid;
        RecordRef news_to; /* a process; none when nobody is to be told anything, or has been */
        WireNews news;     /* of no object: PULSE, EVENT */
} JournalRecord;

/* Derived from all others: a successor makes them anew. */
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
        uint64_t requests_cookie; /* SO_COOKIE of its sockets and inodes of its memory: how a stored */
        uint64_t news_cookie;     /* descriptor is known to be the right one */
        uint64_t notice_inode;
        uint64_t page_inode;
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
        RecordRef client; /* none when it has died and only that has still to be told: no memory then */
        RecordRef server;
        uint64_t inode;
        uint64_t bytes;
        uint32_t id; /* never used twice */
        uint32_t announced;
        uint8_t token[LINK_TOKEN_BYTES];
        uint32_t client_lacks; /* 1 = its client could not keep the descriptor that it was given */
        uint32_t pad;
} LinkRecord;

typedef struct ExtentRecord {
        RecordHead head;
        RecordRef link;
        uint64_t inode;
        uint64_t bytes;
        uint32_t number;
        uint32_t kind; /* WIRE_EXTENT_... */
        uint32_t announced; /* 1 = the server has it */
        uint32_t pad;
} ExtentRecord;

typedef struct LaneRecord {
        RecordHead head;
        RecordRef client; /* none when it has gone */
        RecordRef channel;
        RecordRef bell;
        RecordRef link; /* none when its client has gone */
        int32_t scoid;
        uint32_t leaf;
        uint32_t noshare;
        uint32_t announced;
        uint32_t zombie; /* 1 = its client has gone, the server has not detached the scoid */
        uint32_t closed; /* LANE_...: its client has gone */
        WireCredentials credentials; /* of the client; may have to outlive it */
        uint32_t told; /* 1 = the server knows that it is closed */
        uint32_t pad;
} LaneRecord;

enum {
        LANE_OPEN = 0,
        LANE_DETACHED = 1,
        LANE_DIED = 2,
};

typedef struct LifelineRecord {
        RecordHead head;
        RecordRef channel; /* none when it has gone */
        RecordRef creator; /* none when it has gone */
        uint64_t cookie; /* SO_COOKIE of the end that programs hold: the kernel never gives it twice */
        uint32_t uid;
        uint32_t flags; /* _NTO_COF_... given at ConnectAttach */
        uint64_t own_cookie; /* of our end */
        uint32_t bound; /* 1 = its server wants to hear of its end */
        uint32_t pad;
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
        uint32_t told; /* 1 = its process knows that it is dead */
        uint32_t bound; /* 1 = its server wants to hear of its end */
        uint32_t pad;
} ConnectionRecord;

typedef struct PathRecord {
        RecordHead head;
        RecordRef channel;
        uint64_t order; /* among those of one text, the smaller first */
        uint32_t id;    /* never used twice */
        uint32_t uid;   /* whose processes see it; PATHS_EVERYBODY */
        uint32_t handle;
        int32_t type;
        uint32_t flags;
        uint32_t length;
        char text[PATH_TEXT];
} PathRecord;
