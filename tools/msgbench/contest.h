/* SPDX-License-Identifier: MIT */
/*
 * Contest: a case against its baselines. They take turns within each round, in changing order, and
 * only what was measured in one round is compared: a virtual machine's cores are close together in one
 * minute and far apart in the next, which changes everything by a factor of five.
 */
#pragma once

#include "duet.h"
#include "report.h"
#include "stats.h"

#define BASELINES_MAX 2u

typedef struct Contest Contest;

/* One measurement of one round. */
typedef int (*Probe)(const Contest *contest, const Plan *plan, double *ret_ns);

struct Contest {
        const char *name;
        uint64_t bytes;
        double limit;
        Probe probe;
        struct {
                const char *name;
                Probe probe;
        } baselines[BASELINES_MAX];
        void *context;              /* of the probes */
};

/*
 * Reports the round whose ratio is the median. With several baselines the one that is faster in most
 * rounds counts.
 */
int contest_run(const Contest *contest, const Plan *plan, Report *report);

/* For a case that makes its rounds in its own way: one sample of each for each round. */
void contest_report(const Contest *contest, const char *baseline, const Samples *ns,
                    const Samples *baseline_ns, Report *report);
