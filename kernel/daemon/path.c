/* SPDX-License-Identifier: MIT */
#include "daemon/path.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "daemon/ability.h"
#include "daemon/flags.h"
#include "daemon/journal.h"
#include "daemon/process.h"
#include "daemon/request.h"
#include "daemon/session.h"
#include "daemon/watch.h"
#include "shm/paths.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

DEFINE_CLEANUP(Path *, path_free)

#define ORDER_SHIFT 56 /* of the class; below it, the later the smaller */

/* ---- the summary ---- */

static void fill_entry(const Path *path, ShmPath *entry) {
        const PathRecord *record = path->record;

        *entry = (ShmPath){ .id = record->id,
                            .pid = path->channel->process->record->pid,
                            .chid = path->channel->record->chid,
                            .handle = record->handle,
                            .type = record->type,
                            .flags = record->flags,
                            .uid = record->uid,
                            .length = (uint16_t)record->length };
        memcpy(entry->text, record->text, record->length);
}

void path_summary_update(Kernel *kernel) {
        uint32_t n = 0;
        Path *path;

        if (!kernel->paths_changed || !kernel->paths_map)
                return;
        LIST_FOREACH(path, &kernel->paths, Path, all)
                fill_entry(path, &kernel->paths_draft[n++]);
        paths_write(kernel->paths_map, kernel->paths_draft, n);
        kernel->paths_changed = false;
}

static int summary_map(Kernel *kernel, int fd) {
        struct stat st;
        void *map;

        if (ftruncate(fd, PATHS_BYTES) < 0 || fchmod(fd, 0444) < 0 || fstat(fd, &st) < 0)
                return error_fold(-errno);
        kernel->paths_inode = st.st_ino;
        map = mmap(NULL, PATHS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
                return error_fold(-errno);
        kernel->paths_map = map;
        paths_init(map);
        kernel->paths_changed = true;
        path_summary_update(kernel);
        return 0;
}

int path_summary_open(Kernel *kernel, const char *path) {
        _cleanup_close_ int fd = -1;
        int r;

        kernel->paths_file = strdup(path);
        kernel->paths_draft = calloc(PATHS_ENTRIES, sizeof(*kernel->paths_draft));
        if (!kernel->paths_file || !kernel->paths_draft)
                return error_fold(-ENOMEM);
        /* a predecessor's is gone on with: whoever has mapped it sees what we write */
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
                r = -errno;
                log_warning("event=no-path-space file=%s error=%s", path, strerrorname_np(-r));
                return r;
        }
        r = summary_map(kernel, fd);
        return error_fold(r);
}

/* Another daemon may have made its own at the same place, once the socket was gone. */
static void summary_unlink(const Kernel *kernel) {
        struct stat st;

        if (stat(kernel->paths_file, &st) == 0 && st.st_ino == kernel->paths_inode)
                (void)unlink(kernel->paths_file);
}

void path_summary_close(Kernel *kernel) {
        if (kernel->paths_map) {
                paths_close(kernel->paths_map);
                munmap(kernel->paths_map, PATHS_BYTES);
                summary_unlink(kernel);
        }
        kernel->paths_map = NULL;
        free(kernel->paths_file);
        kernel->paths_file = NULL;
        free(kernel->paths_draft);
        kernel->paths_draft = NULL;
}

/* ---- life ---- */

static uint64_t order_of(uint32_t flags, uint32_t id) {
        uint64_t class = flags & PATH_BEFORE ? 0 : flags & PATH_AFTER ? 2 : 1;

        return class << ORDER_SHIFT | (UINT32_MAX - id);
}

static void path_enter(Path *path) {
        Kernel *kernel = path->channel->process->kernel;
        List *before = &kernel->paths; /* its end */
        Path *other;

        LIST_FOREACH(other, &kernel->paths, Path, all)
                if (other->record->order > path->record->order) {
                        before = &other->all;
                        break;
                }
        list_append(before, &path->all);
        list_append(&path->channel->paths, &path->of_channel);
        kernel->paths_changed = true;
}

static int path_new(Channel *channel, Path **ret_path) {
        Kernel *kernel = channel->process->kernel;
        _cleanup_(path_freep) Path *path = NULL;
        int r;

        path = calloc(1, sizeof(*path));
        if (!path)
                return error_fold(-ENOMEM);
        path->channel = channel;
        list_init(&path->all);
        list_init(&path->of_channel);
        r = user_charge(channel->process->user, CHARGE_PATHS, 1);
        if (r)
                return r;
        path->is_charged = true;
        r = table_new(&kernel->tables[NOUN_PATH], &path->record);
        if (r)
                return error_fold(r);
        *ret_path = TAKE(path);
        return 0;
}

Path *path_free(Path *path) {
        Process *process;

        if (!path)
                return NULL;
        process = path->channel->process;
        if (!list_is_empty(&path->all))
                process->kernel->paths_changed = true;
        list_unlink(&path->all);
        list_unlink(&path->of_channel);
        if (path->record)
                table_drop(&process->kernel->tables[NOUN_PATH], path->record);
        if (path->is_charged)
                user_discharge(process->user, CHARGE_PATHS, 1);
        free(path);
        return NULL;
}

