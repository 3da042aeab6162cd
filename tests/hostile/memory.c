/* SPDX-License-Identifier: MIT */
/*
 * Memory: a client that writes what it likes into all memory it shares, and one that tries to change the
 * memory itself.
 */
#include "attack.h"

#include "abi/layout.h"
#include "shm/bell.h"
#include "shm/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANNEL (_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT)

/* ---- the scribbler: one thread sends, another overwrites everything ---- */

typedef enum Manner { RANDOM_BYTES, RANDOM_WORDS, ALL_ONES, ALL_ZERO, LINK_ONLY, BIT_FLIPS, MANNERS } Manner;

typedef struct Scribble {
        Stage *stage;
        Manner manner;
} Scribble;

static void scribble_bytes(const Region *region, uint64_t *chance) {
        for (size_t i = 0; i + 8 <= region->bytes; i += 8) {
                uint64_t word = chance_next(chance);

                memcpy(region->map + i, &word, 8);
        }
}

static void scribble_words(const Region *region, uint64_t *chance) {
        for (unsigned i = 0; i < 2000; i++) {
                uint32_t word = (uint32_t)chance_next(chance);

                memcpy(region->map + chance_below(chance, (uint32_t)region->bytes / 4) * 4, &word, 4);
        }
}

static void flip_bits(const Region *region, uint64_t *chance) {
        for (unsigned i = 0; i < 2000; i++)
                region->map[chance_below(chance, (uint32_t)region->bytes)] ^=
                        (uint8_t)(1u << chance_below(chance, 8));
}

static void scribble_region(const Region *region, Manner manner, uint64_t *chance) {
        switch (manner) {
        case LINK_ONLY:
                if (strcmp(region->name, "bell") == 0)
                        return;
                scribble_bytes(region, chance);
                return;
        case RANDOM_BYTES:
                scribble_bytes(region, chance);
                return;
        case RANDOM_WORDS:
                scribble_words(region, chance);
                return;
        case BIT_FLIPS:
                flip_bits(region, chance);
                return;
        case ALL_ONES:
                memset(region->map, 0xff, region->bytes);
                return;
        case ALL_ZERO:
        case MANNERS:
                memset(region->map, 0, region->bytes);
        }
}

static void *scribble_for_ever(void *argument) {
        Scribble *s = argument;
        Region regions[REGIONS_MAX];
        uint64_t chance = attack_chance();

        for (;;) {
                unsigned n = regions_find(regions);

                for (unsigned i = 0; i < n; i++)
                        if (regions[i].writable)
                                scribble_region(&regions[i], s->manner, &chance);
                s->stage->attacks++;
                if (chance_below(&chance, 4) == 0)
                        rig_pause(1);
        }
        return NULL;
}

/* Its own answers may be anything, its own calls may hang: nobody cares. */
static void *send_for_ever(void *argument) {
        Scribble *s = argument;
        uint64_t chance = attack_chance() + 1;
        uint8_t out[4096], in[4096];

        for (;;) {
                int coid = party_attach(&s->stage->party);

                for (unsigned i = 0; coid >= 0 && i < 50; i++) {
                        MsgSendPulse(coid, -1, PARTY_PULSE_CODE, 0);
                        MsgSendnc(coid, out, chance_below(&chance, sizeof(out)), in, sizeof(in));
                }
                if (coid >= 0)
                        ConnectDetach(coid);
        }
        return NULL;
}

static void play_scribbler(void *argument) {
        Scribble *s = argument;
        pthread_t thread;
        int coid = party_attach(&s->stage->party);

        if (coid >= 0) {
                party_order(coid, ORDER_ECHO, 100000, 100000, 1); /* so that there is bulk memory too */
                party_order(coid, ORDER_ECHO, 10, 10, 1);
        }
        for (unsigned i = 0; i < 3; i++)
                pthread_create(&thread, NULL, send_for_ever, s);
        scribble_for_ever(s);
}

static void test_scribbler(void) {
        Stage *stage = stage_open(CHANNEL);

        for (unsigned i = 0; i < 4 * MANNERS; i++) {
                Scribble s = { .stage = stage, .manner = i % MANNERS };

                stage_attack(stage, play_scribbler, &s, 200);
        }
        need(stage->attacks > 4 * MANNERS, "hardly anything was overwritten");
        stage_close(stage);
}

/* ---- the forger: well-formed slots that describe nonsense ---- */

static uint64_t nasty(uint64_t *chance) {
        static const uint64_t values[] = {
                0, 1, 8, 16, 63, 64, 4095, 4096, 8063, 8064, 8065, 8192, 8193, 65536, 1u << 20, 1u << 31,
                0xffffffff, 1ull << 32, 1ull << 40, INT64_MAX, 1ull << 63, UINT64_MAX - 7, UINT64_MAX,
        };

        return chance_below(chance, 4) ? values[chance_below(chance, sizeof(values) / sizeof(*values))]
                                       : chance_next(chance);
}

