/* SPDX-License-Identifier: MIT */
/*
 * Dirent: QNX's struct dirent made of Linux's, for programs that are compiled against our <dirent.h>. One entry of room
 * a thread: a stream of the C library's has none for ours.
 */
#include "posix/public.h"

#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct nuntius_linux_dirent LinuxEntry;

/* The C library's, or ours in front of it (dir.c). */
LinuxEntry *linux_readdir(DIR *dir) __asm__("readdir");

static void to_qnx(const LinuxEntry *entry, struct dirent *qnx) {
        size_t length = strlen(entry->d_name);
        size_t bytes = offsetof(struct dirent, d_name) + length + 1;

        qnx->d_ino = entry->d_ino;
        qnx->d_offset = entry->d_off;
        qnx->d_reclen = (int16_t)((bytes + 7) & ~(size_t)7);
        qnx->d_namelen = (int16_t)length;
        qnx->d_type = entry->d_type;
        memcpy((char *)qnx + offsetof(struct dirent, d_name), entry->d_name, length + 1);
}

PUBLIC struct dirent *readdir(DIR *dir) {
        static __thread union {
                char bytes[sizeof(struct dirent) + NAME_MAX + 1];
                struct dirent entry;
        } room;
        const LinuxEntry *entry = linux_readdir(dir);

        if (!entry)
                return NULL;
        to_qnx(entry, &room.entry);
        return &room.entry;
}

PUBLIC int readdir_r(DIR *dir, struct dirent *entry, struct dirent **result) {
        LinuxEntry *from;

        errno = 0;
        from = linux_readdir(dir);
        *result = from ? entry : NULL;
        if (from)
                to_qnx(from, entry);
        return from ? 0 : errno;
}

PUBLIC int alphasort(const struct dirent **a, const struct dirent **b) {
        return strcoll((*a)->d_name, (*b)->d_name);
}

typedef struct Found {
        struct dirent **list;
        size_t n, room;
} Found;

static int found_add(Found *found, const struct dirent *entry) {
        size_t bytes = (size_t)entry->d_reclen;
        struct dirent **more, *copy;

        if (found->n == found->room) {
                more = realloc(found->list, (found->room * 2 + 16) * sizeof(*more));
                if (!more)
                        return -ENOMEM;
                found->list = more;
                found->room = found->room * 2 + 16;
        }
        copy = malloc(bytes < sizeof(*entry) ? sizeof(*entry) : bytes);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, entry, bytes);
        found->list[found->n++] = copy;
        return 0;
}

static void found_free(Found *found) {
        while (found->n > 0)
                free(found->list[--found->n]);
        free(found->list);
}

static int find_all(DIR *dir, Found *found, int (*select)(const struct dirent *)) {
        struct dirent *entry;
        int r = 0;

        errno = 0;
        while (r == 0 && (entry = readdir(dir)))
                if (!select || select(entry))
                        r = found_add(found, entry);
        return r;
}

PUBLIC int scandir(const char *path, struct dirent ***list, int (*select)(const struct dirent *),
                   int (*compare)(const struct dirent **, const struct dirent **)) {
        Found found = { .list = NULL };
        DIR *dir = opendir(path);
        int r;

        if (!dir)
                return -1;
        r = find_all(dir, &found, select);
        closedir(dir);
        if (r < 0) {
                found_free(&found);
                return (int)plain(r);
        }
        if (compare && found.n > 1)
                qsort(found.list, found.n, sizeof(*found.list), (int (*)(const void *, const void *))compare);
        *list = found.list;
        return (int)found.n;
}
