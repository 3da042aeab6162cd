/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include "base/fdmsg.h"
#include "runtime/session.h"
#include "shm/link.h"
#include "shm/region.h"
#include "shm/word.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define NEWS_MAX      512u /* two for each step, and the last */
#define MUTATIONS_MAX 8u

/* A change that waits for its load. */
typedef struct Mutation {
        unsigned loads; /* until then */
        int16_t distance; /* from what is loaded, in bytes */
        uint64_t value;
        uint8_t bytes; /* 1..8 */
} Mutation;

typedef struct Item {
        WireNews news;
        int fds[2];
        size_t n_fds;
} Item;

PeerWorld peer;
static Item queue[NEWS_MAX];
static unsigned n_queued, n_taken;
static uint32_t counted;
static Mutation mutations[MUTATIONS_MAX];
static unsigned n_mutations;

/* ---- regions ---- */

static void region_begin(PeerRegion *region, size_t bytes) {
        void *map;

        if (region_create("nuntius-fuzz", bytes, &region->fd) < 0 || region_map(region->fd, bytes, true, &map) < 0)
                abort();
        region->map = map;
        region->bytes = bytes;
}

static void region_end(PeerRegion *region) {
        region_unmap(region->map, region->bytes);
        if (region->fd >= 0)
                close(region->fd);
        *region = (PeerRegion){ .fd = -1 };
}

void peer_begin(void) {
        static const uint8_t token[LINK_TOKEN_BYTES] = "token";

        region_begin(&peer.bell, BELL_BYTES);
        for (unsigned i = 0; i < PEER_LINKS; i++) {
                region_begin(&peer.links[i], LINK_BYTES);
                link_init(peer_link(i), token);
        }
        for (unsigned i = 0; i < PEER_EXTENTS; i++)
                region_begin(&peer.extents[i], i % 2 ? EXTENT_BULK_MIN : EXTENT_SLOTS * SLOT_STRIDE);
        n_queued = n_taken = 0;
}

void peer_end(void) {
        peer_mutate_never();
        region_end(&peer.bell);
        for (unsigned i = 0; i < PEER_LINKS; i++)
                region_end(&peer.links[i]);
        for (unsigned i = 0; i < PEER_EXTENTS; i++)
                region_end(&peer.extents[i]);
}

ShmLink *peer_link(unsigned i) {
        return (ShmLink *)peer.links[i % PEER_LINKS].map;
}

ShmBell *peer_bell(void) {
        return (ShmBell *)peer.bell.map;
}

/* ---- memory that changes ---- */

/* Which of ours is mapped at @at by the library? All of its mappings are shared ones of known files. */
static PeerRegion *region_of(const volatile void *at);

static PeerRegion *some_region(unsigned choice) {
        switch (choice % 8) {
        case 0:
                return &peer.bell;
        case 1:
        case 2:
                return &peer.extents[choice / 8 % PEER_EXTENTS];
        default:
                return &peer.links[choice / 8 % PEER_LINKS];
        }
}

/* Mostly the description of one of the first slots, its word, the ring, the connection words. */
static size_t some_place(const PeerRegion *region, Input *input) {
        uint16_t place = (uint16_t)input_u32(input);
        size_t slot = LINK_SLOTS_AT + (size_t)(place / 64 % 4) * SLOT_STRIDE;

        if (region->bytes != LINK_BYTES)
                return (size_t)place * 4;
        switch (place % 8) {
        case 0:
                return LINK_RING_AT + (size_t)(place / 8 % 64) * 4;
        case 1:
                return LINK_RING_AT + 128 + (size_t)(place / 8) * 4;
        case 2:
                return slot + SLOT_ANSWER_AT + place / 8 % 8 * 4;
        case 3:
                return (size_t)place;
        case 4:
                return slot + SLOT_MESSAGE_AT + place / 8 % 8 * 8;
        default:
                return slot + place / 8 % 16 * 4;
        }
}

void peer_scribble(Input *input) {
        PeerRegion *region = some_region(input_u8(input));
        size_t at = some_place(region, input);
        uint8_t bytes[16];
        size_t n = input_u8(input) % sizeof(bytes) + 1;

        input_take(input, bytes, sizeof(bytes));
        if (region->map && at + n <= region->bytes)
                memcpy(region->map + at, bytes, n);
}

void peer_mutate_later(Input *input) {
        Mutation *mutation = &mutations[n_mutations % MUTATIONS_MAX];

        mutation->loads = input_u8(input) % 64 + 1;
        mutation->distance = (int16_t)((int8_t)input_u8(input) * 4);
        mutation->bytes = input_u8(input) % 8 + 1;
        mutation->value = input_u64(input);
        if (n_mutations < MUTATIONS_MAX)
                n_mutations++;
}

void peer_mutate_never(void) {
        n_mutations = 0;
}

/* The library's mapping and ours show the same file: found by what /proc says would be slow, so they are noted. */
#define MAPS_MAX 64u
static struct {
        const uint8_t *at;
        PeerRegion *region;
} maps[MAPS_MAX];
static unsigned n_maps;

