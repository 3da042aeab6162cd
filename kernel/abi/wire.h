/* SPDX-License-Identifier: MIT */
/*
 * Wire: what a process and the daemon say to each other.
 *
 * A process holds two AF_UNIX SOCK_SEQPACKET sockets to the daemon:
 *
 *   request  connected to the daemon's listening socket. The process sends a WireRequest, the daemon
 *            answers each with one WireReply, in order. Requests whose table row says "no reply" are
 *            not answered.
 *   news     a socketpair end that arrives with the answer to GREET. The daemon sends WireNews, the
 *            process never answers. After each, ShmNotice.news counts up and bells are rung. The other way
 *            go WireBoosts, which are not answered; a thread of real-time priority reads them.
 *
 * Descriptors travel by SCM_RIGHTS, in the order of the bits in `fds`, lowest bit first.
 * Every record has one fixed size; anything shorter or longer ends the session.
 * Credentials are never in a record: the daemon takes them from the kernel.
 */
#pragma once

#include "abi/ability.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_VERSION 1u

/*
 * The operations: name, argument member, does it answer.
 * The enum, the dispatcher's table, the names in logs and the fuzz corpus are made from this list.
 */
#define WIRE_OPS(X)                                                                                \
        X(GREET, greet, 1)                   /* first request of a session */                      \
        X(CHANNEL_CREATE, channel_create, 1)                                                       \
        X(CHANNEL_DESTROY, channel_destroy, 1)                                                     \
        X(CONNECT_ATTACH, connect_attach, 1)                                                       \
        X(CONNECT_ADOPT, connect_adopt, 1)   /* use an inherited descriptor; it comes along */     \
        X(CONNECT_DETACH, connect_detach, 0)                                                       \
        X(CONNECT_FLAGS, connect_flags, 1)                                                         \
        X(CONNECT_NUMBER, connect_number, 0) /* the descriptor number a connection got */          \
        X(SCOID_DETACH, scoid_detach, 1)                                                           \
        X(SERVER_INFO, server_info, 1)                                                             \
        X(CLIENT_INFO, client_info, 1)                                                             \
        X(LINK_GROW, link_grow, 1)                                                                 \
        X(EVENT_DELIVER, event_deliver, 1)   /* to the client behind a lane */                     \
        X(STATUS, status, 1)                                                                       \
        X(ABILITY, ability, 1)               /* allow or forbid a process something */             \
        X(ABILITY_NAME, ability_name, 1)                                                           \
        X(ABLE, able, 1)                     /* may a client do something? */                      \
        X(LIMIT, limit, 1)                   /* of channels */                                     \
        X(EVENT_WATCH, event_watch, 1)       /* what of the system's events it wants to know */    \
        X(EVENT_TRIGGER, event_trigger, 1)                                                         \
        X(DAEMON, daemon, 1)                 /* the caller has made itself a daemon */             \
        X(PATH_ATTACH, path_attach, 1)       /* the text comes along as a file */                  \
        X(PATH_DETACH, path_detach, 1)                                                             \
        X(FILE_SYNC, file_sync, 1)           /* descriptors closed before this have been seen */   \
        X(FILE_BIND, file_bind, 1)           /* a server: what does this connection stand for? */

typedef enum WireOp {
#define X(name, member, answers) WIRE_##name,
        WIRE_OPS(X)
#undef X
        WIRE_OPS_N
} WireOp;

/* ---- requests: 64 bytes ---- */

typedef struct WireGreet {
        uint32_t wire_version;   /* WIRE_VERSION, else EPROTO */
        uint32_t layout_version; /* LAYOUT_VERSION, else EPROTO */
        uint32_t flags;          /* WIRE_GREET_... */
} WireGreet;
#define WIRE_GREET_ONE_BELL 1u /* cannot wait on several bells (no futex_waitv): one for all users */
#define WIRE_GREET_OBSERVER 2u /* a tool: no process object, only STATUS is allowed */

typedef struct WireChannelCreate {
        uint32_t flags; /* _NTO_CHF_..., checked by the library; the daemon keeps and reports them */
} WireChannelCreate;

