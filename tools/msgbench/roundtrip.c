/* SPDX-License-Identifier: MIT */
/*
 * Round trips: one client, one server, the fewest bytes. Where the two run makes the difference.
 */
#include "baseline.h"
#include "cases.h"
#include "server.h"

#include <errno.h>
#include <sys/neutrino.h>
#include <unistd.h>

static int run_apart(const Duet *duet, const Contest *contest, const Plan *plan, double *ret_ns) {
        Seats seats;
        int r = seats_apart(&seats);

        return r ? r : duet_run(duet, &seats, plan, contest->bytes, ret_ns);
}

static int run_together(const Duet *duet, const Contest *contest, const Plan *plan, double *ret_ns) {
        Seats seats;
        int r = seats_together(&seats);

        return r ? r : duet_run(duet, &seats, plan, contest->bytes, ret_ns);
}

static int run_free(const Duet *duet, const Contest *contest, const Plan *plan, double *ret_ns) {
        Seats seats;
        int r = seats_free(&seats);

        return r ? r : duet_run(duet, &seats, plan, contest->bytes, ret_ns);
}

#define PROBE(name, where, duet)                                                                   \
        static int name(const Contest *contest, const Plan *plan, double *ret_ns) {                \
                return where(&(duet), contest, plan, ret_ns);                                      \
        }

PROBE(hot, run_apart, server_duet)
PROBE(hot_cacheline, run_apart, baseline_cacheline)
PROBE(blocked, run_together, server_duet)
PROBE(blocked_futex, run_together, baseline_futex)
PROBE(unpinned, run_free, server_duet)
PROBE(unpinned_futex, run_free, baseline_futex)
PROBE(unpinned_pipe, run_free, baseline_pipe)

int case_hot(const Plan *plan, Report *report) {
        return contest_run(&(Contest){
                .name = "hot", .bytes = 8, .limit = 3.5, .probe = hot,
                .baselines = { { "cacheline", hot_cacheline } },
        }, plan, report);
}

int case_blocked(const Plan *plan, Report *report) {
        return contest_run(&(Contest){
                .name = "blocked", .bytes = 8, .limit = 1.15, .probe = blocked,
                .baselines = { { "futex", blocked_futex } },
        }, plan, report);
}

int case_unpinned(const Plan *plan, Report *report) {
        return contest_run(&(Contest){
                .name = "unpinned", .bytes = 8, .limit = 0.5, .probe = unpinned,
                .baselines = { { "futex", unpinned_futex }, { "pipe", unpinned_pipe } },
        }, plan, report);
}

/* ---- a pulse there and a pulse back ---- */

static void pulse_echo(int chid, int coid) {
        struct _pulse pulse;

        for (;;) {
                if (MsgReceivePulse(chid, &pulse, sizeof(pulse), NULL) < 0)
                        return;
                if (MsgSendPulse(coid, -1, 1, pulse.value.sival_int) < 0)
                        return;
        }
}

/* The client's first message says which channel the pulses go back to. */
static void pulse_serve(Stage *stage) {
        struct _msg_info info;
        Address client;
        int chid = ChannelCreate(0);
        int rcvid, coid;

        if (chid < 0)
                return;
        stage_ready(stage, chid);
        rcvid = MsgReceive(chid, &client, sizeof(client), &info);
        if (rcvid <= 0)
                return;
        coid = server_attach(&client);
        if (coid < 0)
                MsgError(rcvid, -coid);
        else if (!MsgReply(rcvid, 0, NULL, 0))
                pulse_echo(chid, coid);
}

static int pulse_begin(Stage *stage) {
        Address self = { getpid(), ChannelCreate(0) };
        int r = server_begin(stage);

        if (r || self.chid < 0)
                return r ? r : -errno;
        stage->chid = self.chid;
        return MsgSend(stage->coid, &self, sizeof(self), NULL, 0) < 0 ? -errno : 0;
}

static int pulse_turn(Stage *stage) {
        struct _pulse pulse;

        if (MsgSendPulse(stage->coid, -1, 1, 7) < 0)
                return -errno;
        return MsgReceivePulse(stage->chid, &pulse, sizeof(pulse), NULL) < 0 ? -errno : 0;
}

static const Duet pulse_duet = { .serve = pulse_serve, .begin = pulse_begin, .turn = pulse_turn };

PROBE(pulse, run_apart, pulse_duet)

int case_pulse(const Plan *plan, Report *report) {
        return contest_run(&(Contest){
                .name = "pulse", .bytes = 0, .limit = 1.1, .probe = pulse,
                .baselines = { { "hot", hot } },
        }, plan, report);
}
