/* SPDX-License-Identifier: MIT */
/*
 * Lifeline: watched through an epoll of their own that asks for no event, so it reports only the
 * hang-up, and what a program writes into its end wakes nobody.
 */
#include "daemon/lifeline.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/connection.h"
#include "daemon/cred.h"
#include "daemon/file.h"
#include "daemon/process.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define HANGUPS_AT_ONCE 64

DEFINE_CLEANUP(Lifeline *, lifeline_free)

void lifeline_end(Lifeline *lifeline) {
        Connection *connection;

        table_retire(lifeline->record);
        FAILPOINT("daemon-lifeline-retired");
        file_lifeline_ends(lifeline);
        LIST_FOREACH(connection, &lifeline->connections, Connection, of_lifeline)
                connection_close(connection);
        lifeline_free(lifeline);
        FAILPOINT("daemon-lifeline-gone");
}

void lifelines_look(Kernel *kernel) {
        struct epoll_event hangups[HANGUPS_AT_ONCE];
        int n;

        do {
                n = epoll_wait(kernel->lifeline_epoll, hangups, HANGUPS_AT_ONCE, 0);
                for (int i = 0; i < n; i++)
                        lifeline_end(hangups[i].data.ptr);
        } while (n == HANGUPS_AT_ONCE);
}

static void lifeline_on_hangup(struct ev_loop *loop, ev_io *io, int events) {
        (void)loop;
        (void)events;
        lifelines_look(io->data);
}

int lifeline_watch_start(Kernel *kernel) {
        kernel->lifeline_epoll = epoll_create1(EPOLL_CLOEXEC);
        if (kernel->lifeline_epoll < 0)
                return error_fold(-errno);
        ev_io_init(&kernel->lifeline_io, lifeline_on_hangup, kernel->lifeline_epoll, EV_READ);
        kernel->lifeline_io.data = kernel;
        ev_io_start(kernel->loop, &kernel->lifeline_io);
        return 0;
}

void lifeline_watch_stop(Kernel *kernel) {
        if (kernel->lifeline_epoll < 0)
                return;
        ev_io_stop(kernel->loop, &kernel->lifeline_io);
        kernel->lifeline_epoll = fd_close(kernel->lifeline_epoll);
}

static uint32_t lifeline_index(const Lifeline *lifeline) {
        return table_index(&lifeline->kernel->tables[NOUN_LIFELINE], lifeline->record);
}

static int lifeline_watch(Lifeline *lifeline) {
        struct epoll_event event = { .events = 0, .data.ptr = lifeline };

        if (epoll_ctl(lifeline->kernel->lifeline_epoll, EPOLL_CTL_ADD, lifeline->fd, &event) < 0)
                return error_fold(-errno);
        return 0;
}

/* Closing does not do it: the store has the same open file. */
static void lifeline_unwatch(Lifeline *lifeline) {
        if (lifeline->fd >= 0)
                (void)epoll_ctl(lifeline->kernel->lifeline_epoll, EPOLL_CTL_DEL, lifeline->fd, NULL);
}