typedef struct WireChannelDestroy {
        int32_t chid;
} WireChannelDestroy;

typedef struct WireConnectAttach {
        int32_t pid;    /* 0 = the caller */
        int32_t chid;
        uint32_t flags; /* _NTO_COF_... */
        int32_t coid;   /* side channel: the number the library chose; else 0: make a descriptor */
} WireConnectAttach;

typedef struct WireConnectAdopt {
        int32_t coid; /* its number in the caller; the descriptor itself comes as fds bit 0 */
} WireConnectAdopt;

typedef struct WireConnectDetach {
        uint32_t connection; /* WireReplyConnect.id */
        uint32_t lost;       /* WIRE_FD_LINK, WIRE_FD_LANE_BELL: came, but could not be kept: send it again */
        uint32_t link;       /* with `lost`: of which link ... */
        uint32_t bell;       /* ... and which bell; the connection may be gone with its descriptor */
} WireConnectDetach;

typedef struct WireConnectFlags {
        int32_t pid;         /* 0 = the caller */
        int32_t coid;
        uint32_t mask;
        uint32_t bits;
} WireConnectFlags;

typedef struct WireConnectNumber {
        uint32_t connection;
        int32_t coid;
} WireConnectNumber;

typedef struct WireScoidDetach {
        int32_t scoid;
} WireScoidDetach;

typedef struct WireServerInfo {
        int32_t pid;    /* whose connections; 0 = the caller */
        int32_t coid;   /* this one or the next higher */
        uint32_t dead;  /* 1 = report dead ones too */
} WireServerInfo;

typedef struct WireClientInfo {
        int32_t scoid; /* -1 = the caller itself */
} WireClientInfo;

typedef struct WireLinkGrow {
        uint32_t link;  /* WireReplyConnect.link, the caller must be its client */
        uint32_t kind;  /* WIRE_EXTENT_... */
        uint64_t bytes; /* bulk: power of two, EXTENT_BULK_MIN .. EXTENT_BULK_MAX; slots: ignored */
} WireLinkGrow;
enum { WIRE_EXTENT_SLOTS = 0, WIRE_EXTENT_BULK = 1 };

/* A struct sigevent, decoded. */
typedef struct WireEvent {
        int32_t notify; /* SIGEV_..., with SIGEV_FLAG_... */
        uint32_t pad;   /* of no meaning */
        uint64_t what;  /* signal, coid, function, address; low half: handle of a registered one */
        uint64_t value;
        union {
                struct {
                        int16_t code;
                        int16_t priority;
                };
                int32_t memop;
                uint64_t attributes;
        };
} WireEvent;
static_assert(sizeof(WireEvent) == 32, "an event is as big as struct sigevent");

typedef struct WireEventDeliver {
        int32_t scoid;    /* of the client, at the caller */
        int32_t coid;     /* by which it sent the message that the event came with */
        uint32_t tid;     /* its thread, as _msg_info.tid */
        uint8_t priority; /* of the caller: that of a pulse with priority -1 */
        uint8_t verify;   /* 1 = only check */
        uint16_t pad;     /* must be 0 */
        WireEvent event;
} WireEventDeliver;
typedef struct WirePathAttach {
        int32_t chid;    /* of the caller */
        uint32_t handle; /* the caller's own, for its clients' connect messages */
        int32_t type;    /* _FTYPE_... */
        uint32_t flags;  /* _RESMGR_FLAG_..., WIRE_PATH_UNIQUE */
        uint32_t bytes;  /* of the text, which is the content of fds bit 0; normalised, the root is empty */
} WirePathAttach;
#define WIRE_PATH_UNIQUE 0x80000000u /* EEXIST if anybody that the same clients see has it */

typedef struct WirePathDetach {
        uint32_t path;
} WirePathDetach;

typedef struct WireFileSync {
        uint32_t zero;
} WireFileSync;

typedef struct WireFileBind {
        int32_t scoid;
        uint32_t index; /* of the connection's word in the client's link */
} WireFileBind;

