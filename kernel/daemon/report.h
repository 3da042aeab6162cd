/* SPDX-License-Identifier: MIT */
/*
 * Report: rows of named values, written as JSON for programs or as tables for people.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REPORT_COLUMNS 20u

typedef struct Report {
        FILE *out;
        bool json;
        bool is_first_section;
        const char *section;
        const char *columns[REPORT_COLUMNS];
        unsigned n_columns; /* of the section, known after its first row */
        unsigned at;        /* column that comes next */
        size_t n_rows;
        char **cells; /* table: kept until the section ends, so that columns line up */
        size_t n_cells;
} Report;

void report_begin(Report *report, FILE *out, bool json);
void report_end(Report *report);

void report_section(Report *report, const char *name);
void report_section_end(Report *report);

/* Each row names the same columns in the same order. */
void report_row(Report *report);
void report_number(Report *report, const char *column, int64_t value);
void report_text(Report *report, const char *column, const char *text);
