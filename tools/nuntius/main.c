/* SPDX-License-Identifier: MIT */
/*
 * nuntius: looks at a running daemon. Each verb is a file and a row of the table below.
 */
#include "verb.h"

#include <stdio.h>
#include <string.h>

typedef struct Verb {
        const char *name;
        const char *help;
        int (*run)(int argc, char **argv);
} Verb;

static const Verb verbs[] = {
        { "status", "show every object that the daemon holds [--json] [--socket PATH]", verb_status },
};

static void print_help(void) {
        puts("nuntius - looks at a running nuntiusd\n"
             "\n"
             "Usage: nuntius VERB [OPTION...]\n");
        for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
                printf("  %-10s %s\n", verbs[i].name, verbs[i].help);
        puts("\n"
             "The daemon is the one at $NUNTIUS_SOCKET; else the system's, if it runs; else the user's own.\n"
             "Other options: --help, --version.");
}

int main(int argc, char **argv) {
        if (argc < 2) {
                fputs("nuntius: a verb is missing; nuntius --help lists them\n", stderr);
                return EXIT_USAGE;
        }
        if (strcmp(argv[1], "--help") == 0) {
                print_help();
                return EXIT_DONE;
        }
        if (strcmp(argv[1], "--version") == 0) {
                puts("nuntius " NUNTIUS_VERSION);
                return EXIT_DONE;
        }
        for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
                if (strcmp(argv[1], verbs[i].name) == 0)
                        return verbs[i].run(argc - 1, argv + 1);
        fprintf(stderr, "nuntius: there is no verb %s; nuntius --help lists them\n", argv[1]);
        return EXIT_USAGE;
}
