/* SPDX-License-Identifier: MIT */
#include "daemon/kernel.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "daemon/ability.h"
#include "daemon/booster.h"
#include "daemon/lifeline.h"
#include "daemon/listener.h"
#include "daemon/recover.h"
#include "daemon/remnant.h"
#include "daemon/path.h"
#include "daemon/session.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define FDS_RESERVED 64u /* for the daemon's own: tables, loop, what a request holds for a moment */

DEFINE_CLEANUP(Kernel *, kernel_free)

bool kernel_is_trusted(const Kernel *kernel, uid_t uid) {
        return uid == 0 || uid == kernel->uid;
}

/* The daemon's own descriptors, and places for them in the store, are what it runs short of first. */
static void kernel_limit_fds(Kernel *kernel) {
        struct rlimit limit;
        uint64_t n = 1024;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
                n = limit.rlim_cur;
        if (store_is_on(&kernel->store) && kernel->store.max < n)
                n = kernel->store.max;
        n = n > 2 * FDS_RESERVED ? n - FDS_RESERVED : FDS_RESERVED;
        kernel->users.limits_own[CHARGE_FDS] = n / 4 * 3;
        kernel->users.limits_other[CHARGE_FDS] = n / 4;
}

int kernel_make_table(Kernel *kernel, Noun noun) {
        const NounShape *shape = noun_shape(noun);
        Table *table = &kernel->tables[noun];
        int r;

        r = table_init(table, shape->name, shape->record_bytes, shape->records_max);
        if (r)
                return error_fold(r);
        (void)store_keep(&kernel->store, STORED_TABLE, noun, table->fd);
        FAILPOINT("daemon-table-kept");
        return 0;
}

/* The kernel's own record comes last: without it all the others are worth nothing. */
static int kernel_make_tables(Kernel *kernel) {
        int r;

        for (unsigned i = 0; i < NOUN_N; i++) {
                r = kernel_make_table(kernel, i);
                if (r)
                        return error_fold(r);
        }
        r = table_new(&kernel->tables[NOUN_KERNEL], &kernel->record);
        if (r)
                return error_fold(r);
        kernel->record->n_nouns = NOUN_N;
        kernel->record->wire_version = WIRE_VERSION;
        kernel->record->layout_version = LAYOUT_VERSION;
        table_publish(kernel->record);
        return 0;
}

/* Whoever was found to be ended in the middle of something else goes before the loop sleeps. */
static void kernel_reap(struct ev_loop *loop, ev_prepare *prepare, int events) {
        Kernel *kernel = prepare->data;

        (void)loop;
        (void)events;
        while (!list_is_empty(&kernel->doomed))
                session_free(LIST_FIRST(&kernel->doomed, Session, doomed));
        path_summary_update(kernel);
}

static void kernel_on_signal(struct ev_loop *loop, ev_signal *signal, int events) {
        Kernel *kernel = signal->data;

        (void)events;
        kernel->is_leaving = signal->signum == SIGTERM && store_is_on(&kernel->store);
        log_info("event=%s signal=%d", kernel->is_leaving ? "leave" : "stop", signal->signum);
        ev_break(loop, EVBREAK_ALL);
}

/* One may have connected in the very moment. */
static void kernel_on_linger(struct ev_loop *loop, ev_timer *timer, int events) {
        Kernel *kernel = timer->data;

        (void)events;
        listener_accept(kernel->listener);
        if (kernel->n_sessions > 0)
                return;
        log_info("event=stop why=\"no session for %g seconds\"", kernel->options.linger);
        ev_break(loop, EVBREAK_ALL);
}

static void kernel_init_watchers(Kernel *kernel) {
        ev_prepare_init(&kernel->reaper, kernel_reap);
        kernel->reaper.data = kernel;
        ev_prepare_start(kernel->loop, &kernel->reaper);
        session_init_turns(kernel);
        ev_init(&kernel->linger, kernel_on_linger);
        kernel->linger.data = kernel;
        kernel->linger.repeat = kernel->options.linger;
        ev_signal_init(&kernel->signals[0], kernel_on_signal, SIGTERM);
        ev_signal_init(&kernel->signals[1], kernel_on_signal, SIGINT);
        for (int i = 0; i < 2; i++) {
                kernel->signals[i].data = kernel;
                ev_signal_start(kernel->loop, &kernel->signals[i]);
        }
}

static void kernel_init_registries(Kernel *kernel) {
        list_init(&kernel->sessions);
        list_init(&kernel->processes);
        list_init(&kernel->doomed);
        list_init(&kernel->remnants);
        list_init(&kernel->watches);
        list_init(&kernel->paths);
        user_registry_init(&kernel->users, &kernel->tables[NOUN_USER], kernel->uid);
        kernel_limit_fds(kernel);
        for (unsigned i = 0; i < CHARGE_N; i++)
                if (kernel->options.limits[i])
                        user_registry_limit(&kernel->users, i, kernel->options.limits[i]);
}