int path_adopt(Channel *channel, PathRecord *record) {
        Path *path = calloc(1, sizeof(*path));

        if (!path)
                return error_fold(-ENOMEM);
        path->channel = channel;
        path->record = record;
        list_init(&path->all);
        list_init(&path->of_channel);
        user_charge_anyway(channel->process->user, CHARGE_PATHS, 1);
        path->is_charged = true;
        path_enter(path);
        if (table_record_state(record) == RECORD_DYING)
                path_free(path);
        return 0;
}

/* ---- requests ---- */

/* Text, as the library normalises it: "" or "/a/b", nothing empty, no dots. */
bool path_text_is_normal(const char *text, size_t n) {
        const char *at = text;

        if (n == 0)
                return true;
        if (memchr(text, '\0', n) || text[0] != '/')
                return false;
        while (*at == '/') {
                size_t length = strcspn(++at, "/");

                if (length == 0 || (length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
                        return false;
                at += length;
        }
        return true;
}

static int read_text(const Request *request, char text[PATH_TEXT]) {
        uint32_t n = request->wire.path_attach.bytes;

        if (n >= PATH_TEXT)
                return -ENAMETOOLONG;
        if (pread(request->fds[0], text, n, 0) != (ssize_t)n)
                return -EINVAL;
        text[n] = '\0';
        return path_text_is_normal(text, n) ? 0 : -EINVAL;
}

static uint32_t seen_by(const Process *process) {
        return kernel_is_trusted(process->kernel, process->record->uid) ? PATHS_EVERYBODY : process->record->uid;
}

/* Does anybody who sees this name see another of the same text? */
static bool is_taken(const Kernel *kernel, const char *text, size_t n, uint32_t uid) {
        const Path *path;

        LIST_FOREACH(path, &kernel->paths, Path, all) {
                const PathRecord *record = path->record;

                if (record->length == n && memcmp(record->text, text, n) == 0 &&
                    (record->uid == uid || record->uid == PATHS_EVERYBODY || uid == PATHS_EVERYBODY))
                        return true;
        }
        return false;
}

static int path_attach_check(Session *session, const Request *request, char text[PATH_TEXT], Channel **ret_channel) {
        const WirePathAttach *attach = &request->wire.path_attach;
        const Kernel *kernel = session->kernel;
        int r;

        if (request->n_fds != 1)
                return -EINVAL;
        if (!ability_is_allowed(session->process, ABILITY_PATHSPACE))
                return -EPERM;
        if (attach->flags & ~(PATH_FLAGS | WIRE_PATH_UNIQUE))
                return -EINVAL;
        *ret_channel = channel_find(session->process, attach->chid);
        if (!*ret_channel)
                return -EINVAL;
        r = read_text(request, text);
        if (r)
                return r;
        if (!kernel->paths_map)
                return -ENOSYS;
        if (table_count(&kernel->tables[NOUN_PATH]) >= PATHS_ENTRIES)
                return -EAGAIN;
        if (attach->flags & WIRE_PATH_UNIQUE &&
            is_taken(kernel, text, attach->bytes, seen_by(session->process)))
                return -EEXIST;
        return 0;
}

int request_path_attach(Session *session, Request *request, Answer *answer) {
        const WirePathAttach *attach = &request->wire.path_attach;
        Kernel *kernel = session->kernel;
        char text[PATH_TEXT];
        PathRecord *record;
        Channel *channel;
        Path *path = NULL;
        int r;

        r = path_attach_check(session, request, text, &channel);
        if (r)
                return r;
        r = path_new(channel, &path);
        if (r)
                return r;
        record = path->record;
        record->channel = table_ref(&kernel->tables[NOUN_CHANNEL], channel->record);
        record->id = ++kernel->record->next_path_id;
        record->uid = seen_by(session->process);
        record->handle = attach->handle;
        record->type = attach->type;
        record->flags = attach->flags & ~WIRE_PATH_UNIQUE;
        record->order = order_of(attach->flags, record->id);
        record->length = attach->bytes;
        memcpy(record->text, text, attach->bytes);
        FAILPOINT("daemon-path-built");
        answer->reply.path.path = record->id;
        request_commit(session->process, request, answer);

        /* point of no return */
        table_publish(record);
        path_enter(path);
        FAILPOINT("daemon-path-published");
        path_summary_update(kernel);
        watch_tell(kernel, WATCH_PATHSPACE, session->pid);
        return 0;
}

static Path *path_of(const Session *session, uint32_t id) {
        Path *path;

        LIST_FOREACH(path, &session->kernel->paths, Path, all)
                if (path->record->id == id && path->channel->process == session->process)
                        return path;
        return NULL;
}

int request_path_detach(Session *session, Request *request, Answer *answer) {
        Path *path = path_of(session, request->wire.path_detach.path);

        if (!path)
                return -EINVAL;
        journal_retire(session->kernel, NOUN_PATH, path->record);
        request_commit(session->process, request, answer);

        /* point of no return */
        table_retire(path->record);
        FAILPOINT("daemon-path-retired");
        path_free(path);
        path_summary_update(session->kernel);
        watch_tell(session->kernel, WATCH_PATHSPACE, session->pid);
        return 0;
}
