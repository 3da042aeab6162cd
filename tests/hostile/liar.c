/* SPDX-License-Identifier: MIT */
/*
 * Liar: a server that spoils what it shares with its client, writes lengths past every room, or never
 * answers. Its client gets nonsense from it and nothing worse, goes on talking with others without a wrong
 * byte, and is free when the liar dies.
 */
#include "attack.h"

#include "abi/layout.h"
#include "shm/slot.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

typedef enum Lie { LIE_SCRIBBLE, LIE_LENGTHS, LIE_WORDS, LIE_SILENCE, LIES } Lie;

typedef struct Lair {
        Stage *stage;
        Party party; /* the liar's */
        Lie lie;
        unsigned flags;
        _Atomic uint32_t dead; /* the director has killed it */
        _Atomic uint32_t orders;
} Lair;

/* ---- the liar ---- */

static void scribble(const Region *region, uint64_t *chance) {
        for (unsigned i = 0; i < 4000; i++) {
                uint64_t word = chance_next(chance);

                memcpy(region->map + chance_below(chance, (uint32_t)region->bytes / 8) * 8, &word, 8);
        }
}

static void lie_about_length(ShmSlot *slot, uint64_t *chance) {
        static const uint64_t lengths[] = {
                1, 8192, 8193, 65537, 1u << 31, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX,
        };

        slot->reply_bytes = lengths[chance_below(chance, 9)];
        slot->reply_ranges = lengths[chance_below(chance, 9)];
        slot->status = (int64_t)lengths[chance_below(chance, 9)];
        slot->failed = (uint8_t)chance_next(chance);
        if (slot_state(slot_peek(slot)) == SLOT_REPLY)
                slot_reply(slot, slot_generation(slot_peek(slot)));
}

static void lie_in_word(ShmSlot *slot, uint64_t *chance) {
        uint32_t generation = slot_generation(slot_peek(slot));

        if (chance_below(chance, 8) == 0)
                generation = slot_generation((uint32_t)chance_next(chance));
        slot->word = generation | chance_below(chance, 64);
}

static void lie_in_link(const Region *region, Lie lie, uint64_t *chance) {
        ShmLink *link = (ShmLink *)region->map;

        for (unsigned i = 0; i < 1000; i++) {
                ShmSlot *slot = &link->slots[chance_below(chance, 4)];

                if (lie == LIE_LENGTHS)
                        lie_about_length(slot, chance);
                else
                        lie_in_word(slot, chance);
        }
}

static void *lie_for_ever(void *argument) {
        Lair *lair = argument;
        Region regions[REGIONS_MAX];
        uint64_t chance = attack_chance();

        for (;;) {
                unsigned n = regions_find(regions);

                for (unsigned i = 0; i < n; i++) {
                        if (!regions[i].writable)
                                continue;
                        if (lair->lie == LIE_SCRIBBLE)
                                scribble(&regions[i], &chance);
                        else if (strcmp(regions[i].name, "link") == 0)
                                lie_in_link(&regions[i], lair->lie, &chance);
                }
                lair->stage->attacks++;
        }
        return NULL;
}

static void play_silent(Lair *lair) {
        int chid = ChannelCreate(lair->flags);
        struct _msg_info info;
        uint8_t bytes[64];

        lair->party.pid = getpid();
        lair->party.chid = chid;
        lair->party.open = 1;
        for (;;)
                if (MsgReceive(chid, bytes, sizeof(bytes), &info) > 0)
                        lair->stage->attacks++; /* received, and forgotten */
}

static void play_liar(void *argument) {
        Lair *lair = argument;
        ServerOrders orders = { .party = &lair->party, .flags = lair->flags, .threads = 1 };
        pthread_t thread;

        if (lair->lie == LIE_SILENCE)
                play_silent(lair);
        pthread_create(&thread, NULL, lie_for_ever, lair);
        party_serve(&orders);
}

/* ---- its client, who talks with an honest server in between ---- */

static int ask_liar(Lair *lair, int coid, uint64_t *chance) {
        static const uint32_t sizes[] = { 0, 100, 7000, 20000, 100000 };
        uint64_t ns = 2000000;
        struct sigevent event = { .sigev_notify = SIGEV_UNBLOCK };
        int r;

        if (chance_below(chance, 8)) /* the others wait until the liar dies */
                TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, &event, &ns, NULL);
        r = party_order_unsure(coid, ORDER_ECHO, sizes[chance_below(chance, 5)],
                               sizes[chance_below(chance, 5)], chance_next(chance));
        lair->orders++;
        return r;
}

static void play_victim(void *argument) {
        Lair *lair = argument;
        uint64_t chance = attack_chance();
        int honest = party_attach(&lair->stage->party);
        int liar = party_attach(&lair->party);

        need(honest >= 0 && liar >= 0, "the victim cannot attach");
        while (!lair->dead) {
                need(party_order(honest, ORDER_ECHO, 5000, 5000, chance_next(&chance)) == 0,
                     "the honest server's answer fails");
                ask_liar(lair, liar, &chance);
        }
        rig_pause(20);
        for (unsigned i = 0; i < 3; i++) {
                int r = ask_liar(lair, liar, &chance);

                need(r == ESRCH || r == EBADF, "a dead liar answers: %d (%s)", r, strerror(r));
        }
        ConnectDetach(liar);
        for (unsigned i = 0; i < 50; i++)
                need(party_order(honest, ORDER_ECHO, 5000, 5000, i) == 0, "the honest server's answer fails");
}

static void one_liar(Stage *stage, Lie lie, unsigned flags) {
        Lair *lair = rig_shared(sizeof(*lair));
        pid_t liar, victim;
        int status;

        *lair = (Lair){ .stage = stage, .lie = lie, .flags = flags };
        liar = rig_play(play_liar, lair, RIG_HOSTILE);
        need(rig_await(&lair->party.open, 1, RIG_PATIENCE), "the liar does not open");
        victim = rig_play(play_victim, lair, RIG_OTHER);
        rig_pause(300);
        need(!rig_has_ended(victim, &status), "the victim ended: 0x%x", (unsigned)status);
        rig_kill(liar);
        lair->dead = 1;
        rig_need_good_end(victim, RIG_PATIENCE, "the liar's victim");
}

static void test_lie(Lie lie) {
        Stage *stage = stage_open(_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT);

        for (unsigned i = 0; i < 8; i++)
                one_liar(stage, lie, i % 2 ? _NTO_CHF_UNBLOCK : 0);
        need(stage->attacks > 0, "no lie was told");
        stage_close(stage);
}

static void test_scribbles(void) {
        test_lie(LIE_SCRIBBLE);
}

static void test_lengths(void) {
        test_lie(LIE_LENGTHS);
}

static void test_words(void) {
        test_lie(LIE_WORDS);
}

static void test_silence(void) {
        test_lie(LIE_SILENCE);
}

int main(int argc, char **argv) {
        static const RigTest tests[] = {
                { "a server overwrites all memory it shares", test_scribbles, 60 },
                { "a server writes lengths past every room", test_lengths, 60 },
                { "a server spoils the words of slots", test_words, 60 },
                { "a server never answers", test_silence, 60 },
        };

        return rig_main("liar", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
