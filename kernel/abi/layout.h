/* SPDX-License-Identifier: MIT */
/*
 * Layout: every byte that two processes share, and who may write it when.
 *
 * The daemon makes each segment below as a memfd sealed against shrinking and growing, and hands the
 * descriptor to exactly those who may map it. Nothing else in the tree defines shared layout.
 *
 *   segment        mapped by                              a liar can
 *   -------------  -------------------------------------  ---------------------------------------
 *   link           one client process, one server process spoil its own conversation
 *   link extent    the same two (more slots, or bulk)     spoil its own conversation
 *   bell           one channel's server, one user's       delay clients of the same user
 *                  clients, the daemon
 *   notice         daemon writes, one process reads       nothing
 *   process page   one process writes, daemon reads       misreport itself
 *
 * Reading rule: a word that another process can write is loaded once into a local, the local is
 * checked, the local is used. No pointer and no unchecked offset is ever taken from here.
 *
 * Version history
 *   1  first layout
 *   2  a bell names the sender that its server expects, a message the lane it goes by; a slot goes
 *      from DONE to SEND without a stop
 *   3  priorities: the bell's crew and count of boosts, the notice's, a thread's channel
 *
 * Negotiation: a process says LAYOUT_VERSION when it greets the daemon, which refuses (EPROTO) every
 * version but its own; the number is stored in each segment for tools.
 */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define LAYOUT_VERSION 3u
#define LAYOUT_MAGIC   0x4e554e54u /* "NUNT" */
#define LAYOUT_PAGE    4096u

/* ---------------------------------------------------------------- slot ----------------------- */

/*
 * ShmSlot: one MsgSend on its way. A slot belongs to one sending thread at a time.
 *
 * The word holds everything that is decided by compare-and-swap:
 *
 *   31            6 5        4          3        2     0
 *  +---------------+----------+----------+--------+------+
 *  | generation:26 | TELL     | UNBLOCK  | ASLEEP | state|
 *  +---------------+----------+----------+--------+------+
 *
 * IDLE  -> SEND   client thread   message written; generation + 1                slot_send
 * DONE  -> SEND   client thread   the same, after the outcome has been read      slot_send
 * SEND  -> SEND   client thread   time-out for REPLY alone: flag TELL            slot_tell
 * SEND  -> REPLY  server thread   taken by MsgReceive                            slot_receive
 * SEND  -> IDLE   client thread   time-out, signal, cancel; loses to slot_receive slot_withdraw
 * SEND  -> DONE   daemon          server process died                            slot_fail
 * REPLY -> DONE   server thread   MsgReply, MsgError, channel destroyed          slot_reply
 * REPLY -> DONE   daemon          server process died                            slot_fail
 * REPLY -> REPLY  client thread   wants out, channel has UNBLOCK: flag UNBLOCK   slot_unblock
 * REPLY -> GONE   client thread   wants out, channel has no UNBLOCK              slot_abandon
 * GONE  -> IDLE   server thread   no server thread copies any more               slot_release
 * DONE  -> IDLE   client thread   nobody will read the outcome                   slot_finish
 *
 * ASLEEP is set and cleared by the client thread around its futex wait on the word, and cleared by
 * its signal handler so that the kernel does not put it back to sleep; whoever ends the conversation
 * and finds it set, wakes. Taking the message wakes only a client that set TELL: one whose time-out
 * begins to count there. The generation changes with every SEND, so a late reply fails its
 * compare-and-swap.
 */
enum {
        SLOT_IDLE = 0,
        SLOT_SEND = 1,
        SLOT_REPLY = 2,
        SLOT_DONE = 3,
        SLOT_GONE = 4,
};
#define SLOT_STATE_MASK       0x00000007u
#define SLOT_ASLEEP           0x00000008u
#define SLOT_UNBLOCK          0x00000010u
#define SLOT_TELL             0x00000020u
#define SLOT_GENERATION_SHIFT 6
#define SLOT_GENERATION_ONE   (1u << SLOT_GENERATION_SHIFT)
#define SLOT_GENERATION_MASK  (~(SLOT_GENERATION_ONE - 1u))

