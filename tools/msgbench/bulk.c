/* SPDX-License-Identifier: MIT */
/*
 * Bulk: messages whose bytes cost more than their passing.
 */
#include "baseline.h"
#include "cases.h"
#include "server.h"

#include <errno.h>
#include <sys/neutrino.h>

#define BUFFER_SKEW 64u /* where the first buffer of the memcpy baseline lies in its page */

static int bulk_begin(Stage *stage) {
        stage->buffers[0] = baseline_buffer(stage->bytes, BUFFER_SKEW);
        return stage->buffers[0] ? server_begin(stage) : -ENOMEM;
}

static int bulk_turn(Stage *stage) {
        uint64_t answer;
        long r = MsgSend(stage->coid, stage->buffers[0], stage->bytes, &answer, sizeof(answer));

        return r < 0 ? -errno : 0;
}

static const Duet bulk_duet = { .serve = server_serve, .begin = bulk_begin, .turn = bulk_turn };

static int bulk(const Contest *contest, const Plan *plan, double *ret_ns) {
        Seats seats;
        int r = seats_apart(&seats);

        return r ? r : duet_run(&bulk_duet, &seats, plan, contest->bytes, ret_ns);
}

static int bulk_memcpy(const Contest *contest, const Plan *plan, double *ret_ns) {
        Seats seats;
        int r = seats_apart(&seats);

        return r ? r : duet_run(&baseline_memcpy, &seats, plan, contest->bytes, ret_ns);
}

static int bulk_memcpy_and_hot(const Contest *contest, const Plan *plan, double *ret_ns) {
        double copies, hot;
        Seats seats;
        int r = seats_apart(&seats);

        if (!r)
                r = bulk_memcpy(contest, plan, &copies);
        if (!r)
                r = duet_run(&server_duet, &seats, plan, 8, &hot);
        if (!r)
                *ret_ns = copies + hot;
        return r;
}

int case_copy(const Plan *plan, Report *report) {
        static const uint64_t sizes[] = { 4096, 65536, 1048576 };
        int r = 0;

        for (unsigned i = 0; !r && i < sizeof(sizes) / sizeof(sizes[0]); i++)
                r = contest_run(&(Contest){
                        .name = "copy", .bytes = sizes[i], .limit = 1.5, .probe = bulk,
                        .baselines = { { "memcpy+hot", bulk_memcpy_and_hot } },
                }, plan, report);
        return r;
}

int case_huge(const Plan *plan, Report *report) {
        return contest_run(&(Contest){
                .name = "huge", .bytes = 64ull << 20, .limit = 1.2, .probe = bulk,
                .baselines = { { "memcpy", bulk_memcpy } },
        }, plan, report);
}
