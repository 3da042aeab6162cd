/* SPDX-License-Identifier: MIT */
#include "suite.h"

#include "daemon/kernel.h"

static void make_and_free(void) {
        const KernelOptions options = { .linger = 1 };
        Kernel *kernel;

        ck_assert_int_eq(kernel_new(&options, NULL, &kernel), 0);
        kernel_free(kernel);
}

/* libev ends the process that lets a second loop watch a signal of the first. */
START_TEST(a_kernel_leaves_nothing_to_the_next_one) {
        make_and_free();
        make_and_free();
}
END_TEST

SUITE_MAIN("kernel", a_kernel_leaves_nothing_to_the_next_one)