/*
 *  slot, 16 KiB
 *     0  +--------------------------------------------------------------+
 *        | who sends, how much, where it lies                   64 bytes |
 *    64  +--------------------------------------------------------------+
 *        | message, inline                                    8128 bytes |
 *  8192  +--------------------------------------------------------------+
 *        | word, status, how much comes back                    32 bytes |
 *  8224  +--------------------------------------------------------------+
 *        | reply area, inline                                 8160 bytes |
 * 16384  +--------------------------------------------------------------+
 *
 * The client writes the first half, the server the second; only the word is written by both. The line
 * that the client watches brings it the state, the status and a small reply at once.
 */
#define SLOT_STRIDE       16384u
#define SLOT_MESSAGE_AT   64u
#define SLOT_MESSAGE_ROOM (8192u - SLOT_MESSAGE_AT)
#define SLOT_ANSWER_AT    8192u
#define SLOT_REPLY_AT     (SLOT_ANSWER_AT + 32u)
#define SLOT_REPLY_ROOM   (SLOT_STRIDE - SLOT_REPLY_AT)

/* Where a message or a reply area lies (ShmSlot.message_at, .reply_at). */
#define SLOT_AT_INLINE 0u          /* in the slot */
#define SLOT_AT_DIRECT 0xffffffffu /* message: in the client's own memory; its iovec stands inline */
                                   /* any other value: the link extent of that number, offset 0 */

/* ShmSlot.failed */
#define SLOT_FAILED          1u /* status is -errno (MsgError), not a value */
#define SLOT_REPLY_HAS_RANGES 2u /* only `reply_ranges` pairs [from, to) of uint64_t, which stand in the */
                                /* message's place, were written: leave the client's other bytes alone */
#define SLOT_RANGES_MAX       32u

typedef struct ShmSlot {
        /* "in IDLE" below: in IDLE or DONE, by the thread that the slot belongs to */
        uint64_t stamp;        /* client, in IDLE: clock_stamp() of the send, orders equal priorities */
        uint64_t message_bytes; /* client, in IDLE: bytes offered */
        uint64_t reply_room;   /* client, in IDLE: bytes the client can take back */
        uint32_t connection;   /* client, in IDLE: index into ShmLink's connection words */
        uint32_t message_at;   /* client, in IDLE: SLOT_AT_... */
        uint32_t reply_at;     /* client, in IDLE: SLOT_AT_INLINE or an extent */
        uint32_t parts;        /* client, in IDLE, SLOT_AT_DIRECT: elements of its iovec */
        int32_t coid;          /* client, in IDLE: the number the sender used, for _msg_info.coid */
        int32_t tid;           /* client, in IDLE: the sender's thread number, for _msg_info.tid */
        uint16_t client_core;  /* client: processor it sends from */
        uint16_t why;          /* client, with UNBLOCK: errno of the reason (EINTR, ETIMEDOUT) */
        uint8_t priority;      /* client, in IDLE: 1..255 */
        uint8_t pad0[3];       /* must be 0 */
        int32_t scoid;         /* client, in IDLE: the lane it goes by, as the daemon named it */
        uint8_t pad1[4];       /* must be 0 */
        uint8_t message[SLOT_MESSAGE_ROOM]; /* client, in IDLE */
        /* second half */
        _Atomic uint32_t word; /* see above */
        uint16_t server_core;  /* server: processor it last ran on */
        uint8_t failed;        /* server, in REPLY: SLOT_FAILED, SLOT_REPLY_HAS_RANGES */
        uint8_t pad2;          /* must be 0 */
        int64_t status;        /* server, in REPLY: what MsgSend returns; -errno when SLOT_FAILED */
        uint64_t reply_bytes;  /* server, in REPLY: high-water mark of the bytes written back */
        uint64_t reply_ranges; /* server, in REPLY, with SLOT_REPLY_HAS_RANGES: how many */
        uint8_t reply[SLOT_REPLY_ROOM]; /* server, in REPLY */
} ShmSlot;
static_assert(sizeof(ShmSlot) == SLOT_STRIDE, "slot is one stride");
static_assert(offsetof(ShmSlot, message) == SLOT_MESSAGE_AT, "the description is one cache line");
static_assert(offsetof(ShmSlot, word) == SLOT_ANSWER_AT, "the server's half is its own");
static_assert(offsetof(ShmSlot, reply) == SLOT_REPLY_AT, "a small answer is one cache line");

