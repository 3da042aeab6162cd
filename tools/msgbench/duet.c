/* SPDX-License-Identifier: MIT */
/*
 * Duet: one round.
 */
#include "duet.h"

#include "crew.h"
#include "stats.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROUND_SECONDS 30u
#define SLICE_NS      (NSEC_PER_MSEC / 2)
#define BATCH_DEFAULT 32u
#define BATCH_BYTES   (1u << 20)

int seats_apart(Seats *ret) {
        *ret = (Seats){ .server = crew_core(1), .client = crew_core(0) };
        return ret->server < 0 ? ret->server : ret->client < 0 ? ret->client : 0;
}

/* The second core where there is one: the first often has the interrupts. */
int seats_together(Seats *ret) {
        int core = crew_core(1);

        if (core < 0)
                core = crew_core(0);
        *ret = (Seats){ .server = core, .client = core };
        return core < 0 ? core : 0;
}

int seats_free(Seats *ret) {
        *ret = (Seats){ .server = CREW_ANYWHERE, .client = CREW_ANYWHERE };
        return 0;
}

void stage_ready(Stage *stage, int chid) {
        Address address = { getpid(), chid };

        if (gate_write(stage->ready, &address, sizeof(address)))
                crew_exit(-EPIPE);
}

/* The clock costs about 25 ns: nothing beside a big message, too much beside a small one. */
static unsigned batch_size(const Duet *duet, const Stage *stage) {
        if (duet->batch)
                return duet->batch;
        return stage->bytes >= BATCH_BYTES ? 1 : BATCH_DEFAULT;
}

static int turns(const Duet *duet, Stage *stage) {
        unsigned n = batch_size(duet, stage);
        int r = 0;

        while (!r && n--)
                r = duet->turn(stage);
        return r;
}

/* Runs whole batches until the time is over; nanoseconds a turn. */
static int turns_for(const Duet *duet, Stage *stage, uint64_t ns, double *ret_ns) {
        uint64_t start = now_ns(), now;
        uint64_t batches = 0;
        int r;

        do {
                r = turns(duet, stage);
                if (r)
                        return r;
                batches++;
                now = now_ns();
        } while (now - start < ns);

        *ret_ns = (double)(now - start) / (double)(batches * batch_size(duet, stage));
        return 0;
}

static int slices_for(const Duet *duet, Stage *stage, uint64_t ns, double *ret_ns) {
        static Samples slices;
        uint64_t start = now_ns();

        slices.n = 0;
        do {
                double slice_ns;
                int r = turns_for(duet, stage, SLICE_NS, &slice_ns);

                if (r)
                        return r;
                samples_add(&slices, slice_ns);
        } while (now_ns() - start < ns);
        *ret_ns = samples_median(&slices);
        return 0;
}

static _Noreturn void play(const Duet *duet, Stage *stage) {
        int (*run)(const Duet *, Stage *, uint64_t, double *) = stage->pinned ? slices_for : turns_for;
        double *ns = &stage->board->ns;
        int r = duet->begin ? duet->begin(stage) : 0;

        if (!r)
                r = run(duet, stage, stage->plan->warm_ns, ns);
        if (!r)
                r = run(duet, stage, stage->plan->run_ns, ns);
        crew_exit(r);
}

#define STAGE_NULL { .ready = { -1, -1 }, .there = { -1, -1 }, .back = { -1, -1 } }

static int stage_init(Stage *stage, const Plan *plan, uint64_t bytes) {
        stage->plan = plan;
        stage->bytes = bytes;
        stage->board = crew_memory(sizeof(Board));
        return stage->board ? gate_new(stage->ready) : -ENOMEM;
}

/* Hands over the result as well. */
static void stage_deinit(Stage *stage, double *ret_ns) {
        gate_free(stage->ready);
        gate_free(stage->there);
        gate_free(stage->back);
        if (!stage->board)
                return;
        *ret_ns = stage->board->ns;
        munmap(stage->board, sizeof(Board));
}

static pid_t server_start(const Duet *duet, int core, Stage *stage) {
        pid_t pid = crew_fork(core, ROUND_SECONDS);

        if (pid == 0) {
                duet->serve(stage);
                crew_exit(-EPIPE);
        }
        return pid;
}

static int client_run(const Duet *duet, int core, Stage *stage) {
        pid_t pid = crew_fork(core, ROUND_SECONDS);

        stage->pinned = core != CREW_ANYWHERE;
        if (pid == 0)
                play(duet, stage);
        return pid < 0 ? pid : crew_join(pid);
}

static int stage_play(const Duet *duet, const Seats *seats, Stage *stage) {
        pid_t server;
        int r;

        if (!duet->serve)
                return client_run(duet, seats->client, stage);
        server = server_start(duet, seats->server, stage);
        if (server < 0)
                return server;
        r = crew_ready(&server, stage->ready, &stage->server, sizeof(stage->server));
        if (!r)
                r = client_run(duet, seats->client, stage);
        crew_end(server);
        return r;
}

int duet_run(const Duet *duet, const Seats *seats, const Plan *plan, uint64_t bytes, double *ret_ns) {
        Stage stage = STAGE_NULL;
        int r = stage_init(&stage, plan, bytes);

        if (!r && duet->prepare)
                r = duet->prepare(&stage);
        if (!r)
                r = stage_play(duet, seats, &stage);
        stage_deinit(&stage, ret_ns);
        return r;
}

int duet_join(const Duet *duet, int core, const Plan *plan, const Address *server, double *ret_ns) {
        Stage stage = STAGE_NULL;
        int r = stage_init(&stage, plan, 0);

        stage.server = *server;
        if (!r)
                r = client_run(duet, core, &stage);
        stage_deinit(&stage, ret_ns);
        return r;
}
