/* SPDX-License-Identifier: MIT */
/*
 * Contest: a case against its baselines. They take turns within each round, in changing order, so
 * that a slow minute of the machine hits all alike.
 */
#pragma once

#include "duet.h"
#include "report.h"

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
        } baselines[BASELINES_MAX]; /* the fastest of them counts */
        void *context;              /* of the probes */
};

int contest_run(const Contest *contest, const Plan *plan, Report *report);
