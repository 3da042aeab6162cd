/* SPDX-License-Identifier: MIT */
#include "daemon/report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void report_begin(Report *report, FILE *out, bool json) {
        *report = (Report){ .out = out, .json = json, .is_first_section = true };
        if (json)
                fputs("{", out);
}

void report_end(Report *report) {
        if (report->json)
                fputs("\n}\n", report->out);
}

void report_section(Report *report, const char *name) {
        report->section = name;
        report->n_rows = 0;
        report->n_columns = 0;
        report->at = 0;
        if (report->json)
                fprintf(report->out, "%s\n  \"%s\": [", report->is_first_section ? "" : ",", name);
        report->is_first_section = false;
}

/* ---- tables ---- */

static void table_widths(const Report *report, size_t widths[REPORT_COLUMNS]) {
        for (unsigned i = 0; i < report->n_columns; i++)
                widths[i] = strlen(report->columns[i]);
        for (size_t i = 0; i < report->n_cells; i++) {
                size_t n = report->cells[i] ? strlen(report->cells[i]) : 0;

                if (n > widths[i % report->n_columns])
                        widths[i % report->n_columns] = n;
        }
}

static void table_print(Report *report) {
        size_t widths[REPORT_COLUMNS] = { 0 };

        if (report->n_columns == 0)
                return;
        table_widths(report, widths);
        for (unsigned i = 0; i < report->n_columns; i++)
                fprintf(report->out, "  %-*s", (int)widths[i], report->columns[i]);
        fputc('\n', report->out);
        for (size_t i = 0; i < report->n_cells; i++) {
                size_t column = i % report->n_columns;

                fprintf(report->out, "  %-*s", (int)widths[column],
                        report->cells[i] ? report->cells[i] : "");
                if (column + 1 == report->n_columns)
                        fputc('\n', report->out);
        }
}

static void table_forget(Report *report) {
        for (size_t i = 0; i < report->n_cells; i++)
                free(report->cells[i]);
        free(report->cells);
        report->cells = NULL;
        report->n_cells = 0;
}

/* Out of memory leaves a cell empty: a report is no reason to fail. */
static void table_cell(Report *report, const char *text) {
        if ((report->n_cells & (report->n_cells - 1)) == 0) {
                size_t room = report->n_cells ? report->n_cells * 2 : 1;
                char **cells = realloc(report->cells, room * sizeof(*cells));

                if (!cells)
                        return;
                report->cells = cells;
        }
        report->cells[report->n_cells++] = strdup(text);
}

/* ---- rows ---- */

static void row_end(Report *report) {
        if (report->n_rows == 0)
                return;
        assert(report->n_columns == 0 || report->at == report->n_columns);
        report->n_columns = report->at;
        if (report->json)
                fputs("}", report->out);
}

void report_section_end(Report *report) {
        row_end(report);
        if (report->json) {
                fputs(report->n_rows ? "\n  ]" : "]", report->out);
                return;
        }
        fprintf(report->out, "%s: %zu\n", report->section, report->n_rows);
        table_print(report);
        table_forget(report);
}

void report_row(Report *report) {
        row_end(report);
        if (report->json)
                fprintf(report->out, "%s\n    {", report->n_rows ? "," : "");
        report->n_rows++;
        report->at = 0;
}

static void column_begin(Report *report, const char *column) {
        assert(report->at < REPORT_COLUMNS);
        report->columns[report->at] = column;
        if (report->json)
                fprintf(report->out, "%s\"%s\": ", report->at ? ", " : "", column);
        report->at++;
}

void report_number(Report *report, const char *column, int64_t value) {
        char text[32];

        column_begin(report, column);
        snprintf(text, sizeof(text), "%" PRId64, value);
        if (report->json)
                fputs(text, report->out);
        else
                table_cell(report, text);
}

static void json_string(FILE *out, const char *text) {
        fputc('"', out);
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;

                if (c == '"' || c == '\\')
                        fprintf(out, "\\%c", c);
                else if (c < ' ' || c >= 0x7f) /* not known to be UTF-8: byte by byte */
                        fprintf(out, "\\u%04x", c);
                else
                        fputc(c, out);
        }
        fputc('"', out);
}

void report_text(Report *report, const char *column, const char *text) {
        char safe[256];
        size_t n = 0;

        column_begin(report, column);
        if (report->json) {
                json_string(report->out, text);
                return;
        }
        for (; text[n] && n < sizeof(safe) - 1; n++)
                safe[n] = text[n] < ' ' || text[n] == 0x7f ? '?' : text[n];
        safe[n] = '\0';
        table_cell(report, n ? safe : "-");
}
