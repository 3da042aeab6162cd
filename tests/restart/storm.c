/* SPDX-License-Identifier: MIT */
/*
 * Storm: four clients and two servers of two threads talk, attach and detach, programs come and go, and the daemon is
 * killed again and again.
 *
 * Each message carries a number: the server must see each number once, in order. Each connection that ends must
 * give one DISCONNECT, each server that ends one COIDDEATH. No call may fail. In the end nobody holds anything.
 */
#include "provider.h"
#include "rig.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS     4
#define SERVERS     2
#define CHANNEL     (_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT)
#define CALLS_A_SECOND_EACH 2500
#define BURST       25      /* calls between two looks at the clock */
#define ROUND       48      /* calls between two changes of connections */
#define PULSE_CODE  7
#define PULSE_STOP  8
#define SAMPLES_MAX 20000
#define ATTACH_MAX_NS 5000000000ull /* what is promised is a tenth of it; but not on any busy machine */

typedef struct Message {
        uint32_t client; /* CLIENTS = one of those who come and go, who are not numbered */
        uint32_t number;
} Message;

/* What a server has seen of a client; only the server writes. */
typedef struct Account {
        _Atomic uint32_t last;
        _Atomic uint32_t pulses;
        _Atomic uint64_t pulse_sum;
} Account;

typedef struct Server {
        _Atomic int32_t pid;
        _Atomic int32_t chid;
        _Atomic uint32_t disconnects;
        _Atomic uint32_t lanes; /* clients: how many there must be */
        Account accounts[CLIENTS];
} Server;

typedef struct Latency {
        _Atomic uint32_t n;
        uint64_t ns[SAMPLES_MAX];
} Latency;

typedef struct Scene {
        Server servers[SERVERS];
        _Atomic uint32_t ready; /* servers whose channel is there */
        _Atomic uint32_t ends;
        _Atomic uint32_t kills;
        _Atomic uint32_t calls, attaches, visits, deaths; /* of servers, noticed */
        _Atomic uint32_t lost, duplicated, failed;
        Latency plain, across; /* attaches during which no daemon was killed; or one was */
} Scene;

static Scene *scene;
#ifdef __SANITIZE_ADDRESS__ /* everything takes longer, and 500 have been shown without */
static unsigned kills_wanted = 80, seconds = 15;
#else
static unsigned kills_wanted = 500, seconds = 55;
#endif

/* ---- servers ---- */

static void count_number(Account *account, uint32_t number) {
        uint32_t last = account->last;

        if (number <= last)
                scene->duplicated++;
        else
                scene->lost += number - last - 1;
        account->last = number > last ? number : last;
}

static void serve_pulse(Server *server, const struct _pulse *pulse) {
        uint32_t value = (uint32_t)pulse->value.sival_int;
        Account *account = &server->accounts[value >> 24 & 3];

        if (pulse->code == PULSE_STOP)
                _exit(0);
        if (pulse->code == _PULSE_CODE_DISCONNECT) {
                server->disconnects++;
                if (ConnectDetach(pulse->scoid) == -1)
                        scene->failed++;
        }
        if (pulse->code != PULSE_CODE)
                return;
        account->pulses++;
        account->pulse_sum += value & 0xffffff;
}

static void *serve(void *argument) {
        Server *server = argument;
        int chid = server->chid;
        union {
                Message message;
                struct _pulse pulse;
        } in;

        for (;;) {
                int rcvid = MsgReceive(chid, &in, sizeof(in), NULL);

                need(rcvid >= 0 || errno == EINTR, "MsgReceive: %m");
                if (rcvid == 0)
                        serve_pulse(server, &in.pulse);
                if (rcvid <= 0)
                        continue;
                if (in.message.client < CLIENTS)
                        count_number(&server->accounts[in.message.client], in.message.number);
                if (MsgReply(rcvid, EOK, &in.message, sizeof(in.message)) == -1 && in.message.client < CLIENTS)
                        scene->failed++;
        }
        return NULL;
}

static void play_server(void *argument) {
        Server *server = argument;
        pthread_t thread;

        server->pid = getpid();
        server->chid = ChannelCreate(CHANNEL);
        need(server->chid > 0, "ChannelCreate: %m");
        scene->ready++;
        need(pthread_create(&thread, NULL, serve, server) == 0, "pthread_create");
        serve(server);
}

/* ---- clients ---- */

static void failed(const char *call) {
        if (scene->failed++ < 20)
                fprintf(stderr, "# [%d] %s: %s\n", (int)getpid(), call, strerrorname_np(errno));
}

static void sample(Latency *latency, uint64_t ns) {
        uint32_t i = latency->n++;

        if (i < SAMPLES_MAX)
                latency->ns[i] = ns;
}

