/* SPDX-License-Identifier: MIT */
/*
 * Failpoints: kill -9 one side at each step of the data path and of its requests; and the daemon at each of
 * its own steps.
 *
 * First a run that only lists which names each side passes. Then, for each name and some of its
 * repetitions, one side dies there. Whoever is left must get its errors or pulses at once, go on with
 * others, and leave nothing behind in the daemon.
 */
#include "party.h"
#include "rig.h"

#include "abi/layout.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef NUNTIUS_FAILPOINTS

#define NAMES_MAX   128
#define NAME_BYTES  96
#define HITS_MAX    20
#define CHANNEL     (_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT)
#define ROUNDS      4
#define HOLD_NS     5000000ull

typedef struct Names {
        char names[NAMES_MAX][NAME_BYTES];
        unsigned n;
} Names;

static unsigned n_kills;

/* ---- a client's visit ---- */

typedef struct Visit {
        Party *party;
        unsigned rounds;
        const char *environment;
        const char *value;
        int result;      /* errno that ended it; 0 = all done */
        bool may_fail;   /* the server may die: only hanging is wrong */
        bool is_patient; /* waits for the channel */
        _Atomic uint32_t connected; /* so often: each gives a DISCONNECT in the end */
} Visit;

static int hold_for_a_while(int coid) {
        uint64_t ns = HOLD_NS;
        struct sigevent event = { .sigev_notify = SIGEV_UNBLOCK };
        int r;

        TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_REPLY, &event, &ns, NULL);
        r = party_order(coid, ORDER_HOLD, 10, 0, 1);
        return r == ETIMEDOUT ? 0 : r ? r : EPROTO;
}

static int pulse(int coid) {
        return MsgSendPulse(coid, -1, PARTY_PULSE_CODE, 1) == 0 ? 0 : errno;
}

static int visit_round(int coid, unsigned round) {
        int r = party_order(coid, ORDER_ECHO, 100, 200, round);

        if (!r)
                r = pulse(coid);
        if (!r)
                r = party_order(coid, ORDER_ECHO, 30000, 20000, round);
        if (!r)
                r = party_order(coid, ORDER_ECHO, 300000, 10, round);
        return r ? r : hold_for_a_while(coid);
}

/* Another process to the daemon; it adopts the descriptor that it inherits. */
static int order_as_child(Visit *v, int coid) {
        int r, status;
        pid_t pid = fork();

        if (pid == 0) {
                alarm(RIG_PATIENCE);
                r = party_order(coid, ORDER_ECHO, 100, 100, 1);
                v->connected += !r;
                _exit(r);
        }
        need(pid > 0 && waitpid(pid, &status, 0) == pid, "fork: %m");
        if (WIFSIGNALED(status))
                kill(getpid(), WTERMSIG(status)); /* it is as dead as its child */
        return WEXITSTATUS(status);
}

static int visit_by_descriptor(Visit *v) {
        int coid = party_attach_at(v->party, 0, _NTO_COF_NOSHARE), copy, r;

        if (coid < 0)
                return -coid;
        v->connected++;
        r = order_as_child(v, coid);
        copy = dup(coid);
        if (!r)
                r = party_order(copy, ORDER_ECHO, 100, 100, 1);
        close(copy);
        close(coid);
        return r;
}

static int visit(Visit *v) {
        int coid = party_attach(v->party);
        int r = 0;

        if (coid < 0)
                return -coid;
        v->connected++;
        for (unsigned round = 0; round < v->rounds && !r; round++)
                r = visit_round(coid, round);
        if (!r)
                r = visit_by_descriptor(v);
        ConnectDetach(coid);
        return r;
}

static void play_visit(void *argument) {
        Visit *v = argument;

        if (v->environment)
                setenv(v->environment, v->value, 1);
        alarm(2 * RIG_PATIENCE);
        v->result = visit(v);
        need(v->may_fail || v->result == 0, "a client of a living server got errno %d (%s)", v->result,
             strerror(v->result));
}

static Visit *visit_new(Party *party) {
        Visit *v = rig_shared(sizeof(*v));

        *v = (Visit){ .party = party, .rounds = ROUNDS };
        return v;
}

