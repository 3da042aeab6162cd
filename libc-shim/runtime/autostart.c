/* SPDX-License-Identifier: MIT */
#include "runtime/autostart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSTEM_SOCKET   "/run/nuntius/nuntiusd.sock"
#define READY_FD        3
#define READY_TIMEOUT_MS 10000

typedef struct Path {
        char text[sizeof(((struct sockaddr_un *)0)->sun_path)];
} Path;

static int connect_to(const Path *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        int r;

        if (fd < 0)
                return -errno;
        memcpy(address.sun_path, path->text, sizeof(address.sun_path));
        do
                r = connect(fd, (struct sockaddr *)&address, sizeof(address));
        while (r < 0 && errno == EINTR);
        if (r == 0)
                return fd;
        r = -errno;
        close(fd);
        return r;
}

/*
 * The path of a user's own daemon may lie where anybody can write: whoever listens there must be that
 * user, or root. A path that the user or the system has named is trusted as named.
 */
static int check_owner(int fd) {
        struct ucred peer;
        socklen_t n = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
                return -errno;
        return peer.uid == geteuid() || peer.uid == 0 ? 0 : -EPERM;
}

static int connect_to_own(const Path *path) {
        int fd = connect_to(path);
        int r;

        if (fd < 0)
                return fd;
        r = check_owner(fd);
        if (r == 0)
                return fd;
        close(fd);
        fprintf(stderr, "nuntius: the daemon at %s belongs to another user; remove it, or set NUNTIUS_SOCKET\n",
                path->text);
        return r;
}

static bool nobody_listens(int r) {
        return r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR;
}

static bool path_print(Path *path, const char *directory, const char *rest) {
        int n = snprintf(path->text, sizeof(path->text), "%s%s", directory, rest);

        return n > 0 && (size_t)n < sizeof(path->text);
}

/* Where this user's private daemon listens; the same rule as in nuntiusd. */
static bool user_path(Path *path) {
        const char *runtime_dir = secure_getenv("XDG_RUNTIME_DIR");
        char directory[64];

        if (runtime_dir && runtime_dir[0] == '/')
                return path_print(path, runtime_dir, "/nuntius/nuntiusd.sock");
        snprintf(directory, sizeof(directory), "/tmp/nuntius-%u", (unsigned)geteuid());
        return path_print(path, directory, "/nuntiusd.sock");
}

static const char *daemon_program(void) {
        const char *program = secure_getenv("NUNTIUSD");

        return program && program[0] ? program : NUNTIUSD_PATH;
}

/* Runs in a bare clone: only system calls. The program's descriptors stay behind. */
static void become_daemon(const char *program, const Path *path, int ready) {
        char number[] = { '0' + READY_FD, 0 };
        char *const arguments[] = { (char *)program, (char *)"--private", (char *)"--socket",
                                    (char *)path->text, (char *)"--ready-fd", number, NULL };
        sigset_t none;

        setsid();
        if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != 0)
                _exit(0);
        if (ready != READY_FD)
                dup2(ready, READY_FD);
        else
                fcntl(READY_FD, F_SETFD, 0);
        syscall(SYS_close_range, READY_FD + 1, ~0u, 0);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execv(program, arguments);
        _exit(111);
}

/* One byte when the daemon listens, end of file when it could not. */
static int await_ready(int fd) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        char byte;
        int r;

        do
                r = poll(&wait, 1, READY_TIMEOUT_MS);
        while (r < 0 && errno == EINTR);
        if (r == 0)
                return -ETIMEDOUT;
        return read(fd, &byte, 1) == 1 ? 0 : -ECONNREFUSED;
}

/*
 * Two clones, so that the daemon is nobody's zombie; the first has no exit signal, so the program
 * sees no SIGCHLD. Bare clones run no fork handlers.
 */
static int start_daemon(const Path *path) {
        const char *program = daemon_program();
        int ready[2];
        long child;
        int r;

        if (pipe2(ready, O_CLOEXEC) < 0)
                return -errno;
        child = syscall(SYS_clone, 0, 0, 0, 0, 0);
        if (child == 0)
                become_daemon(program, path, ready[1]);
        close(ready[1]);
        r = child < 0 ? -errno : 0;
        if (r == 0) {
                while (waitpid((pid_t)child, NULL, __WCLONE) < 0 && errno == EINTR)
                        ;
                r = await_ready(ready[0]);
        }
        close(ready[0]);
        return r;
}

static void complain(const Path *path, const char *what, const char *advice) {
        static bool said;

        if (said)
                return;
        said = true;
        fprintf(stderr, "nuntius: no daemon answers at %s%s%s\n", path->text, what, advice);
}

static int start_and_connect(const Path *path, int (*reach)(const Path *)) {
        const char *allowed = secure_getenv("NUNTIUS_AUTOSTART");
        int r;

        if (allowed && strcmp(allowed, "0") == 0) {
                complain(path, " and NUNTIUS_AUTOSTART=0 forbids starting one",
                         "; start nuntiusd, or unset NUNTIUS_AUTOSTART");
                return -ECONNREFUSED;
        }
        start_daemon(path); /* another process may have been quicker: only connecting tells */
        r = reach(path);
        if (r < 0) {
                complain(path, " and it could not be started from ", daemon_program());
                return nobody_listens(r) ? -ECONNREFUSED : r;
        }
        return r;
}

int autostart_connect(void) {
        const char *named = secure_getenv("NUNTIUS_SOCKET");
        Path path;
        int r;

        if (named && named[0]) {
                if (!path_print(&path, named, ""))
                        return -ENAMETOOLONG;
                r = connect_to(&path);
                return nobody_listens(r) ? start_and_connect(&path, connect_to) : r;
        }
        path_print(&path, SYSTEM_SOCKET, "");
        r = connect_to(&path);
        if (r >= 0)
                return r;
        if (!user_path(&path))
                return -ENAMETOOLONG;
        r = connect_to_own(&path);
        return nobody_listens(r) ? start_and_connect(&path, connect_to_own) : r;
}

bool autostart_paths_file(unsigned i, char *path, size_t n, bool *ret_only_own) {
        const char *named = secure_getenv("NUNTIUS_SOCKET");
        Path socket;
        int length;

        *ret_only_own = false;
        if (named && named[0]) {
                length = snprintf(path, n, "%s.paths", named);
                return i == 0 && length > 0 && (size_t)length < n;
        }
        if (i == 0)
                return snprintf(path, n, "%s.paths", SYSTEM_SOCKET) < (int)n;
        if (i > 1 || !user_path(&socket))
                return false;
        *ret_only_own = true;
        return snprintf(path, n, "%s.paths", socket.text) < (int)n;
}
