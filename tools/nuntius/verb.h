/* SPDX-License-Identifier: MIT */
/*
 * Verb: what each word after "nuntius" does; one file each, listed in main.c.
 */
#pragma once

/* Exit codes of every tool. */
enum {
        EXIT_DONE = 0,
        EXIT_NO = 1,
        EXIT_USAGE = 100,
        EXIT_SYSTEM = 111,
};

/* argv[0] is the verb. Returns an exit code. */
int verb_status(int argc, char **argv);
