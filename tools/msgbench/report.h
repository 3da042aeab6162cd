/* SPDX-License-Identifier: MIT */
/*
 * Report: one row for each thing measured, as a table for people or as one JSON object a line.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct Row {
        const char *name;
        uint64_t bytes;
        double ns;
        const char *baseline; /* NULL: measured against nothing */
        double baseline_ns;
        double ratio;
        double ratio_min, ratio_max; /* of single rounds */
        double limit;                /* ratio at most; 0 with no baseline: ns must be 0 */
        bool has_limit;
        const char *note;            /* for the table; NULL = none */
} Row;

typedef struct Report {
        bool json;
        unsigned n_rows, n_missed;
} Report;

void report_row(Report *report, const Row *row);

/* A sentence on standard error about what could not be measured. */
void report_failure(const Report *report, const char *name, int r);

/* The lines under the table; the percentages are noise.h's. */
void report_end(const Report *report, double others, double stolen);