typedef struct WireStatus {
        uint32_t json; /* 1 = JSON, 0 = a table for people */
} WireStatus;

typedef struct WireAbility {
        int32_t pid;      /* 0 = the caller */
        uint32_t ability; /* number, or ABILITY_ALL */
        uint32_t op;      /* ABILITY_... */
        uint32_t pad;
        union {
                uint64_t range[2];              /* with ABILITY_SUBRANGE: lowest, highest */
                uint64_t listed[ABILITY_WORDS]; /* with ABILITY_ALL: bits of those that are not meant */
        };
} WireAbility;

typedef struct WireAbilityName {
        uint32_t create; /* 1 = make it if there is none */
        char name[ABILITY_NAME];
} WireAbilityName;

typedef struct WireAble {
        int32_t scoid; /* -1 = the caller itself */
        uint32_t ability;
        uint64_t lo, hi; /* PRIORITY: how high; TIMER: lo is the process that gets the pulses, or 0 */
} WireAble;

typedef struct WireLimit {
        int32_t pid; /* 0 = the caller */
        uint32_t set; /* 1 = change it, 0 = look */
        uint64_t soft, hard; /* UINT64_MAX = none */
} WireLimit;

typedef struct WireEventWatch {
        uint32_t events; /* PROCMGR_EVENT_... of <sys/procmgr.h>; 0 = no longer any */
        uint32_t fresh;  /* 1 = it has no socket for them: one given before was lost with an answer */
} WireEventWatch;

typedef struct WireEventTrigger {
        uint32_t events;
} WireEventTrigger;

typedef struct WireDaemon {
        uint32_t pad;
} WireDaemon;

typedef struct WireRequest {
        uint32_t op;     /* WireOp */
        uint32_t serial; /* comes back in the reply */
        uint32_t fds;    /* which descriptors follow */
        uint32_t pad;    /* must be 0 */
        union {
                WireGreet greet;
                WireChannelCreate channel_create;
                WireChannelDestroy channel_destroy;
                WireConnectAttach connect_attach;
                WireConnectAdopt connect_adopt;
                WireConnectDetach connect_detach;
                WireConnectFlags connect_flags;
                WireConnectNumber connect_number;
                WireScoidDetach scoid_detach;
                WireServerInfo server_info;
                WireClientInfo client_info;
                WireLinkGrow link_grow;
                WireEventDeliver event_deliver;
                WirePathAttach path_attach;
                WirePathDetach path_detach;
                WireFileSync file_sync;
                WireFileBind file_bind;
                WireStatus status;
                WireAbility ability;
                WireAbilityName ability_name;
                WireAble able;
                WireLimit limit;
                WireEventWatch event_watch;
                WireEventTrigger event_trigger;
                WireDaemon daemon;
                uint8_t bytes[48];
        };
} WireRequest;
static_assert(sizeof(WireRequest) == 64, "request size");

/* ---- replies: 192 bytes ---- */

typedef struct WireReplyGreet {
        int32_t pid;          /* as the daemon sees it */
        uint32_t uid;
        uint32_t priority_max; /* highest QNX priority the process may use */
        uint32_t process;     /* id of the process object */
} WireReplyGreet;
enum { WIRE_FD_NOTICE = 1, WIRE_FD_PAGE = 2, WIRE_FD_NEWS = 4 }; /* GREET's descriptors */

typedef struct WireReplyChannel {
        int32_t chid;
        uint32_t bell; /* bell id of the first bell (server's own user) */
} WireReplyChannel;
enum { WIRE_FD_BELL = 1 }; /* CHANNEL_CREATE's */

