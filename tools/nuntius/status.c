/* SPDX-License-Identifier: MIT */
/*
 * nuntius status: prints what the daemon says of itself. The daemon writes the text, so that tool and
 * daemon need not agree on what objects there are.
 */
#include "observer.h"
#include "verb.h"

#include "base/cleanup.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "socket", required_argument, NULL, 's' },
        { NULL, 0, NULL, 0 },
};

static int copy_text(int fd, uint64_t bytes) {
        char buffer[65536];

        for (uint64_t at = 0; at < bytes;) {
                ssize_t n = pread(fd, buffer, sizeof(buffer), (off_t)at);

                if (n <= 0)
                        return n < 0 ? -errno : -EPROTO;
                if (fwrite(buffer, 1, (size_t)n, stdout) != (size_t)n)
                        return -EIO;
                at += (uint64_t)n;
        }
        return fflush(stdout) == 0 ? 0 : -EIO;
}

static int print_status(const char *path, bool json) {
        const WireRequest request = { .op = WIRE_STATUS, .serial = 1, .status.json = json };
        _cleanup_close_ int text = -1;
        WireReply reply;
        int r;

        if (observer_query(path, &request, &reply, &text))
                return EXIT_NO;
        r = copy_text(text, reply.status_text.bytes);
        if (!r)
                return EXIT_DONE;
        fprintf(stderr, "nuntius: cannot show the status: %s\n", strerror(-r));
        return EXIT_SYSTEM;
}

int verb_status(int argc, char **argv) {
        const char *path = NULL;
        bool json = false;
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
                if (option == '?')
                        return EXIT_USAGE;
                if (option == 'j')
                        json = true;
                else
                        path = optarg;
        }
        if (optind < argc) {
                fprintf(stderr, "nuntius: status takes no argument like %s\n", argv[optind]);
                return EXIT_USAGE;
        }
        return print_status(path, json);
}
