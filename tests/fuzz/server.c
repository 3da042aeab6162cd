/* SPDX-License-Identifier: MIT */
/*
 * Server: what a server reads of its clients' memory, which changes while it looks.
 *
 * The input is a list of steps: clients describe messages, rightly or not, put pulses, ring, want out, scribble; the
 * daemon tells of lanes, extents and deaths; the server receives, reads, writes, replies, detaches. Whatever
 * they write, the server lives, never waits for ever, and has let go of everything in the end.
 */
#include "peer.h"

#include "shm/bell.h"
#include "shm/ring.h"
#include "shm/slot.h"
#include "sys/neutrino.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STEPS_MAX   200u
#define RCVIDS      8u
#define SCOID_FIRST 0x10001

typedef struct Server {
        int chid;
        int rcvids[RCVIDS];
        unsigned n_rcvids;
        uint8_t buffer[256 * 80]; /* what one byte of the input can ask for */
} Server;

static Server server;

/* ---- what clients do ---- */

static int32_t scoid_of(unsigned link) {
        return SCOID_FIRST + (int32_t)(link % PEER_LINKS);
}

static ShmSlot *some_slot(Input *input, unsigned *ret_link, uint32_t *ret_index) {
        uint8_t choice = input_u8(input);

        *ret_link = choice % PEER_LINKS;
        *ret_index = choice / PEER_LINKS % 8;
        return &peer_link(*ret_link)->slots[*ret_index];
}

/* A size near one of the edges, or anything. */
static uint64_t some_size(Input *input) {
        static const uint64_t edges[] = { 0, 16, SLOT_MESSAGE_ROOM, SLOT_REPLY_ROOM, EXTENT_BULK_MIN, 1ull << 63 };
        uint8_t choice = input_u8(input);

        if (choice < 192)
                return edges[choice % 6] + choice / 6 % 4 - 1;
        return input_u64(input);
}

static uint32_t some_at(Input *input) {
        uint8_t choice = input_u8(input);

        if (choice < 100)
                return SLOT_AT_INLINE;
        if (choice < 150)
                return SLOT_AT_DIRECT;
        return choice < 240 ? choice % 8u : input_u32(input);
}

/* A message as an honest client would send it, but for the numbers. */
static void send_message(Input *input) {
        unsigned link;
        uint32_t index;
        ShmSlot *slot = some_slot(input, &link, &index);

        slot->message_bytes = some_size(input);
        slot->reply_room = some_size(input);
        slot->message_at = some_at(input);
        slot->reply_at = some_at(input);
        slot->parts = input_u8(input);
        slot->priority = input_u8(input);
        slot->scoid = scoid_of(link);
        slot->stamp = input_u8(input);
        slot_send(slot);
        bell_ring(peer_bell(), link, index % BELL_SLOT_BITS);
}

static void want_out(Input *input) {
        unsigned link;
        uint32_t index;
        ShmSlot *slot = some_slot(input, &link, &index);
        uint32_t generation = slot_generation(slot_peek(slot));

        switch (input_u8(input) % 4) {
        case 0:
                slot_unblock(slot, generation, EINTR);
                break;
        case 1:
                slot_abandon(slot, generation);
                break;
        case 2:
                slot_withdraw(slot, generation);
                break;
        default:
                slot_finish(slot);
                break;
        }
        bell_ring(peer_bell(), link, index % BELL_SLOT_BITS);
}

static void put_pulse(Input *input) {
        unsigned link = input_u8(input);
        RingPulse pulse = {
                .scoid = scoid_of(link) + (link > 200),
                .code = (int8_t)input_u8(input),
                .priority = input_u8(input),
                .value = input_u8(input),
                .stamp = input_u8(input),
        };

        ring_put(&peer_link(link)->ring, &pulse);
        bell_ring(peer_bell(), link % PEER_LINKS, BELL_PULSES);
}

static void ring_anywhere(Input *input) {
        bell_ring(peer_bell(), input_u32(input) % BELL_LANES, input_u8(input) % 64);
}

/* ---- what the daemon says ---- */

static void say_lane_open(unsigned link, unsigned leaf) {
        WireNews news = {
                .kind = WIRE_NEWS_LANE_OPEN,
                .fds = WIRE_NEWS_FD_LINK,
                .lane_open = {
                        .scoid = scoid_of(link),
                        .chid = PEER_CHID,
                        .bell = PEER_BELL,
                        .lane = leaf,
                        .link = link + 1,
                        .priority_max = 63,
                        .token = "token",
                        .client = { .pid = getpid() },
                },
        };

        peer_say_news(&news, &peer.links[link].fd, 1);
}

static void say_lane_close(unsigned link, bool died) {
        WireNews news = { .kind = WIRE_NEWS_LANE_CLOSE, .lane_close = { .scoid = scoid_of(link), .died = died } };

        peer_say_news(&news, NULL, 0);
}

static void say_link_close(unsigned link) {
        WireNews news = { .kind = WIRE_NEWS_LINK_CLOSE, .link_close.link = link + 1 };

        peer_say_news(&news, NULL, 0);
}