typedef struct WireReplyConnect {
        uint32_t id;         /* of the connection, for DETACH and NUMBER */
        uint32_t index;      /* its word in ShmLink.connections */
        uint32_t link;       /* id of the link; ids are never used twice in a daemon's life */
        uint32_t bell;       /* id of the bell, likewise */
        uint32_t lane;       /* leaf in that bell */
        int32_t scoid;
        int32_t server_pid;  /* as the daemon sees it */
        int32_t chid;
        uint32_t channel_flags;
        uint32_t flags;      /* _NTO_COF_... in force (ADOPT), WIRE_CONNECT_FILE */
        uint8_t token[16];   /* of the link */
} WireReplyConnect;
#define WIRE_CONNECT_FILE 0x10000u /* its server has bound it (FILE_BIND) */
/* Link and bell come the first time only, the descriptor for a coid that is one. */
enum { WIRE_FD_LINK = 1, WIRE_FD_LANE_BELL = 2, WIRE_FD_COID = 4 };
#define WIRE_DETACH_LOST (WIRE_FD_LINK | WIRE_FD_LANE_BELL) /* WireConnectDetach.lost */

typedef struct WireReplyFlags {
        uint32_t flags; /* before the change */
} WireReplyFlags;

typedef struct WireReplyServerInfo {
        int32_t coid;
        int32_t pid;
        int32_t chid;
        int32_t scoid;
        uint32_t flags; /* _NTO_COF_..., with DEAD where it is */
} WireReplyServerInfo;

#define WIRE_GROUPS_MAX 24u

/* Who a client is; the library copies it into _client_info. */
typedef struct WireCredentials {
        int32_t pid;
        int32_t sid;
        uint32_t ruid, euid, suid;
        uint32_t rgid, egid, sgid;
        uint32_t n_groups; /* all supplementary groups; the first WIRE_GROUPS_MAX are listed */
        uint32_t groups[WIRE_GROUPS_MAX];
} WireCredentials;

typedef struct WireReplyExtent {
        uint32_t extent; /* its number in the link, 1 .. EXTENTS_MAX - 1 */
        uint32_t pad;
        uint64_t bytes;
} WireReplyExtent;
enum { WIRE_FD_EXTENT = 1 };

typedef struct WireReplyPath {
        uint32_t path; /* its id */
} WireReplyPath;

/* An open file: what open() made, however many descriptors in however many processes stand for it. */
typedef struct WireReplyFile {
        uint64_t file; /* never 0 */
} WireReplyFile;

typedef struct WireReplyStatus {
        uint64_t bytes; /* of the text in the memfd that comes along */
} WireReplyStatus;
enum { WIRE_FD_STATUS = 1 };

typedef struct WireReplyAbility {
        uint32_t priority_max; /* of the process, from now on */
} WireReplyAbility;

typedef struct WireReplyAbilityName {
        int32_t ability;
} WireReplyAbilityName;

typedef struct WireReplyLimit {
        uint64_t soft, hard; /* UINT64_MAX = none */
} WireReplyLimit;

enum { WIRE_FD_EVENTS = 1 }; /* EVENT_WATCH's, the first time: WireSystemEvents come through it */

typedef struct WireReply {
        uint32_t serial;
        int32_t status; /* 0, or a positive errno: then the union is all 0 and no descriptor comes */
        uint32_t fds;
        uint32_t pad;
        union {
                WireReplyGreet greet;
                WireReplyChannel channel;
                WireReplyConnect connect;
                WireReplyFlags flags;
                WireReplyServerInfo server_info;
                WireCredentials client_info;
                WireReplyExtent extent;
                WireReplyPath path;
                WireReplyFile file;
                WireReplyStatus status_text;
                WireReplyAbility ability;
                WireReplyAbilityName ability_name;
                WireReplyLimit limit;
                uint8_t bytes[176];
        };
} WireReply;
static_assert(sizeof(WireReply) == 192, "reply size");

/* ---- events: 8 bytes, daemon to process, on a socket of their own ---- */

typedef struct WireSystemEvent {
        uint32_t event; /* one bit of PROCMGR_EVENT_... */
        int32_t pid;    /* whom it is about, or who triggered it */
} WireSystemEvent;
static_assert(sizeof(WireSystemEvent) == 8, "event size");

/* ---- news: 192 bytes, daemon to process ---- */

