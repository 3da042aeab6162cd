/* SPDX-License-Identifier: MIT */
/* Xattr: a manager's files have no extended attributes. "ls -l" asks for them. */
#include "posix/manager.h"
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"

#include <fcntl.h>
#include <sys/xattr.h>

static bool is_managed(const char *path) {
        PathnameHit hits[PATHNAME_HITS];
        char whole[PATH_MAX];

        if (manager_path(AT_FDCWD, path, whole) < 0)
                return false;
        return pathname_resolve(whole, hits) > 0 || pathname_is_above(whole);
}

PUBLIC ssize_t getxattr(const char *path, const char *name, void *value, size_t size) {
        return is_managed(path) ? plain(-ENOTSUP) : NEXT(getxattr)(path, name, value, size);
}

PUBLIC ssize_t lgetxattr(const char *path, const char *name, void *value, size_t size) {
        return is_managed(path) ? plain(-ENOTSUP) : NEXT(lgetxattr)(path, name, value, size);
}

PUBLIC ssize_t fgetxattr(int fd, const char *name, void *value, size_t size) {
        return connection_is_descriptor(fd) ? plain(-ENOTSUP) : NEXT(fgetxattr)(fd, name, value, size);
}

PUBLIC ssize_t listxattr(const char *path, char *list, size_t size) {
        return is_managed(path) ? plain(-ENOTSUP) : NEXT(listxattr)(path, list, size);
}

PUBLIC ssize_t llistxattr(const char *path, char *list, size_t size) {
        return is_managed(path) ? plain(-ENOTSUP) : NEXT(llistxattr)(path, list, size);
}

PUBLIC ssize_t flistxattr(int fd, char *list, size_t size) {
        return connection_is_descriptor(fd) ? plain(-ENOTSUP) : NEXT(flistxattr)(fd, list, size);
}
