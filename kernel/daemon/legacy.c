/* SPDX-License-Identifier: MIT */
#include "daemon/legacy.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_FD 3
#define NAMES_BYTES_MAX (64u << 20)

/* ---- names ---- */

static int environment_number(const char *variable, long *ret_number) {
        const char *text = getenv(variable);
        char *end;

        if (!text || !*text)
                return -ENOENT;
        errno = 0;
        *ret_number = strtol(text, &end, 10);
        return *end || errno || *ret_number < 0 || *ret_number > INT32_MAX ? -EINVAL : 0;
}

static int names_from_fd(int fd, char **ret_names) {
        _cleanup_free_ char *names = NULL;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return error_fold(-errno);
        if (st.st_size < 0 || st.st_size > (off_t)NAMES_BYTES_MAX)
                return error_fold(-EFBIG);
        names = calloc(1, (size_t)st.st_size + 1);
        if (!names)
                return error_fold(-ENOMEM);
        if (pread(fd, names, (size_t)st.st_size, 0) != st.st_size)
                return error_fold(-EIO);
        *ret_names = TAKE(names);
        return 0;
}

static int names_read(char **ret_names) {
        const char *text = getenv("LISTEN_FDNAMES");
        long fd;
        int r;

        if (environment_number("NUNTIUS_FDNAMES", &fd) == 0) {
                r = names_from_fd((int)fd, ret_names);
                (void)close((int)fd);
                return r;
        }
        *ret_names = strdup(text ? text : "");
        return *ret_names ? 0 : -ENOMEM;
}

/* ---- receiving ---- */

/* A socket unit calls its socket what it likes; the first such descriptor is where we listen. */
static void legacy_sort_in(Legacy *legacy, const char *name, int fd) {
        Heirloom item = { .fd = fd };

        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (store_name_parse(name, &item.kind, &item.index)) {
                legacy->items[legacy->n++] = item;
                legacy->n_named++;
        } else if (strcmp(name, STORE_NAME_LOCK) == 0 && legacy->lock_fd < 0) {
                legacy->lock_fd = fd;
                legacy->n_named++;
        } else if (legacy->listen_fd < 0) {
                legacy->listen_fd = fd;
                legacy->listen_is_kept = strcmp(name, STORE_NAME_LISTEN) == 0;
                legacy->n_named += legacy->listen_is_kept;
        } else {
                (void)close(fd);
        }
}

static int heirloom_compare(const void *left, const void *right) {
        const Heirloom *a = left, *b = right;

        if (a->kind != b->kind)
                return a->kind < b->kind ? -1 : 1;
        return a->index < b->index ? -1 : a->index > b->index;
}

/* Two of one name: whoever stored the second died before it was told that there was a first. */
static void legacy_drop_twins(Legacy *legacy) {
        size_t n = 0;

        for (size_t i = 0; i < legacy->n; i++) {
                if (n > 0 && heirloom_compare(&legacy->items[n - 1], &legacy->items[i]) == 0)
                        fd_close(legacy->items[i].fd);
                else
                        legacy->items[n++] = legacy->items[i];
        }
        legacy->n = n;
}

int legacy_receive(Legacy *legacy) {
        _cleanup_free_ char *names = NULL;
        char *rest, *name;
        long pid, n;
        int r;

        *legacy = (Legacy)LEGACY_INIT;
        if (environment_number("LISTEN_PID", &pid) || environment_number("LISTEN_FDS", &n))
                return 0;
        if (pid != (long)getpid() || n == 0)
                return 0;
        r = names_read(&names);
        if (r)
                return error_fold(r);
        legacy->items = calloc((size_t)n, sizeof(*legacy->items));
        if (!legacy->items)
                return error_fold(-ENOMEM);
        rest = names;
        for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
                name = strsep(&rest, ":");
                legacy_sort_in(legacy, name ? name : "", fd);
        }
        qsort(legacy->items, legacy->n, sizeof(*legacy->items), heirloom_compare);
        legacy_drop_twins(legacy);
        FAILPOINT("daemon-legacy-received");
        return 0;
}

void legacy_deinit(Legacy *legacy) {
        for (size_t i = 0; i < legacy->n; i++)
                fd_close(legacy->items[i].fd);
        free(legacy->items);
        fd_close(legacy->listen_fd);
        fd_close(legacy->lock_fd);
        *legacy = (Legacy)LEGACY_INIT;
}

/* ---- taking ---- */

static Heirloom *legacy_find(const Legacy *legacy, Stored kind, uint32_t index) {
        const Heirloom wanted = { .kind = kind, .index = index };

        if (legacy->n == 0)
                return NULL;
        return bsearch(&wanted, legacy->items, legacy->n, sizeof(wanted), heirloom_compare);
}

int legacy_take(Legacy *legacy, Stored kind, uint32_t index) {
        Heirloom *item = legacy_find(legacy, kind, index);

        return item ? TAKE_FD(item->fd) : -1;
}

int legacy_peek(const Legacy *legacy, Stored kind, uint32_t index) {
        const Heirloom *item = legacy_find(legacy, kind, index);

        return item ? item->fd : -1;
}

int legacy_copy(const Legacy *legacy, Stored kind, uint32_t index) {
        int fd = legacy_peek(legacy, kind, index);

        return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

bool legacy_has(const Legacy *legacy, Stored kind, uint32_t index) {
        return legacy_peek(legacy, kind, index) >= 0;
}

size_t legacy_drop_rest(Legacy *legacy, Store *store) {
        size_t n = 0;

        for (size_t i = 0; i < legacy->n; i++) {
                Heirloom *item = &legacy->items[i];

                if (item->fd < 0)
                        continue;
                store_remove(store, item->kind, item->index);
                item->fd = fd_close(item->fd);
                n++;
        }
        return n;
}