#define WIRE_NEWS(X)                                                                               \
        X(LANE_OPEN, lane_open)     /* to a server: a client process has its first connection */   \
        X(LANE_CLOSE, lane_close)   /* to a server: it has lost its last one, or died */           \
        X(LINK_EXTENT, link_extent) /* to a server: a link has grown */                            \
        X(LINK_CLOSE, link_close)   /* to a server: the client process died; after its LANE_CLOSEs */ \
        X(COID_DEATH, coid_death)   /* to a client: the channel behind a connection has gone */    \
        X(PULSE, pulse)             /* to a server: an event that is a pulse to one of its channels */ \
        X(EVENT, event)             /* to a client: an event that only it can carry out */         \
        X(FILE_CLOSE, file_close)   /* to a server that has bound it: nobody has the file any more */ \
        X(FILE_LEFT, file_left)     /* to a server that has bound it: one process has it no more */

typedef enum WireNewsKind {
#define X(name, member) WIRE_NEWS_##name,
        WIRE_NEWS(X)
#undef X
        WIRE_NEWS_N
} WireNewsKind;

typedef struct WireNewsLaneOpen {
        int32_t scoid;
        int32_t chid;
        uint32_t bell;       /* bell id; WIRE_NEWS_FD_BELL comes along the first time */
        uint32_t lane;       /* leaf */
        uint32_t link;       /* link id; WIRE_NEWS_FD_LINK comes along the first time */
        uint32_t priority_max; /* highest priority the client may use; greater ones are cut */
        uint8_t token[16];
        WireCredentials client;
} WireNewsLaneOpen;
enum { WIRE_NEWS_FD_LINK = 1, WIRE_NEWS_FD_BELL = 2 };

typedef struct WireNewsLaneClose {
        int32_t scoid;
        uint32_t died; /* 1 = the client process is dead, 0 = it detached */
} WireNewsLaneClose;

typedef struct WireNewsExtent {
        uint32_t link;
        uint32_t extent;
        uint32_t kind; /* WIRE_EXTENT_... */
        uint32_t pad;
        uint64_t bytes;
} WireNewsExtent;
enum { WIRE_NEWS_FD_EXTENT = 1 };

typedef struct WireNewsLinkClose {
        uint32_t link;
} WireNewsLinkClose;

typedef struct WireNewsFileClose {
        uint64_t file;
        int32_t chid;
} WireNewsFileClose;

typedef struct WireNewsFileLeft {
        int32_t scoid;
        uint32_t index;
} WireNewsFileLeft;

typedef struct WireNewsCoidDeath {
        uint32_t connection; /* WireReplyConnect.id */
        int32_t coid;
} WireNewsCoidDeath;

typedef struct WireNewsPulse {
        int32_t chid;
        int32_t scoid; /* of the connection that the event names */
        uint64_t value;
        int8_t code;
        uint8_t priority;
        uint16_t pad;
} WireNewsPulse;

typedef struct WireNewsEvent {
        uint32_t tid; /* the thread that it is about */
        uint32_t pad;
        WireEvent event;
} WireNewsEvent;

typedef struct WireNews {
        uint32_t kind; /* WireNewsKind */
        uint32_t fds;
        union {
                WireNewsLaneOpen lane_open;
                WireNewsLaneClose lane_close;
                WireNewsExtent link_extent;
                WireNewsLinkClose link_close;
                WireNewsCoidDeath coid_death;
                WireNewsPulse pulse;
                WireNewsEvent event;
                WireNewsFileClose file_close;
                WireNewsFileLeft file_left;
                uint8_t bytes[184];
        };
} WireNews;
static_assert(sizeof(WireNews) == 192, "news size");

/* ---- boost: 16 bytes, process to daemon, on the news socket ---- */

/* "I am about to wait on this connection: raise who works there." */
typedef struct WireBoost {
        uint32_t connection; /* WireReplyConnect.id */
        uint32_t tid;        /* the kernel's number of the sending thread, as the process knows it */
        uint32_t priority;   /* cut to what the kernel says the thread, or else the process, may have */
        uint32_t pad;        /* must be 0 */
} WireBoost;
static_assert(sizeof(WireBoost) == 16, "boost size");
