/* SPDX-License-Identifier: MIT */
#include "hold/child.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LISTEN_FDS_START  3
#define EXIT_SYSTEM       111
#define NAMES_IN_VARIABLE (100u * 1024u) /* the kernel takes 128 KiB for one */

typedef struct Inheritance {
        StoreItem *items; /* by rising descriptor number */
        size_t n;
        char *names; /* with colons between them */
} Inheritance;

static void inheritance_deinit(Inheritance *inheritance) {
        free(inheritance->items);
        free(inheritance->names);
}

static int inheritance_init(Inheritance *inheritance, const Store *store) {
        char *at;

        inheritance->n = store->n;
        if (store->n == 0)
                return 0;
        inheritance->items = store_list(store);
        inheritance->names = at = malloc(store->name_bytes + 1);
        if (!inheritance->items || !inheritance->names)
                return error_fold(-ENOMEM);
        for (size_t i = 0; i < inheritance->n; i++)
                at += sprintf(at, i ? ":%s" : "%s", inheritance->items[i].name);
        return 0;
}

/* ---- in the child ---- */

static void give_up(const char *what) {
        fprintf(stderr, "nuntius-hold: %s: %s\n", what, strerror(errno));
        _exit(EXIT_SYSTEM);
}

static void set_number(const char *name, long number) {
        char text[24];

        snprintf(text, sizeof(text), "%ld", number);
        setenv(name, text, 1);
}

/*
 * Each moves down, or stays: the i-th lowest number cannot be below the i-th place, and whoever was in that place has
 * moved already, or is not for the daemon.
 */
static void place_descriptors(const Inheritance *inheritance) {
        for (size_t i = 0; i < inheritance->n; i++) {
                int from = inheritance->items[i].fd, to = LISTEN_FDS_START + (int)i;

                if ((from == to ? fcntl(to, F_SETFD, 0) : dup2(from, to)) < 0)
                        give_up("cannot hand on a descriptor");
        }
        (void)close_range(LISTEN_FDS_START + (unsigned)inheritance->n, ~0u, 0);
}

static void write_names(const char *names) {
        int fd = memfd_create("nuntius-fdnames", 0);
        size_t n = strlen(names);

        if (fd < 0 || pwrite(fd, names, n, 0) != (ssize_t)n)
                give_up("cannot write the names of descriptors");
        set_number("NUNTIUS_FDNAMES", fd);
}

static void set_environment(const Inheritance *inheritance, const Store *store, const char *notify_socket) {
        set_number("NUNTIUS_HOLD", getppid());
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_FDNAMES");
        unsetenv("NUNTIUS_FDNAMES");
        setenv("NOTIFY_SOCKET", notify_socket, 1);
        set_number("FDSTORE", (long)store->max);
        if (inheritance->n == 0)
                return;
        set_number("LISTEN_PID", getpid());
        set_number("LISTEN_FDS", (long)inheritance->n);
        if (store->name_bytes <= NAMES_IN_VARIABLE)
                setenv("LISTEN_FDNAMES", inheritance->names, 1);
        else
                write_names(inheritance->names);
}

static void child_run(char *const *command, const Inheritance *inheritance, const Store *store,
                      const char *notify_socket) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        place_descriptors(inheritance);
        set_environment(inheritance, store, notify_socket);
        execvp(command[0], command);
        give_up(command[0]);
}

/* ---- in the parent ---- */

pid_t child_start(char *const *command, const Store *store, const char *notify_socket) {
        _cleanup_(inheritance_deinit) Inheritance inheritance = { .n = 0 };
        pid_t pid;
        int r;

        r = inheritance_init(&inheritance, store);
        if (r)
                return error_fold(r);
        pid = fork();
        if (pid < 0)
                return error_fold(-errno);
        if (pid == 0)
                child_run(command, &inheritance, store, notify_socket);
        return pid;
}
