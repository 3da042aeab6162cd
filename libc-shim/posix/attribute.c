/* SPDX-License-Identifier: MIT */
/*
 * Attribute: stat, chmod, chown, times, sizes, access of what a manager serves.
 *
 * On a descriptor each is one message; on a path the same message stands behind an open that closes again at once, in
 * one message too.
 */
#include "posix/cwd.h"
#include "posix/manager.h"
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"

#include <fcntl.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

/* ---- one message, by path or by descriptor ---- */

static int send_fd(int fd, const void *message, size_t bytes, void *answer, size_t room) {
        long r = MsgSend_r(fd, message, bytes, answer, room);

        return r < 0 ? (int)r : (int)(r & 0x7fffffff);
}

/* ioflag 0: no right to the content is needed for it. */
static int send_path(int directory, const char *path, bool follow, const void *message, size_t bytes, void *answer,
                     size_t room) {
        ConnectRequest request = { .subtype = _IO_CONNECT_COMBINE_CLOSE, .follows_last = follow };
        char whole[PATH_MAX];
        int r = manager_path(directory, path, whole);

        if (r < 0)
                return r;
        SETIOV(&request.part, message, bytes);
        SETIOV(&request.reply, answer, room);
        return manager_connect(whole, &request);
}

/* ---- stat ---- */

static const struct _io_stat stat_message = { .type = _IO_STAT, .combine_len = sizeof(struct _io_stat) };

static int stat_fd(int fd, struct stat *stat) {
        return send_fd(fd, &stat_message, sizeof(stat_message), stat, sizeof(*stat));
}

/* A directory that is there only because something is attached below it. */
static int stat_above(const char *whole, struct stat *stat) {
        if (!pathname_is_above(whole))
                return MANAGER_NONE;
        memset(stat, 0, sizeof(*stat));
        stat->st_mode = S_IFDIR | 0555;
        stat->st_nlink = 2;
        stat->st_blksize = 4096;
        return 0;
}

/* Linux's own, where it has one, comes before a directory that we would have to make up. */
static int stat_path(int directory, const char *path, struct stat *stat, bool follow, bool *ret_is_above) {
        char whole[PATH_MAX];
        int r;

        *ret_is_above = false;
        r = send_path(directory, path, follow, &stat_message, sizeof(stat_message), stat, sizeof(*stat));
        if (r != MANAGER_NONE || manager_path(directory, path, whole) < 0)
                return r;
        *ret_is_above = true;
        return stat_above(whole, stat);
}

PUBLIC int fstatat(int directory, const char *path, struct stat *stat, int flags) {
        struct stat made;
        bool is_above;
        int r;

        if (flags & AT_EMPTY_PATH && path[0] == '\0' && connection_is_descriptor(directory))
                return (int)plain(stat_fd(directory, stat));
        r = stat_path(directory, path, &made, !(flags & AT_SYMLINK_NOFOLLOW), &is_above);
        if (r == MANAGER_NONE || is_above) {
                int linux_r = NEXT(fstatat)(directory, path, stat, flags);

                if (linux_r == 0 || r == MANAGER_NONE)
                        return linux_r;
        }
        if (r >= 0)
                *stat = made;
        return (int)plain(r);
}

PUBLIC int stat(const char *path, struct stat *st) {
        return pathname_any() ? fstatat(AT_FDCWD, path, st, 0) : NEXT(stat)(path, st);
}

PUBLIC int lstat(const char *path, struct stat *st) {
        return pathname_any() ? fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW) : NEXT(lstat)(path, st);
}

PUBLIC int fstat(int fd, struct stat *stat) {
        return connection_is_descriptor(fd) ? (int)plain(stat_fd(fd, stat)) : NEXT(fstat)(fd, stat);
}

/* struct stat64 is struct stat here. */
PUBLIC int stat64(const char *path, struct stat64 *stat_) {
        return stat(path, (struct stat *)stat_);
}
PUBLIC int lstat64(const char *path, struct stat64 *stat_) {
        return lstat(path, (struct stat *)stat_);
}
PUBLIC int fstat64(int fd, struct stat64 *stat_) {
        return fstat(fd, (struct stat *)stat_);
}
PUBLIC int fstatat64(int directory, const char *path, struct stat64 *stat_, int flags) {
        return fstatat(directory, path, (struct stat *)stat_, flags);
}