static int lifeline_make_ends(Lifeline *lifeline, int *ret_fd) {
        _cleanup_close_ int given = -1;
        int ends[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return error_fold(-errno);
        lifeline->fd = ends[0];
        given = ends[1];
        r = cred_cookie(given, &lifeline->record->cookie);
        if (!r)
                r = cred_cookie(lifeline->fd, &lifeline->record->own_cookie);
        if (!r)
                r = lifeline_watch(lifeline);
        if (r)
                return error_fold(r);
        (void)store_keep(&lifeline->kernel->store, STORED_LIFELINE, lifeline_index(lifeline), lifeline->fd);
        lifeline->is_kept = true;
        *ret_fd = TAKE_FD(given);
        return 0;
}

static Lifeline *lifeline_allocate(Kernel *kernel) {
        Lifeline *lifeline = calloc(1, sizeof(*lifeline));

        if (!lifeline)
                return NULL;
        lifeline->kernel = kernel;
        lifeline->fd = -1;
        list_init(&lifeline->of_creator);
        list_init(&lifeline->of_channel);
        list_init(&lifeline->connections);
        return lifeline;
}

static int lifeline_name(Lifeline *lifeline, Process *creator, Channel *channel) {
        int r = map_add(&lifeline->kernel->lifelines, lifeline->record->cookie, lifeline);

        if (r)
                return error_fold(r);
        lifeline->is_named = true;
        lifeline->channel = channel;
        if (creator)
                list_append(&creator->lifelines, &lifeline->of_creator);
        if (channel)
                list_append(&channel->lifelines, &lifeline->of_channel);
        return 0;
}

int lifeline_adopt(Kernel *kernel, Process *creator, Channel *channel, LifelineRecord *record, int fd,
                   Lifeline **ret_lifeline) {
        Lifeline *lifeline = lifeline_allocate(kernel);
        int r;

        if (!lifeline)
                return error_fold(-ENOMEM);
        lifeline->record = record;
        lifeline->fd = fd;
        lifeline->is_kept = true;
        lifeline->creator = creator;
        r = user_get(&kernel->users, record->uid, &lifeline->user);
        if (r)
                return error_fold(r);
        if (creator)
                process_charge_fds_anyway(creator, 1);
        else
                user_charge_anyway(lifeline->user, CHARGE_FDS, 1);
        *ret_lifeline = lifeline;
        r = lifeline_name(lifeline, creator, channel);
        return r ? error_fold(r) : lifeline_watch(lifeline);
}

int lifeline_new(Process *creator, Channel *channel, uint32_t flags, Lifeline **ret_lifeline, int *ret_fd) {
        Kernel *kernel = creator->kernel;
        _cleanup_(lifeline_freep) Lifeline *lifeline = NULL;
        _cleanup_close_ int given = -1;
        int r;

        lifeline = lifeline_allocate(kernel);
        if (!lifeline)
                return error_fold(-ENOMEM);
        r = process_charge_fds(creator, 1);
        if (r)
                return r;
        lifeline->creator = creator;
        lifeline->user = user_ref(creator->user);
        r = table_new(&kernel->tables[NOUN_LIFELINE], &lifeline->record);
        if (r)
                return error_fold(r);
        lifeline->record->channel = table_ref(&kernel->tables[NOUN_CHANNEL], channel->record);
        lifeline->record->creator = table_ref(&kernel->tables[NOUN_PROCESS], creator->record);
        lifeline->record->uid = creator->record->uid;
        lifeline->record->flags = flags;
        r = lifeline_make_ends(lifeline, &given);
        if (r)
                return error_fold(r);
        FAILPOINT("daemon-lifeline-made");
        r = lifeline_name(lifeline, creator, channel);
        if (r)
                return error_fold(r);
        *ret_fd = TAKE_FD(given);
        *ret_lifeline = TAKE(lifeline);
        return 0;
}

static void lifeline_drop_record(Lifeline *lifeline) {
        uint32_t index = lifeline_index(lifeline);

        table_drop(&lifeline->kernel->tables[NOUN_LIFELINE], lifeline->record);
        FAILPOINT("daemon-lifeline-dropped");
        if (lifeline->is_kept)
                store_remove(&lifeline->kernel->store, STORED_LIFELINE, index);
}

Lifeline *lifeline_free(Lifeline *lifeline) {
        if (!lifeline)
                return NULL;
        assert(list_is_empty(&lifeline->connections));
        if (lifeline->is_named)
                map_remove(&lifeline->kernel->lifelines, lifeline->record->cookie);
        list_unlink(&lifeline->of_creator);
        list_unlink(&lifeline->of_channel);
        lifeline_unwatch(lifeline);
        fd_close(lifeline->fd);
        if (lifeline->record)
                lifeline_drop_record(lifeline);
        if (lifeline->creator)
                process_discharge_fds(lifeline->creator, 1);
        else if (lifeline->user)
                user_discharge(lifeline->user, CHARGE_FDS, 1);
        user_unref(lifeline->user);
        free(lifeline);
        return NULL;
}

Lifeline *lifeline_find(Kernel *kernel, int fd) {
        uint64_t cookie;

        if (cred_cookie(fd, &cookie))
                return NULL;
        return map_get(&kernel->lifelines, cookie);
}

void lifeline_lose_channel(Lifeline *lifeline) {
        table_ref_clear(&lifeline->record->channel);
        list_unlink(&lifeline->of_channel);
        lifeline->channel = NULL;
}

void lifeline_lose_creator(Lifeline *lifeline) {
        table_ref_clear(&lifeline->record->creator);
        FAILPOINT("daemon-lifeline-lost-creator");
        list_unlink(&lifeline->of_creator);
        lifeline->creator->n_fds--;
        lifeline->creator = NULL;
}

void lifeline_end_all(Kernel *kernel) {
        Lifeline *lifeline;
        size_t at = 0;

        while ((lifeline = map_next(&kernel->lifelines, &at, NULL))) {
                lifeline_end(lifeline);
                at = 0;
        }
}
