/* SPDX-License-Identifier: MIT */
/*
 * Spawn: spawnl() and its relatives, on posix_spawn().
 */
#include "process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/wait.h>

#define ARGUMENTS_MAX 1024

typedef int (*SpawnCall)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                         const posix_spawnattr_t *, char *const[], char *const[]);

static int fail(int error) {
        errno = error;
        return -1;
}

static int wait_for(pid_t pid) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -1;
        return status;
}

/* A child in between, which ends at once, so that the program becomes nobody's. */
static int start_nobodys(SpawnCall call, const char *file, char *const argv[], char *const envp[]) {
        pid_t between = fork(), pid;
        int status;

        if (between < 0)
                return -1;
        if (between == 0)
                _exit(call(&pid, file, NULL, NULL, argv, envp));
        status = wait_for(between);
        if (status < 0)
                return -1;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : fail(WEXITSTATUS(status));
}

static int start(int mode, const char *file, char *const argv[], char *const envp[], bool search) {
        SpawnCall call = search ? posix_spawnp : posix_spawn;
        pid_t pid;
        int r;

        switch (mode) {
        case P_OVERLAY:
                return search ? execvpe(file, argv, envp) : execve(file, argv, envp);
        case P_NOWAITO:
                return start_nobodys(call, file, argv, envp);
        case P_WAIT:
        case P_NOWAIT:
                r = call(&pid, file, NULL, NULL, argv, envp);
                if (r)
                        return fail(r);
                return mode == P_WAIT ? wait_for(pid) : pid;
        }
        return fail(EINVAL);
}

/* From @first and @more to an array that NULL ends; the environment may stand behind it. */
static bool collect(const char *first, va_list *more, char *argv[ARGUMENTS_MAX + 1]) {
        int n = 0;

        for (const char *arg = first; arg; arg = va_arg(*more, const char *)) {
                if (n == ARGUMENTS_MAX)
                        return false;
                argv[n++] = (char *)(uintptr_t)arg;
        }
        argv[n] = NULL;
        return true;
}

static int start_list(int mode, const char *file, const char *arg0, va_list *more, bool has_environment,
                      bool search) {
        char *argv[ARGUMENTS_MAX + 1];

        if (!collect(arg0, more, argv))
                return fail(E2BIG);
        return start(mode, file, argv, has_environment ? va_arg(*more, char *const *) : environ, search);
}

int spawnl(int mode, const char *path, const char *arg0, ...) {
        va_list more;
        int r;

        va_start(more, arg0);
        r = start_list(mode, path, arg0, &more, false, false);
        va_end(more);
        return r;
}

int spawnle(int mode, const char *path, const char *arg0, ...) {
        va_list more;
        int r;

        va_start(more, arg0);
        r = start_list(mode, path, arg0, &more, true, false);
        va_end(more);
        return r;
}

int spawnlp(int mode, const char *file, const char *arg0, ...) {
        va_list more;
        int r;

        va_start(more, arg0);
        r = start_list(mode, file, arg0, &more, false, true);
        va_end(more);
        return r;
}

int spawnlpe(int mode, const char *file, const char *arg0, ...) {
        va_list more;
        int r;

        va_start(more, arg0);
        r = start_list(mode, file, arg0, &more, true, true);
        va_end(more);
        return r;
}

int spawnv(int mode, const char *path, char *const argv[]) {
        return start(mode, path, argv, environ, false);
}

int spawnve(int mode, const char *path, char *const argv[], char *const envp[]) {
        return start(mode, path, argv, envp, false);
}

int spawnvp(int mode, const char *file, char *const argv[]) {
        return start(mode, file, argv, environ, true);
}

int spawnvpe(int mode, const char *file, char *const argv[], char *const envp[]) {
        return start(mode, file, argv, envp, true);
}
