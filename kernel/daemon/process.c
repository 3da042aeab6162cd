/* SPDX-License-Identifier: MIT */
/* Process: birth (GREET). Death stands in goodbye.c. */
#include "daemon/process.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/ability.h"
#include "daemon/cred.h"
#include "daemon/goodbye.h"
#include "daemon/news.h"
#include "daemon/request.h"
#include "daemon/session.h"
#include "daemon/watch.h"
#include "shm/link.h"
#include "shm/region.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define PRIORITY_MAX_ROOT  255u
#define PRIORITY_MAX_OTHER 63u
#define FDS_OF_PROCESS     4u /* pidfd, notice, page, news */
#define BYTES_OF_PROCESS   (sizeof(ShmNotice) + PROCESS_BYTES)
#define NEWS_BUFFER        (4 << 20)

DEFINE_CLEANUP(Process *, process_free)

static int process_charge(Process *process, User *user) {
        int r = user_charge(user, CHARGE_PROCESSES, 1);

        if (r)
                return r;
        r = user_charge(user, CHARGE_FDS, FDS_OF_PROCESS);
        if (!r) {
                r = user_charge(user, CHARGE_BYTES, BYTES_OF_PROCESS);
                if (r)
                        user_discharge(user, CHARGE_FDS, FDS_OF_PROCESS);
        }
        if (r) {
                user_discharge(user, CHARGE_PROCESSES, 1);
                return r;
        }
        process->user = user_ref(user);
        return 0;
}

static void process_on_death(struct ev_loop *loop, ev_io *io, int events) {
        Process *process = io->data;

        (void)loop;
        (void)events;
        session_free(process->session);
}

