/* SPDX-License-Identifier: MIT */
/*
 * nuntius-hold: a service manager for one daemon, as small as can be: a descriptor store, and a new daemon
 * whenever one has died. What the descriptors are is none of its business.
 */
#include "base/log.h"
#include "hold/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
        EXIT_DONE = 0,
        EXIT_USAGE = 100,
        EXIT_SYSTEM = 111,
};

enum {
        OPTION_READY_FD = 256,
        OPTION_PRIVATE,
        OPTION_HELP,
        OPTION_VERSION,
};

static const struct option options[] = {
        { "ready-fd", required_argument, NULL, OPTION_READY_FD },
        { "private", no_argument, NULL, OPTION_PRIVATE },
        { "help", no_argument, NULL, OPTION_HELP },
        { "version", no_argument, NULL, OPTION_VERSION },
        { NULL, 0, NULL, 0 },
};

static const char help_text[] =
        "nuntius-hold - keep the descriptors of a daemon, and start it again when it has died\n"
        "\n"
        "Usage: nuntius-hold [OPTION...] -- PROGRAM [ARGUMENT...]\n"
        "\n"
        "  --ready-fd N          write one byte to this descriptor and close it when PROGRAM is ready\n"
        "  --private             write to the file that NUNTIUSD_LOG names, or nowhere, from then on\n"
        "  --help, --version\n"
        "\n"
        "PROGRAM finds a socket in NOTIFY_SOCKET and says READY=1, STOPPING=1, FDSTORE=1 and FDSTOREREMOVE=1\n"
        "to it, as to systemd. SIGTERM and SIGINT end both, SIGHUP has PROGRAM replaced by what is installed now.\n";

static int usage(const char *what, const char *value) {
        fprintf(stderr, "nuntius-hold: %s%s%s; nuntius-hold --help says more\n", what, value ? ": " : "",
                value ? value : "");
        return EXIT_USAGE;
}

static int say_and_exit(const char *text) {
        fputs(text, stdout);
        exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM);
}

static bool parse_fd(const char *text, int *ret_fd) {
        char *end;
        long number;

        errno = 0;
        number = strtol(text, &end, 10);
        if (end == text || *end || errno || number < 0 || number > INT_MAX)
                return false;
        *ret_fd = (int)number;
        return fcntl(*ret_fd, F_SETFD, FD_CLOEXEC) == 0;
}

static int parse_option(Keeper *keeper, int option, const char *value) {
        switch (option) {
        case OPTION_READY_FD:
                if (parse_fd(value, &keeper->ready_fd))
                        return 0;
                return usage("--ready-fd needs an open descriptor, not", value);
        case OPTION_PRIVATE:
                keeper->is_private = true;
                return 0;
        case OPTION_HELP:
                return say_and_exit(help_text);
        case OPTION_VERSION:
                return say_and_exit("nuntius-hold " NUNTIUS_VERSION "\n");
        }
        return usage("wrong arguments", NULL);
}

static int parse_arguments(Keeper *keeper, int argc, char **argv) {
        int option, r;

        while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
                r = parse_option(keeper, option, optarg);
                if (r)
                        return r;
        }
        keeper->command = argv + optind;
        return optind < argc ? 0 : usage("there is no program to run", NULL);
}

int main(int argc, char **argv) {
        Keeper keeper = { .ready_fd = -1 };
        int r;

        r = parse_arguments(&keeper, argc, argv);
        if (r)
                return r;
        log_init(LOG_LEVEL_INFO);
        r = keeper_init(&keeper);
        if (r) {
                fprintf(stderr, "nuntius-hold: cannot begin: %s\n", strerror(-r));
                return EXIT_SYSTEM;
        }
        r = keeper_run(&keeper);
        keeper_deinit(&keeper);
        return r;
}
