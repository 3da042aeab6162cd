/* SPDX-License-Identifier: MIT */
#include "suite.h"

#include "daemon/report.h"

#include <string.h>

static char *write_report(bool json) {
        Report report;
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);

        report_begin(&report, out, json);
        report_section(&report, "things");
        report_row(&report);
        report_number(&report, "n", 1);
        report_text(&report, "name", "a\"b\nc");
        report_row(&report);
        report_number(&report, "n", -20);
        report_text(&report, "name", "");
        report_section_end(&report);
        report_section(&report, "nothing");
        report_section_end(&report);
        report_end(&report);
        fclose(out);
        return text;
}

START_TEST(json_is_json_whatever_a_process_calls_itself) {
        char *text = write_report(true);

        ck_assert_str_eq(text, "{\n  \"things\": [\n    {\"n\": 1, \"name\": \"a\\\"b\\u000ac\"},"
                               "\n    {\"n\": -20, \"name\": \"\"}\n  ],\n  \"nothing\": []\n}\n");
        free(text);
}
END_TEST

START_TEST(a_table_lines_up_and_has_no_stray_bytes) {
        char *text = write_report(false);

        ck_assert_str_eq(text, "things: 2\n  n    name \n  1    a\"b?c\n  -20  -    \nnothing: 0\n");
        free(text);
}
END_TEST

SUITE_MAIN("report", json_is_json_whatever_a_process_calls_itself,
           a_table_lines_up_and_has_no_stray_bytes)