static int attach(const Server *server, unsigned index, int flags) {
        uint32_t kills = scene->kills;
        uint64_t begun = rig_now();
        int coid = ConnectAttach(0, server->pid, server->chid, index, flags);

        sample(scene->kills == kills ? &scene->plain : &scene->across, rig_now() - begun);
        scene->attaches++;
        if (coid < 0)
                failed("ConnectAttach");
        return coid;
}

static void send_number(int coid, uint32_t client, uint32_t number) {
        Message message = { client, number }, answer = { 0 };

        scene->calls++;
        if (MsgSend(coid, &message, sizeof(message), &answer, sizeof(answer)) == -1)
                failed("MsgSend");
        else if (answer.client != client || answer.number != number)
                scene->failed++;
}

typedef struct Client {
        unsigned number;
        RigUser user;
        uint64_t chance;
        int coids[SERVERS]; /* from beginning to end */
        uint32_t sent[SERVERS];
        uint32_t pulses[SERVERS];
        uint64_t pulse_sums[SERVERS];
        uint64_t next; /* ns: when the next burst is due */
} Client;

static void call(Client *c, unsigned to, int coid) {
        send_number(coid, c->number, ++c->sent[to]);
}

static void pulse(Client *c, unsigned to, int coid) {
        uint32_t number = c->pulses[to] + 1;

        if (MsgSendPulse(coid, -1, PULSE_CODE, (int)(c->number << 24 | (number & 0xffffff))) == -1) {
                if (errno != EAGAIN) /* 1024 wait already */
                        failed("MsgSendPulse");
                return;
        }
        c->pulses[to]++;
        c->pulse_sums[to] += number & 0xffffff;
}

static void use_side_channel(Client *c, unsigned to) {
        bool is_own = chance_below(&c->chance, 2);
        int coid = attach(&scene->servers[to], _NTO_SIDE_CHANNEL, is_own ? _NTO_COF_NOSHARE : 0);

        if (coid < 0)
                return;
        scene->servers[to].lanes += is_own;
        call(c, to, coid);
        pulse(c, to, coid);
        if (ConnectDetach(coid) == -1)
                failed("ConnectDetach");
}

static void use_descriptor(Client *c, unsigned to) {
        int coid = attach(&scene->servers[to], 0, _NTO_COF_NOSHARE), copy;

        if (coid < 0)
                return;
        scene->servers[to].lanes++;
        copy = dup(coid);
        close(coid);
        call(c, to, copy);
        close(copy);
}

/* A process of its own with the descriptor that it inherits. */
static void use_child(Client *c, unsigned to) {
        int coid = attach(&scene->servers[to], 0, _NTO_COF_NOSHARE), status;
        pid_t pid;

        if (coid < 0)
                return;
        scene->servers[to].lanes += 2;
        pid = fork();
        if (pid == 0) {
                send_number(coid, CLIENTS, 0);
                _exit(0);
        }
        call(c, to, coid);
        close(coid);
        if (waitpid(pid, &status, 0) != pid || status)
                failed("child");
        scene->visits++;
}

