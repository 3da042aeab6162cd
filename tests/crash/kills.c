/* SPDX-License-Identifier: MIT */
/*
 * Kills: four clients and a server with two threads under load; again and again one of the five processes
 * is killed at a random moment and started anew.
 *
 * No survivor may wait for the dead: each call of each client is watched. In the end the daemon must hold
 * nothing, and exactly as many descriptors as in the beginning.
 */
#include "party.h"
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 4
#define SERVER  CLIENTS /* its number among the players */
#define PLAYERS (CLIENTS + 1)
#define SECONDS 50 /* that the kills are spread over */
#define CHANNEL (_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT)

typedef struct Beat {
        _Atomic uint64_t since; /* when the running call began; 0 = none is running */
        _Atomic uint32_t calls;
        _Atomic uint32_t deaths; /* of servers that it noticed */
} Beat;

typedef struct Scene {
        Party party;
        Beat beats[CLIENTS];
        _Atomic uint32_t ends;
} Scene;

typedef struct Role {
        Scene *scene;
        unsigned number;
        uint64_t chance;
} Role;

static unsigned kills_wanted = 1000;

/* ---- the clients ---- */

static void begin(Beat *beat) {
        beat->since = rig_now();
}

static void end(Beat *beat) {
        beat->since = 0;
        beat->calls++;
}

static int hold_for_a_while(int coid, uint64_t *chance) {
        uint64_t ns = 1 + chance_below(chance, 3000000);
        struct sigevent event = { .sigev_notify = SIGEV_UNBLOCK };
        int r;

        TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY, &event, &ns, NULL);
        r = party_order(coid, ORDER_HOLD, 10, 0, 1);
        return r == ETIMEDOUT || r == EINTR || r == EAGAIN ? 0 : r;
}

static int act(int coid, uint64_t *chance) {
        uint64_t seed = chance_next(chance);
        int r;

        switch (chance_below(chance, 16)) {
        case 0:
                return hold_for_a_while(coid, chance);
        case 1:
                return party_order(coid, ORDER_ECHO, chance_below(chance, 400000), 100, seed);
        case 2:
                return party_order(coid, ORDER_ECHO, 100, chance_below(chance, 100000), seed);
        case 3:
        case 4:
                r = MsgSendPulse(coid, -1, PARTY_PULSE_CODE, 1) == 0 ? 0 : errno;
                return r == EAGAIN ? 0 : r;
        case 5:
                return ECONNABORTED; /* enough of this connection */
        default:
                return party_order(coid, ORDER_ECHO, chance_below(chance, 12000),
                                   chance_below(chance, 12000), seed);
        }
}

/* Descriptors and side channels, with and without an scoid of their own. */
static int attach(const Party *party, uint64_t *chance) {
        unsigned index = chance_below(chance, 2) ? _NTO_SIDE_CHANNEL : 0;

        return party_attach_at(party, index, chance_below(chance, 2) ? _NTO_COF_NOSHARE : 0);
}

static void converse(Scene *scene, Beat *beat, uint64_t *chance) {
        int coid, r = 0;

        begin(beat);
        coid = attach(&scene->party, chance);
        end(beat);
        need(coid >= 0 || coid == -ESRCH, "ConnectAttach: %s", strerror(-coid));
        if (coid < 0) {
                rig_pause(1);
                return;
        }
        while (!r && !scene->ends) {
                begin(beat);
                r = act(coid, chance);
                end(beat);
        }
        beat->deaths += r == ESRCH || r == EBADF;
        need(r == 0 || r == ESRCH || r == EBADF || r == ECONNABORTED, "a call got errno %d (%s)", r,
             strerror(r));
        begin(beat);
        ConnectDetach(coid);
        end(beat);
}

static void play_client(void *argument) {
        Role *role = argument;

        while (!role->scene->ends)
                converse(role->scene, &role->scene->beats[role->number], &role->chance);
}

/* ---- the director ---- */

static pid_t start_player(Scene *scene, unsigned number, uint64_t chance) {
        ServerOrders orders = { .party = &scene->party, .flags = CHANNEL, .threads = 2 };
        Role role = { .scene = scene, .number = number, .chance = chance };

        if (number == SERVER)
                return rig_play(party_serve, &orders, RIG_SELF);
        scene->beats[number].since = 0;
        return rig_play(play_client, &role, RIG_SELF);
}

