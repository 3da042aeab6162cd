/* SPDX-License-Identifier: MIT */
#include "attack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

/* ---- bystanders ---- */

static void one_order(Bystander *b, int coid, uint64_t *chance) {
        static const uint32_t sizes[] = { 0, 1, 100, 5000, 9000, 20000, 70000, 300000 };
        uint32_t bytes = sizes[chance_below(chance, 8)], answer = sizes[chance_below(chance, 7)];
        uint64_t begun = rig_now(), took;
        int r = party_order(coid, ORDER_ECHO, bytes, answer, chance_next(chance));

        need(r == 0, "an honest client got errno %d (%s)", r, strerror(r));
        took = rig_now() - begun;
        if (took > b->slowest)
                b->slowest = took;
        b->orders++;
}

static void play_bystander(void *argument) {
        Bystander *b = argument;
        uint64_t chance = rig_seed() + (uint64_t)getpid();
        int coid = party_attach(b->party);

        need(coid >= 0, "an honest client cannot attach: %s", strerror(-coid));
        while (!*b->ends) {
                one_order(b, coid, &chance);
                b->ready = 1;
                if (b->orders % 16 == 0) { /* to come anew must work too */
                        ConnectDetach(coid);
                        coid = party_attach(b->party);
                        need(coid >= 0, "an honest client cannot attach again: %s", strerror(-coid));
                        rig_pause(1);
                }
        }
        ConnectDetach(coid);
}

/* ---- the stage ---- */

static void bystander_start(Stage *stage, Bystander *b, RigUser user) {
        b->party = &stage->party;
        b->ends = &stage->ends;
        b->pid = rig_play(play_bystander, b, user);
        need(rig_await(&b->ready, 1, RIG_PATIENCE), "an honest client does not come to talk");
}

Stage *stage_open(unsigned channel_flags) {
        Stage *stage = rig_shared(sizeof(*stage));
        ServerOrders orders = { .party = &stage->party, .flags = channel_flags, .threads = 2 };

        stage->server = rig_play(party_serve, &orders, RIG_SERVER);
        need(rig_await(&stage->party.open, 1, RIG_PATIENCE), "the server does not open");
        bystander_start(stage, &stage->other, RIG_OTHER);
        bystander_start(stage, &stage->mate, RIG_HOSTILE);
        return stage;
}

/*
 * Who shares a bell with the attacker may find it spoiled: then nobody looks at its message, and it waits.
 * False when @pid had to be taken off the stage.
 */
static bool end_patiently(pid_t pid) {
        uint64_t until = rig_now() + 2000000000ull;
        int status;

        while (!rig_has_ended(pid, &status)) {
                if (rig_now() > until) {
                        printf("# a client of the attacker's user was kept waiting\n");
                        rig_kill(pid);
                        return false;
                }
                rig_pause(1);
        }
        need(status == 0, "a client of the attacker's user got something wrong");
        return true;
}

static void play_newcomer(void *argument) {
        Party *party = argument;
        int coid = party_attach(party);

        need(coid >= 0, "a newcomer cannot attach: %s", strerror(-coid));
        for (unsigned i = 0; i < 100; i++)
                need(party_order(coid, ORDER_ECHO, i * 100, i * 100, i) == 0, "a newcomer is not served");
        need(party_order(coid, ORDER_STOP, 0, 0, 0) == 0, "the server does not stop");
}

static void end_server(Stage *stage) {
        pid_t newcomer = rig_play(play_newcomer, &stage->party, RIG_OTHER);
        int status;

        need(!rig_has_ended(stage->server, &status), "the server ended: 0x%x", (unsigned)status);
        if (rig_has_users())
                rig_need_good_end(newcomer, RIG_PATIENCE, "newcomer");
        if (rig_has_users() || end_patiently(newcomer))
                rig_need_good_end(stage->server, RIG_PATIENCE, "the server");
        else
                rig_kill(stage->server);
}

void stage_close(Stage *stage) {
        stage->ends = 1;
        if (rig_has_users())
                rig_need_good_end(stage->other.pid, RIG_PATIENCE, "a client of another user");
        else
                end_patiently(stage->other.pid);
        if (stage->mate.pid) /* else the test has done without it */
                end_patiently(stage->mate.pid);
        end_server(stage);
        printf("# %u attacks; the other had %u exact answers, the slowest in %.1f ms; the mate %u, %.1f ms\n",
               stage->attacks, stage->other.orders, (double)stage->other.slowest / 1e6,
               stage->mate.orders, (double)stage->mate.slowest / 1e6);
        if (rig_has_users())
                need(stage->other.slowest < RIG_PATIENCE * 1000000000ull, "another user was kept waiting");
}

void stage_attack(Stage *stage, void (*attack)(void *argument), void *argument, unsigned milliseconds) {
        uint64_t until = rig_now() + milliseconds * 1000000ull;
        pid_t pid = rig_play(attack, argument, RIG_HOSTILE);
        int status;

        while (rig_now() < until) {
                if (rig_has_ended(pid, &status)) /* its own memory is its own affair */
                        return;
                need(!rig_has_ended(stage->server, &status), "the server ended: 0x%x", (unsigned)status);
                need(!rig_has_ended(stage->other.pid, &status), "the other ended: 0x%x", (unsigned)status);
                rig_pause(1);
        }
        rig_kill(pid);
}

/* ---- regions ---- */

static bool parse(const char *line, Region *region) {
        static const char prefix[] = "/memfd:nuntius-";
        const char *name = strstr(line, prefix);
        unsigned long from, to;
        char rights[8];

        if (!name || sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3)
                return false;
        region->map = (uint8_t *)from;
        region->bytes = to - from;
        region->writable = rights[1] == 'w';
        snprintf(region->name, sizeof(region->name), "%.*s", (int)strcspn(name + strlen(prefix), " \n"),
                 name + strlen(prefix));
        return true;
}

unsigned regions_find(Region regions[REGIONS_MAX]) {
        FILE *maps = fopen("/proc/self/maps", "re");
        char line[512];
        unsigned n = 0;

        need(maps, "/proc/self/maps: %m");
        while (n < REGIONS_MAX && fgets(line, sizeof(line), maps))
                n += parse(line, &regions[n]);
        fclose(maps);
        return n;
}

void *regions_get(const char *name) {
        Region regions[REGIONS_MAX];
        unsigned n = regions_find(regions);

        for (unsigned i = 0; i < n; i++)
                if (regions[i].writable && strcmp(regions[i].name, name) == 0)
                        return regions[i].map;
        return NULL;
}

uint64_t attack_chance(void) {
        return rig_seed() ^ (uint64_t)getpid() << 32;
}