static void keep_pace(Client *c) {
        uint64_t now = rig_now();
        struct timespec until;

        c->next += 1000000000ull / CALLS_A_SECOND_EACH * BURST;
        if (c->next < now) { /* behind: what was missed is not made up for */
                c->next = now;
                return;
        }
        until = (struct timespec){ (time_t)(c->next / 1000000000u), (long)(c->next % 1000000000u) };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void client_round(Client *c) {
        for (unsigned i = 0; i < ROUND; i++) {
                unsigned to = chance_below(&c->chance, SERVERS);

                call(c, to, c->coids[to]);
                if (i % BURST == 0)
                        keep_pace(c);
        }
        switch (chance_below(&c->chance, 32)) {
        case 0:
                use_child(c, chance_below(&c->chance, SERVERS));
                return;
        case 1 ... 15:
                use_descriptor(c, chance_below(&c->chance, SERVERS));
                return;
        default:
                use_side_channel(c, chance_below(&c->chance, SERVERS));
        }
}

static void compare(const Client *c, unsigned to) {
        const Account *account = &scene->servers[to].accounts[c->number];
        uint64_t until = rig_now() + RIG_PATIENCE * 1000000000ull;

        while (account->pulse_sum != c->pulse_sums[to] && rig_now() < until)
                rig_pause(1); /* they may still be on their way */
        need(account->last == c->sent[to], "client %u has sent %u, the server has seen %u", c->number, c->sent[to],
             account->last);
        need(account->pulses == c->pulses[to] && account->pulse_sum == c->pulse_sums[to],
             "client %u has sent %u pulses, the server has seen %u", c->number, c->pulses[to], account->pulses);
}

static void play_client(void *argument) {
        Client *c = argument;

        for (unsigned to = 0; to < SERVERS; to++) {
                c->coids[to] = attach(&scene->servers[to], _NTO_SIDE_CHANNEL, 0);
                need(c->coids[to] > 0, "the first ConnectAttach: %m");
                scene->servers[to].lanes++;
        }
        c->next = rig_now();
        while (!scene->ends)
                client_round(c);
        for (unsigned to = 0; to < SERVERS; to++)
                compare(c, to);
}

/* ---- those who come and go ---- */

static void visit(unsigned to, bool says_goodbye) {
        int coid = attach(&scene->servers[to], _NTO_SIDE_CHANNEL, 0);

        if (coid < 0)
                _exit(1);
        scene->servers[to].lanes++;
        send_number(coid, CLIENTS, 0);
        if (says_goodbye && ConnectDetach(coid) == -1)
                failed("ConnectDetach");
        _exit(0);
}

static void play_visitors(void *argument) {
        uint64_t chance = *(uint64_t *)argument;
        int status;

        while (!scene->ends) {
                pid_t pid = fork();

                if (pid == 0)
                        visit(chance_below(&chance, SERVERS), chance_below(&chance, 2));
                chance_next(&chance);
                if (waitpid(pid, &status, 0) != pid || status)
                        failed("visitor");
                scene->visits++;
                rig_pause(10);
        }
}

/* A server that answers once and ends. */
static void serve_once(int wire) {
        int chid = ChannelCreate(0), rcvid;
        Message message;

        if (chid < 0 || write(wire, &chid, sizeof(chid)) != sizeof(chid))
                _exit(1);
        rcvid = MsgReceive(chid, &message, sizeof(message), NULL);
        if (rcvid <= 0 || MsgReply(rcvid, EOK, &message, sizeof(message)) == -1)
                _exit(2);
        _exit(0);
}

static void await_death(int chid, int coid) {
        struct sigevent unblock = { .sigev_notify = SIGEV_UNBLOCK };
        uint64_t ns = RIG_PATIENCE * 1000000000ull;
        struct _pulse told;

        TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, &unblock, &ns, NULL);
        if (MsgReceivePulse(chid, &told, sizeof(told), NULL) == -1 || told.code != _PULSE_CODE_COIDDEATH ||
            told.value.sival_int != coid)
                failed("COIDDEATH");
        scene->deaths++;
}

static void watch_one_server(int chid) {
        int wire[2], its_chid = 0, coid, status;
        pid_t pid;

        need(pipe(wire) == 0, "pipe: %m");
        pid = fork();
        if (pid == 0)
                serve_once(wire[1]);
        close(wire[1]);
        if (read(wire[0], &its_chid, sizeof(its_chid)) != sizeof(its_chid))
                failed("ChannelCreate");
        close(wire[0]);
        coid = ConnectAttach(0, pid, its_chid, _NTO_SIDE_CHANNEL, 0);
        if (coid < 0)
                failed("ConnectAttach to a short-lived server");
        send_number(coid, CLIENTS, 0);
        if (waitpid(pid, &status, 0) != pid || status)
                failed("short-lived server");
        await_death(chid, coid);
        if (ConnectDetach(coid) == -1)
                failed("ConnectDetach");
}

static void play_watcher(void *argument) {
        struct sigevent unblock = { .sigev_notify = SIGEV_UNBLOCK };
        uint64_t ns = 1;
        int chid = ChannelCreate(_NTO_CHF_COID_DISCONNECT);
        struct _pulse told;

        (void)argument;
        need(chid > 0, "ChannelCreate: %m");
        while (!scene->ends) {
                watch_one_server(chid);
                rig_pause(10);
        }
        TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, &unblock, &ns, NULL);
        if (MsgReceivePulse(chid, &told, sizeof(told), NULL) != -1)
                scene->duplicated++;
}

/* ---- the director ---- */

static void stop_servers(const pid_t *pids) {
        for (unsigned i = 0; i < SERVERS; i++) {
                Server *server = &scene->servers[i];

                need(rig_await(&server->disconnects, server->lanes, RIG_PATIENCE), "server %u: %u of %u DISCONNECTs", i,
                     server->disconnects, server->lanes);
                rig_pause(20); /* one too many would come now */
                need(server->disconnects == server->lanes, "server %u: %u DISCONNECTs for %u", i, server->disconnects,
                     server->lanes);
                rig_kill(pids[i]);
        }
}

#define PLAYERS (CLIENTS + 2)

typedef struct Cast {
        pid_t servers[SERVERS];
        pid_t others[PLAYERS];
} Cast;

