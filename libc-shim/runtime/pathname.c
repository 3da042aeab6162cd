/* SPDX-License-Identifier: MIT */
#include "runtime/pathname.h"

#include "abi/wire.h"
#include "runtime/autostart.h"
#include "runtime/session.h"
#include "runtime/thread.h"
#include "shm/paths.h"
#include "shm/word.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>


/* ---- the summary ---- */

static WordPointer summary; /* NULL: none is known */
static Word64 looked_at;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool may_be_trusted(int fd, bool only_own) {
        struct stat st;

        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)PATHS_BYTES)
                return false;
        return !only_own || st.st_uid == 0 || st.st_uid == geteuid();
}

static const ShmPaths *map_file(const char *path, bool only_own) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
        const ShmPaths *map = MAP_FAILED;

        if (fd < 0)
                return NULL;
        if (may_be_trusted(fd, only_own))
                map = mmap(NULL, PATHS_BYTES, PROT_READ, MAP_SHARED, fd, 0);
        session_close(fd);
        if (map == MAP_FAILED)
                return NULL;
        if (paths_is_valid(map) && !paths_is_closed(map))
                return map;
        munmap((void *)map, PATHS_BYTES);
        return NULL;
}

static uint64_t now_coarse(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const ShmPaths *look(void) {
        char path[PATH_MAX];
        const ShmPaths *found = NULL;
        bool only_own;

        pthread_mutex_lock(&mutex);
        for (unsigned i = 0; !found && autostart_paths_file(i, path, sizeof(path), &only_own); i++)
                found = map_file(path, only_own);
        /* one of a daemon that has ended stays mapped: another thread may be reading it */
        word_pointer_store(&summary, (void *)found);
        pthread_mutex_unlock(&mutex);
        return found;
}

/* NULL: there is no daemon, or was none a moment ago. */
static const ShmPaths *paths(void) {
        const ShmPaths *map = word_pointer_load(&summary);
        uint64_t now;

        if (map && !paths_is_closed(map))
                return map;
        now = now_coarse();
        if (now == word64_load(&looked_at)) /* once a tick, which costs nothing that could be measured */
                return NULL;
        word64_store(&looked_at, now);
        return look();
}

/* ---- attach ---- */

static int text_as_file(const char *text) {
        int fd = memfd_create("nuntius-path", MFD_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = write(fd, text, strlen(text));
        if (n == (ssize_t)strlen(text))
                return fd;
        session_close(fd);
        return -ENOSPC;
}

static int attach(const char *whole, int chid, uint32_t handle, int type, unsigned flags, uint32_t *ret_id) {
        WireRequest request = {
                .op = WIRE_PATH_ATTACH,
                .path_attach = { .chid = chid, .handle = handle, .type = type, .flags = flags,
                                 .bytes = (uint32_t)strlen(whole) },
        };
        WireReply reply;
        int fds[SESSION_FDS];
        int fd = text_as_file(whole);
        int r;

        if (fd < 0)
                return fd;
        r = session_ask(&request, fd, &reply, fds);
        session_close(fd);
        if (r == 0)
                *ret_id = reply.path.path;
        return r;
}

int pathname_attach(const char *path, int chid, uint32_t handle, int type, unsigned flags, uint32_t *ret_id) {
        char whole[PATH_MAX];
        Thread *thread;
        int r;

        r = pathname_normalise(path, whole);
        if (r < 0)
                return r;
        if (strlen(whole) >= PATH_TEXT)
                return -ENAMETOOLONG;
        thread = call_enter();
        r = attach(strcmp(whole, "/") == 0 ? "" : whole, chid, handle, type, flags, ret_id);
        call_leave(thread);
        return r;
}

int pathname_detach(uint32_t id) {
        WireRequest request = { .op = WIRE_PATH_DETACH, .path_detach = { .path = id } };
        WireReply reply;
        int fds[SESSION_FDS];
        Thread *thread = call_enter();
        int r = session_ask(&request, -1, &reply, fds);

        call_leave(thread);
        return r;
}

/* ---- text ---- */

static size_t cut_last(const char *whole, size_t n) {
        while (n > 0 && whole[--n] != '/')
                ;
        return n;
}

/* One component, without its slash. False: no room. */
static bool add_component(char *whole, size_t *n, const char *from, size_t length) {
        if (length == 0 || (length == 1 && from[0] == '.'))
                return true;
        if (length == 2 && from[0] == '.' && from[1] == '.') {
                *n = cut_last(whole, *n);
                return true;
        }
        if (*n + 1 + length >= PATH_MAX)
                return false;
        whole[(*n)++] = '/';
        memcpy(whole + *n, from, length);
        *n += length;
        return true;
}

int pathname_normalise(const char *path, char whole[PATH_MAX]) {
        size_t n = 0;

        if (!path || path[0] != '/')
                return -EINVAL;
        while (*path) {
                size_t length = strcspn(++path, "/");

                if (!add_component(whole, &n, path, length))
                        return -ENAMETOOLONG;
                path += length;
        }
        if (n == 0)
                whole[n++] = '/';
        whole[n] = '\0';
        return 0;
}

/* The summary knows the root as the empty text. */
static size_t text_length(const char *whole) {
        return whole[1] == '\0' ? 0 : strlen(whole);
}

/* ---- resolve ---- */

bool pathname_any(void) {
        const ShmPaths *map = paths();

        return map && !paths_is_empty(map);
}

bool pathname_is_foreign(const char *path) {
        const ShmPaths *map = paths();
        char whole[PATH_MAX];
        PathsHint hint;

        if (!map || paths_is_empty(map))
                return true;
        hint = paths_hint(map, path);
        if (hint != PATHS_UNSURE)
                return hint == PATHS_NOWHERE;
        if (pathname_normalise(path, whole) < 0)
                return true;
        return whole[1] != '\0' && paths_hint(map, whole) == PATHS_NOWHERE;
}

/* Own requests do not come back to oneself, unless that is asked for: who serves them may be waiting for the answer. */
static bool is_for_us(const ShmPath *entry) {
        if (entry->uid != PATHS_EVERYBODY && entry->uid != geteuid())
                return false;
        return entry->pid != getpid() || entry->flags & _RESMGR_FLAG_SELF;
}

static bool serves(const ShmPath *entry, bool is_exact) {
        return entry->type != _FTYPE_NAME && (is_exact || entry->flags & _RESMGR_FLAG_DIR);
}

static PathnameHit hit_of(const ShmPath *entry) {
        return (PathnameHit){ .id = entry->id,
                              .pid = entry->pid,
                              .chid = entry->chid,
                              .handle = entry->handle,
                              .type = entry->type,
                              .flags = entry->flags,
                              .prefix_length = entry->length };
}

/* Adds those of one prefix. True: an opaque one is among them, nothing shorter counts. */
static bool add_hits(const ShmPaths *map, const char *whole, size_t prefix, bool is_exact, PathnameHit *hits, int *n) {
        ShmPath entries[PATHNAME_HITS];
        int found = paths_find(map, whole, prefix, entries, PATHNAME_HITS);
        bool is_opaque = false;

        for (int i = 0; i < found && *n < PATHNAME_HITS; i++) {
                if (!is_for_us(&entries[i]) || !serves(&entries[i], is_exact))
                        continue;
                hits[(*n)++] = hit_of(&entries[i]);
                is_opaque |= entries[i].flags & _RESMGR_FLAG_OPAQUE;
        }
        return is_opaque;
}

int pathname_resolve(const char *whole, PathnameHit hits[PATHNAME_HITS]) {
        const ShmPaths *map = paths();
        size_t length = text_length(whole), prefix = length;
        int n = 0;

        if (!map || paths_is_empty(map))
                return 0;
        for (;;) {
                if (add_hits(map, whole, prefix, prefix == length, hits, &n) || prefix == 0)
                        return n;
                prefix = cut_last(whole, prefix);
        }
}

int pathname_find_name(const char *whole, PathnameHit *ret_hit) {
        const ShmPaths *map = paths();
        ShmPath entries[PATHNAME_HITS];
        int n = map ? paths_find(map, whole, text_length(whole), entries, PATHNAME_HITS) : 0;

        for (int i = 0; i < n; i++) {
                bool is_visible = entries[i].uid == PATHS_EVERYBODY || entries[i].uid == geteuid();

                if (entries[i].type != _FTYPE_NAME || !is_visible)
                        continue;
                *ret_hit = hit_of(&entries[i]);
                return 0;
        }
        return n < 0 ? n : -ENOENT;
}

/* ---- directories that are there because of what lies below them ---- */

bool pathname_is_above(const char *whole) {
        const ShmPaths *map = paths();
        uint32_t at = 0;
        ShmPath entry;

        if (!map)
                return false;
        while (paths_next_below(map, whole, text_length(whole), &at, &entry))
                if (is_for_us(&entry))
                        return true;
        return false;
}

bool pathname_next_name(const char *whole, uint32_t *at, char *name, bool *ret_is_directory) {
        const ShmPaths *map = paths();
        size_t above = text_length(whole), length;
        ShmPath entry;

        while (map && paths_next_below(map, whole, above, at, &entry)) {
                const char *rest = entry.text + above + 1;

                length = strcspn(rest, "/");
                if (!is_for_us(&entry) || length == 0 || length > NAME_MAX)
                        continue;
                memcpy(name, rest, length);
                name[length] = '\0';
                *ret_is_directory = rest[length] == '/' || entry.flags & _RESMGR_FLAG_DIR;
                return true;
        }
        return false;
}
