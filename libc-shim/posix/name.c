/* SPDX-License-Identifier: MIT */
/* Name: making, taking away and reading names of what a manager serves. */
#include "posix/cwd.h"
#include "posix/manager.h"
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ftype.h>
#include <sys/neutrino.h>
#include <sys/resmgr.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, -errno or MANAGER_NONE. */
static int ask(int directory, const char *path, const ConnectRequest *request) {
        char whole[PATH_MAX];
        int r = manager_path(directory, path, whole);

        if (r == 0)
                r = manager_connect(whole, request);
        return r > 0 ? 0 : r;
}

/* ---- unlink, rmdir ---- */

PUBLIC int unlinkat(int directory, const char *path, int flags) {
        ConnectRequest request = { .subtype = _IO_CONNECT_UNLINK,
                                   .mode = flags & AT_REMOVEDIR ? S_IFDIR : 0 };
        int r = ask(directory, path, &request);

        return r == MANAGER_NONE ? NEXT(unlinkat)(directory, path, flags) : (int)plain(r);
}

PUBLIC int unlink(const char *path) {
        return pathname_any() ? unlinkat(AT_FDCWD, path, 0) : NEXT(unlink)(path);
}

PUBLIC int rmdir(const char *path) {
        return pathname_any() ? unlinkat(AT_FDCWD, path, AT_REMOVEDIR) : NEXT(rmdir)(path);
}

PUBLIC int remove(const char *path) {
        struct stat st;

        if (!pathname_any())
                return NEXT(remove)(path);
        if (lstat(path, &st) < 0)
                return -1;
        return S_ISDIR(st.st_mode) ? rmdir(path) : unlink(path);
}

/* ---- mknod and kin ---- */

PUBLIC int mknodat(int directory, const char *path, mode_t mode, dev_t device) {
        ConnectRequest request = { .subtype = _IO_CONNECT_MKNOD,
                                   .mode = (mode & S_IFMT ? mode & S_IFMT : S_IFREG) | cwd_mode(mode & 07777) };
        int r = ask(directory, path, &request);

        return r == MANAGER_NONE ? NEXT(mknodat)(directory, path, mode, device) : (int)plain(r);
}

PUBLIC int mknod(const char *path, mode_t mode, dev_t device) {
        return pathname_any() ? mknodat(AT_FDCWD, path, mode, device) : NEXT(mknod)(path, mode, device);
}

PUBLIC int mkfifoat(int directory, const char *path, mode_t mode) {
        char whole[PATH_MAX];

        if (manager_path(directory, path, whole) < 0)
                return NEXT(mkfifoat)(directory, path, mode);
        return mknodat(directory, path, S_IFIFO | (mode & 07777), 0);
}

PUBLIC int mkfifo(const char *path, mode_t mode) {
        return pathname_any() ? mkfifoat(AT_FDCWD, path, mode) : NEXT(mkfifo)(path, mode);
}

/* What is there only because of attached names below it is there already. */
static bool is_made_up(int directory, const char *path) {
        char whole[PATH_MAX];
        struct stat st;

        return manager_path(directory, path, whole) == 0 && pathname_is_above(whole) &&
               fstatat(directory, path, &st, 0) == 0;
}

PUBLIC int mkdirat(int directory, const char *path, mode_t mode) {
        ConnectRequest request = { .subtype = _IO_CONNECT_MKNOD, .mode = S_IFDIR | cwd_mode(mode & 07777) };
        int r = ask(directory, path, &request);

        if (r != MANAGER_NONE)
                return (int)plain(r);
        return is_made_up(directory, path) ? (int)plain(-EEXIST) : NEXT(mkdirat)(directory, path, mode);
}

PUBLIC int mkdir(const char *path, mode_t mode) {
        return pathname_any() ? mkdirat(AT_FDCWD, path, mode) : NEXT(mkdir)(path, mode);
}

/* ---- two names ---- */

/* Both must lie with the same manager; the second one is given to it as it sees it. */
static int rest_of(const char *whole, const char *other, char rest[PATH_MAX]) {
        PathnameHit hits[PATHNAME_HITS], others[PATHNAME_HITS];
        int n = pathname_resolve(whole, hits), m = pathname_resolve(other, others);

        if (n == 0 && m == 0)
                return MANAGER_NONE;
        if (n == 0 || m == 0 || hits[0].id != others[0].id)
                return -EXDEV;
        other += others[0].prefix_length;
        strcpy(rest, *other == '/' ? other + 1 : other);
        return 0;
}

/* Either may be Linux's. */
static int whole_or_given(int directory, const char *path, char whole[PATH_MAX]) {
        int r = manager_path(directory, path, whole);

        if (r == MANAGER_NONE)
                whole[0] = '\0';
        return r;
}