static void forge_iov(ShmSlot *slot, uint64_t *chance) {
        struct iovec *iov = (struct iovec *)slot->message;

        slot->parts = chance_below(chance, 2) ? chance_below(chance, 8) : (uint32_t)nasty(chance);
        for (unsigned i = 0; i < 8; i++)
                iov[i] = (struct iovec){ (void *)(uintptr_t)nasty(chance), nasty(chance) };
}

static void forge_slot(ShmSlot *slot, uint64_t *chance) {
        static const uint32_t places[] = { SLOT_AT_INLINE, SLOT_AT_DIRECT, 1, 2, 3, 4095, 4096, 1u << 31 };

        slot->connection = (uint32_t)nasty(chance);
        slot->stamp = nasty(chance);
        slot->message_bytes = nasty(chance);
        slot->reply_room = nasty(chance);
        slot->coid = (int32_t)nasty(chance);
        slot->tid = (int32_t)nasty(chance);
        slot->priority = (uint8_t)nasty(chance);
        slot->message_at = places[chance_below(chance, 8)];
        slot->reply_at = places[chance_below(chance, 8)];
        forge_iov(slot, chance);
        slot_send(slot);
}

/* States that no honest client makes, in the middle of the server's work. */
static void upset_slot(ShmSlot *slot, uint64_t *chance) {
        static const uint32_t words[] = {
                SLOT_SEND, SLOT_REPLY, SLOT_DONE, SLOT_GONE, 5, 6, 7, SLOT_REPLY | SLOT_UNBLOCK,
                SLOT_SEND | SLOT_UNBLOCK, SLOT_GONE | SLOT_UNBLOCK | SLOT_ASLEEP,
        };
        uint32_t generation = slot_generation(slot_peek(slot));

        slot->word = generation | words[chance_below(chance, 10)];
}

static void forge_pulses(ShmRing *ring, uint64_t *chance) {
        uint32_t tail = ring->head;

        for (uint32_t i = 0; i < 32; i++) {
                ShmPulse *cell = &ring->cells[(tail + i) % RING_CELLS];

                cell->scoid = chance_below(chance, 2) ? 0x10000 + (int32_t)chance_below(chance, 16)
                                                      : (int32_t)nasty(chance);
                cell->stamp = nasty(chance);
                cell->value = nasty(chance);
                cell->code = (int8_t)nasty(chance); /* the system's own among them */
                cell->priority = (uint8_t)nasty(chance);
                cell->sequence = tail + i + 1;
        }
        ring->tail = tail + 32;
}

static void ring_all(ShmBell *bell) {
        for (uint32_t lane = 0; lane < 64; lane++)
                bell->leaf[lane] = UINT64_MAX;
        bell->mid[0] = UINT64_MAX;
        bell->top[0] = UINT64_MAX;
        bell_wake_all(bell);
}

static void play_forger(void *argument) {
        Stage *stage = argument;
        uint64_t chance = attack_chance();
        int coid = party_attach(&stage->party);
        ShmLink *link;
        ShmBell *bell;

        need(coid >= 0, "the forger cannot attach");
        party_order(coid, ORDER_ECHO, 100000, 100000, 1);
        link = regions_get("link");
        bell = regions_get("bell");
        need(link && bell, "the forger finds no memory to forge in");
        for (;;) {
                for (unsigned i = 0; i < LINK_SLOTS; i++)
                        forge_slot(&link->slots[i], &chance);
                forge_pulses(&link->ring, &chance);
                ring_all(bell);
                for (unsigned k = 0; k < 200; k++)
                        upset_slot(&link->slots[chance_below(&chance, LINK_SLOTS)], &chance);
                ring_all(bell);
                stage->attacks++;
        }
}

static void test_forger(void) {
        Stage *stage = stage_open(CHANNEL);

        for (unsigned i = 0; i < 16; i++)
                stage_attack(stage, play_forger, stage, 200);
        need(stage->attacks > 100, "only %u forgeries", stage->attacks);
        need(stage->party.refused > 0, "no forgery reached the server");
        stage_close(stage);
}

/* ---- the resizer: has the descriptors, and wants to change what they name ---- */

static void need_refused(bool done, const char *what) {
        need(!done, "%s was possible", what);
}