static uint64_t inode_of(int fd) {
        struct stat st;

        return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

/* The process gets a descriptor that can only be read: a successor of ours must be able to write. */
static int process_make_notice(Process *process) {
        void *map;
        int r;

        r = region_create("nuntius-notice", sizeof(ShmNotice), &process->notice_fd);
        if (r)
                return error_fold(r);
        if (fchmod(process->notice_fd, 0400) < 0)
                return error_fold(-errno);
        r = region_map(process->notice_fd, sizeof(ShmNotice), true, &map);
        if (r)
                return error_fold(r);
        process->notice = map;
        notice_init(process->notice);
        process->record->notice_inode = inode_of(process->notice_fd);
        return 0;
}

static int process_make_regions(Process *process) {
        void *map;
        int r;

        r = process_make_notice(process);
        if (r)
                return error_fold(r);
        r = region_create("nuntius-page", PROCESS_BYTES, &process->page_fd);
        if (r)
                return error_fold(r);
        process->record->page_inode = inode_of(process->page_fd);
        r = region_map(process->page_fd, PROCESS_BYTES, false, &map);
        if (r)
                return error_fold(r);
        process->page = map;
        return 0;
}

/* The end that the process gets blocks or not as it likes; ours never does. */
static int process_make_news(Process *process, int *ret_peer) {
        int ends[2], bytes = NEWS_BUFFER;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return error_fold(-errno);
        if (setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
                (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
        process->news_fd = ends[0];
        *ret_peer = ends[1];
        news_attach(process);
        return error_fold(cred_cookie(process->news_fd, &process->record->news_cookie));
}

static int process_make_record(Process *process, uint32_t greet_flags) {
        Kernel *kernel = process->kernel;
        ProcessRecord *record;
        int r;

        r = table_new(&kernel->tables[NOUN_PROCESS], &process->record);
        if (r)
                return error_fold(r);
        record = process->record;
        r = cred_read(process->session->fd, &record->credentials);
        if (r)
                return error_fold(r);
        record->user = table_ref(&kernel->tables[NOUN_USER], process->user->record);
        record->id = ++kernel->record->next_process_id;
        record->pid = process->session->pid;
        record->uid = process->session->uid;
        record->greet_flags = greet_flags;
        record->priority_max = record->uid == 0 ? PRIORITY_MAX_ROOT : PRIORITY_MAX_OTHER;
        record->next_chid = 1;
        return error_fold(cred_cookie(process->session->fd, &record->requests_cookie));
}

static uint32_t process_index(const Process *process) {
        return table_index(&process->kernel->tables[NOUN_PROCESS], process->record);
}

/* All but the far end of its news, which goes away with the answer. */
static void process_keep(Process *process) {
        Store *store = &process->kernel->store;
        uint32_t index = process_index(process);

        (void)store_keep(store, STORED_PIDFD, index, process->pidfd);
        (void)store_keep(store, STORED_NOTICE, index, process->notice_fd);
        (void)store_keep(store, STORED_PAGE, index, process->page_fd);
        (void)store_keep(store, STORED_NEWS, index, process->news_fd);
        (void)store_keep(store, STORED_REQUESTS, index, process->session->fd);
        process->is_kept = true;
}

static void process_unkeep(Process *process, uint32_t index) {
        Store *store = &process->kernel->store;

        if (!process->is_kept)
                return;
        store_remove(store, STORED_REQUESTS, index);
        store_remove(store, STORED_NEWS, index);
        store_remove(store, STORED_PAGE, index);
        store_remove(store, STORED_NOTICE, index);
        store_remove(store, STORED_PIDFD, index);
}

static void process_init(Process *process, Session *session) {
        *process = (Process){ .kernel = session->kernel,
                              .session = session,
                              .pidfd = -1,
                              .notice_fd = -1,
                              .page_fd = -1,
                              .news_fd = -1 };
        list_init(&process->news);
        list_init(&process->all);
        list_init(&process->boost_rest);
        list_init(&process->channels);
        list_init(&process->client_links);
        list_init(&process->server_links);
        list_init(&process->lanes);
        list_init(&process->connections);
        list_init(&process->bell_holds);
        list_init(&process->lifelines);
        list_init(&process->closed_links);
        ev_init(&process->death, process_on_death);
        process->death.data = process;
}

int process_new(Session *session, uint32_t greet_flags, Process **ret_process) {
        _cleanup_(process_freep) Process *process = NULL;
        int r;

        process = malloc(sizeof(*process));
        if (!process)
                return error_fold(-ENOMEM);
        process_init(process, session);
        r = process_charge(process, session->user);
        if (r)
                return r;
        r = process_make_record(process, greet_flags);
        if (r)
                return error_fold(r);
        r = cred_pidfd(session->fd, session->pid, &process->pidfd);
        if (r)
                return error_fold(r);
        r = process_make_regions(process);
        if (r)
                return error_fold(r);
        r = map_add(&process->kernel->by_pid, (uint32_t)session->pid, process);
        if (r)
                return error_fold(r);
        *ret_process = TAKE(process);
        return 0;
}

int process_adopt(Session *session, ProcessRecord *record, const ProcessMemory *memory, Process **ret_process) {
        Process *process = malloc(sizeof(*process));
        Kernel *kernel = session->kernel;

        if (!process)
                return error_fold(-ENOMEM);
        process_init(process, session);
        process->record = record;
        process->user = user_ref(session->user);
        user_charge_anyway(process->user, CHARGE_PROCESSES, 1);
        user_charge_anyway(process->user, CHARGE_FDS, FDS_OF_PROCESS);
        user_charge_anyway(process->user, CHARGE_BYTES, BYTES_OF_PROCESS);
        process->pidfd = memory->pidfd;
        process->notice_fd = memory->notice_fd;
        process->page_fd = memory->page_fd;
        process->news_fd = memory->news_fd;
        process->notice = memory->notice;
        process->page = memory->page;
        process->is_kept = true;
        record->user = table_ref(&kernel->tables[NOUN_USER], process->user->record);
        kernel->abilities_changed |= record->abilities.changed;
        news_attach(process);
        list_append(&kernel->processes, &process->all);
        session->process = *ret_process = process;
        return error_fold(map_add(&kernel->by_pid, (uint32_t)record->pid, process));
}

void process_start(Process *process) {
        ev_io_set(&process->death, process->pidfd, EV_READ);
        ev_io_start(process->kernel->loop, &process->death);
}

static void process_drop_record(Process *process) {
        uint32_t index = process_index(process);

        table_drop(&process->kernel->tables[NOUN_PROCESS], process->record);
        FAILPOINT("daemon-process-dropped");
        process_unkeep(process, index);
}

Process *process_free(Process *process) {
        Kernel *kernel;

        if (!process)
                return NULL;
        kernel = process->kernel;
        assert(list_is_empty(&process->channels) && list_is_empty(&process->connections));
        assert(list_is_empty(&process->client_links) && list_is_empty(&process->server_links));
        assert(list_is_empty(&process->lanes) && list_is_empty(&process->bell_holds));
        assert(list_is_empty(&process->lifelines) && process->n_fds == 0);
        assert(list_is_empty(&process->closed_links));
        news_detach(process);
        coids_deinit(&process->coids);
        ev_io_stop(kernel->loop, &process->death);
        list_unlink(&process->all);
        if (process->record && map_get(&kernel->by_pid, (uint32_t)process->record->pid) == process)
                map_remove(&kernel->by_pid, (uint32_t)process->record->pid);
        region_unmap(process->notice, sizeof(ShmNotice));
        region_unmap(process->page, PROCESS_BYTES);
        fd_close(process->notice_fd);
        fd_close(process->page_fd);
        fd_close(process->news_fd);
        fd_close(process->pidfd);
        if (process->record)
                process_drop_record(process);
        if (process->user) {
                user_discharge(process->user, CHARGE_BYTES, BYTES_OF_PROCESS);
                user_discharge(process->user, CHARGE_FDS, FDS_OF_PROCESS);
                user_discharge(process->user, CHARGE_PROCESSES, 1);
                user_unref(process->user);
        }
        free(process);
        return NULL;
}

Process *process_find(Kernel *kernel, Process *self, int32_t pid) {
        if (self && (pid == 0 || pid == self->record->pid))
                return self;
        return map_get(&kernel->by_pid, (uint32_t)pid);
}

int process_charge_fds(Process *process, size_t n) {
        uint64_t limit = process->user->limits[CHARGE_FDS] / 2;
        int r;

        if (process->n_fds + n > limit) {
                user_log_refusal(process->user, "fds-of-one-process", limit);
                return -EAGAIN;
        }
        r = user_charge(process->user, CHARGE_FDS, n);
        if (r)
                return r;
        process->n_fds += n;
        return 0;
}

void process_charge_fds_anyway(Process *process, size_t n) {
        user_charge_anyway(process->user, CHARGE_FDS, n);
        process->n_fds += n;
}

void process_discharge_fds(Process *process, size_t n) {
        process->n_fds -= n;
        user_discharge(process->user, CHARGE_FDS, n);
}

/*
 * A pid that greets anew has executed another program (or is another process under an old number)
 * and we have not yet looked at its old socket: what was known of it is over.
 */
static void process_end_predecessor(Session *session) {
        Process *old = map_get(&session->kernel->by_pid, (uint32_t)session->pid);

        if (!old)
                return;
        log_debug("event=regreet pid=%d", (int)session->pid);
        session_free(old->session);
}

static int greet_check(Session *session, const WireGreet *greet) {
        if (session->state != SESSION_NEW)
                return -EPROTO;
        if (greet->wire_version == WIRE_VERSION && greet->layout_version == LAYOUT_VERSION)
                return 0;
        log_warning("event=version-mismatch pid=%d uid=%u wire=%u layout=%u", (int)session->pid,
                    session->uid, greet->wire_version, greet->layout_version);
        return -EPROTO;
}

static int greet_as_observer(Session *session, Answer *answer) {
        session_become(session, SESSION_OBSERVER);
        answer->reply.greet.pid = session->pid;
        answer->reply.greet.uid = session->uid;
        return 0;
}

int request_greet(Session *session, Request *request, Answer *answer) {
        const WireGreet *greet = &request->wire.greet;
        _cleanup_(process_freep) Process *process = NULL;
        Kernel *kernel = session->kernel;
        int news_peer = -1, notice = -1, r;
        bool was_known;

        r = greet_check(session, greet);
        if (r)
                return r;
        if (greet->flags & ~(WIRE_GREET_ONE_BELL | WIRE_GREET_OBSERVER))
                return -EPROTO;
        if (greet->flags & WIRE_GREET_OBSERVER)
                return greet_as_observer(session, answer);
        FAILPOINT("daemon-greet-checked");
        process_end_predecessor(session);
        r = process_new(session, greet->flags, &process);
        if (r)
                return r;
        was_known = ability_inherit(process);
        FAILPOINT("daemon-greet-built");
        r = process_make_news(process, &news_peer);
        if (r)
                return r;
        process_keep(process);
        answer_give(kernel, answer, WIRE_FD_NEWS, news_peer, STORED_NEWS_PEER, process_index(process));
        FAILPOINT("daemon-greet-kept");
        r = region_reopen_read_only(process->notice_fd, &notice);
        if (r)
                return error_fold(r);
        answer_fd_owned(answer, WIRE_FD_NOTICE, notice, STORED_NOTICE, process_index(process));
        answer_fd(answer, WIRE_FD_PAGE, process->page_fd, STORED_PAGE, process_index(process));
        answer->reply.greet = (WireReplyGreet){ .pid = process->record->pid,
                                                .uid = process->record->uid,
                                                .priority_max = process->record->priority_max,
                                                .process = process->record->id };

        request_commit(process, request, answer);
        table_publish(process->record);
        FAILPOINT("daemon-greet-published");
        session_become(session, SESSION_PROCESS);
        list_append(&kernel->processes, &process->all);
        process_start(process);
        log_debug("event=greet pid=%d uid=%u", process->record->pid, process->record->uid);
        session->process = TAKE(process);
        if (!was_known)
                watch_tell(kernel, WATCH_PROCESS_CREATE, session->pid);
        return 0;
}
