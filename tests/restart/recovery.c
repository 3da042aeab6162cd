/* SPDX-License-Identifier: MIT */
/*
 * Recovery: kill -9 of the daemon at each step of each request, of each death that it clears up after, and of its own
 * recovery. A day in which everything happens once must pass without a call that fails, without a pulse too
 * few or too many, and leave nothing behind, neither in the daemon nor in nuntius-hold.
 *
 * Each day the daemon is also killed once in the middle, so that there is a recovery to be killed in.
 */
#include "party.h"
#include "provider.h"
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

#define NAMES_MAX  256
#define NAME_BYTES 96
#define CHANNEL    (_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT)
#define SENDERS    (LINK_SLOTS + 4) /* so many threads at once need an extent of slots */

typedef struct Day {
        Party party;  /* the server that lives all day */
        Party victim; /* one that is killed */
        _Atomic uint32_t lanes; /* to the first */
        _Atomic uint32_t blocked, deaths, done, step;
} Day;

static Day *day;
static unsigned n_kills;

/* ---- a client that does everything ---- */

static void *send_one(void *coid) {
        need(party_order((int)(intptr_t)coid, ORDER_ECHO, 200, 200, 1) == 0, "one of many threads: %m");
        return NULL;
}

static void send_many(int coid) {
        pthread_t threads[SENDERS];

        for (unsigned i = 0; i < SENDERS; i++)
                need(pthread_create(&threads[i], NULL, send_one, (void *)(intptr_t)coid) == 0, "pthread_create");
        for (unsigned i = 0; i < SENDERS; i++)
                pthread_join(threads[i], NULL);
}

/* Held at once by more threads than a link has slots. */
static void *hold_one(void *coid) {
        struct sigevent unblock = { .sigev_notify = SIGEV_UNBLOCK };
        uint64_t ns = 30000000;
        int r;

        TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_REPLY, &unblock, &ns, NULL);
        r = party_order((int)(intptr_t)coid, ORDER_HOLD, 10, 0, 1);
        need(r == ETIMEDOUT, "a message that is held: %s", strerror(r));
        return NULL;
}

static void hold_many(int coid) {
        pthread_t threads[SENDERS];

        for (unsigned i = 0; i < SENDERS; i++)
                need(pthread_create(&threads[i], NULL, hold_one, (void *)(intptr_t)coid) == 0, "pthread_create");
        for (unsigned i = 0; i < SENDERS; i++)
                pthread_join(threads[i], NULL);
}

static int attach(unsigned index, int flags) {
        int coid = party_attach_at(&day->party, index, flags);

        need(coid > 0, "ConnectAttach: %s", strerror(-coid));
        return coid;
}

static void order(int coid, uint32_t bytes, uint32_t answer) {
        int r = party_order(coid, ORDER_ECHO, bytes, answer, bytes);

        need(r == 0, "%u bytes: %s", bytes, strerror(r));
}

static void use_side_channels(int coid) {
        int own = attach(_NTO_SIDE_CHANNEL, _NTO_COF_NOSHARE);

        day->lanes++;
        order(own, 100, 200);
        need(MsgSendPulse(own, -1, PARTY_PULSE_CODE, 1) == 0, "MsgSendPulse: %m");
        order(coid, 30000, 20000);
        order(coid, 300000, 10);
        need(ConnectFlags(0, own, _NTO_COF_CLOEXEC, _NTO_COF_CLOEXEC) != -1, "ConnectFlags: %m");
        need(ConnectDetach(own) == 0, "ConnectDetach: %m");
}

static void use_descriptors(void) {
        int coid = attach(0, _NTO_COF_NOSHARE), copy, status;
        pid_t pid;

        day->lanes += 2; /* a child is another process */
        pid = fork();
        if (pid == 0) {
                order(coid, 100, 100);
                _exit(0);
        }
        need(waitpid(pid, &status, 0) == pid && status == 0, "the child's end is 0x%x", (unsigned)status);
        copy = dup(coid);
        order(copy, 100, 100);
        close(copy);
        close(coid);
}

