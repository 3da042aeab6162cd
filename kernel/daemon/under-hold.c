/* SPDX-License-Identifier: MIT */
#include "daemon/under-hold.h"

#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MORE 12 /* than nuntiusd itself got */

static bool own_path(char path[PATH_MAX]) {
        ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

        if (n <= 0)
                return false;
        path[n] = '\0';
        return true;
}

/* Beside us, where the build puts it, where it was installed. */
static bool find_hold(const char *self, char path[PATH_MAX]) {
        static const char *const places[] = { "nuntius-hold", "../hold/nuntius-hold" };
        int n = (int)(strrchr(self, '/') - self);

        for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++)
                if (snprintf(path, PATH_MAX, "%.*s/%s", n, self, places[i]) < PATH_MAX && access(path, X_OK) == 0)
                        return true;
        snprintf(path, PATH_MAX, "%s", NUNTIUS_HOLD_PATH);
        return access(path, X_OK) == 0;
}

static void exec_hold(const char *hold, const char *self, int argc, char **argv, const char *socket, int ready_fd) {
        _cleanup_free_ const char **arguments = calloc((size_t)argc + ARGUMENTS_MORE, sizeof(*arguments));
        char number[12];
        unsigned n = 0;

        if (!arguments)
                return;
        arguments[n++] = hold;
        arguments[n++] = "--private";
        if (ready_fd >= 0) {
                snprintf(number, sizeof(number), "%d", ready_fd);
                arguments[n++] = "--ready-fd";
                arguments[n++] = number;
        }
        arguments[n++] = "--";
        arguments[n++] = self;
        for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
                arguments[n++] = argv[i];
        arguments[n++] = "--ready-fd"; /* the last of each counts */
        arguments[n++] = "none";
        if (socket) {
                arguments[n++] = "--socket";
                arguments[n++] = socket;
        }
        execv(hold, (char *const *)arguments);
}

void under_hold_run(int argc, char **argv, const char *socket, int ready_fd) {
        char self[PATH_MAX], hold[PATH_MAX];

        errno = ENOENT;
        if (own_path(self) && find_hold(self, hold))
                exec_hold(hold, self, argc, argv, socket, ready_fd);
        fprintf(stderr, "nuntiusd: nuntius-hold cannot be run (%s): when this daemon dies, so do its connections\n",
                strerror(errno));
}
