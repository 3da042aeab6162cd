/* SPDX-License-Identifier: MIT */
/*
 * Suite: runs a list of Check tests; each in a process of its own.
 */
#pragma once

#include <check.h>
#include <stdlib.h>

static inline int suite_run(const char *name, const TTest *const *tests, double timeout) {
        Suite *suite = suite_create(name);
        TCase *tcase = tcase_create(name);
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(tcase, timeout);
        for (; *tests; tests++)
                tcase_add_test(tcase, *tests);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Makes main() of the tests that are named. */
#define SUITE_MAIN(name, ...)                                                                      \
        int main(void) {                                                                           \
                const TTest *const tests[] = { __VA_ARGS__, NULL };                                \
                return suite_run(name, tests, 60);                                                 \
        }