/* With what a predecessor left, or from nothing. */
static int kernel_begin(Kernel *kernel, Legacy *legacy) {
        Legacy none = LEGACY_INIT;
        int r;

        legacy = legacy ? legacy : &none;
        store_count_kept(&kernel->store, legacy->n_named);
        kernel->journal.is_on = store_is_on(&kernel->store);
        r = recover(kernel, legacy);
        if (r != RECOVER_E_NOTHING)
                return error_fold(r);
        (void)legacy_drop_rest(legacy, &kernel->store);
        return error_fold(kernel_make_tables(kernel));
}

int kernel_new(const KernelOptions *options, Legacy *legacy, Kernel **ret_kernel) {
        _cleanup_(kernel_freep) Kernel *kernel = NULL;
        int r;

        kernel = calloc(1, sizeof(*kernel));
        if (!kernel)
                return error_fold(-ENOMEM);
        kernel->options = *options;
        kernel->uid = geteuid();
        kernel->lifeline_epoll = -1;
        for (unsigned i = 0; i < NOUN_N; i++)
                kernel->tables[i] = (Table)TABLE_INIT;
        store_init(&kernel->store, options->store_max);
        kernel_init_registries(kernel);
        kernel->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
        if (!kernel->loop)
                return error_fold(-ENOMEM);
        kernel_init_watchers(kernel);
        r = lifeline_watch_start(kernel);
        if (r)
                return error_fold(r);
        r = booster_new(kernel, &kernel->booster);
        if (r)
                return error_fold(r);
        r = kernel_begin(kernel, legacy);
        if (r)
                return error_fold(r);
        *ret_kernel = TAKE(kernel);
        return 0;
}

static void kernel_deinit_map(Map *map) {
        assert(map_size(map) == 0);
        map_deinit(map);
}

static void kernel_deinit_registries(Kernel *kernel) {
        kernel_deinit_map(&kernel->by_pid);
        kernel_deinit_map(&kernel->channels);
        kernel_deinit_map(&kernel->links);
        kernel_deinit_map(&kernel->links_by_pair);
        kernel_deinit_map(&kernel->scoids);
        kernel_deinit_map(&kernel->shared_lanes);
        kernel_deinit_map(&kernel->bell_holds);
        kernel_deinit_map(&kernel->lifelines);
        kernel_deinit_map(&kernel->connections);
        user_registry_deinit(&kernel->users);
        if (kernel->record)
                table_drop(&kernel->tables[NOUN_KERNEL], kernel->record);
        for (unsigned i = 0; i < NOUN_N; i++) {
                if (kernel->tables[i].fd >= 0)
                        store_remove(&kernel->store, STORED_TABLE, kernel->table_names[i]);
                table_deinit(&kernel->tables[i]);
        }
}

/* The signals of a loop stay taken after its end. */
static void kernel_end_loop(Kernel *kernel) {
        for (int i = 0; i < 2; i++)
                ev_signal_stop(kernel->loop, &kernel->signals[i]);
        ev_loop_destroy(kernel->loop);
}

/* All of it is the successor's; a process that ends gives the rest back. */
static Kernel *kernel_leave(Kernel *kernel) {
        static Kernel *left;

        left = kernel;
        return left ? NULL : left;
}

Kernel *kernel_free(Kernel *kernel) {
        if (!kernel)
                return NULL;
        if (kernel->is_leaving)
                return kernel_leave(kernel);
        kernel->is_closing = true;
        path_summary_close(kernel); /* before the socket goes: who waits for our end waits for that */
        kernel->listener = listener_free(kernel->listener);
        while (!list_is_empty(&kernel->sessions))
                session_free(LIST_FIRST(&kernel->sessions, Session, all));
        lifeline_end_all(kernel);
        lifeline_watch_stop(kernel);
        assert(list_is_empty(&kernel->processes) && kernel->n_sessions == 0);
        remnants_free(kernel);
        ability_names_deinit(kernel);
        kernel->booster = booster_free(kernel->booster);
        kernel_deinit_registries(kernel);
        if (kernel->loop)
                kernel_end_loop(kernel);
        store_deinit(&kernel->store);
        free(kernel);
        return NULL;
}

static void kernel_linger(Kernel *kernel) {
        if (kernel->options.is_private && kernel->n_sessions == 0)
                ev_timer_again(kernel->loop, &kernel->linger);
}

/* Without it there is no path space; all else works. */
static void kernel_open_paths(Kernel *kernel) {
        char socket[256], file[272];

        if (listener_path(kernel->listener, socket, sizeof(socket)))
                return;
        snprintf(file, sizeof(file), "%s.paths", socket);
        (void)path_summary_open(kernel, file);
}

void kernel_run(Kernel *kernel, Listener *listener) {
        kernel->listener = listener;
        kernel_open_paths(kernel);
        listener_start(listener, kernel);
        listener_keep(listener);
        store_say(&kernel->store, "READY=1");
        kernel_linger(kernel);
        booster_start(kernel->booster);
        ev_run(kernel->loop, 0);
        booster_stop(kernel->booster);
}

void kernel_session_opened(Kernel *kernel, Session *session) {
        list_append(&kernel->sessions, &session->all);
        kernel->n_sessions++;
        ev_timer_stop(kernel->loop, &kernel->linger);
}

void kernel_session_closed(Kernel *kernel, Session *session) {
        list_unlink(&session->all);
        kernel->n_sessions--;
        listener_resume(kernel->listener);
        kernel_linger(kernel);
}