/* ---- a client that asks the server to stop ---- */

static void play_stop(void *argument) {
        int coid = party_attach(argument);

        alarm(RIG_PATIENCE);
        need(coid >= 0, "cannot attach to stop the server: %s", strerror(-coid));
        need(party_order(coid, ORDER_STOP, 0, 0, 0) == 0, "the server does not stop");
}

static void stop_server(Party *party, pid_t server, const char *name) {
        rig_need_good_end(rig_play(play_stop, party, RIG_SELF), RIG_PATIENCE, name);
        rig_need_good_end(server, RIG_PATIENCE, "server");
}

static pid_t start_server(Party *party, const char *environment, const char *value) {
        ServerOrders orders = {
                .party = party, .flags = CHANNEL, .threads = 2,
                .environment = environment, .value = value,
        };

        return rig_play(party_serve, &orders, RIG_SELF);
}

/* ---- names ---- */

static void read_names(const char *path, Names *names) {
        FILE *file = fopen(path, "re");
        char line[NAME_BYTES];

        while (file && names->n < NAMES_MAX && fgets(line, sizeof(line), file)) {
                line[strcspn(line, "\n")] = '\0';
                strcpy(names->names[names->n++], line);
        }
        if (file)
                fclose(file);
}

static void path_of(char path[128], const char *who) {
        snprintf(path, 128, "%s/names-%s", rig_directory(), who);
}

static bool has_name(const Names *names, const char *name) {
        for (unsigned i = 0; i < names->n; i++)
                if (strcmp(names->names[i], name) == 0)
                        return true;
        return false;
}

static void need_names(const Names *names, const char *const *wanted) {
        for (; *wanted; wanted++)
                need(has_name(names, *wanted), "nobody passed %s", *wanted);
}

static const char *const client_points[] = {
        "send:written", "send:sent", "send:rung", "send:answered", "send:leave-reply", "pulse:put",
        "request:sent", "request:answered", NULL,
};

static const char *const server_points[] = {
        "receive:taken", "receive:unlocked", "reply:taken", "reply:written", "reply:told",
        "request:sent", "request:answered", NULL,
};

/* A visit in which nobody dies, with the names that each side passes. */
static void list_names(Names *client, Names *server) {
        Party *party = rig_shared(sizeof(*party));
        Visit *v = visit_new(party);
        char client_path[128], server_path[128];
        pid_t pid;

        path_of(client_path, "client");
        path_of(server_path, "server");
        pid = start_server(party, "NUNTIUS_FAILPOINT_LIST", server_path);
        need(rig_await(&party->open, 1, RIG_PATIENCE), "the server does not open");
        v->environment = "NUNTIUS_FAILPOINT_LIST";
        v->value = client_path;
        rig_need_good_end(rig_play(play_visit, v, RIG_SELF), 30, "client");
        stop_server(party, pid, "lister");
        read_names(client_path, client);
        read_names(server_path, server);
        need_names(client, client_points);
        need_names(server, server_points);
}

/* ---- the client dies ---- */

/* What the dead client left with the server must be cleared up by the server's pulses. */
static void need_cleared(Party *party, const char *point) {
        uint64_t until = rig_now() + RIG_PATIENCE * 1000000000ull;

        while (party->seen > 0 || party->held > 0) {
                need(rig_now() < until, "%s: %u clients without DISCONNECT, %u messages without UNBLOCK",
                     point, party->seen, party->held);
                rig_pause(1);
        }
}

/* False when @point is never passed so often. */
static bool kill_client_at(const char *point) {
        Party *party = rig_shared(sizeof(*party));
        Visit *victim = visit_new(party), *other = visit_new(party);
        pid_t server = start_server(party, NULL, NULL), pid;
        bool died;
        int status;

        need(rig_await(&party->open, 1, RIG_PATIENCE), "the server does not open");
        victim->environment = "NUNTIUS_FAILPOINT";
        victim->value = point;
        pid = rig_play(play_visit, victim, RIG_SELF);
        status = rig_wait(pid, 30, point);
        died = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        need(died || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "%s: the victim's end is 0x%x", point,
             (unsigned)status);
        rig_need_good_end(rig_play(play_visit, other, RIG_SELF), 30, point);
        need_cleared(party, point);
        need(rig_await(&party->disconnects, other->connected + victim->connected, RIG_PATIENCE),
             "%s: %u DISCONNECT pulses", point, party->disconnects);
        stop_server(party, server, point);
        rig_need_empty(point);
        n_kills += died;
        return died;
}

