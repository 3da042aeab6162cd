/* SPDX-License-Identifier: MIT */
/*
 * Report: rows come out as soon as they are measured; a full run takes a minute or two.
 */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool row_is_ok(const Row *row) {
        if (!row->has_limit)
                return true;
        return row->baseline ? row->ratio <= row->limit : row->ns <= row->limit;
}

static void json_number(const char *key, double value, int digits, bool known) {
        if (known)
                printf(", \"%s\": %.*f", key, digits, value);
        else
                printf(", \"%s\": null", key);
}

static void row_json(const Row *row, bool ok) {
        bool compared = row->baseline != NULL;

        printf("{\"case\": \"%s\", \"bytes\": %llu", row->name, (unsigned long long)row->bytes);
        json_number("ns", row->ns, 1, true);
        if (compared)
                printf(", \"baseline\": \"%s\"", row->baseline);
        else
                printf(", \"baseline\": null");
        json_number("baseline_ns", row->baseline_ns, 1, compared);
        json_number("ratio", row->ratio, 3, compared);
        json_number("limit", row->limit, 2, row->has_limit);
        printf(", \"ok\": %s}\n", ok ? "true" : "false");
}

static void table_head(void) {
        printf("%-15s %10s %12s  %-11s %12s %7s %6s  %-15s\n", "case", "bytes", "ns", "baseline",
               "baseline ns", "ratio", "limit", "ratio, rounds");
}

static void row_limit(const Row *row, bool ok) {
        if (row->has_limit)
                printf(" %6.2f", row->limit);
        else
                printf(" %6s", "-");
        if (row->baseline)
                printf("  %6.2f .. %-6.2f", row->ratio_min, row->ratio_max);
        printf("%s%s%s\n", ok ? "" : "  MISSED", row->note ? "  " : "", row->note ? row->note : "");
}

static void row_table(const Row *row, bool ok) {
        printf("%-15s %10llu %12.1f", row->name, (unsigned long long)row->bytes, row->ns);
        if (row->baseline)
                printf("  %-11s %12.1f %7.2f", row->baseline, row->baseline_ns, row->ratio);
        else
                printf("  %-11s %12s %7s", "-", "-", "-");
        row_limit(row, ok);
}

void report_row(Report *report, const Row *row) {
        bool ok = row_is_ok(row);

        if (!report->json && report->n_rows == 0)
                table_head();
        report->n_rows++;
        report->n_missed += !ok;
        if (report->json)
                row_json(row, ok);
        else
                row_table(row, ok);
        fflush(stdout); /* also: nothing may wait in the buffer when the next round forks */
}

void report_failure(const Report *report, const char *name, int r) {
        const char *why = r == -ENODEV ? "needs two processors" : strerror(-r);

        fprintf(stderr, "msgbench: %s could not be measured: %s\n", name, why);
}

void report_end(const Report *report, double others, double stolen) {
        if (report->json || !report->n_rows)
                return;
        if (report->n_missed)
                printf("%u of %u rows missed their limit\n", report->n_missed, report->n_rows);
        else
                printf("every limit was kept\n");
        printf("meanwhile others used %.0f %% of the processors, and %.0f %% were taken by the host\n", others, stolen);
}