/* ---------------------------------------------------------------- ring ----------------------- */

/*
 * ShmRing: bounded ring of pulses from one client process to one server process. Any thread of
 * the client (also a signal handler) puts, one server thread at a time takes.
 *
 * Cell i is free for position p (p mod n == i) when its sequence is p, and full when it is p + 1; the
 * taker makes it p + n. A client killed between claiming a cell and filling it stops only its own ring.
 */
#define RING_CELLS 1024u

typedef struct ShmPulse {
        _Atomic uint32_t sequence; /* client: p + 1 when full; server: p + n when taken */
        int32_t scoid;             /* client: the lane it goes by, as the daemon named it */
        uint64_t stamp;            /* client: clock_stamp() */
        uint64_t value;            /* client: sigval */
        int32_t coid;              /* client: the number the sender used */
        int8_t code;               /* client: pulse code */
        uint8_t priority;          /* client: 1..255 */
        uint16_t pad;              /* must be 0 */
} ShmPulse;
static_assert(sizeof(ShmPulse) == 32, "two pulses a cache line");

typedef struct ShmRing {
        _Atomic uint32_t tail; /* client threads: next position to claim */
        uint8_t pad0[60];
        _Atomic uint32_t head; /* server: next position to take (its private copy is the truth) */
        uint8_t pad1[60];
        ShmPulse cells[RING_CELLS];
} ShmRing;

/* ---------------------------------------------------------------- link ----------------------- */

/*
 * ShmLink: everything between one client process and one server process.
 *
 *       0  +---------------------------------------+
 *          | header                                |
 *    4096  +---------------------------------------+
 *          | connection words, LINK_CONNECTIONS    |
 *   20480  +---------------------------------------+
 *          | ring of pulses                        |
 *   57344  +---------------------------------------+
 *          | slots 0 .. LINK_SLOTS - 1             |
 *  581632  +---------------------------------------+
 *
 * The memory is reserved, not used: a link with one sending thread touches about six pages.
 */
#define LINK_CONNECTIONS 4096u
#define LINK_SLOTS       32u
#define LINK_RING_AT     20480u
#define LINK_SLOTS_AT    57344u
#define LINK_BYTES       (LINK_SLOTS_AT + LINK_SLOTS * SLOT_STRIDE)
#define LINK_TOKEN_BYTES 16u

/* Connection words. The daemon writes them (and the client, from LIVE to DEAD, in its own ConnectDetach). */
enum {
        CONNECTION_FREE = 0,
        CONNECTION_LIVE = 1,
        CONNECTION_DEAD = 2, /* server died, channel destroyed or scoid detached: EBADF from now on */
};

typedef struct ShmLink {
        uint32_t magic;              /* daemon, once */
        uint32_t version;            /* daemon, once */
        _Atomic uint32_t server_gone; /* daemon: 1 after the server process died */
        _Atomic uint32_t client_gone; /* daemon: 1 after the client process died */
        _Atomic uint32_t direct;     /* server: 1 = it can read the client's memory directly */
        uint32_t pad0;
        _Atomic uint64_t probe_at;   /* client: address of its private copy of the token */
        uint8_t token[LINK_TOKEN_BYTES]; /* daemon, once: random */
        uint8_t pad1[LAYOUT_PAGE - 48];
        _Atomic uint32_t connections[LINK_CONNECTIONS];
        ShmRing ring;
        uint8_t pad2[LINK_SLOTS_AT - LINK_RING_AT - sizeof(ShmRing)];
        ShmSlot slots[LINK_SLOTS];
} ShmLink;
static_assert(offsetof(ShmLink, connections) == LAYOUT_PAGE, "header is one page");
static_assert(offsetof(ShmLink, ring) == LINK_RING_AT, "ring offset");
static_assert(offsetof(ShmLink, slots) == LINK_SLOTS_AT, "slots offset");
static_assert(sizeof(ShmLink) == LINK_BYTES, "link size");

