/* SPDX-License-Identifier: MIT */
#include "daemon/remnant.h"

#include "base/cleanup.h"
#include "daemon/process.h"
#include "daemon/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

static void remnant_die(Remnant *remnant) {
        watch_tell_death(remnant->kernel, remnant->pid, remnant->is_daemon);
        remnant_free(remnant);
}

static void remnant_on_death(struct ev_loop *loop, ev_io *io, int events) {
        (void)loop;
        (void)events;
        remnant_die(io->data);
}

static bool is_worth_it(const Process *process) {
        return process->record->abilities.changed || process->record->is_daemon ||
               watch_wants_deaths(process->kernel);
}

void remnant_keep(Process *process) {
        Kernel *kernel = process->kernel;
        Remnant *remnant;

        if (kernel->is_closing || !is_worth_it(process))
                return;
        remnant = calloc(1, sizeof(*remnant));
        if (!remnant)
                return;
        remnant->pidfd = fcntl(process->pidfd, F_DUPFD_CLOEXEC, 3);
        if (remnant->pidfd < 0 || user_charge(process->user, CHARGE_FDS, 1)) {
                fd_close(remnant->pidfd);
                free(remnant);
                return;
        }
        remnant->kernel = kernel;
        remnant->user = user_ref(process->user);
        remnant->pid = process->record->pid;
        remnant->is_daemon = process->record->is_daemon;
        remnant->abilities = process->record->abilities;
        list_append(&kernel->remnants, &remnant->link);
        ev_io_init(&remnant->death, remnant_on_death, remnant->pidfd, EV_READ);
        remnant->death.data = remnant;
        ev_io_start(kernel->loop, &remnant->death);
}

Remnant *remnant_find(Kernel *kernel, int32_t pid) {
        Remnant *remnant;

        LIST_FOREACH(remnant, &kernel->remnants, Remnant, link)
                if (remnant->pid == pid)
                        return remnant;
        return NULL;
}

Remnant *remnant_find_living(Kernel *kernel, int32_t pid) {
        Remnant *remnant = remnant_find(kernel, pid);
        struct pollfd death = { .fd = remnant ? remnant->pidfd : -1, .events = POLLIN };

        if (!remnant || poll(&death, 1, 0) == 0)
                return remnant;
        remnant_die(remnant);
        return NULL;
}

Remnant *remnant_free(Remnant *remnant) {
        ev_io_stop(remnant->kernel->loop, &remnant->death);
        list_unlink(&remnant->link);
        fd_close(remnant->pidfd);
        user_discharge(remnant->user, CHARGE_FDS, 1);
        user_unref(remnant->user);
        free(remnant);
        return NULL;
}

void remnants_free(Kernel *kernel) {
        Remnant *remnant;

        LIST_FOREACH(remnant, &kernel->remnants, Remnant, link)
                remnant_free(remnant);
}