static void use_own_channel(void) {
        int chid = ChannelCreate(0), coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
        struct _server_info info;

        need(chid > 0 && coid > 0, "a channel of its own: %m");
        need(ConnectServerInfo(0, coid, &info) == coid, "ConnectServerInfo: %m");
        need(ConnectDetach(coid) == 0 && ChannelDestroy(chid) == 0, "ConnectDetach, ChannelDestroy: %m");
}

static void play_visit(void *argument) {
        int coid;

        (void)argument;
        alarm(60);
        coid = attach(_NTO_SIDE_CHANNEL, 0);
        day->lanes++;
        use_side_channels(coid);
        use_descriptors();
        use_own_channel();
        send_many(coid);
        hold_many(coid);
        day->done++;
        need(rig_await(&day->step, 1, 60), "the director forgot a client");
        use_side_channels(coid);
        use_descriptors();
}

/* ---- those who die ---- */

static void play_doomed_client(void *argument) {
        int coid = attach(_NTO_SIDE_CHANNEL, 0);
        int fd = attach(0, _NTO_COF_NOSHARE);

        (void)argument;
        day->lanes += 2;
        order(fd, 10, 10);
        party_order(coid, ORDER_HOLD, 10, 0, 1);
        need(false, "a message of the dead was answered");
}

typedef struct Watch {
        int chid;
        int coid;
} Watch;

static void *count_deaths(void *argument) {
        Watch *watch = argument;
        struct _pulse pulse;

        while (MsgReceivePulse(watch->chid, &pulse, sizeof(pulse), NULL) != -1)
                day->deaths += pulse.code == _PULSE_CODE_COIDDEATH && pulse.value.sival_int == watch->coid;
        return NULL;
}

static void play_widow(void *argument) {
        Watch watch;
        pthread_t thread;
        int r;

        (void)argument;
        alarm(60);
        watch.chid = ChannelCreate(_NTO_CHF_COID_DISCONNECT);
        watch.coid = party_attach(&day->victim);
        need(watch.chid > 0 && watch.coid > 0, "ChannelCreate, ConnectAttach");
        need(pthread_create(&thread, NULL, count_deaths, &watch) == 0, "pthread_create");
        r = party_order(watch.coid, ORDER_HOLD, 10, 0, 1);
        need(r == ESRCH, "who was blocked on a dead server got %s", strerror(r));
        need(ConnectDetach(watch.coid) == 0, "ConnectDetach: %m");
        need(rig_await(&day->deaths, 1, 3 * RIG_PATIENCE), "no COIDDEATH");
        need(rig_await(&day->step, 2, 60), "the director forgot a widow");
        need(day->deaths == 1, "%u COIDDEATHs", day->deaths);
}

/* ---- a day ---- */

static pid_t start_server(Party *party) {
        ServerOrders orders = { .party = party, .flags = CHANNEL, .threads = 2 };
        pid_t pid = rig_play(party_serve, &orders, RIG_SELF);

        need(rig_await(&party->open, 1, 3 * RIG_PATIENCE), "a server does not open");
        return pid;
}

static void need_disconnects(const char *point) {
        need(rig_await(&day->party.disconnects, day->lanes, 3 * RIG_PATIENCE), "%s: %u DISCONNECTs of %u", point,
             day->party.disconnects, day->lanes);
        need(day->party.disconnects == day->lanes, "%s: %u DISCONNECTs for %u", point, day->party.disconnects,
             day->lanes);
        need(day->party.held == 0, "%s: %u messages of the dead are held", point, day->party.held);
}

static void let_two_die(const char *point) {
        pid_t victim = start_server(&day->victim), widow = rig_play(play_widow, NULL, RIG_SELF);
        pid_t client = rig_play(play_doomed_client, NULL, RIG_SELF);

        need(rig_await(&day->victim.held, 1, 3 * RIG_PATIENCE), "%s: a message does not arrive", point);
        need(rig_await(&day->party.held, 1, 3 * RIG_PATIENCE), "%s: a message does not arrive", point);
        rig_kill(victim);
        rig_kill(client);
        day->step = 2;
        rig_need_good_end(widow, 3 * RIG_PATIENCE, point);
}

