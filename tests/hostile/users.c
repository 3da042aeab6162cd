/* SPDX-License-Identifier: MIT */
/*
 * Users: what belongs to another user cannot be seen, changed or taken, and nobody can be another.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHANNEL (_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT)

static int greet_as_process(void) {
        WireReply reply;
        int socket = wire_connect(), fds[3];

        need(socket >= 0 && wire_greet(socket, 0, &reply, fds) == 0, "the stranger is not greeted");
        return socket;
}

static void need_refused(int socket, WireRequest request, const char *what) {
        WireReply reply;
        int fds[3];
        int r = wire_ask(socket, &request, -1, &reply, fds);

        need(r < 0, "%s: done", what);
        need(fds[0] < 0 && fds[1] < 0 && fds[2] < 0, "%s: refused, but a descriptor came", what);
}

/* ---- seeing ---- */

static void need_hidden(const char *status, const char *key, pid_t pid) {
        char text[64];

        snprintf(text, sizeof(text), "\"%s\": %d,", key, (int)pid);
        need(!strstr(status, text), "the status shows %s %d to a stranger", key, (int)pid);
}

static void play_onlooker(void *argument) {
        Stage *stage = argument;
        char *status = wire_status(), path[64];

        need(status, "the stranger gets no status");
        need_hidden(status, "pid", stage->party.pid);
        need_hidden(status, "pid", stage->other.pid);
        need_hidden(status, "client_pid", stage->other.pid);
        free(status);
        snprintf(path, sizeof(path), "/proc/%d/fd", (int)stage->server);
        need(access(path, R_OK) < 0, "the stranger sees the server's descriptors");
        snprintf(path, sizeof(path), "/proc/%d/map_files", (int)rig_daemon_pid());
        need(access(path, R_OK) < 0, "the stranger sees the daemon's memory");
        stage->attacks++;
}

static void play_in_turn(Stage *stage, void (*run)(void *), RigUser user, const char *who) {
        rig_need_good_end(rig_play(run, stage, user), 3 * RIG_PATIENCE, who);
}

static void test_seeing(void) {
        Stage *stage;

        if (!rig_has_users())
                _exit(77);
        stage = stage_open(CHANNEL);
        play_in_turn(stage, play_onlooker, RIG_HOSTILE, "the onlooker");
        stage_close(stage);
}

/* ---- changing ---- */

static void try_flags_and_info(int socket, const Stage *stage) {
        const pid_t pids[] = { stage->party.pid, stage->other.pid };

        for (unsigned i = 0; i < 2; i++) {
                need_refused(socket, (WireRequest){
                        .op = WIRE_CONNECT_FLAGS,
                        .connect_flags = { .pid = pids[i], .coid = 0x40000001, .mask = 1, .bits = 1 },
                }, "changing flags of another user's connection");
                need_refused(socket, (WireRequest){
                        .op = WIRE_SERVER_INFO,
                        .server_info = { .pid = pids[i], .coid = 0x40000001 },
                }, "looking up another user's connection");
        }
}

static void try_numbers(int socket) {
        for (uint32_t id = 0; id < 300; id++) {
                need_refused(socket, (WireRequest){
                        .op = WIRE_LINK_GROW,
                        .link_grow = { .link = id, .kind = WIRE_EXTENT_BULK, .bytes = 65536 },
                }, "growing another's link");
                need_refused(socket, (WireRequest){
                        .op = WIRE_SCOID_DETACH, .scoid_detach.scoid = 0x10000 + (int)id,
                }, "detaching another's scoid");
                need_refused(socket, (WireRequest){
                        .op = WIRE_CLIENT_INFO, .client_info.scoid = 0x10000 + (int)id,
                }, "asking after another's client");
                need_refused(socket, (WireRequest){
                        .op = WIRE_CHANNEL_DESTROY, .channel_destroy.chid = (int)id,
                }, "destroying another's channel");
        }
}

/* Without answers; the bystanders will tell whether anything happened. */
static void try_silent_numbers(int socket) {
        for (uint32_t id = 0; id < 2000; id++) {
                WireRequest detach = { .op = WIRE_CONNECT_DETACH, .connect_detach.connection = id };
                WireRequest number = {
                        .op = WIRE_CONNECT_NUMBER, .connect_number = { .connection = id, .coid = 5 },
                };

                send(socket, &detach, sizeof(detach), MSG_NOSIGNAL);
                send(socket, &number, sizeof(number), MSG_NOSIGNAL);
        }
}

static void play_meddler(void *argument) {
        Stage *stage = argument;
        uint64_t until = rig_now() + 1500000000u;

        while (rig_now() < until) {
                int socket = greet_as_process();

                try_flags_and_info(socket, stage);
                try_numbers(socket);
                try_silent_numbers(socket);
                close(socket);
                stage->attacks++;
        }
}

