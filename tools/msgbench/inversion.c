/* SPDX-License-Identifier: MIT */
/*
 * Inversion: how long a high client waits for what a low one has, while a hog between the two wants the
 * processor. Bounded means: no longer than the low one needs to finish, whatever the hog does.
 */
#include "cases.h"
#include "cast.h"
#include "crew.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TRIALS        10000u /* of a full run, over all rounds */
#define TRIALS_QUICK  300u
#define HOG_NS        (20 * NSEC_PER_MSEC)
#define HOG_SHORT_NS  (2 * NSEC_PER_MSEC)
#define OVER_NS       100000.0 /* that a delay may exceed what the low one still has to do */
#define ROUND_SECONDS 100u
/* Of an idle one: a futex wakes a thread that is high already, and a free mutex wakes nobody. */
#define IDLE_LIMIT    3.0
#define WARM_TRIALS   5u /* dropped: they find cold code */
#define FIXED_TRIALS  10u
#define FIXED         0x0001u /* _NTO_CHF_FIXED_PRIORITY */

/* What the high one hands back. */
typedef struct Outcome {
        double delay_ns; /* median */
        double over_ns;  /* worst */
        unsigned n_late;
} Outcome;

typedef struct Play {
        const char *name, *baseline;
        Prize prize, baseline_prize;
        unsigned depth;
        int (*trial)(Scene *scene, int coid);
        double limit;
} Play;

static int compare(const void *a, const void *b) {
        double left = *(const double *)a, right = *(const double *)b;

        return left < right ? -1 : left > right;
}

static int high_plays(Scene *scene, const Play *play, unsigned trials, Outcome *ret) {
        double *delays = calloc(trials, sizeof(*delays));
        int coid, r = high_begin(scene, &coid);

        memset(ret, 0, sizeof(*ret));
        for (unsigned i = 0; !r && i < WARM_TRIALS; i++)
                r = play->trial(scene, coid);
        for (unsigned i = 0; !r && delays && i < trials; i++) {
                r = play->trial(scene, coid);
                delays[i] = scene->delay_ns;
                ret->n_late += scene->over_ns > OVER_NS;
                if (scene->over_ns > ret->over_ns)
                        ret->over_ns = scene->over_ns;
        }
        if (!delays)
                return -ENOMEM;
        qsort(delays, trials, sizeof(*delays), compare);
        ret->delay_ns = delays[trials / 2];
        free(delays);
        return r;
}

/* One scene, made anew, with all who play in it. */
static int stage(const Play *play, Prize prize, const Scene *wanted, unsigned trials, Outcome *outcome) {
        Scene *scene = crew_memory(sizeof(*scene));
        int core = crew_core(0), r;
        Cast cast;
        pid_t high;

        if (!scene)
                return -ENOMEM;
        *scene = *wanted;
        scene->prize = prize;
        scene->depth = play->depth;
        r = core < 0 ? core : cast_begin(&cast, scene, core);
        if (!r) {
                high = crew_fork(core, ROUND_SECONDS);
                if (high == 0)
                        crew_exit(high_plays(scene, play, trials, outcome));
                r = high < 0 ? high : crew_join(high);
                cast_end(&cast);
        }
        munmap(scene, sizeof(*scene));
        return r;
}

static unsigned trials_of(const Plan *plan) {
        unsigned trials = plan->run_ns < 100 * NSEC_PER_MSEC ? TRIALS_QUICK : TRIALS;

        return trials / plan->rounds + 1;
}

static void report_worst(const Play *play, double over_ns, unsigned n_late, unsigned n_late_baseline, unsigned n,
                         Report *report) {
        static char name[64], note[96];

        snprintf(name, sizeof(name), "%s-worst", play->name);
        snprintf(note, sizeof(note), "past what was left to do; over 100 us: %u of %u trials, baseline %u", n_late, n,
                 n_late_baseline);
        report_row(report, &(Row){ .name = name, .ns = over_ns, .limit = OVER_NS, .has_limit = true, .note = note });
}

static int compare_prizes(const Play *play, const Plan *plan, Report *report) {
        const Scene wanted = { .hog_ns = HOG_NS };
        static Samples own, baseline;
        Outcome *outcome = crew_memory(sizeof(*outcome));
        double worst = 0;
        unsigned n_late = 0, n_late_baseline = 0;
        int r = outcome ? 0 : -ENOMEM;

        own.n = baseline.n = 0;
        for (unsigned round = 0; !r && round < plan->rounds; round++) {
                r = stage(play, play->baseline_prize, &wanted, trials_of(plan), outcome);
                samples_add(&baseline, outcome->delay_ns);
                n_late_baseline += outcome->n_late;
                if (!r)
                        r = stage(play, play->prize, &wanted, trials_of(plan), outcome);
                samples_add(&own, outcome->delay_ns);
                worst = outcome->over_ns > worst ? outcome->over_ns : worst;
                n_late += outcome->n_late;
        }
        if (outcome)
                munmap(outcome, sizeof(*outcome));
        if (r)
                return r;
        contest_report(&(Contest){ .name = play->name, .bytes = 1, .limit = play->limit }, play->baseline,
                       &own, &baseline, report);
        report_worst(play, worst, n_late, n_late_baseline, trials_of(plan) * plan->rounds, report);
        return 0;
}

static void report_fixed(double delay_ns, double hog_ns, Report *report) {
        double ratio = delay_ns / hog_ns;

        report_row(report, &(Row){
                .name = "inversion-fixed", .bytes = 1, .ns = delay_ns, .baseline = "hog", .baseline_ns = hog_ns,
                .ratio = ratio, .ratio_min = ratio, .ratio_max = ratio,
                .note = "FIXED_PRIORITY: as long as the hog likes",
        });
}

/* With _NTO_CHF_FIXED_PRIORITY the delay is as long as the hog likes; here it likes to end. */
static int show_unbounded(const Play *play, Report *report) {
        static const uint64_t hogs[] = { HOG_SHORT_NS, HOG_NS };
        Outcome *outcome = crew_memory(sizeof(*outcome));
        int r = outcome ? 0 : -ENOMEM;

        for (unsigned i = 0; !r && i < 2; i++) {
                const Scene wanted = { .hog_ns = hogs[i], .channel_flags = FIXED };

                r = stage(play, PRIZE_SERVER, &wanted, FIXED_TRIALS, outcome);
                if (!r)
                        report_fixed(outcome->delay_ns, (double)hogs[i], report);
                if (!r && outcome->delay_ns < (double)hogs[i] / 2)
                        r = -EINVAL; /* the hog hogs nothing: then the other rows show nothing either */
        }
        if (outcome)
                munmap(outcome, sizeof(*outcome));
        return r;
}

int case_inversion(const Plan *plan, Report *report) {
        static const Play plays[] = {
                { "inversion", "PI mutex", PRIZE_SERVER, PRIZE_MUTEX, 1, high_trial_busy, 1.5 },
                { "inversion-chain", "PI mutexes", PRIZE_SERVER, PRIZE_MUTEX, CAST_CHAIN, high_trial_busy, 1.5 },
                { "inversion-idle", "futex", PRIZE_SERVER, PRIZE_FUTEX, 1, high_trial_idle, IDLE_LIMIT },
        };
        int r = 0;

        for (unsigned i = 0; !r && i < sizeof(plays) / sizeof(*plays); i++)
                r = compare_prizes(&plays[i], plan, report);
        return r ? r : show_unbounded(&plays[0], report);
}