/* Extents: a slots extent holds EXTENT_SLOTS more slots, a bulk extent is one buffer for one slot. */
#define EXTENT_SLOTS     32u
#define EXTENTS_MAX      4096u      /* extents of a link; number 0 is the link itself */
#define EXTENT_BULK_MIN  65536u     /* sizes are powers of two from here ... */
#define EXTENT_BULK_MAX  (1ull << 40) /* ... to here */

/* ---------------------------------------------------------------- bell ----------------------- */

/*
 * ShmBell: where clients of one user ring for one channel. A lane is the way of one client process
 * to one channel (the server knows it as scoid); its leaf says which of the link's slots want the server.
 *
 *   top[4] --one bit for 64 mids-->  mid[256] --one bit a lane-->  leaf[16384] --one bit a slot
 *
 * Leaf bit b < 63: look at slots b, b + 63, b + 126 ... of the link; bit 63: look at its ring of pulses.
 *
 * Invariant: a leaf that is not 0 has its mid and top bit set, or its sender is about to set them. The
 * server leaves the bits of busy lanes set (a busy sender then touches the leaf only) and clears
 * them before it sleeps, top first, looking at the lower level again after each.
 *
 * expected names one slot, or one link's ring of pulses, at which the server looks whenever it looks at its
 * leaves: its sender need set no bit. So a pair that talks all the time moves no line but those of the message.
 *
 *    31       30   26 25          12 11                       0
 *   +--------+-------+--------------+--------------------------+
 *   | EXPECTS|   0   | lane         | slot, or EXPECTS_PULSES  |    0 = nobody
 *   +--------+-------+--------------+--------------------------+
 *
 * A sender looks at expected after its slot says SEND (its cell is full); the server looks at the slot (the
 * ring) once more after it has named another: one of the two sees the other.
 *
 * ring is the futex word. Bit 0 = a receiver sleeps, the rest counts. A sender that finds bit 0 set
 * clears it, counts up and wakes one. The receivers of a process pass the wake on among themselves.
 */
#define BELL_LANES    16384u
#define BELL_MIDS     (BELL_LANES / 64u)
#define BELL_TOPS     (BELL_MIDS / 64u)
#define BELL_ASLEEP   1u
#define BELL_RING_ONE 2u
#define BELL_PULSES   63u /* leaf bit of the ring of pulses */
#define BELL_SLOT_BITS 63u
#define BELL_EXPECTS        0x80000000u
#define BELL_EXPECTS_SHIFT  12
#define BELL_EXPECTS_PULSES ((1u << BELL_EXPECTS_SHIFT) - 1u)
#define BELL_LEAF_AT  (64u + BELL_MIDS * 8u) /* the first lanes share a page with their marks */
#define BELL_BYTES    (BELL_LEAF_AT + BELL_LANES * 8u + (LAYOUT_PAGE - BELL_LEAF_AT))

/*
 * Who a sender of a higher priority raises: the threads that last received on the channel. Only the
 * channel's first bell lists them (it serves those whom the kernel may let raise them). A tid is a claim:
 * who raises it asks the kernel whose it is.
 */
#define BELL_CREW 124u

typedef struct ShmCrew {
        _Atomic uint32_t tid;      /* server: kernel's number of the thread, 0 = entry is free */
        _Atomic uint32_t priority; /* server: what it now runs at */
        _Atomic uint32_t state;    /* server: STATE_RUNNING, RECEIVE, SEND */
        uint32_t pad;              /* must be 0 */
} ShmCrew;
static_assert(sizeof(ShmCrew) == 16, "crew entry size");