static int two_paths(int directory, const char *path, int other_directory, const char *other, char whole[PATH_MAX],
                     char rest[PATH_MAX]) {
        char other_whole[PATH_MAX];
        int r = whole_or_given(directory, path, whole);
        int s = whole_or_given(other_directory, other, other_whole);

        if (r == MANAGER_NONE && s == MANAGER_NONE)
                return MANAGER_NONE;
        if (r != MANAGER_NONE && r < 0)
                return r;
        if (s != MANAGER_NONE && s < 0)
                return s;
        if (r == MANAGER_NONE || s == MANAGER_NONE) { /* the other may have no manager either */
                PathnameHit hits[PATHNAME_HITS];

                return pathname_resolve(r == MANAGER_NONE ? other_whole : whole, hits) ? -EXDEV : MANAGER_NONE;
        }
        return rest_of(whole, other_whole, rest);
}

/* The message is for the new name; the old one is the extra. */
static int rename_managed(int from_directory, const char *from, int to_directory, const char *to) {
        ConnectRequest request = { .subtype = _IO_CONNECT_RENAME, .extra_type = _IO_CONNECT_EXTRA_RENAME };
        char whole[PATH_MAX], rest[PATH_MAX];
        int r = two_paths(to_directory, to, from_directory, from, whole, rest);

        if (r < 0)
                return r;
        request.extra = rest;
        request.extra_bytes = strlen(rest) + 1;
        r = manager_connect(whole, &request);
        return r > 0 ? 0 : r;
}

PUBLIC int renameat(int from_directory, const char *from, int to_directory, const char *to) {
        int r = rename_managed(from_directory, from, to_directory, to);

        return r == MANAGER_NONE ? NEXT(renameat)(from_directory, from, to_directory, to) : (int)plain(r);
}

PUBLIC int rename(const char *from, const char *to) {
        return pathname_any() ? renameat(AT_FDCWD, from, AT_FDCWD, to) : NEXT(rename)(from, to);
}

PUBLIC int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
        int r = flags ? MANAGER_NONE : rename_managed(from_directory, from, to_directory, to);

        return r == MANAGER_NONE ? NEXT(renameat2)(from_directory, from, to_directory, to, flags) : (int)plain(r);
}

/*
 * QNX gives the server the old file's OCB. Here the extra data are the _msg_info of a descriptor
 * of it, followed by its path
 * as the manager knows it.
 */
static int link_managed(int from_directory, const char *from, int to_directory, const char *to) {
        ConnectRequest request = { .subtype = _IO_CONNECT_LINK, .extra_type = _IO_CONNECT_EXTRA_LINK };
        struct {
                struct _msg_info info;
                char path[PATH_MAX];
        } extra = { .info = { .coid = -1 } };
        char whole[PATH_MAX];
        int r = two_paths(to_directory, to, from_directory, from, whole, extra.path);

        if (r < 0)
                return r;
        request.extra = &extra;
        request.extra_bytes = sizeof(extra.info) + strlen(extra.path) + 1;
        r = manager_connect(whole, &request);
        return r > 0 ? 0 : r;
}

PUBLIC int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
        int r = link_managed(from_directory, from, to_directory, to);

        return r == MANAGER_NONE ? NEXT(linkat)(from_directory, from, to_directory, to, flags) : (int)plain(r);
}

PUBLIC int link(const char *from, const char *to) {
        return pathname_any() ? linkat(AT_FDCWD, from, AT_FDCWD, to, 0) : NEXT(link)(from, to);
}

/* ---- symbolic links ---- */

PUBLIC int symlinkat(const char *text, int directory, const char *path) {
        ConnectRequest request = { .subtype = _IO_CONNECT_LINK,
                                   .mode = S_IFLNK | 0777,
                                   .file_type = _FTYPE_SYMLINK,
                                   .extra_type = _IO_CONNECT_EXTRA_SYMLINK,
                                   .extra = text,
                                   .extra_bytes = strlen(text) + 1 };
        int r = ask(directory, path, &request);

        return r == MANAGER_NONE ? NEXT(symlinkat)(text, directory, path) : (int)plain(r);
}

PUBLIC int symlink(const char *text, const char *path) {
        return pathname_any() ? symlinkat(text, AT_FDCWD, path) : NEXT(symlink)(text, path);
}

static ssize_t readlink_managed(int directory, const char *path, char *text, size_t room) {
        struct {
                struct _io_connect_link_reply link;
                char text[PATH_MAX];
        } answer = { .link = { .path_len = 0 } };
        ConnectRequest request = { .subtype = _IO_CONNECT_READLINK, .reply = { &answer, sizeof(answer) } };
        char whole[PATH_MAX];
        size_t n;
        int r = manager_path(directory, path, whole);

        if (r == 0)
                r = manager_connect(whole, &request);
        if (r < 0)
                return r;
        n = strnlen(answer.text, sizeof(answer.text));
        n = n < room ? n : room;
        memcpy(text, answer.text, n);
        return (ssize_t)n;
}

PUBLIC ssize_t readlinkat(int directory, const char *path, char *text, size_t room) {
        ssize_t r = readlink_managed(directory, path, text, room);

        return r == MANAGER_NONE ? NEXT(readlinkat)(directory, path, text, room) : plain(r);
}

PUBLIC ssize_t readlink(const char *path, char *text, size_t room) {
        return pathname_any() ? readlinkat(AT_FDCWD, path, text, room) : NEXT(readlink)(path, text, room);
}
