/* SPDX-License-Identifier: MIT */
#include "trial.h"

#include "holding.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TRIALS_MAX 60u /* places where one way of failing can strike in one call */

char trial_bytes[TRIAL_BYTES], trial_back[TRIAL_BYTES];

typedef struct Trial {
        const Scenario *scenario;
        Inject way;
        unsigned nth; /* 0 = nothing fails */
        bool fired;
        int error;
        Holding after;
} Trial;

static Trial *trial; /* shared with the processes that try */
static Holding baseline;

/* ---- one trial ---- */

static bool may_say(const Scenario *scenario, int error) {
        for (size_t i = 0; i < 6 && scenario->errors[i]; i++)
                if (scenario->errors[i] == error)
                        return true;
        return error == EOK;
}

static void do_and_undo(Peer *me, const char *what) {
        int error = trial->scenario->call(me);

        ck_assert_msg(error == EOK, "%s: %s, after %s %u failed with %d", what, strerror(error),
                      inject_name(trial->way.call), trial->nth, trial->way.error);
        if (trial->scenario->undo)
                trial->scenario->undo(me);
}

static void try_once(Peer *me) {
        const Scenario *scenario = trial->scenario;

        if (scenario->prepare)
                scenario->prepare(me);
        inject_begin(trial->way, trial->nth);
        trial->error = scenario->call(me);
        trial->fired = inject_end();
        if (trial->error == EOK && scenario->undo)
                scenario->undo(me);
        ck_assert_msg(may_say(scenario, trial->error), "%s as the %u. %s failed with %d",
                      strerror(trial->error), trial->nth, inject_name(trial->way.call), trial->way.error);
        do_and_undo(me, "the same call again");
        do_and_undo(me, "the same call once more");
        trial->after = holding_now();
        if (scenario->finish)
                scenario->finish(me);
        _exit(0); /* what is left of the library is what was counted */
}

static void run_trial(const Peer *server, Inject way, unsigned nth) {
        Peer peer;

        trial->way = way;
        trial->nth = nth;
        trial->fired = false;
        peer = server ? peer_start_at(try_once, server, 0) : peer_start(try_once, 0, 0);
        peer_end(&peer);
}

static unsigned n_failed; /* calls that were made to fail */

static void try_way(const Peer *server, Inject way) {
        unsigned nth = 0;

        do {
                const char *excess;

                run_trial(server, way, ++nth);
                excess = holding_excess(&baseline, &trial->after);
                ck_assert_msg(!excess, "%s after the %u. %s failed with %d and the call said %d", excess, nth,
                              inject_name(way.call), way.error, trial->error);
                ck_assert_uint_lt(nth, TRIALS_MAX);
                n_failed += trial->fired;
        } while (trial->fired);
}

void try_all(const Scenario *scenario, const Peer *server) {
        trial = memory_shared(sizeof(*trial));
        trial->scenario = scenario;
        run_trial(server, (Inject){ 0, 0 }, 0);
        baseline = trial->after;
        baseline.heap += scenario->kept;
        for (const Inject *way = inject_ways; way->error; way++)
                try_way(server, *way);
        ck_assert_msg((n_failed == 0) == scenario->needs_nothing, "%u calls failed", n_failed);
}