/* rig_wait() prints what a hung process is doing. */
static void watch(const Scene *scene, const pid_t *pids) {
        uint64_t now = rig_now();

        for (unsigned i = 0; i < CLIENTS; i++) {
                uint64_t since = scene->beats[i].since;

                if (since && now > since && now - since > RIG_PATIENCE * 1000000000ull)
                        rig_wait(pids[i], 0, "a survivor that waits for the dead");
        }
}

static void need_all_alive(const pid_t *pids) {
        int status;

        for (unsigned i = 0; i < PLAYERS; i++)
                need(!rig_has_ended(pids[i], &status), "player %u ended by itself: 0x%x", i,
                     (unsigned)status);
}

static void kill_somebody(Scene *scene, pid_t *pids, uint64_t *chance, unsigned *counts) {
        unsigned victim = chance_below(chance, PLAYERS);

        need_all_alive(pids);
        rig_kill(pids[victim]);
        counts[victim]++;
        pids[victim] = start_player(scene, victim, chance_next(chance));
}

static void kill_many(Scene *scene, pid_t *pids, uint64_t *chance, unsigned *counts) {
        uint64_t until = rig_now() + SECONDS * 1000000000ull;

        for (unsigned k = 0; k < kills_wanted; k++) {
                uint64_t now = rig_now();
                uint64_t left = now < until ? (until - now) / 1000000u : 0;
                unsigned mean = (unsigned)(left / (kills_wanted - k));

                rig_pause(chance_below(chance, 2 * mean + 1));
                watch(scene, pids);
                kill_somebody(scene, pids, chance, counts);
        }
}

static void end_scene(Scene *scene, pid_t *pids) {
        scene->ends = 1;
        for (unsigned i = 0; i < CLIENTS; i++)
                rig_need_good_end(pids[i], RIG_PATIENCE, "client");
        rig_kill(pids[SERVER]);
        rig_need_empty("in the end");
}

/* A first day, so that whatever the daemon opens once is open. */
static void warm_up(uint64_t *chance) {
        Scene *scene = rig_shared(sizeof(*scene));
        pid_t pids[PLAYERS];

        for (unsigned i = 0; i < PLAYERS; i++)
                pids[i] = start_player(scene, i, chance_next(chance));
        rig_pause(200);
        end_scene(scene, pids);
}

static void test_kills(void) {
        Scene *scene = rig_shared(sizeof(*scene));
        uint64_t chance = rig_seed(), begun;
        unsigned counts[PLAYERS] = { 0 }, calls = 0, deaths = 0, clients = 0, fds, fds_after;
        pid_t pids[PLAYERS];

        warm_up(&chance);
        fds = rig_daemon_fds();
        begun = rig_now();
        for (unsigned i = 0; i < PLAYERS; i++)
                pids[i] = start_player(scene, i, chance_next(&chance));
        kill_many(scene, pids, &chance, counts);
        end_scene(scene, pids);
        for (unsigned i = 0; i < CLIENTS; i++) {
                calls += scene->beats[i].calls;
                deaths += scene->beats[i].deaths;
                clients += counts[i];
        }
        printf("# %u kills of clients, %u of servers in %.1f s; %u calls, %u messages served, %u deaths of "
               "servers noticed\n", clients, counts[SERVER], (double)(rig_now() - begun) / 1e9, calls,
               scene->party.served, deaths);
        fds_after = rig_daemon_fds();
        printf("# descriptors of the daemon: %u before, %u after\n", fds, fds_after);
        need(fds_after == fds, "the daemon keeps descriptors");
        need(calls > kills_wanted, "only %u calls: this was no load", calls);
}

int main(int argc, char **argv) {
        static const RigTest test = { "random kills under load", test_kills, 300 };

        for (int i = 1; i + 1 < argc; i++)
                if (strcmp(argv[i], "--kills") == 0)
                        kills_wanted = (unsigned)atoi(argv[i + 1]);
        return rig_main("kills", &test, 1, argc, argv);
}