static struct statx_timestamp stamp(const struct timespec *time) {
        return (struct statx_timestamp){ .tv_sec = time->tv_sec, .tv_nsec = (uint32_t)time->tv_nsec };
}

static void to_statx(const struct stat *stat, struct statx *statx) {
        memset(statx, 0, sizeof(*statx));
        statx->stx_mask = STATX_BASIC_STATS;
        statx->stx_blksize = (uint32_t)stat->st_blksize;
        statx->stx_nlink = (uint32_t)stat->st_nlink;
        statx->stx_uid = stat->st_uid;
        statx->stx_gid = stat->st_gid;
        statx->stx_mode = (uint16_t)stat->st_mode;
        statx->stx_ino = stat->st_ino;
        statx->stx_size = (uint64_t)stat->st_size;
        statx->stx_blocks = (uint64_t)stat->st_blocks;
        statx->stx_atime = stamp(&stat->st_atim);
        statx->stx_mtime = stamp(&stat->st_mtim);
        statx->stx_ctime = stamp(&stat->st_ctim);
        statx->stx_rdev_major = major(stat->st_rdev);
        statx->stx_rdev_minor = minor(stat->st_rdev);
        statx->stx_dev_major = major(stat->st_dev);
        statx->stx_dev_minor = minor(stat->st_dev);
}

static bool is_managed(int directory, const char *path, int flags) {
        char whole[PATH_MAX];

        if (flags & AT_EMPTY_PATH && path[0] == '\0')
                return connection_is_descriptor(directory);
        return manager_path(directory, path, whole) == 0;
}

PUBLIC int statx(int directory, const char *restrict path, int flags, unsigned mask, struct statx *restrict statx_) {
        struct stat stat;

        if (!is_managed(directory, path, flags))
                return NEXT(statx)(directory, path, flags, mask, statx_);
        if (fstatat(directory, path, &stat, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) < 0)
                return -1;
        to_statx(&stat, statx_);
        return 0;
}

/* ---- mode, owner ---- */

static struct _io_chmod chmod_message(mode_t mode) {
        return (struct _io_chmod){ .type = _IO_CHMOD, .combine_len = sizeof(struct _io_chmod), .mode = mode & 07777 };
}

PUBLIC int fchmodat(int directory, const char *path, mode_t mode, int flags) {
        struct _io_chmod message = chmod_message(mode);
        int r = send_path(directory, path, !(flags & AT_SYMLINK_NOFOLLOW), &message, sizeof(message), NULL, 0);

        return r == MANAGER_NONE ? NEXT(fchmodat)(directory, path, mode, flags) : (int)plain(r < 0 ? r : 0);
}

PUBLIC int chmod(const char *path, mode_t mode) {
        return pathname_any() ? fchmodat(AT_FDCWD, path, mode, 0) : NEXT(chmod)(path, mode);
}

PUBLIC int fchmod(int fd, mode_t mode) {
        struct _io_chmod message = chmod_message(mode);

        if (!connection_is_descriptor(fd))
                return NEXT(fchmod)(fd, mode);
        return (int)plain(send_fd(fd, &message, sizeof(message), NULL, 0));
}

static struct _io_chown chown_message(uid_t uid, gid_t gid) {
        return (struct _io_chown){ .type = _IO_CHOWN, .combine_len = sizeof(struct _io_chown),
                                   .uid = (int32_t)uid, .gid = (int32_t)gid };
}

PUBLIC int fchownat(int directory, const char *path, uid_t uid, gid_t gid, int flags) {
        struct _io_chown message = chown_message(uid, gid);
        int r = send_path(directory, path, !(flags & AT_SYMLINK_NOFOLLOW), &message, sizeof(message), NULL, 0);

        return r == MANAGER_NONE ? NEXT(fchownat)(directory, path, uid, gid, flags) : (int)plain(r < 0 ? r : 0);
}