static void say_extent(unsigned link, unsigned i) {
        WireNews news = {
                .kind = WIRE_NEWS_LINK_EXTENT,
                .fds = WIRE_NEWS_FD_EXTENT,
                .link_extent = {
                        .link = link + 1,
                        .extent = i + 1,
                        .kind = i % 2 ? WIRE_EXTENT_BULK : WIRE_EXTENT_SLOTS,
                        .bytes = peer.extents[i].bytes,
                },
        };

        peer_say_news(&news, &peer.extents[i].fd, 1);
}

static void say_something(Input *input) {
        uint8_t choice = input_u8(input);
        unsigned link = choice / 8 % PEER_LINKS;

        switch (choice % 8) {
        case 0:
                say_lane_close(link, true);
                return;
        case 1:
                say_lane_close(link, false);
                return;
        case 2:
                say_lane_close(link, true);
                say_link_close(link);
                return;
        case 3:
                say_lane_open(link, choice / 16);
                return;
        default:
                say_extent(link, choice / 16 % PEER_EXTENTS);
                return;
        }
}

/* ---- what the server does ---- */

static void receive(Input *input) {
        struct _msg_info info;
        uint64_t none = 0;
        uint8_t choice = input_u8(input);
        int rcvid;

        TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &none, NULL);
        if (choice % 4 == 0)
                rcvid = MsgReceivePulse(server.chid, server.buffer, sizeof(struct _pulse), NULL);
        else
                rcvid = MsgReceive(server.chid, server.buffer, choice * 80u, &info);
        if (rcvid <= 0)
                return;
        if (server.n_rcvids < RCVIDS)
                server.rcvids[server.n_rcvids++] = rcvid;
        else
                MsgError(rcvid, EAGAIN);
}

static int some_rcvid(Input *input) {
        uint8_t choice = input_u8(input);

        return server.n_rcvids ? server.rcvids[choice % server.n_rcvids] : choice;
}

static void use_message(Input *input) {
        int rcvid = some_rcvid(input);
        size_t offset = some_size(input), n = some_size(input) % sizeof(server.buffer);
        struct _msg_info info;

        switch (input_u8(input) % 3) {
        case 0:
                MsgRead(rcvid, server.buffer, n, offset);
                return;
        case 1:
                MsgWrite(rcvid, server.buffer, n, offset);
                return;
        default:
                MsgInfo(rcvid, &info);
                return;
        }
}

static void answer(Input *input) {
        int rcvid = some_rcvid(input);
        uint8_t choice = input_u8(input);

        if (choice % 2)
                MsgReply(rcvid, choice, server.buffer, some_size(input) % sizeof(server.buffer));
        else
                MsgError(rcvid, choice / 2 ? choice / 2 : -1);
        for (unsigned i = 0; i < server.n_rcvids; i++)
                if (server.rcvids[i] == rcvid) {
                        server.rcvids[i] = server.rcvids[--server.n_rcvids];
                        return;
                }
}

static void step(Input *input) {
        switch (input_u8(input) % 16) {
        case 0:
        case 1:
                send_message(input);
                return;
        case 2:
                want_out(input);
                return;
        case 3:
                put_pulse(input);
                return;
        case 4:
                ring_anywhere(input);
                return;
        case 5:
        case 6:
                peer_scribble(input);
                return;
        case 7:
                say_something(input);
                return;
        case 8:
                ConnectDetach(scoid_of(input_u8(input)));
                return;
        case 9:
        case 10:
                peer_mutate_later(input);
                return;
        case 11:
        case 12:
                use_message(input);
                return;
        case 13:
                answer(input);
                return;
        default:
                receive(input);
                return;
        }
}

/* ---- one input ---- */

static unsigned count_maps(void) {
        FILE *maps = fopen("/proc/self/maps", "r");
        char line[512];
        unsigned n = 0;

        while (maps && fgets(line, sizeof(line), maps))
                n += strstr(line, "nuntius-fuzz") != NULL;
        fclose(maps);
        return n;
}

static void begin(Input *input) {
        uint8_t choice = input_u8(input);
        unsigned flags = 0;

        memset(&server, 0, sizeof(server));
        flags |= choice & 1 ? _NTO_CHF_UNBLOCK : 0;
        flags |= choice & 2 ? _NTO_CHF_DISCONNECT : 0;
        peer_begin();
        server.chid = ChannelCreate(flags);
        if (server.chid != PEER_CHID)
                abort();
        for (unsigned i = 0; i < PEER_LINKS; i++)
                say_lane_open(i, i);
}

static void end(void) {
        Input nothing = { NULL, 0 };
        unsigned left;

        peer_mutate_never();
        while (server.n_rcvids > 0)
                MsgError(server.rcvids[--server.n_rcvids], EINTR);
        for (unsigned i = 0; i < PEER_LINKS; i++) {
                say_lane_close(i, true);
                say_link_close(i);
        }
        receive(&nothing);
        while (server.n_rcvids > 0)
                MsgError(server.rcvids[--server.n_rcvids], EINTR);
        for (unsigned i = 0; i < PEER_LINKS; i++)
                ConnectDetach(scoid_of(i));
        ChannelDestroy(server.chid);
        peer_end();
        left = count_maps();
        if (left > 0) {
                fprintf(stderr, "%u regions are still mapped\n", left);
                abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        Input input = { bytes, n };

        begin(&input);
        for (unsigned i = 0; i < STEPS_MAX && !input_is_over(&input); i++)
                step(&input);
        end();
        return 0;
}
