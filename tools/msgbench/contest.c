/* SPDX-License-Identifier: MIT */
/*
 * Contest: rounds and their ratios.
 */
#include "contest.h"

#include <string.h>

#define PLAYERS_MAX (BASELINES_MAX + 1u)

/* Player 0 is the case itself. */
static Probe player(const Contest *contest, unsigned i) {
        return i ? contest->baselines[i - 1].probe : contest->probe;
}

static unsigned players_count(const Contest *contest) {
        unsigned n = 1;

        while (n < PLAYERS_MAX && player(contest, n))
                n++;
        return n;
}

static int round_run(const Contest *contest, const Plan *plan, unsigned round, Samples *samples) {
        unsigned n = players_count(contest);

        for (unsigned i = 0; i < n; i++) {
                unsigned who = round % 2 ? i : n - 1 - i;
                double ns;
                int r = player(contest, who)(contest, plan, &ns);

                if (r)
                        return r;
                samples_add(&samples[who], ns);
        }
        return 0;
}

static unsigned fastest_baseline(const Samples *samples, unsigned n) {
        unsigned best = 1;

        for (unsigned i = 2; i < n; i++)
                if (samples_median(&samples[i]) < samples_median(&samples[best]))
                        best = i;
        return best;
}

void contest_report(const Contest *contest, const char *baseline, const Samples *ns,
                    const Samples *baseline_ns, Report *report) {
        Samples ratios = { 0 };
        unsigned middle;

        for (unsigned i = 0; i < ns->n; i++)
                samples_add(&ratios, ns->values[i] / baseline_ns->values[i]);
        middle = samples_middle(&ratios);
        report_row(report, &(Row){
                .name = contest->name, .bytes = contest->bytes, .ns = ns->values[middle],
                .baseline = baseline, .baseline_ns = baseline_ns->values[middle],
                .ratio = ratios.values[middle],
                .ratio_min = samples_min(&ratios), .ratio_max = samples_max(&ratios),
                .limit = contest->limit, .has_limit = true,
        });
}

int contest_run(const Contest *contest, const Plan *plan, Report *report) {
        static Samples samples[PLAYERS_MAX];
        unsigned best;

        memset(samples, 0, sizeof(samples));
        for (unsigned round = 0; round < plan->rounds; round++) {
                int r = round_run(contest, plan, round, samples);

                if (r)
                        return r;
        }
        best = fastest_baseline(samples, players_count(contest));
        contest_report(contest, contest->baselines[best - 1].name, &samples[0], &samples[best], report);
        return 0;
}
