/* SPDX-License-Identifier: MIT */
/*
 * Fairness: what one user's flood takes from another user, who attaches and who sends messages.
 *
 * The flood is 10,000 open connections and two processes that attach and detach as fast as they can, all of one
 * user. The victim is another user, with a server and a client of its own. Two daemons run, each with such a flood;
 * the victim always uses the first. In short slices one flood or the other is busy. So both sides have the
 * processors equally busy with the same work, and what is compared is how the one daemon serves two users, not how
 * the kernel shares two processors among six programs, which nothing of ours decides. The connections stay all the
 * time.
 *
 * Without root all are the same user, and only what is left of fairness then is seen.
 */
#include "cases.h"
#include "crew.h"
#include "server.h"
#include "stats.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define UID_VICTIM    65534u
#define UID_FLOOD     65533u
#define FLOODERS      4u    /* each keeps a part of the connections; a link holds 4,096 ... */
#define FLOODERS_BUSY 2u    /* ... and these go on attaching */
#define CONNECTIONS   10000u
#define SECONDS       60u
#define SETTLE_NS     (3 * NSEC_PER_MSEC)
#define SLICE_NS      (15 * NSEC_PER_MSEC)
#define REST_NS       NSEC_PER_MSEC
#define WINDOW_ROUNDS 3u    /* how many times as long as a round of another case: it takes the 100th part */
#define TURNS_MAX     (1u << 17)
#define PERCENT       99u

enum { DAEMONS = 2 };

typedef enum Work { WORK_ATTACH, WORK_MESSAGE, WORK_N } Work;

/* What the players share. */
typedef struct Toll {
        double p99[DAEMONS][WORK_N];              /* while that one is flooded */
        volatile unsigned daemon;                 /* that is flooded now */
        volatile uint64_t flooded[DAEMONS][FLOODERS_BUSY]; /* attaches so far */
} Toll;

typedef struct Field {
        const Plan *plan;
        char directory[32];
        pid_t daemons[DAEMONS];
        pid_t server, flooders[DAEMONS * FLOODERS];
        Address address;
        Toll *toll; /* shared */
        int ready[2];
} Field;

/* ---- who plays ---- */

static void socket_name(const Field *field, unsigned which, char *name, size_t n) {
        snprintf(name, n, "%s/%u.sock", field->directory, which);
}

/* In a process that has not used the library yet. */
static void become(const Field *field, uid_t uid, unsigned daemon) {
        char name[64];

        socket_name(field, daemon, name, sizeof(name));
        setenv("NUNTIUS_SOCKET", name, 1);
        setenv("NUNTIUS_AUTOSTART", "0", 1);
        if (geteuid() != 0)
                return;
        if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
                crew_exit(-errno);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* was lost with the user */
}

static _Noreturn void daemon_play(Field *field, unsigned which, unsigned unused) {
        const char *program = getenv("NUNTIUSD");
        char name[64], number[16];

        socket_name(field, which, name, sizeof(name));
        snprintf(number, sizeof(number), "%d", field->ready[1]);
        unsetenv("NOTIFY_SOCKET");
        execl(program && *program ? program : NUNTIUSD_PATH, "nuntiusd", "--socket", name, "--log-level", "error",
              "--ready-fd", number, NULL);
        crew_exit(-errno);
}

static _Noreturn void server_play(Field *field, unsigned unused, unsigned daemon) {
        Address address;
        uint64_t buffer;

        become(field, UID_VICTIM, daemon);
        address = (Address){ getpid(), ChannelCreate(0) };
        if (address.chid < 0)
                crew_exit(-errno);
        gate_write(field->ready, &address, sizeof(address));
        server_loop(address.chid, &buffer, sizeof(buffer));
}

static int attach_and_detach(const Address *server) {
        int coid = server_attach(server);

        if (coid < 0)
                return coid;
        return ConnectDetach(coid) < 0 ? -errno : 0;
}

/* Its connections are to a channel of its own: the victim's server is not what is flooded. */
static _Noreturn void flooder_play(Field *field, unsigned number, unsigned daemon) {
        Address own;
        int r = 0;

        become(field, UID_FLOOD, daemon);
        own = (Address){ getpid(), ChannelCreate(0) };
        if (own.chid < 0)
                crew_exit(-errno);
        for (unsigned i = 0; i < CONNECTIONS / FLOODERS && r >= 0; i++)
                r = server_attach(&own);
        if (r < 0)
                crew_exit(r);
        r = 0;
        gate_write(field->ready, "", 1);
        while (number >= FLOODERS_BUSY)
                pause();
        for (; !r; field->toll->flooded[daemon][number]++) {
                while (field->toll->daemon != daemon)
                        sleep_until(now_ns() + REST_NS);
                r = attach_and_detach(&own);
        }
        crew_exit(r);
}

/* ---- the victim ---- */

static int turn(Work work, int coid, const Address *server) {
        uint64_t question = 1, answer;

        if (work == WORK_ATTACH)
                return attach_and_detach(server);
        return MsgSend(coid, &question, sizeof(question), &answer, sizeof(answer)) < 0 ? -errno : 0;
}

