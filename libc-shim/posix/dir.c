/* SPDX-License-Identifier: MIT */
/*
 * Dir: directories of managers, and those of Linux that have names of managers in them.
 *
 * A stream of ours is told from the C library's by a registry. It reads, one after the other: what
 * the manager's directory
 * says, or what Linux's says; then the names that are there because something is attached below.
 */
#include "posix/manager.h"
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"
#include "shm/word.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/iomsg.h>
#include <stdio.h>
#include <sys/neutrino.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BUFFER 16384

typedef struct nuntius_linux_dirent LinuxEntry;

typedef struct Stream {
        struct Stream *next;
        int fd;       /* a manager's directory; -1: none */
        DIR *linux_dir; /* Linux's; NULL: none */
        char whole[PATH_MAX];
        uint32_t at;  /* in the names below */
        long told;    /* entries that were given */
        size_t from, to; /* of the buffer */
        LinuxEntry entry;
        char buffer[BUFFER];
} Stream;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Stream *streams;
static Word n_streams;

static Stream *stream_of(DIR *dir) {
        Stream *stream;

        if (!word_load_relaxed(&n_streams))
                return NULL;
        pthread_mutex_lock(&mutex);
        for (stream = streams; stream && (DIR *)stream != dir; stream = stream->next)
                ;
        pthread_mutex_unlock(&mutex);
        return stream;
}

static DIR *stream_new(int fd, DIR *linux_dir, const char *whole) {
        Stream *stream = calloc(1, sizeof(*stream));

        if (!stream)
                return NULL;
        stream->fd = fd;
        stream->linux_dir = linux_dir;
        strcpy(stream->whole, whole);
        pthread_mutex_lock(&mutex);
        stream->next = streams;
        streams = stream;
        word_add(&n_streams, 1);
        pthread_mutex_unlock(&mutex);
        return (DIR *)stream;
}

/* ---- open, close ---- */

static DIR *open_managed(const char *path, const char *whole) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir;

        if (fd < 0)
                return NULL;
        dir = connection_is_descriptor(fd) ? stream_new(fd, NULL, whole) : NEXT(fdopendir)(fd);
        if (!dir)
                close(fd);
        return dir;
}

/* A directory of Linux's, or none at all, below which something is attached. */
static DIR *open_above(const char *path, const char *whole) {
        DIR *linux_dir = NEXT(opendir)(path);
        DIR *dir = stream_new(-1, linux_dir, whole);

        if (!dir && linux_dir)
                NEXT(closedir)(linux_dir);
        return dir;
}

PUBLIC DIR *opendir(const char *path) {
        PathnameHit hits[PATHNAME_HITS];
        char whole[PATH_MAX];

        if (manager_path(AT_FDCWD, path, whole) < 0)
                return NEXT(opendir)(path);
        if (pathname_resolve(whole, hits) > 0)
                return open_managed(path, whole);
        return pathname_is_above(whole) ? open_above(path, whole) : NEXT(opendir)(path);
}

PUBLIC DIR *fdopendir(int fd) {
        char whole[PATH_MAX];

        if (!connection_is_descriptor(fd))
                return NEXT(fdopendir)(fd);
        if (!manager_directory(fd, whole))
                strcpy(whole, "/");
        return stream_new(fd, NULL, whole);
}

PUBLIC int closedir(DIR *dir) {
        Stream *stream = stream_of(dir), **at = &streams;
        int r = 0;

        if (!stream)
                return NEXT(closedir)(dir);
        pthread_mutex_lock(&mutex);
        while (*at != stream)
                at = &(*at)->next;
        *at = stream->next;
        word_sub(&n_streams, 1);
        pthread_mutex_unlock(&mutex);
        if (stream->linux_dir)
                r = NEXT(closedir)(stream->linux_dir);
        if (stream->fd >= 0)
                r = close(stream->fd);
        free(stream);
        return r;
}

PUBLIC int dirfd(DIR *dir) {
        Stream *stream = stream_of(dir);

        if (!stream)
                return NEXT(dirfd)(dir);
        if (stream->linux_dir)
                return NEXT(dirfd)(stream->linux_dir);
        return stream->fd >= 0 ? stream->fd : (int)plain(-ENOTSUP);
}

/* ---- read ---- */

static ssize_t fill_buffer(Stream *stream) {
        struct _io_read message = { .type = _IO_READ, .combine_len = sizeof(message), .nbytes = BUFFER,
                                    .xtype = _IO_XTYPE_READDIR };
        long r = MsgSend_r(stream->fd, &message, sizeof(message), stream->buffer, BUFFER);

        if (r == -ENOSYS) { /* it knows no such thing as an xtype */
                message.xtype = _IO_XTYPE_NONE;
                r = MsgSend_r(stream->fd, &message, sizeof(message), stream->buffer, BUFFER);
        }
        stream->from = 0;
        stream->to = r > 0 && r <= BUFFER ? (size_t)r : 0;
        return r;
}