static void begin_scene(Cast *cast, uint64_t *chance) {
        scene = rig_shared(sizeof(*scene));
        for (unsigned i = 0; i < SERVERS; i++)
                cast->servers[i] = rig_play(play_server, &scene->servers[i], RIG_SELF);
        need(rig_await(&scene->ready, SERVERS, RIG_PATIENCE), "the servers do not open");
        for (unsigned i = 0; i < CLIENTS; i++) {
                Client c = { .number = i, .chance = chance_next(chance) };

                cast->others[i] = rig_play(play_client, &c, i < 2 ? RIG_SELF : RIG_OTHER);
        }
        cast->others[CLIENTS] = rig_play(play_visitors, chance, RIG_SELF);
        cast->others[CLIENTS + 1] = rig_play(play_watcher, NULL, RIG_SELF);
}

static void end_scene(Cast *cast) {
        scene->ends = 1;
        for (unsigned i = 0; i < PLAYERS; i++)
                rig_need_good_end(cast->others[i], 3 * RIG_PATIENCE, i < CLIENTS ? "client" : "visitor or watcher");
        stop_servers(cast->servers);
        rig_need_empty("in the end");
}

static void need_all_alive(const Cast *cast) {
        int status;

        for (unsigned i = 0; i < PLAYERS; i++)
                need(!rig_has_ended(cast->others[i], &status), "player %u ended by itself: 0x%x", i, (unsigned)status);
}

static void kill_many(const Cast *cast, uint64_t *chance) {
        uint64_t until = rig_now() + seconds * 1000000000ull;

        while (scene->kills < kills_wanted) {
                uint64_t now = rig_now();
                uint64_t left = now < until ? (until - now) / 1000000u : 0;

                rig_pause(chance_below(chance, 2 * (uint32_t)(left / (kills_wanted - scene->kills)) + 1));
                need_all_alive(cast);
                scene->kills++;
                if (provider_is_systemd() && scene->kills % 20 == 0)
                        provider_upgrade();
                else
                        provider_kill_daemon();
        }
}

static int by_size(const void *a, const void *b) {
        uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

        return (left > right) - (left < right);
}

static uint64_t quantile(Latency *latency, unsigned percent) {
        uint32_t n = latency->n < SAMPLES_MAX ? latency->n : SAMPLES_MAX;

        if (n == 0)
                return 0;
        qsort(latency->ns, n, sizeof(latency->ns[0]), by_size);
        return latency->ns[(uint64_t)(n - 1) * percent / 100];
}

static void print_latency(const char *what, Latency *latency) {
        printf("# attach %s: n %u, median %.2f ms, 99th percentile %.2f ms, longest %.2f ms\n", what, latency->n,
               (double)quantile(latency, 50) / 1e6, (double)quantile(latency, 99) / 1e6,
               (double)quantile(latency, 100) / 1e6);
}

static void print_counts(double took) {
        printf("# storm under %s: %u kills in %.1f s, %u calls (%.0f a second), %u attaches, "
               "%u programs came and went, %u servers died\n", provider_name(), scene->kills, took, scene->calls,
               scene->calls / took, scene->attaches, scene->visits, scene->deaths);
        printf("# lost %u, duplicated %u, failed %u\n", scene->lost, scene->duplicated, scene->failed);
        print_latency("while the daemon lives", &scene->plain);
        print_latency("across a kill", &scene->across);
}

/* A quiet day first, so that whatever is opened once is open. */
static void warm_up(uint64_t *chance) {
        Cast cast;

        begin_scene(&cast, chance);
        rig_pause(300);
        end_scene(&cast);
        need(scene->failed + scene->lost + scene->duplicated == 0, "it goes wrong without a kill");
}

static void test_storm(void) {
        uint64_t chance = rig_seed(), begun;
        unsigned fds, fds_after;
        Cast cast;

        provider_start(NULL);
        warm_up(&chance);
        fds = provider_fds();
        begun = rig_now();
        begin_scene(&cast, &chance);
        kill_many(&cast, &chance);
        rig_pause(200);
        end_scene(&cast);
        print_counts((double)(rig_now() - begun) / 1e9);
        fds_after = provider_fds();
        printf("# descriptors of %s: %u before, %u after\n", provider_name(), fds, fds_after);
        need(scene->lost + scene->duplicated + scene->failed == 0, "not everybody got what was due");
        need(fds_after == fds, "%s keeps descriptors of nobody", provider_name());
        need(quantile(&scene->across, 100) < ATTACH_MAX_NS, "an attach across a kill took too long");
        provider_stop();
}

int main(int argc, char **argv) {
        static const RigTest test = { "the daemon is killed under load", test_storm, 400 };

        for (int i = 1; i + 1 < argc; i++) {
                if (strcmp(argv[i], "--kills") == 0)
                        kills_wanted = (unsigned)atoi(argv[i + 1]);
                if (strcmp(argv[i], "--seconds") == 0)
                        seconds = (unsigned)atoi(argv[i + 1]);
        }
        provider_init();
        return rig_main_without_daemon("storm", &test, 1, argc, argv);
}