static void test_client_dies(void) {
        Names client = { .n = 0 }, server = { .n = 0 };

        list_names(&client, &server);
        for (unsigned i = 0; i < client.n; i++) {
                unsigned hit = 1;
                char point[NAME_BYTES + 16];

                do
                        snprintf(point, sizeof(point), "%s:%u", client.names[i], hit);
                while (kill_client_at(point) && ++hit <= HITS_MAX);
                need(hit > 1, "no client ever dies at %s", client.names[i]);
        }
        printf("# %u kills of a client at %u points\n", n_kills, client.n);
}

/* ---- the server dies ---- */

static bool is_death(int error) {
        return error == ESRCH || error == EBADF;
}

/* More threads than a link has slots, so that some wait in an extent of it. */
#define HOLDERS (LINK_SLOTS + 8)

static void *hold_until_death(void *coid) {
        int r = party_order((int)(intptr_t)coid, ORDER_HOLD, 10, 0, 1);

        need(is_death(r), "a blocked thread got errno %d (%s)", r, strerror(r));
        return NULL;
}

static void play_holder(void *argument) {
        Visit *v = argument;
        intptr_t coid = party_attach(v->party);
        pthread_t threads[HOLDERS];

        alarm(2 * RIG_PATIENCE);
        v->result = coid < 0 ? (int)-coid : 0;
        for (unsigned i = 0; coid >= 0 && i < HOLDERS; i++)
                need(pthread_create(&threads[i], NULL, hold_until_death, (void *)coid) == 0, "thread");
        for (unsigned i = 0; coid >= 0 && i < HOLDERS; i++)
                pthread_join(threads[i], NULL);
}

static void kill_server_at(const char *point) {
        Party *party = rig_shared(sizeof(*party));
        Visit *holder = visit_new(party), *guest = visit_new(party);
        pid_t server = start_server(party, "NUNTIUS_FAILPOINT", point);
        pid_t pids[2];
        uint64_t until = rig_now() + RIG_PATIENCE * 1000000000ull;
        int status;

        /* it may die before it opens */
        while (!party->open && !rig_has_ended(server, &status) && rig_now() < until)
                rig_pause(0);
        if (!party->open) {
                need(WIFSIGNALED(status), "%s: the server ended by itself", point);
                n_kills++;
                rig_need_empty(point);
                return;
        }
        guest->rounds = 100;
        guest->may_fail = true;
        pids[0] = rig_play(play_holder, holder, RIG_SELF);
        pids[1] = rig_play(play_visit, guest, RIG_SELF);
        rig_need_killed(server, RIG_PATIENCE, point);
        rig_need_good_end(pids[0], RIG_PATIENCE, point);
        rig_need_good_end(pids[1], RIG_PATIENCE, point);
        need(!holder->result || is_death(holder->result), "%s: the holder got errno %d", point,
             holder->result);
        need(is_death(guest->result), "%s: the client got errno %d", point, guest->result);
        n_kills++;
        rig_need_empty(point);
}

static void test_server_dies(void) {
        static const unsigned hits[] = { 1, 2, 3, 5, 8, 60 };
        Names client = { .n = 0 }, server = { .n = 0 };

        list_names(&client, &server);
        for (unsigned i = 0; i < server.n; i++)
                for (unsigned k = 0; k < sizeof(hits) / sizeof(hits[0]); k++) {
                        char point[NAME_BYTES + 16];

                        if (strncmp(server.names[i], "request:", 8) == 0 && hits[k] > 2)
                                continue; /* it asks little of the daemon */
                        snprintf(point, sizeof(point), "%s:%u", server.names[i], hits[k]);
                        kill_server_at(point);
                }
        printf("# %u kills of a server at %u points\n", n_kills, server.n);
}

