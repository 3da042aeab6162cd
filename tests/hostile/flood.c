/* SPDX-License-Identifier: MIT */
/*
 * Flood: every queue filled as fast as it goes: pulses, messages, attachments, news that nobody reads.
 */
#include "attack.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHANNEL (_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT)

static void start_threads(unsigned n, void *(*run)(void *), void *argument) {
        pthread_attr_t attributes;
        pthread_t thread;

        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 128 * 1024);
        for (unsigned i = 0; i < n; i++)
                need(pthread_create(&thread, &attributes, run, argument) == 0, "pthread_create");
}

/* ---- pulses ---- */

static void *pulse_for_ever(void *argument) {
        Stage *stage = argument;
        int coid = party_attach(&stage->party);

        need(coid >= 0, "the attacker cannot attach: %s", strerror(-coid));
        for (;;)
                if (MsgSendPulse(coid, -1, PARTY_PULSE_CODE, 1) == 0)
                        stage->attacks++;
                else
                        need(errno == EAGAIN, "MsgSendPulse: %m");
        return NULL;
}

static void play_pulses(void *argument) {
        start_threads(3, pulse_for_ever, argument);
        pulse_for_ever(argument);
}

static void test_pulses(void) {
        Stage *stage = stage_open(CHANNEL);

        stage_attack(stage, play_pulses, stage, 3000);
        need(stage->attacks > 10000, "only %u pulses", stage->attacks);
        stage_close(stage);
}

/* ---- messages ---- */

static void *send_for_ever(void *argument) {
        Stage *stage = argument;
        int coid = party_attach(&stage->party);
        uint8_t bytes[100] = { 0 };

        need(coid >= 0, "the attacker cannot attach: %s", strerror(-coid));
        for (;;) {
                need(MsgSendnc(coid, bytes, sizeof(bytes), NULL, 0) == -1 && errno == EINVAL,
                     "a nonsense message got %d", errno);
                stage->attacks++;
        }
        return NULL;
}

static void play_sends(void *argument) {
        start_threads(200, send_for_ever, argument);
        send_for_ever(argument);
}

static void test_sends(void) {
        Stage *stage = stage_open(CHANNEL);

        stage_attack(stage, play_sends, stage, 3000);
        need(stage->attacks > 1000, "only %u messages", stage->attacks);
        stage_close(stage);
}

/* ---- attachments ---- */

static void attach_once(Stage *stage, unsigned index, int flags) {
        int coid = ConnectAttach(0, stage->party.pid, stage->party.chid, index, flags);

        need(coid >= 0 || errno == EAGAIN, "ConnectAttach: %m");
        if (coid < 0)
                return;
        need(ConnectDetach(coid) == 0, "ConnectDetach: %m");
        stage->attacks++;
}

static void *attach_for_ever(void *argument) {
        for (;;) {
                attach_once(argument, _NTO_SIDE_CHANNEL, 0);
                attach_once(argument, 0, 0);
                attach_once(argument, _NTO_SIDE_CHANNEL, _NTO_COF_NOSHARE);
                attach_once(argument, 0, _NTO_COF_NOSHARE | _NTO_COF_CLOEXEC);
        }
        return NULL;
}

static void play_attachments(void *argument) {
        start_threads(3, attach_for_ever, argument);
        attach_for_ever(argument);
}

static void test_attachments(void) {
        Stage *stage = stage_open(CHANNEL);

        stage_attack(stage, play_attachments, stage, 3000);
        need(stage->attacks > 1000, "only %u attachments", stage->attacks);
        stage_close(stage);
}

/* ---- news that nobody reads ---- */

typedef struct Deaf {
        Stage *stage;
        _Atomic uint32_t open;
        _Atomic int32_t pid;
        _Atomic uint32_t attached;
} Deaf;

static void play_deaf_server(void *argument) {
        Deaf *deaf = argument;
        WireRequest request = { .op = WIRE_CHANNEL_CREATE, .channel_create.flags = CHANNEL };
        WireReply reply;
        int socket = wire_connect();
        int fds[3];

        need(socket >= 0 && wire_greet(socket, 0, &reply, fds) == 0, "the deaf server is not greeted");
        need(wire_ask(socket, &request, -1, &reply, fds) == 0, "the deaf server has no channel");
        deaf->pid = getpid();
        deaf->open = 1;
        for (;;)
                pause();
}

static bool attach_raw(int socket, Deaf *deaf, int coid, uint32_t flags, uint32_t *ret_id) {
        WireRequest request = {
                .op = WIRE_CONNECT_ATTACH,
                .connect_attach = { .pid = deaf->pid, .chid = 1, .flags = flags, .coid = coid },
        };
        WireReply reply;
        int fds[3];
        int r = wire_ask(socket, &request, -1, &reply, fds);

        need(r == 0 || r == -EAGAIN, "attaching to the deaf server: %s", strerror(-r));
        for (unsigned i = 0; i < 3; i++)
                if (fds[i] >= 0)
                        close(fds[i]);
        *ret_id = r == 0 ? reply.connect.id : 0;
        return r == 0;
}

