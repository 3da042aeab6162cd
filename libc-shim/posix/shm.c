/* SPDX-License-Identifier: MIT */
/*
 * Shm: shared memory without a name, and handles for it.
 *
 * A handle is the pid of its maker and the number of a descriptor that the library keeps there; the kernel opens it
 * anew through /proc, and checks who may.
 */
#include "posix/next.h"
#include "runtime/session.h"
#include "sys/mman.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

static int fail(int error) {
        errno = error;
        return -1;
}

/* As shm_open(), whose descriptors are closed by exec. */
PUBLIC int shm_open(const char *name, int flags, mode_t mode) {
        if (name == SHM_ANON)
                return memfd_create("shm", MFD_CLOEXEC);
        return NEXT(shm_open)(name, flags, mode);
}

int shm_create_handle(int fd, pid_t pid, int flags, shm_handle_t *handle, unsigned options) {
        int kept;

        if (!handle || options != 0 || pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH))
                return fail(EINVAL);
        kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (kept < 0)
                return -1;
        *handle = (uint64_t)(uint32_t)getpid() << 32 | (uint32_t)session_move_fd(kept);
        return 0;
}

int shm_open_handle(shm_handle_t handle, int flags) {
        char path[64];

        if (handle >> 32 == 0)
                return fail(EINVAL);
        snprintf(path, sizeof(path), "/proc/%u/fd/%u", (unsigned)(handle >> 32), (unsigned)handle);
        return open(path, (flags & O_ACCMODE) | O_CLOEXEC);
}

int shm_delete_handle(shm_handle_t handle) {
        if ((pid_t)(handle >> 32) != getpid() || fcntl((int)handle, F_GETFD) < 0)
                return fail(EINVAL);
        session_close((int)handle);
        return 0;
}