static void test_changing(void) {
        Stage *stage;

        if (!rig_has_users())
                _exit(77);
        stage = stage_open(CHANNEL);
        play_in_turn(stage, play_meddler, RIG_HOSTILE, "the meddler");
        stage_close(stage);
}

/* ---- being another ---- */

typedef struct Witness {
        Stage *stage;
        _Atomic int32_t pid, chid;
        _Atomic uint32_t messages;
        _Atomic uint32_t open;
} Witness;

/* A server that compares what it is told of a client with what it knows. */
static void play_witness(void *argument) {
        Witness *witness = argument;
        int chid = ChannelCreate(0);

        need(chid >= 0, "ChannelCreate: %m");
        witness->pid = getpid();
        witness->chid = chid;
        witness->open = 1;
        for (;;) {
                struct _client_info client;
                struct _msg_info info;
                uint32_t claims[2]; /* pid, uid */
                int rcvid = MsgReceive(chid, claims, sizeof(claims), &info);

                if (rcvid <= 0)
                        continue;
                need(ConnectClientInfo(info.scoid, &client, 0) == 0, "ConnectClientInfo: %m");
                need(info.pid == (pid_t)claims[0] && client.pid == info.pid, "pid %d passed for %d",
                     (int)claims[0], (int)info.pid);
                need(client.cred.euid == claims[1] && client.cred.ruid == claims[1],
                     "user %u passed for %u", claims[1], client.cred.euid);
                witness->messages++;
                MsgReply(rcvid, 0, NULL, 0);
        }
}

/* Writes another's numbers wherever it can write. */
static void forge_names(const Stage *stage) {
        Region regions[REGIONS_MAX];
        unsigned n = regions_find(regions);

        for (unsigned i = 0; i < n; i++)
                if (regions[i].writable && strcmp(regions[i].name, "page") == 0)
                        for (size_t k = 0; k + 4 <= regions[i].bytes; k += 4) {
                                uint32_t pid = (uint32_t)stage->other.pid;

                                memcpy(regions[i].map + k, &pid, 4);
                        }
}

static void play_impostor(void *argument) {
        Witness *witness = argument;
        uint32_t claims[2] = { (uint32_t)getpid(), getuid() };
        int coid = ConnectAttach(0, witness->pid, witness->chid, _NTO_SIDE_CHANNEL, 0);

        need(coid >= 0, "ConnectAttach: %m");
        for (unsigned i = 0; i < 1000; i++) {
                if (i == 500)
                        forge_names(witness->stage);
                need(MsgSend(coid, claims, sizeof(claims), NULL, 0) == 0, "MsgSend: %m");
        }
        /* the system's own pulses are nobody's to send */
        need(MsgSendPulse(coid, -1, _PULSE_CODE_DISCONNECT, 0) == -1 && errno == EPERM,
             "a client sends the system's pulses");
}

static void test_being_another(void) {
        Stage *stage = stage_open(CHANNEL);
        Witness *witness = rig_shared(sizeof(*witness));
        pid_t server;
        int status;

        witness->stage = stage;
        server = rig_play(play_witness, witness, RIG_SERVER);
        need(rig_await(&witness->open, 1, RIG_PATIENCE), "the witness does not open");
        rig_need_good_end(rig_play(play_impostor, witness, RIG_HOSTILE), RIG_PATIENCE, "the impostor");
        rig_need_good_end(rig_play(play_impostor, witness, RIG_OTHER), RIG_PATIENCE, "the other");
        need(!rig_has_ended(server, &status), "the witness ended");
        need(witness->messages == 2000, "%u messages witnessed", witness->messages);
        rig_kill(server);
        stage->attacks = 2;
        stage_close(stage);
}

/* ---- a channel of its owner's process alone ---- */

static void play_private(void *argument) {
        Witness *witness = argument;
        int chid = ChannelCreate(_NTO_CHF_PRIVATE);

        need(chid >= 0, "ChannelCreate: %m");
        witness->pid = getpid();
        witness->chid = chid;
        witness->open = 1;
        for (;;)
                pause();
}

static void play_intruder(void *argument) {
        Witness *witness = argument;

        need(ConnectAttach(0, witness->pid, witness->chid, _NTO_SIDE_CHANNEL, 0) == -1,
             "a stranger attaches to a private channel");
}

static void test_private(void) {
        Witness *witness = rig_shared(sizeof(*witness));
        pid_t server = rig_play(play_private, witness, RIG_SERVER);

        need(rig_await(&witness->open, 1, RIG_PATIENCE), "the private server does not open");
        rig_need_good_end(rig_play(play_intruder, witness, RIG_HOSTILE), RIG_PATIENCE, "the intruder");
        rig_kill(server);
}

int main(int argc, char **argv) {
        static const RigTest tests[] = {
                { "a user sees nothing of another", test_seeing, 60 },
                { "a user changes nothing of another", test_changing, 60 },
                { "a client cannot pass for another", test_being_another, 60 },
                { "a private channel is private", test_private, 60 },
        };

        return rig_main("users", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