static void detach_raw(int socket, uint32_t id) {
        WireRequest request = { .op = WIRE_CONNECT_DETACH, .connect_detach.connection = id };

        need(send(socket, &request, sizeof(request), MSG_NOSIGNAL) == sizeof(request), "detach: %m");
}

/* Each attachment has a lane of its own, so each makes news. */
static void play_visitors(void *argument) {
        Deaf *deaf = argument;
        WireReply reply;
        int fds[3];

        for (;;) {
                int socket = wire_connect();

                need(socket >= 0 && wire_greet(socket, 0, &reply, fds) == 0, "a visitor is not greeted");
                for (unsigned i = 0; i < 3; i++)
                        close(fds[i]);
                for (int i = 0; i < 2000; i++) {
                        uint32_t id;

                        if (!attach_raw(socket, deaf, 0x40000001 + i, _NTO_COF_NOSHARE, &id))
                                continue;
                        deaf->attached++;
                        if (i % 4)
                                detach_raw(socket, id);
                }
                close(socket);
        }
}

static void test_unread_news(void) {
        Stage *stage = stage_open(CHANNEL);
        Deaf *deaf = rig_shared(sizeof(*deaf));
        pid_t server = rig_play(play_deaf_server, deaf, RIG_HOSTILE);
        long before = rig_daemon_kib(), after;

        need(rig_await(&deaf->open, 1, RIG_PATIENCE), "the deaf server does not open");
        stage_attack(stage, play_visitors, deaf, 4000);
        after = rig_daemon_kib();
        printf("# %u attachments that nobody hears of; the daemon grew from %ld to %ld KiB\n", deaf->attached,
               before, after);
        need(deaf->attached > 5000, "only %u attachments", deaf->attached);
        need(after - before < 256 * 1024, "unread news fill the daemon's memory");
        rig_kill(server);
        stage->attacks = deaf->attached;
        stage_close(stage);
}

/* ---- news that are read late ---- */

#define LATE_CLIENTS     4
#define LATE_CONNECTIONS 3800

typedef struct Late {
        Stage *stage;
        _Atomic uint32_t ready;
} Late;

static void play_late(void *argument) {
        Late *late = argument;
        const Party *party = &late->stage->party;
        int first = 0, last = 0;

        for (unsigned i = 0; i < LATE_CONNECTIONS; i++) {
                last = ConnectAttach(0, party->pid, party->chid, _NTO_SIDE_CHANNEL, _NTO_COF_NOSHARE);
                need(last >= 0, "ConnectAttach %u: %m", i);
                if (i == 0)
                        first = last;
        }
        late->ready++;
        for (unsigned i = 0; i < 10; i++) {
                need(party_order(last, ORDER_ECHO, 1000, 1000, i) == 0, "the late message is lost");
                need(party_order(first, ORDER_ECHO, 1000, 1000, i) == 0, "the first message is lost");
        }
}

/* The most news that wait in the daemon for one process, because its socket is full. */
static long news_waiting(void) {
        static const char key[] = "\"news_waiting\": ";
        char *status = wire_status();
        long most = 0;

        need(status, "the daemon does not answer");
        for (const char *at = status; (at = strstr(at, key)); at++) {
                long n = strtol(at + strlen(key), NULL, 10);

                most = n > most ? n : most;
        }
        free(status);
        return most;
}

/*
 * The server is stopped while more clients come than its news socket holds. When it goes on, the messages
 * are there before the news of their lanes.
 */
static void test_late_news(void) {
        Party *party;
        Stage *stage = rig_shared(sizeof(*stage));
        Late *late = rig_shared(sizeof(*late));
        ServerOrders orders = { .party = &stage->party, .flags = CHANNEL, .threads = 2 };
        pid_t pids[LATE_CLIENTS];

        party = &stage->party;
        late->stage = stage;
        stage->server = rig_play(party_serve, &orders, RIG_SERVER);
        need(rig_await(&party->open, 1, RIG_PATIENCE), "the server does not open");
        rig_pause(50);
        kill(stage->server, SIGSTOP);
        for (unsigned i = 0; i < LATE_CLIENTS; i++)
                pids[i] = rig_play(play_late, late, RIG_OTHER);
        need(rig_await(&late->ready, LATE_CLIENTS, 30), "attaching takes the server's part");
        rig_pause(100);
        printf("# %ld pieces of news wait in the daemon\n", news_waiting());
        kill(stage->server, SIGCONT);
        for (unsigned i = 0; i < LATE_CLIENTS; i++)
                rig_need_good_end(pids[i], 2 * RIG_PATIENCE, "a late client");
        need(rig_await(&party->disconnects, LATE_CLIENTS * LATE_CONNECTIONS, 2 * RIG_PATIENCE),
             "only %u DISCONNECT pulses for %u lanes", party->disconnects, LATE_CLIENTS * LATE_CONNECTIONS);
        rig_kill(stage->server);
}

int main(int argc, char **argv) {
        static const RigTest tests[] = {
                { "a client floods the pulses", test_pulses, 60 },
                { "a client sends from 200 threads", test_sends, 60 },
                { "a client attaches and detaches", test_attachments, 60 },
                { "a server does not read its news", test_unread_news, 60 },
                { "a server reads 15200 pieces of news late", test_late_news, 90 },
        };

        return rig_main("flood", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
