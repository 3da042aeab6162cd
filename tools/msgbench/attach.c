/* SPDX-License-Identifier: MIT */
/*
 * Attach: what one more connection to a server costs when the first is there already. Three
 * processes take part (the daemon is the third), so nobody is pinned, the baseline's two neither.
 */
#include "baseline.h"
#include "cases.h"
#include "server.h"

#include <errno.h>
#include <sys/neutrino.h>

/* The first connection stays, and a message has passed: the two are linked. */
static int attach_begin(Stage *stage) {
        int r = server_begin(stage);

        return r ? r : server_turn(stage);
}

static int attach_turn(Stage *stage) {
        int coid = server_attach(&stage->server);

        if (coid < 0)
                return coid;
        return ConnectDetach(coid) < 0 ? -errno : 0;
}

static const Duet attach_duet = { .serve = server_serve, .begin = attach_begin, .turn = attach_turn };

static int attach(const Contest *contest, const Plan *plan, double *ret_ns) {
        Seats seats;

        seats_free(&seats);
        return duet_run(&attach_duet, &seats, plan, contest->bytes, ret_ns);
}

static int attach_seqpacket(const Contest *contest, const Plan *plan, double *ret_ns) {
        Seats seats;

        seats_free(&seats);
        return duet_run(&baseline_seqpacket, &seats, plan, contest->bytes, ret_ns);
}

int case_attach(const Plan *plan, Report *report) {
        return contest_run(&(Contest){
                .name = "attach", .bytes = 0, .limit = 3, .probe = attach,
                .baselines = { { "seqpacket", attach_seqpacket } },
        }, plan, report);
}