static void set_entry(Stream *stream, ino_t inode, unsigned char type, const char *name, size_t length) {
        stream->entry = (LinuxEntry){ .d_ino = inode, .d_off = ++stream->told, .d_type = type,
                                      .d_reclen = sizeof(LinuxEntry) };
        memcpy(stream->entry.d_name, name, length);
        stream->entry.d_name[length] = '\0';
}

/* One entry of what the server sent; nothing that it says of lengths is believed. False: there is none. */
static bool take_entry(Stream *stream) {
        const size_t name_at = offsetof(struct dirent, d_name);
        struct dirent head;
        size_t left = stream->to - stream->from, length;

        if (left <= name_at)
                return false;
        memcpy(&head, stream->buffer + stream->from, name_at);
        if (head.d_reclen <= (int)name_at || (size_t)head.d_reclen > left)
                head.d_reclen = (int16_t)left;
        length = strnlen(stream->buffer + stream->from + name_at, (size_t)head.d_reclen - name_at);
        length = length <= NAME_MAX ? length : NAME_MAX;
        set_entry(stream, head.d_ino, DT_UNKNOWN, stream->buffer + stream->from + name_at, length);
        stream->from += (size_t)head.d_reclen;
        return length > 0;
}

/* 1: there is one in stream->entry. 0: the end. -errno. */
static int next_managed(Stream *stream) {
        ssize_t r;

        while (!take_entry(stream)) {
                r = fill_buffer(stream);
                if (r <= 0)
                        return (int)r;
        }
        return 1;
}

static int next_linux(Stream *stream) {
        LinuxEntry *(*next)(DIR *) = (LinuxEntry * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
        LinuxEntry *entry;

        errno = 0;
        entry = next(stream->linux_dir);
        if (!entry)
                return -errno;
        set_entry(stream, entry->d_ino, entry->d_type, entry->d_name, strlen(entry->d_name));
        return 1;
}

/* Linux may have the name too, and several managers may be attached there. */
static bool is_known(Stream *stream, const char *name, uint32_t before) {
        char other[NAME_MAX + 1], path[PATH_MAX + NAME_MAX + 2];
        bool is_directory;
        uint32_t at = 0;

        while (at < before && pathname_next_name(stream->whole, &at, other, &is_directory) && at < before)
                if (strcmp(other, name) == 0)
                        return true;
        if (!stream->linux_dir)
                return false;
        snprintf(path, sizeof(path), "%s/%s", stream->whole, name);
        return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

static int next_below(Stream *stream) {
        char name[NAME_MAX + 1];
        bool is_directory;

        if (!stream->linux_dir && stream->fd < 0 && stream->told < 2) {
                set_entry(stream, 1, DT_DIR, "..", stream->told == 0 ? 1 : 2);
                return 1;
        }
        while (pathname_next_name(stream->whole, &stream->at, name, &is_directory)) {
                if (is_known(stream, name, stream->at))
                        continue;
                set_entry(stream, 1, is_directory ? DT_DIR : DT_UNKNOWN, name, strlen(name));
                return 1;
        }
        return 0;
}

static int next(Stream *stream) {
        int r = 0;

        if (stream->fd >= 0)
                r = next_managed(stream);
        else if (stream->linux_dir)
                r = next_linux(stream);
        return r != 0 ? r : next_below(stream);
}

/* ---- Linux's structure ---- */

LinuxEntry *linux_readdir(DIR *dir) __asm__("readdir");
PUBLIC LinuxEntry *linux_readdir(DIR *dir) {
        LinuxEntry *(*libc)(DIR *) = (LinuxEntry * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
        Stream *stream = stream_of(dir);
        int r;

        if (!stream)
                return libc(dir);
        r = next(stream);
        if (r < 0)
                errno = -r;
        return r > 0 ? &stream->entry : NULL;
}
LinuxEntry *linux_readdir64(DIR *dir) __asm__("readdir64");
PUBLIC LinuxEntry *linux_readdir64(DIR *dir) {
        return linux_readdir(dir);
}

PUBLIC void rewinddir(DIR *dir) {
        Stream *stream = stream_of(dir);

        if (!stream) {
                NEXT(rewinddir)(dir);
                return;
        }
        if (stream->linux_dir)
                NEXT(rewinddir)(stream->linux_dir);
        if (stream->fd >= 0)
                lseek(stream->fd, 0, SEEK_SET);
        stream->at = 0;
        stream->told = 0;
        stream->from = stream->to = 0;
}

PUBLIC long telldir(DIR *dir) {
        Stream *stream = stream_of(dir);

        return stream ? stream->told : NEXT(telldir)(dir);
}

/* Places are counted: what was read before is read again. */
PUBLIC void seekdir(DIR *dir, long place) {
        Stream *stream = stream_of(dir);

        if (!stream) {
                NEXT(seekdir)(dir, place);
                return;
        }
        rewinddir(dir);
        while (stream->told < place && next(stream) > 0)
                ;
}