typedef struct ShmBell {
        _Atomic uint32_t ring;     /* anybody; see above */
        _Atomic uint32_t core;     /* server: processor + 1 on which a receiver last ran; 0 = none yet */
        _Atomic uint32_t receivers; /* server: threads blocked in MsgReceive on this channel */
        _Atomic uint32_t expected; /* server: see above */
        _Atomic uint64_t top[BELL_TOPS];
        _Atomic uint32_t lowest;   /* server: lowest priority in its crew; 0 = nobody has received yet */
        _Atomic uint32_t boosts;   /* clients: how often they began to raise the crew */
        _Atomic uint32_t crowded;  /* server: 1 = the crew is more than is listed: ask the daemon */
        uint8_t pad1[4];
        _Atomic uint64_t mid[BELL_MIDS];
        _Atomic uint64_t leaf[BELL_LANES];
        ShmCrew crew[BELL_CREW];
} ShmBell;
static_assert(offsetof(ShmBell, mid) == 64, "ring and tops share a cache line");
static_assert(offsetof(ShmBell, leaf) == BELL_LEAF_AT, "leaf offset");
static_assert(sizeof(ShmBell) == BELL_BYTES, "bell size");

/* ---------------------------------------------------------------- notice --------------------- */

/*
 * ShmNotice: what the daemon has to tell a process. The daemon puts a WireNews on the process's news
 * socket, counts `news` up, then rings the bells it concerns.
 */
typedef struct ShmNotice {
        uint32_t magic;
        uint32_t version;
        _Atomic uint32_t news; /* daemon: news sent so far */
        _Atomic uint32_t boosts; /* daemon: how often it began to raise threads of the process */
        uint8_t pad[LAYOUT_PAGE - 16];
} ShmNotice;
static_assert(sizeof(ShmNotice) == LAYOUT_PAGE, "notice is one page");

/* ---------------------------------------------------------------- process page --------------- */

/*
 * ShmProcess: what a process says of itself, for tools, and where the daemon finds whom a boost goes on to.
 * The daemon believes none of it: a thread it names must be the process's own, a channel one to which
 * it is connected.
 */
#define PROCESS_THREADS 511u

typedef struct ShmThread {
        _Atomic uint32_t tid;      /* process: its thread number (1 = first); 0 = entry is free */
        uint32_t linux_tid;
        _Atomic uint32_t state;    /* process: STATE_... of sys/states.h */
        _Atomic uint32_t priority; /* process: 1..255 */
        int32_t on_pid;            /* process: SEND, REPLY: server process; RECEIVE: 0 */
        int32_t on_chid;           /* process: SEND, REPLY, RECEIVE: channel */
        uint32_t on_link;          /* process: SEND, REPLY: link id ... */
        uint32_t on_slot;          /*          ... and slot; its word tells SEND from REPLY */
        _Atomic uint32_t channel;  /* process: chid that it last received on; 0 = none */
        uint32_t pad[3];           /* must be 0 */
        uint8_t name[16];
} ShmThread;
static_assert(sizeof(ShmThread) == 64, "thread entry is one cache line");

/*
 * A registered event (MsgRegisterEvent): which server may deliver it, and what it is. The daemon believes it,
 * because it is about the process itself. `handle` is stored last, and cleared first.
 *
 * handle = generation << EVENT_INDEX_BITS | index; a late delivery of an event that is gone finds none.
 */
#define PROCESS_EVENTS   512u
#define EVENT_INDEX_BITS 9u
#define EVENT_ANY_SERVER (-1)

typedef struct ShmEvent {
        _Atomic uint32_t handle; /* process: 0 = entry is free */
        int32_t server_pid;      /* process: who may deliver it; EVENT_ANY_SERVER; 0 = only itself */
        uint8_t event[32];       /* process: its struct sigevent */
        uint8_t pad[8];
} ShmEvent;
static_assert(sizeof(ShmEvent) == 48, "event entry");

typedef struct ShmProcess {
        uint32_t magic;
        uint32_t version;
        _Atomic uint32_t hears_events; /* process: 1 = a thread of it reads news of events at once */
        _Atomic uint32_t used; /* process: entries from the first that have ever been taken */
        uint8_t pad[48];
        ShmThread threads[PROCESS_THREADS];
        ShmEvent events[PROCESS_EVENTS];
} ShmProcess;
#define PROCESS_BYTES 57344u
static_assert(sizeof(ShmProcess) == PROCESS_BYTES, "process page size");