/* ---- the daemon dies ---- */

typedef struct Friend {
        Party *party;
        _Atomic uint32_t goes; /* the director says: go on */
        _Atomic uint32_t ready;
        int coid;
} Friend;

/* Connected before the daemon died: must not notice. */
static void play_friend(void *argument) {
        Friend *friend = argument;

        alarm(3 * RIG_PATIENCE);
        friend->coid = party_attach(friend->party);
        if (friend->coid >= 0)
                friend->coid = party_order(friend->coid, ORDER_ECHO, 100, 100, 1) == 0 ? friend->coid : -1;
        friend->ready = 1;
        need(rig_await(&friend->goes, 1, 2 * RIG_PATIENCE), "the director forgot its friend");
        for (unsigned i = 0; friend->coid >= 0 && i < 50; i++)
                need(party_order(friend->coid, ORDER_ECHO, 1000, 1000, i) == 0 && pulse(friend->coid) == 0,
                     "two who were connected notice the daemon's death: %m");
}

static void visit_and_wait(Party *party, const char *point) {
        Visit *v = visit_new(party);

        v->rounds = 1;
        v->may_fail = true;
        rig_need_good_end(rig_play(play_visit, v, RIG_SELF), RIG_PATIENCE, point);
}

/* Everything that makes the daemon do something, once. */
static void busy_day(const char *point) {
        Party *party = rig_shared(sizeof(*party));
        Friend *friend = rig_shared(sizeof(*friend));
        pid_t server = start_server(party, NULL, NULL), pid;
        int status = 0;

        while (!party->open && !rig_has_ended(server, &status))
                rig_pause(0);
        if (!party->open) {
                need(WIFEXITED(status) && WEXITSTATUS(status) == 2, "%s: the server crashed", point);
                return;
        }
        friend->party = party;
        pid = rig_play(play_friend, friend, RIG_SELF);
        need(rig_await(&friend->ready, 1, RIG_PATIENCE), "%s: a client hangs in its first call", point);
        for (unsigned i = 0; i < 3 && rig_daemon_is_alive(); i++)
                visit_and_wait(party, point);
        friend->goes = 1;
        rig_need_good_end(pid, RIG_PATIENCE, point);
        rig_kill(server);
}

/* Points that it passes before it serves anybody have tests of their own, under a holder (tests/restart). */
static void test_daemon_dies(void) {
        Names names = { .n = 0 }, early = { .n = 0 };
        char path[128];

        path_of(path, "daemon");
        rig_daemon_start("NUNTIUS_FAILPOINT_LIST", path);
        read_names(path, &early);
        busy_day("nowhere");
        rig_need_empty("nowhere");
        rig_daemon_stop();
        read_names(path, &names);
        need(names.n > 10, "the daemon passes only %u points", names.n);
        for (unsigned i = 0; i < names.n; i++)
                for (unsigned hit = 1; hit <= 4 && !has_name(&early, names.names[i]); hit += 3) {
                        char point[NAME_BYTES + 16];

                        snprintf(point, sizeof(point), "%s:%u", names.names[i], hit);
                        rig_daemon_start("NUNTIUS_FAILPOINT", point);
                        busy_day(point);
                        n_kills += !rig_daemon_is_alive();
                        rig_kill(rig_daemon_pid());
                }
        printf("# %u kills of the daemon at %u points\n", n_kills, names.n);
}

static const RigTest tests[] = {
        { "client dies at each point", test_client_dies, 240 },
        { "server dies at each point", test_server_dies, 240 },
};
static const RigTest daemon_tests[] = {
        { "daemon dies at each point", test_daemon_dies, 240 },
};

int main(int argc, char **argv) {
        int r = rig_main("failpoints", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);

        /* its daemons are its own */
        rig_open();
        r |= rig_run(&daemon_tests[0]) != 0;
        rig_close();
        return r;
}

#else

int main(void) {
        puts("SKIPPED: this build has no fail-points; configure with -Dfailpoints=true for the crash tests");
        return 77;
}

#endif