void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset) {
        void *map = __real_mmap(at, n, prot, flags, fd, offset);
        PeerRegion *all[] = { &peer.bell, &peer.links[0], &peer.links[1], &peer.extents[0],
                              &peer.extents[1], &peer.extents[2], &peer.extents[3] };

        for (unsigned i = 0; fd >= 0 && map != MAP_FAILED && i < sizeof(all) / sizeof(*all); i++)
                if (all[i]->fd == fd && n_maps < MAPS_MAX) {
                        maps[n_maps].at = map;
                        maps[n_maps++].region = all[i];
                }
        return map;
}

static void forget_map(const void *at) {
        for (unsigned i = 0; i < n_maps; i++)
                if (maps[i].at == at) {
                        maps[i] = maps[--n_maps];
                        return;
                }
}

int __real_munmap(void *at, size_t n);
int __wrap_munmap(void *at, size_t n);
int __wrap_munmap(void *at, size_t n) {
        forget_map(at);
        return __real_munmap(at, n);
}

static PeerRegion *region_of(const volatile void *at) {
        const uint8_t *byte = (const uint8_t *)at;

        for (unsigned i = 0; i < n_maps; i++)
                if (byte >= maps[i].at && byte < maps[i].at + maps[i].region->bytes)
                        return maps[i].region;
        return NULL;
}

static const uint8_t *start_of(const volatile void *at) {
        const uint8_t *byte = (const uint8_t *)at;

        for (unsigned i = 0; i < n_maps; i++)
                if (byte >= maps[i].at && byte < maps[i].at + maps[i].region->bytes)
                        return maps[i].at;
        return NULL;
}

static void mutate(const Mutation *mutation, const volatile void *at) {
        PeerRegion *region = region_of(at);
        ptrdiff_t place = (const uint8_t *)at - start_of(at) + mutation->distance;

        if (place >= 0 && (size_t)place + mutation->bytes <= region->bytes)
                memcpy((uint8_t *)(uintptr_t)start_of(at) + place, &mutation->value, mutation->bytes);
}

static void before_load(const volatile void *at) {
        if (n_mutations == 0 || !region_of(at))
                return;
        for (unsigned i = 0; i < n_mutations; i++)
                if (mutations[i].loads > 0 && --mutations[i].loads == 0)
                        mutate(&mutations[i], at);
}

__attribute__((constructor)) static void hook(void) {
        shm_load_hook = before_load;
}

/* ---- news ---- */

void peer_say_news(const WireNews *news, const int *fds, size_t n_fds) {
        Item *item = &queue[n_queued];

        if (n_queued == NEWS_MAX)
                return;
        *item = (Item){ .news = *news, .n_fds = n_fds };
        for (size_t i = 0; i < n_fds; i++)
                item->fds[i] = fds[i];
        n_queued++;
        counted++;
}

/* The library maps what it gets and closes it; we know the mapping by the descriptor, so it gets ours. */
int session_peek_news(WireNews *ret_news, int fds[2], size_t *ret_n_fds) {
        const Item *item = &queue[n_taken];

        *ret_n_fds = 0;
        if (n_taken == n_queued)
                return 0;
        *ret_news = item->news;
        *ret_n_fds = item->n_fds;
        for (size_t i = 0; i < item->n_fds; i++)
                fds[i] = item->fds[i];
        return 1;
}

void session_drop_news(void) {
        n_taken++;
}

uint32_t session_news(void) {
        return counted;
}

bool session_has_news(uint32_t seen) {
        return counted != seen;
}

/* ---- the rest of a session ---- */

static pthread_mutex_t session_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void session_lock(void) {
        pthread_mutex_lock(&session_mutex);
}

void session_unlock(void) {
        pthread_mutex_unlock(&session_mutex);
}

/* Descriptors are the peer's: it closes them itself. */
void session_close(int fd) {
        (void)fd;
}

int session_open(void) {
        return 0;
}

int session_ask(WireRequest *request, int fd, WireReply *ret_reply, int fds[SESSION_FDS]) {
        (void)fd;
        memset(ret_reply, 0, sizeof(*ret_reply));
        switch ((WireOp)request->op) {
        case WIRE_CHANNEL_CREATE:
                ret_reply->fds = WIRE_FD_BELL;
                ret_reply->channel = (WireReplyChannel){ .chid = PEER_CHID, .bell = PEER_BELL };
                fds[0] = peer.bell.fd;
                return 0;
        case WIRE_CHANNEL_DESTROY:
        case WIRE_SCOID_DETACH:
                return 0;
        default:
                return -EAGAIN;
        }
}

int session_tell(WireRequest *request) {
        (void)request;
        return 0;
}

void session_tell_boost(const WireBoost *boost) {
        (void)boost;
}

int session_signal_news(int linux_tid, int signo) {
        (void)linux_tid;
        (void)signo;
        return -EAGAIN;
}

int session_pid(void) {
        return getpid();
}

unsigned session_priority_max(void) {
        return 255;
}

void session_use_priority_max(unsigned priority) {
        (void)priority;
}

int session_ask_able(uint32_t ability, uint64_t about) {
        (void)ability;
        (void)about;
        return 0;
}

int session_move_fd(int fd) {
        return fd;
}

bool session_is_own_fd(int fd) {
        (void)fd;
        return false;
}

void session_after_fork(void) {
}