static int compare(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

static uint64_t flooded(const Toll *toll, unsigned daemon) {
        uint64_t n = 0;

        for (unsigned i = 0; i < FLOODERS_BUSY; i++)
                n += toll->flooded[daemon][i];
        return n;
}

typedef struct Times {
        uint32_t ns[TURNS_MAX];
        unsigned n;
} Times;

/* Each turn has its own time: the slow ones are what is asked for. */
static int slice(Field *field, unsigned daemon, Work work, int coid, Times *times) {
        uint64_t floods, end, before, after = 0;
        int r = 0;

        field->toll->daemon = daemon;
        sleep_until(now_ns() + SETTLE_NS);
        floods = flooded(field->toll, daemon);
        for (end = now_ns() + SLICE_NS; !r && times->n < TURNS_MAX && after < end;) {
                before = now_ns();
                r = turn(work, coid, &field->address);
                after = now_ns();
                times->ns[times->n++] = (uint32_t)(after - before < UINT32_MAX ? after - before : UINT32_MAX);
        }
        if (!r && after >= end && flooded(field->toll, daemon) == floods)
                r = -ECHILD; /* there was no flood */
        return r;
}

/* Short slices in turns: how the kernel places the players changes from one moment to the next. */
static int window(Field *field, Work work, int coid) {
        static Times times[DAEMONS];
        uint64_t slices = DAEMONS * WINDOW_ROUNDS * field->plan->run_ns / SLICE_NS;
        int r = 0;

        memset(times, 0, sizeof(times));
        for (uint64_t i = 0; i < slices && !r; i++)
                r = slice(field, i % DAEMONS, work, coid, &times[i % DAEMONS]);
        for (unsigned i = 0; i < DAEMONS && !r; i++) {
                qsort(times[i].ns, times[i].n, sizeof(*times[i].ns), compare);
                field->toll->p99[i][work] = times[i].ns[((uint64_t)times[i].n * PERCENT + 99) / 100 - 1];
        }
        return r;
}

static _Noreturn void victim_play(Field *field) {
        int coid, r = 0;

        become(field, UID_VICTIM, 0);
        coid = server_attach(&field->address);
        if (coid < 0)
                crew_exit(coid);
        sleep_until(now_ns() + SETTLE_NS);
        for (Work work = 0; work < WORK_N && !r; work++)
                r = window(field, work, coid);
        crew_exit(r);
}

static int victim_run(Field *field, Toll *ret) {
        pid_t pid = crew_fork(CREW_ANYWHERE, SECONDS);
        int r;

        if (pid == 0)
                victim_play(field);
        r = pid < 0 ? pid : crew_join(pid);
        *ret = *field->toll;
        return r;
}

/* ---- rounds ---- */

typedef void (*Play)(Field *field, unsigned number, unsigned daemon);

/* Until it says @n bytes. */
static int member_start(Field *field, pid_t *pid, Play play, unsigned number, unsigned daemon, void *bytes, size_t n) {
        int r = gate_new(field->ready);

        if (r)
                return r;
        *pid = crew_fork(CREW_ANYWHERE, SECONDS);
        if (*pid == 0)
                play(field, number, daemon);
        r = *pid < 0 ? *pid : crew_ready(pid, field->ready, bytes, n);
        gate_free(field->ready);
        return r;
}

static int round_run(Field *field, Toll *ret) {
        int r = 0;

        for (unsigned i = 0; i < DAEMONS * FLOODERS && !r; i++)
                r = member_start(field, &field->flooders[i], flooder_play, i / DAEMONS, i % DAEMONS, &(char){ 0 }, 1);
        if (!r)
                r = victim_run(field, ret);
        for (unsigned i = 0; i < DAEMONS * FLOODERS; i++) {
                crew_end(field->flooders[i]);
                field->flooders[i] = 0;
        }
        return r;
}

static int field_open(Field *field) {
        int r = 0;

        field->toll = crew_memory(sizeof(Toll));
        if (!field->toll)
                return -ENOMEM;
        snprintf(field->directory, sizeof(field->directory), "/tmp/msgbench-XXXXXX");
        if (!mkdtemp(field->directory) || chmod(field->directory, 0755))
                return -errno;
        for (unsigned i = 0; i < DAEMONS && !r; i++)
                r = member_start(field, &field->daemons[i], daemon_play, i, 0, &(char){ 0 }, 1);
        return r ? r : member_start(field, &field->server, server_play, 0, 0, &field->address, sizeof(field->address));
}

static void field_unlink(const Field *field) {
        static const char *const endings[] = { "", ".lock", ".paths" };
        char name[64], file[80];

        for (unsigned i = 0; i < DAEMONS; i++) {
                socket_name(field, i, name, sizeof(name));
                for (unsigned k = 0; k < 3; k++) {
                        snprintf(file, sizeof(file), "%s%s", name, endings[k]);
                        unlink(file);
                }
        }
        rmdir(field->directory);
}

static void field_close(Field *field) {
        crew_end(field->server);
        for (unsigned i = 0; i < DAEMONS; i++)
                crew_end(field->daemons[i]);
        if (field->directory[0])
                field_unlink(field);
        if (field->toll)
                munmap(field->toll, sizeof(Toll));
}

int case_fairness(const Plan *plan, Report *report) {
        static const char *const names[WORK_N] = { "fairness-attach", "fairness-message" };
        static Samples with[WORK_N], without[WORK_N];
        Field field = { .plan = plan, .ready = { -1, -1 } };
        int r = field_open(&field);

        for (unsigned round = 0; round < plan->rounds && !r; round++) {
                Toll toll;

                r = round_run(&field, &toll);
                for (Work work = 0; work < WORK_N && !r; work++) {
                        samples_add(&with[work], toll.p99[0][work]);
                        samples_add(&without[work], toll.p99[1][work]);
                }
        }
        field_close(&field);
        for (Work work = 0; work < WORK_N && !r; work++)
                contest_report(&(Contest){ .name = names[work], .bytes = work == WORK_MESSAGE ? 8 : 0, .limit = 1.2 },
                               "apart", &with[work], &without[work], report);
        return r;
}