PUBLIC int chown(const char *path, uid_t uid, gid_t gid) {
        return pathname_any() ? fchownat(AT_FDCWD, path, uid, gid, 0) : NEXT(chown)(path, uid, gid);
}

PUBLIC int lchown(const char *path, uid_t uid, gid_t gid) {
        return pathname_any() ? fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW)
                              : NEXT(lchown)(path, uid, gid);
}

PUBLIC int fchown(int fd, uid_t uid, gid_t gid) {
        struct _io_chown message = chown_message(uid, gid);

        if (!connection_is_descriptor(fd))
                return NEXT(fchown)(fd, uid, gid);
        return (int)plain(send_fd(fd, &message, sizeof(message), NULL, 0));
}

/* ---- times ---- */

static const struct timespec now = { .tv_nsec = UTIME_NOW };

static struct _io_utime64 utime_message(const struct timespec times[2]) {
        return (struct _io_utime64){ .type = _IO_UTIME64,
                                     .combine_len = sizeof(struct _io_utime64),
                                     .cur_flag = times == NULL,
                                     .actime = times ? times[0] : now,
                                     .modtime = times ? times[1] : now };
}

/* A manager without utime64 knows seconds at least. */
static struct _io_utime old_message(const struct _io_utime64 *message) {
        return (struct _io_utime){ .type = _IO_UTIME,
                                   .combine_len = sizeof(struct _io_utime),
                                   .cur_flag = message->cur_flag || message->modtime.tv_nsec == UTIME_NOW,
                                   .times = { .actime = message->actime.tv_sec,
                                              .modtime = message->modtime.tv_sec } };
}

PUBLIC int utimensat(int directory, const char *path, const struct timespec times[2], int flags) {
        struct _io_utime64 message = utime_message(times);
        struct _io_utime old = old_message(&message);
        bool follow = !(flags & AT_SYMLINK_NOFOLLOW);
        int r;

        r = send_path(directory, path, follow, &message, sizeof(message), NULL, 0);
        if (r == -ENOSYS)
                r = send_path(directory, path, follow, &old, sizeof(old), NULL, 0);
        return r == MANAGER_NONE ? NEXT(utimensat)(directory, path, times, flags) : (int)plain(r < 0 ? r : 0);
}

PUBLIC int futimens(int fd, const struct timespec times[2]) {
        struct _io_utime64 message = utime_message(times);
        struct _io_utime old = old_message(&message);
        int r;

        if (!connection_is_descriptor(fd))
                return NEXT(futimens)(fd, times);
        r = send_fd(fd, &message, sizeof(message), NULL, 0);
        if (r == -ENOSYS)
                r = send_fd(fd, &old, sizeof(old), NULL, 0);
        return (int)plain(r);
}

static const struct timespec *from_timeval(const struct timeval times[2], struct timespec room[2]) {
        for (int i = 0; times && i < 2; i++)
                room[i] = (struct timespec){ .tv_sec = times[i].tv_sec, .tv_nsec = times[i].tv_usec * 1000 };
        return times ? room : NULL;
}

PUBLIC int utimes(const char *path, const struct timeval times[2]) {
        struct timespec room[2];

        return pathname_any() ? utimensat(AT_FDCWD, path, from_timeval(times, room), 0) : NEXT(utimes)(path, times);
}

PUBLIC int futimes(int fd, const struct timeval times[2]) {
        struct timespec room[2];

        return connection_is_descriptor(fd) ? futimens(fd, from_timeval(times, room)) : NEXT(futimes)(fd, times);
}

PUBLIC int utime(const char *path, const struct utimbuf *times) {
        struct timespec room[2] = { { .tv_sec = times ? times->actime : 0 }, { .tv_sec = times ? times->modtime : 0 } };

        return pathname_any() ? utimensat(AT_FDCWD, path, times ? room : NULL, 0) : NEXT(utime)(path, times);
}

/* ---- size ---- */

