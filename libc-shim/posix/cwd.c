/* SPDX-License-Identifier: MIT */
#include "posix/cwd.h"

#include "posix/manager.h"
#include "posix/next.h"
#include "posix/public.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char cwd[PATH_MAX]; /* empty: not known */
static mode_t mask;

int cwd_get(char whole[PATH_MAX]) {
        long n = 0;

        pthread_mutex_lock(&mutex);
        if (cwd[0] == '\0')
                n = syscall(SYS_getcwd, cwd, sizeof(cwd));
        if (n >= 0 && cwd[0] != '/') { /* "(unreachable)..." */
                cwd[0] = '\0';
                n = -1;
        }
        if (n >= 0)
                strcpy(whole, cwd);
        pthread_mutex_unlock(&mutex);
        return n < 0 ? -ENOENT : 0;
}

void cwd_changed(void) {
        pthread_mutex_lock(&mutex);
        cwd[0] = '\0';
        pthread_mutex_unlock(&mutex);
}

mode_t cwd_mode(mode_t mode) {
        return mode & ~mask;
}

/* Linux has no way to ask for it without changing it; here nothing else runs yet. */
__attribute__((constructor)) static void read_mask(void) {
        mask = (mode_t)syscall(SYS_umask, 0);
        syscall(SYS_umask, mask);
}

PUBLIC mode_t umask(mode_t wanted) {
        mask = wanted & 0777;
        return NEXT(umask)(wanted);
}

/* A directory of a manager's cannot be the current one: the kernel would have to know it. */
PUBLIC int chdir(const char *path) {
        int r = NEXT(chdir)(path);

        cwd_changed();
        return r;
}

PUBLIC int fchdir(int fd) {
        char whole[PATH_MAX];
        int r;

        if (manager_directory(fd, whole)) {
                errno = ENOTSUP;
                return -1;
        }
        r = NEXT(fchdir)(fd);
        cwd_changed();
        return r;
}