static void live_through(const char *point) {
        pid_t server, visitor;

        day = rig_shared(sizeof(*day));
        server = start_server(&day->party);
        visitor = rig_play(play_visit, NULL, RIG_SELF);
        if (!rig_await(&day->done, 1, 3 * RIG_PATIENCE))
                rig_wait(visitor, 0, point); /* shows where its threads are */
        provider_kill_daemon();
        day->step = 1;
        rig_need_good_end(visitor, 3 * RIG_PATIENCE, point);
        let_two_die(point);
        need_disconnects(point);
        rig_kill(server);
        rig_need_empty(point);
}

/* ---- all points ---- */

typedef struct Names {
        char names[NAMES_MAX][NAME_BYTES];
        unsigned n;
} Names;

static bool has_name(const Names *names, const char *name) {
        for (unsigned i = 0; i < names->n; i++)
                if (strcmp(names->names[i], name) == 0)
                        return true;
        return false;
}

/* Each daemon of the day has added what it passed. */
static void read_names(const char *path, Names *names) {
        FILE *file = fopen(path, "re");
        char line[NAME_BYTES];

        while (file && names->n < NAMES_MAX && fgets(line, sizeof(line), file)) {
                line[strcspn(line, "\n")] = '\0';
                if (!has_name(names, line))
                        strcpy(names->names[names->n++], line);
        }
        if (file)
                fclose(file);
}

static unsigned fds_of_quiet_provider;

static void list_names(Names *names) {
        char path[128];

        snprintf(path, sizeof(path), "%s/names", rig_directory());
        provider_start((const char *const[]){ "NUNTIUS_FAILPOINT_LIST", path, NULL });
        fds_of_quiet_provider = provider_fds();
        live_through("nowhere");
        need(provider_fds() == fds_of_quiet_provider, "nuntius-hold keeps descriptors of nobody");
        provider_stop();
        read_names(path, names);
        need(names->n > 10, "the daemon passes only %u points", names->n);
}

/* False when the point is not passed so often. */
static bool kill_at(const char *point) {
        char once[128];
        bool died;

        snprintf(once, sizeof(once), "%s/once", rig_directory());
        unlink(once);
        provider_start((const char *const[]){ "NUNTIUS_FAILPOINT", point, "NUNTIUS_FAILPOINT_ONCE", once, NULL });
        live_through(point);
        died = access(once, F_OK) == 0;
        need(provider_fds() == fds_of_quiet_provider, "%s: nuntius-hold has %u descriptors, not %u", point,
             provider_fds(), fds_of_quiet_provider);
        provider_stop();
        n_kills += died;
        return died;
}

static void test_every_point(void) {
#ifdef __SANITIZE_ADDRESS__
        static const unsigned hits[] = { 2 };
#else
        static const unsigned hits[] = { 1, 3, 10, 40 };
#endif
        const char *only = getenv("NUNTIUS_ONLY_POINT");
        static Names names;

        list_names(&names);
        for (unsigned i = 0; i < names.n; i++)
                for (unsigned k = 0; k < sizeof(hits) / sizeof(hits[0]); k++) {
                        char point[NAME_BYTES + 16];

                        if (only && strcmp(only, names.names[i]) != 0)
                                continue;
                        snprintf(point, sizeof(point), "%s:%u", names.names[i], hits[k]);
                        if (!kill_at(point))
                                break;
                }
        printf("# %u kills of the daemon at %u points, and one in the middle of each of these days\n", n_kills,
               names.n);
}

int main(int argc, char **argv) {
        static const RigTest test = { "the daemon dies at each step, and nobody notices", test_every_point, 500 };

        provider_init();
        return rig_main_without_daemon("recovery", &test, 1, argc, argv);
}

#else

int main(void) {
        puts("SKIPPED: this build has no fail-points; configure with -Dfailpoints=true for the crash tests");
        return 77;
}

#endif