static struct _io_space space_message(off_t size) {
        return (struct _io_space){ .type = _IO_SPACE,
                                   .combine_len = sizeof(struct _io_space),
                                   .subtype = (uint16_t)F_FREESP,
                                   .whence = SEEK_SET,
                                   .start = (uint64_t)size };
}

PUBLIC int ftruncate(int fd, off_t size) {
        struct _io_space message = space_message(size);

        if (!connection_is_descriptor(fd))
                return NEXT(ftruncate)(fd, size);
        return (int)plain(size < 0 ? -EINVAL : send_fd(fd, &message, sizeof(message), NULL, 0));
}
SAME(ftruncate, ftruncate64);

PUBLIC int truncate(const char *path, off_t size) {
        char whole[PATH_MAX];
        int fd, r;

        if (manager_path(AT_FDCWD, path, whole) < 0)
                return NEXT(truncate)(path, size);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -1;
        r = ftruncate(fd, size);
        close(fd);
        return r;
}
SAME(truncate, truncate64);

static int sync_fd(int fd, uint32_t flag) {
        struct _io_sync message = { .type = _IO_SYNC, .combine_len = sizeof(message), .flag = flag };

        return send_fd(fd, &message, sizeof(message), NULL, 0);
}

/* The flag asks for what the mount must be able to do; a plain device has nothing to wait for. */
PUBLIC int fsync(int fd) {
        return connection_is_descriptor(fd) ? (int)plain(sync_fd(fd, 0)) : NEXT(fsync)(fd);
}

PUBLIC int fdatasync(int fd) {
        return connection_is_descriptor(fd) ? (int)plain(sync_fd(fd, 0)) : NEXT(fdatasync)(fd);
}

/* ---- access ---- */

static mode_t mode_for(const struct stat *stat, uid_t uid) {
        gid_t groups[256];
        int n;

        if (stat->st_uid == uid)
                return stat->st_mode >> 6;
        if (stat->st_gid == getegid())
                return stat->st_mode >> 3;
        n = getgroups(256, groups);
        for (int i = 0; i < n; i++)
                if (groups[i] == stat->st_gid)
                        return stat->st_mode >> 3;
        return stat->st_mode;
}

PUBLIC int faccessat(int directory, const char *path, int mode, int flags) {
        uid_t uid = flags & AT_EACCESS ? geteuid() : getuid();
        struct stat stat;

        if (!is_managed(directory, path, 0))
                return NEXT(faccessat)(directory, path, mode, flags);
        if (fstatat(directory, path, &stat, flags & AT_SYMLINK_NOFOLLOW) < 0)
                return -1;
        if (uid == 0)
                return mode & X_OK && !(stat.st_mode & 0111) ? (int)plain(-EACCES) : 0;
        return (mode_for(&stat, uid) & (mode_t)mode & 7) == ((mode_t)mode & 7) ? 0 : (int)plain(-EACCES);
}

PUBLIC int access(const char *path, int mode) {
        return pathname_any() ? faccessat(AT_FDCWD, path, mode, 0) : NEXT(access)(path, mode);
}

PUBLIC int euidaccess(const char *path, int mode) {
        return pathname_any() ? faccessat(AT_FDCWD, path, mode, AT_EACCESS) : NEXT(euidaccess)(path, mode);
}
SAME(euidaccess, eaccess);

/* ---- pathconf, statvfs ---- */

static struct _io_pathconf pathconf_message(int name) {
        return (struct _io_pathconf){ .type = _IO_PATHCONF, .combine_len = sizeof(struct _io_pathconf),
                                      .name = (int16_t)name };
}

PUBLIC long fpathconf(int fd, int name) {
        struct _io_pathconf message = pathconf_message(name);

        if (!connection_is_descriptor(fd))
                return NEXT(fpathconf)(fd, name);
        return plain(MsgSend_r(fd, &message, sizeof(message), NULL, 0));
}

PUBLIC long pathconf(const char *path, int name) {
        struct _io_pathconf message = pathconf_message(name);
        int r = send_path(AT_FDCWD, path, true, &message, sizeof(message), NULL, 0);

        return r == MANAGER_NONE ? NEXT(pathconf)(path, name) : plain(r);
}