static void try_to_resize(int fd, size_t bytes) {
        struct stat st;

        need_refused(ftruncate(fd, 0) == 0, "truncating");
        need_refused(ftruncate(fd, (off_t)bytes / 2) == 0, "shrinking");
        need_refused(ftruncate(fd, (off_t)bytes * 2) == 0, "growing");
        need_refused(fallocate(fd, 0, 0, (off_t)bytes * 2) == 0, "growing by fallocate");
        need_refused(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0, "sealing");
        need_refused(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) == 0, "sealing the seals");
        need(fstat(fd, &st) == 0 && (size_t)st.st_size == bytes, "the size has changed");
}

static void try_to_reopen(int fd, size_t bytes) {
        char path[64];
        int again;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        again = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
        if (again >= 0)
                close(again);
        again = open(path, O_RDWR | O_CLOEXEC);
        try_to_resize(again >= 0 ? again : fd, bytes);
        if (again >= 0)
                close(again);
        truncate(path, 0);
        fchmod(fd, 0);
        fchown(fd, getuid(), getgid());
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
        lseek(fd, -1, SEEK_END);
        flock(fd, LOCK_EX | LOCK_NB);
        fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK);
}

/* What the daemon tells a process, that process may only read: by no way can it be written. */
static void try_to_write_notice(int fd) {
        uint32_t word = 4711;
        char path[64];
        void *map;
        int again;

        need_refused(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED,
                     "mapping the notice to write");
        map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        need(map != MAP_FAILED, "the notice cannot be read");
        need_refused(mprotect(map, 4096, PROT_READ | PROT_WRITE) == 0, "making the notice writable");
        need_refused(pwrite(fd, &word, 4, 8) == 4, "writing the notice");
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        again = open(path, O_RDWR | O_CLOEXEC);
        if (again < 0)
                return;
        need_refused(pwrite(again, &word, 4, 8) == 4, "writing the notice, opened anew");
        need_refused(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0) != MAP_FAILED,
                     "mapping the notice, opened anew, to write");
        close(again);
}

static void resize_connection(const Party *party, int socket) {
        WireRequest request = {
                .op = WIRE_CONNECT_ATTACH,
                .connect_attach = { .pid = party->pid, .chid = party->chid, .coid = 0x40000001 },
        };
        WireReply reply;
        int fds[3];

        need(wire_ask(socket, &request, -1, &reply, fds) == 0, "the resizer cannot attach");
        need(fds[0] >= 0 && fds[1] >= 0, "neither link nor bell came");
        try_to_reopen(fds[0], LINK_BYTES);
        try_to_reopen(fds[1], BELL_BYTES);
        request = (WireRequest){
                .op = WIRE_LINK_GROW,
                .link_grow = { .link = reply.connect.link, .kind = WIRE_EXTENT_BULK, .bytes = 1 << 20 },
        };
        need(wire_ask(socket, &request, -1, &reply, fds) == 0, "the resizer cannot grow its link");
        try_to_reopen(fds[0], 1 << 20);
}

static void play_resizer(void *argument) {
        Stage *stage = argument;
        WireReply reply;
        int fds[3];

        for (;;) {
                int socket = wire_connect();

                need(socket >= 0 && wire_greet(socket, 0, &reply, fds) == 0, "the resizer is not greeted");
                try_to_write_notice(fds[0]);
                try_to_reopen(fds[1], PROCESS_BYTES);
                for (unsigned i = 0; i < 3; i++)
                        close(fds[i]);
                resize_connection(&stage->party, socket);
                close(socket);
                closefrom(100);
                stage->attacks++;
        }
}

/* Its own mappings it may unmap under the library's feet: that ends it, and nobody else. */
static void play_unmapper(void *argument) {
        Stage *stage = argument;
        Region regions[REGIONS_MAX];
        int coid = party_attach(&stage->party);
        unsigned n;

        party_order(coid, ORDER_ECHO, 100000, 10, 1);
        n = regions_find(regions);
        for (unsigned i = 0; i < n; i++)
                munmap(regions[i].map, regions[i].bytes);
        stage->attacks++;
        MsgSendnc(coid, &n, sizeof(n), NULL, 0);
}

static void test_resizer(void) {
        Stage *stage = stage_open(CHANNEL);
        uint64_t until = rig_now() + 1500000000u;
        pid_t pid = rig_play(play_resizer, stage, RIG_HOSTILE);
        int status;

        while (rig_now() < until) {
                need(!rig_has_ended(pid, &status), "the resizer got further than it should, or not far enough");
                stage_attack(stage, play_unmapper, stage, 50);
        }
        rig_kill(pid);
        stage_close(stage);
}

int main(int argc, char **argv) {
        static const RigTest tests[] = {
                { "a client overwrites all memory it shares while it sends", test_scribbler, 60 },
                { "a client forges slots and pulses", test_forger, 60 },
                { "a client truncates, grows, seals, reopens, unmaps what it holds", test_resizer, 60 },
        };

        return rig_main("memory", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
