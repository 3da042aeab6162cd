/* SPDX-License-Identifier: MIT */
/* Status: one function for each noun, each a section of the report. */
#include "daemon/status.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "daemon/channel.h"
#include "daemon/connection.h"
#include "daemon/extent.h"
#include "daemon/flags.h"
#include "daemon/lane.h"
#include "daemon/lifeline.h"
#include "daemon/link.h"
#include "daemon/process.h"
#include "daemon/report.h"
#include "daemon/request.h"
#include "daemon/session.h"
#include "shm/slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct View {
        Kernel *kernel;
        uid_t viewer;
        bool sees_all;
        Report report;
} View;

static bool view_sees(const View *view, uid_t uid) {
        return view->sees_all || view->viewer == uid;
}

/* ---- threads ---- */

/* Numbers of sys/states.h, which this layer does not see. */
enum {
        THREAD_SEND = 4,
        THREAD_REPLY = 6,
};

static const char *thread_state_name(uint32_t state) {
        static const char *const names[] = {
                "DEAD",       "RUNNING",    "READY",     "STOPPED",     "SEND",      "RECEIVE",
                "REPLY",      "STACK",      "WAITTHREAD", "WAITPAGE",   "SIGSUSPEND", "SIGWAITINFO",
                "NANOSLEEP",  "MUTEX",      "CONDVAR",   "JOIN",        "INTR",      "SEM",
                "WAITCTX",    "NET_SEND",   "NET_REPLY",
        };

        return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

/* Slots beyond the link's own stand in its slots extents, in the order of their making. */
static const ShmSlot *link_slot(const Link *link, uint32_t slot) {
        Extent *extent;

        if (slot < LINK_SLOTS)
                return &link->map->slots[slot];
        slot -= LINK_SLOTS;
        LIST_FOREACH(extent, &link->extents, Extent, of_link) {
                if (!extent->slots)
                        continue;
                if (slot < EXTENT_SLOTS)
                        return &extent->slots[slot];
                slot -= EXTENT_SLOTS;
        }
        return NULL;
}

/* A thread says only that it waits; whether its message has been taken is known by its slot. */
static const char *thread_state(const Process *process, const ShmThread *thread) {
        uint32_t state = thread->state;
        const ShmSlot *slot = NULL;
        const Link *link;

        if (state != THREAD_SEND && state != THREAD_REPLY)
                return thread_state_name(state);
        link = link_find_id(process->kernel, thread->on_link);
        if (link && link->client == process)
                slot = link_slot(link, thread->on_slot);
        if (slot && slot_state(slot_peek(slot)) == SLOT_SEND)
                return "SEND";
        if (slot && slot_state(slot_peek(slot)) == SLOT_REPLY)
                return "REPLY";
        return thread_state_name(state);
}

static void thread_row(Report *report, const Process *process, const ShmThread *thread) {
        char name[sizeof(thread->name) + 1] = "";

        memcpy(name, thread->name, sizeof(thread->name));
        report_row(report);
        report_number(report, "pid", process->record->pid);
        report_number(report, "tid", thread->tid);
        report_number(report, "linux_tid", thread->linux_tid);
        report_text(report, "state", thread_state(process, thread));
        report_number(report, "priority", thread->priority);
        report_number(report, "on_pid", thread->on_pid);
        report_number(report, "on_chid", thread->on_chid);
        report_text(report, "name", name);
}

static void status_threads(View *view) {
        const Process *process;

        report_section(&view->report, "threads");
        LIST_FOREACH(process, &view->kernel->processes, Process, all) {
                if (!view_sees(view, process->record->uid))
                        continue;
                for (unsigned i = 0; i < PROCESS_THREADS; i++)
                        if (process->page->threads[i].tid != 0)
                                thread_row(&view->report, process, &process->page->threads[i]);
        }
        report_section_end(&view->report);
}

/* ---- objects ---- */

static size_t list_count(const List *list) {
        size_t n = 0;

        for (const List *at = list->next; at != list; at = at->next)
                n++;
        return n;
}

static void status_processes(View *view) {
        Report *report = &view->report;
        const Process *process;

        report_section(report, "processes");
        LIST_FOREACH(process, &view->kernel->processes, Process, all) {
                if (!view_sees(view, process->record->uid))
                        continue;
                report_row(report);
                report_number(report, "pid", process->record->pid);
                report_number(report, "uid", process->record->uid);
                report_number(report, "priority_max", process->record->priority_max);
                report_number(report, "channels", (int64_t)list_count(&process->channels));
                report_number(report, "connections", (int64_t)list_count(&process->connections));
                report_number(report, "links_out", (int64_t)list_count(&process->client_links));
                report_number(report, "links_in", (int64_t)list_count(&process->server_links));
                report_number(report, "fds", (int64_t)process->n_fds);
                report_number(report, "news_waiting", (int64_t)process->n_news);
        }
        report_section_end(report);
}

static void status_channels(View *view) {
        Report *report = &view->report;
        const Channel *channel;
        size_t at = 0;
        char flags[16];

        report_section(report, "channels");
        while ((channel = map_next(&view->kernel->channels, &at, NULL))) {
                if (!view_sees(view, channel->process->record->uid))
                        continue;
                snprintf(flags, sizeof(flags), "0x%04x", channel->record->flags);
                report_row(report);
                report_number(report, "pid", channel->process->record->pid);
                report_number(report, "chid", channel->record->chid);
                report_text(report, "flags", flags);
                report_number(report, "bells", channel->n_bells);
                report_number(report, "lanes", (int64_t)list_count(&channel->lanes));
                report_number(report, "lifelines", (int64_t)list_count(&channel->lifelines));
        }
        report_section_end(report);
}

static void bell_row(Report *report, const Bell *bell) {
        report_row(report);
        report_number(report, "bell", bell->record->id);
        report_number(report, "pid", bell->channel->process->record->pid);
        report_number(report, "chid", bell->channel->record->chid);
        report_number(report, "for_uid", bell->record->uid);
        report_number(report, "lanes", bell->n_lanes);
        report_number(report, "bytes", BELL_BYTES);
}

static void status_bells(View *view) {
        const Channel *channel;
        size_t at = 0;

        report_section(&view->report, "bells");
        while ((channel = map_next(&view->kernel->channels, &at, NULL)))
                for (uint32_t i = 0; i < channel->n_bells; i++)
                        if (view_sees(view, channel->process->record->uid))
                                bell_row(&view->report, channel->bells[i]);
        report_section_end(&view->report);
}

static bool view_sees_link(const View *view, const Link *link) {
        return view_sees(view, link->client->record->uid) || view_sees(view, link->server->record->uid);
}

static void status_links(View *view) {
        Report *report = &view->report;
        const Link *link;
        size_t at = 0;

        report_section(report, "links");
        while ((link = map_next(&view->kernel->links, &at, NULL))) {
                if (!view_sees_link(view, link))
                        continue;
                report_row(report);
                report_number(report, "link", link->record->id);
                report_number(report, "client_pid", link->client->record->pid);
                report_number(report, "server_pid", link->server->record->pid);
                report_number(report, "connections", link->n_connections);
                report_number(report, "extents", link->n_extents);
                report_number(report, "bytes", (int64_t)link->record->bytes);
        }
        report_section_end(report);
}

static void extent_row(Report *report, const Extent *extent) {
        report_row(report);
        report_number(report, "link", extent->link->record->id);
        report_number(report, "extent", extent->record->number);
        report_text(report, "kind", extent->slots ? "slots" : "bulk");
        report_number(report, "bytes", (int64_t)extent->record->bytes);
}

static void status_extents(View *view) {
        const Extent *extent;
        const Link *link;
        size_t at = 0;

        report_section(&view->report, "extents");
        while ((link = map_next(&view->kernel->links, &at, NULL))) {
                if (!view_sees_link(view, link))
                        continue;
                LIST_FOREACH(extent, &link->extents, Extent, of_link)
                        extent_row(&view->report, extent);
        }
        report_section_end(&view->report);
}

static void status_lanes(View *view) {
        Report *report = &view->report;
        const Lane *lane;
        size_t at = 0;

        report_section(report, "lanes");
        while ((lane = map_next(&view->kernel->scoids, &at, NULL))) {
                const Process *server = lane->channel->process;

                if (!view_sees(view, server->record->uid) &&
                    !view_sees(view, lane->record->credentials.euid))
                        continue;
                report_row(report);
                report_number(report, "server_pid", server->record->pid);
                report_number(report, "chid", lane->channel->record->chid);
                report_number(report, "scoid", lane->record->scoid);
                report_number(report, "client_pid", lane->record->credentials.pid);
                report_number(report, "client_uid", lane->record->credentials.euid);
                report_number(report, "bell", lane->bell->record->id);
                report_number(report, "leaf", lane->record->leaf);
                report_number(report, "connections", (int64_t)list_count(&lane->connections));
                report_text(report, "state", lane->record->zombie ? "gone" : "live");
        }
        report_section_end(report);
}

static void status_lifelines(View *view) {
        Report *report = &view->report;
        const Lifeline *lifeline;
        size_t at = 0;

        report_section(report, "lifelines");
        while ((lifeline = map_next(&view->kernel->lifelines, &at, NULL))) {
                const Channel *channel = lifeline->channel;

                if (!view_sees(view, lifeline->record->uid))
                        continue;
                report_row(report);
                report_number(report, "cookie", (int64_t)lifeline->record->cookie);
                report_number(report, "uid", lifeline->record->uid);
                report_number(report, "server_pid", channel ? channel->process->record->pid : 0);
                report_number(report, "chid", channel ? channel->record->chid : 0);
                report_number(report, "connections", (int64_t)list_count(&lifeline->connections));
        }
        report_section_end(report);
}

static void status_connections(View *view) {
        Report *report = &view->report;
        const Connection *connection;
        size_t at = 0;
        char flags[16];

        report_section(report, "connections");
        while ((connection = map_next(&view->kernel->connections, &at, NULL))) {
                const ConnectionRecord *record = connection->record;

                if (!view_sees(view, connection->client->record->uid))
                        continue;
                snprintf(flags, sizeof(flags), "0x%04x", record->flags);
                report_row(report);
                report_number(report, "connection", record->id);
                report_number(report, "client_pid", connection->client->record->pid);
                report_number(report, "coid", record->coid);
                report_number(report, "server_pid", record->server_pid);
                report_number(report, "chid", record->chid);
                report_number(report, "scoid", record->scoid);
                report_number(report, "link", connection->link ? connection->link->record->id : 0);
                report_number(report, "index", record->index);
                report_text(report, "flags", flags);
                report_text(report, "kind", connection->lifeline ? "descriptor" : "side");
                report_text(report, "state", connection->lane ? "live" : "dead");
        }
        report_section_end(report);
}

static void user_rows(Report *report, const User *user) {
        for (unsigned i = 0; i < CHARGE_N; i++) {
                report_row(report);
                report_number(report, "uid", user->record->uid);
                report_text(report, "what", charge_name(i));
                report_number(report, "charged", (int64_t)user->record->charges[i]);
                report_number(report, "limit", (int64_t)user->limits[i]);
        }
}

static void status_users(View *view) {
        const User *user;
        size_t at = 0;

        report_section(&view->report, "users");
        while ((user = map_next(&view->kernel->users.users, &at, NULL)))
                if (view_sees(view, user->record->uid))
                        user_rows(&view->report, user);
        report_section_end(&view->report);
}

/* ---- the whole ---- */

static int64_t count_fds(void) {
        DIR *directory = opendir("/proc/self/fd");
        int64_t n = 0;

        if (!directory)
                return -1;
        while (readdir(directory))
                n++;
        closedir(directory);
        return n - 3; /* ".", ".." and the one we read by */
}

static void status_daemon(View *view) {
        Report *report = &view->report;

        report_section(report, "daemon");
        report_row(report);
        report_text(report, "version", NUNTIUS_VERSION);
        report_number(report, "pid", getpid());
        report_number(report, "uid", view->kernel->uid);
        report_text(report, "kind", view->kernel->options.is_private ? "private" : "shared");
        report_number(report, "sessions", (int64_t)view->kernel->n_sessions);
        report_number(report, "fds", count_fds());
        report_number(report, "restarts", view->kernel->record->n_starts);
        report_text(report, "store", view->kernel->store.provider);
        report_number(report, "stored", (int64_t)view->kernel->store.n);
        report_number(report, "store_max", (int64_t)view->kernel->store.max);
        report_number(report, "not_stored", (int64_t)view->kernel->store.n_failed);
        report_section_end(report);
}

void status_write(Kernel *kernel, uid_t viewer, bool json, FILE *out) {
        View view = { .kernel = kernel, .viewer = viewer,
                      .sees_all = kernel_is_trusted(kernel, viewer) };

        report_begin(&view.report, out, json);
        status_daemon(&view);
        status_processes(&view);
        status_threads(&view);
        status_channels(&view);
        status_bells(&view);
        status_links(&view);
        status_extents(&view);
        status_lanes(&view);
        status_lifelines(&view);
        status_connections(&view);
        status_users(&view);
        report_end(&view.report);
}

static int text_to_memfd(const char *text, size_t n, int *ret_fd) {
        _cleanup_close_ int fd = memfd_create("nuntius-status", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

        if (fd < 0)
                return error_fold(-errno);
        for (size_t at = 0; at < n;) {
                ssize_t written = write(fd, text + at, n - at);

                if (written < 0)
                        return error_fold(-errno);
                at += (size_t)written;
        }
        if (fcntl(fd, F_ADD_SEALS, seals) < 0)
                return error_fold(-errno);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int request_status(Session *session, Request *request, Answer *answer) {
        _cleanup_free_ char *text = NULL;
        size_t n = 0;
        FILE *out;
        int fd = -1, r;

        out = open_memstream(&text, &n);
        if (!out)
                return error_fold(-ENOMEM);
        status_write(session->kernel, session->uid, request->wire.status.json, out);
        if (fclose(out) != 0)
                return error_fold(-ENOMEM);
        r = text_to_memfd(text, n, &fd);
        if (r)
                return error_fold(r);
        answer->reply.status_text.bytes = n;
        answer_fd_owned(answer, WIRE_FD_STATUS, fd, STORED_N, 0);
        return 0;
}
