/* SPDX-License-Identifier: MIT */
/*
 * Wakeup: how soon a receiver runs that has been asleep for a tenth of a second.
 *
 * One server process has two threads, one in MsgReceive and one in a bare futex wait. The client
 * disturbs them in turn, one every PARK_NS / 2, so each has been left alone for PARK_NS, both see the same
 * machine, and all of it takes half the time. Everybody sits on one core: waking another core
 * measures the hypervisor.
 */
#include "baseline.h"
#include "cases.h"
#include "crew.h"
#include "server.h"
#include "stats.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define PARK_NS       (100 * NSEC_PER_MSEC)
#define ROUND_SAMPLES 12u
#define ROUND_SECONDS 30u

typedef struct Parked {
        Address server;
        volatile uint32_t ping, pong;
        volatile uint64_t woken_ns;  /* by futex */
        Samples message, futex;
} Parked;

static void *futex_thread(void *argument) {
        Parked *parked = argument;

        for (uint32_t seen = 0;;) {
                baseline_wait(&parked->ping, seen);
                parked->woken_ns = now_ns();
                parked->pong = ++seen;
                baseline_wake(&parked->pong);
        }
        return NULL;
}

static void message_loop(int chid) {
        uint64_t question, woken;

        for (;;) {
                int rcvid = MsgReceive(chid, &question, sizeof(question), NULL);

                woken = now_ns();
                if (rcvid > 0)
                        MsgReply(rcvid, 0, &woken, sizeof(woken));
                else if (rcvid < 0 && errno != EINTR)
                        crew_exit(-errno);
        }
}

static void parked_serve(Parked *parked, int gate[2]) {
        pthread_t thread;
        int chid = ChannelCreate(0);

        if (chid < 0)
                crew_exit(-errno);
        if (pthread_create(&thread, NULL, futex_thread, parked))
                crew_exit(-EAGAIN);
        parked->server = (Address){ getpid(), chid };
        gate_write(gate, "", 1);
        message_loop(chid);
}

static int message_sample(Parked *parked, int coid) {
        uint64_t start = now_ns(), woken = 0;

        if (MsgSend(coid, &start, sizeof(start), &woken, sizeof(woken)) < 0)
                return -errno;
        samples_add(&parked->message, (double)(woken - start));
        return 0;
}

static void futex_sample(Parked *parked) {
        uint32_t last = parked->pong;
        uint64_t start = now_ns();

        parked->ping = last + 1;
        baseline_wake(&parked->ping);
        baseline_wait(&parked->pong, last);
        samples_add(&parked->futex, (double)(parked->woken_ns - start));
}

/* The first of each is not counted: it finds cold code. */
static int parked_disturb(Parked *parked) {
        int coid = server_attach(&parked->server);
        uint64_t when = now_ns();
        int r = coid < 0 ? coid : 0;

        for (unsigned i = 0; !r && i <= ROUND_SAMPLES; i++) {
                sleep_until(when += PARK_NS / 2);
                futex_sample(parked);
                sleep_until(when += PARK_NS / 2);
                r = message_sample(parked, coid);
                if (i == 0)
                        parked->message.n = parked->futex.n = 0;
        }
        return r;
}

static int parked_clients(Parked *parked, int core) {
        pid_t client = crew_fork(core, ROUND_SECONDS);

        if (client == 0)
                crew_exit(parked_disturb(parked));
        return client < 0 ? client : crew_join(client);
}

static int parked_round(Parked *parked, int core) {
        int gate[2];
        pid_t server;
        int r = gate_new(gate);

        if (r)
                return r;
        parked->ping = parked->pong = 0;
        server = crew_fork(core, ROUND_SECONDS);
        if (server == 0)
                parked_serve(parked, gate);
        if (server > 0)
                r = crew_ready(&server, gate, &(char){ 0 }, 1);
        if (server > 0 && !r)
                r = parked_clients(parked, core);
        crew_end(server);
        gate_free(gate);
        return server < 0 ? server : r;
}

static int parked_rounds(Parked *parked, unsigned rounds, Samples *message, Samples *futex) {
        Seats seats;
        int r = seats_together(&seats);

        for (unsigned i = 0; !r && i < rounds; i++) {
                r = parked_round(parked, seats.client);
                samples_add(message, samples_median(&parked->message));
                samples_add(futex, samples_median(&parked->futex));
        }
        return r;
}

int case_wakeup(const Plan *plan, Report *report) {
        Parked *parked = crew_memory(sizeof(*parked));
        static Samples message, futex;
        int r;

        if (!parked)
                return -ENOMEM;
        message.n = futex.n = 0;
        r = parked_rounds(parked, plan->rounds, &message, &futex);
        munmap(parked, sizeof(*parked));
        if (!r)
                contest_report(&(Contest){ .name = "wakeup", .bytes = 8, .limit = 1.2 }, "futex", &message, &futex,
                               report);
        return r;
}
