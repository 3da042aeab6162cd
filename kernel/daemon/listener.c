/* SPDX-License-Identifier: MIT */
#include "daemon/listener.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/cred.h"
#include "daemon/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define BACKLOG         512
#define ACCEPTS_AT_ONCE 32
#define RETRY_SECONDS   0.5
#define BUSY_TRIES      1000 /* of 10 ms: how long a predecessor may take to end or to begin */

struct Listener {
        Kernel *kernel;
        int fd;
        int lock_fd;
        char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
        bool owns_path;
        bool is_kept; /* by the store; or a socket unit's own */
        bool is_paused;
        ev_io io;
        ev_timer retry;
};

DEFINE_CLEANUP(Listener *, listener_free)

/* ---- where ---- */

int listener_user_path(char *path, size_t n) {
        const char *runtime = getenv("XDG_RUNTIME_DIR");
        int length;

        if (runtime && runtime[0] == '/')
                length = snprintf(path, n, "%s/nuntius/nuntiusd.sock", runtime);
        else
                length = snprintf(path, n, "/tmp/nuntius-%u/nuntiusd.sock", (unsigned)geteuid());
        return length < 0 || (size_t)length >= n ? -ENAMETOOLONG : 0;
}

static int say(int r, const char *what, const char *path) {
        fprintf(stderr, "nuntiusd: %s %s: %s\n", what, path, strerror(-r));
        return r;
}

static int make_directories(const char *path, mode_t mode) {
        char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

        strcpy(directory, path);
        for (char *slash = strchr(directory + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(directory, mode) < 0 && errno != EEXIST)
                        return say(-errno, "cannot make the directory", directory);
                *slash = '/';
        }
        return 0;
}

/* In /tmp anybody may have made it before us. */
static int check_user_directory(const char *path) {
        char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
        struct stat st;

        strcpy(directory, path);
        *strrchr(directory, '/') = '\0';
        if (lstat(directory, &st) < 0)
                return say(-errno, "cannot look at", directory);
        if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0)
                return 0;
        fprintf(stderr, "nuntiusd: %s does not belong to this user alone, so no socket is made there\n",
                directory);
        return -EPERM;
}

/* ---- one daemon for each socket ---- */

static int connect_to(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        strcpy(address.sun_path, path);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != EAGAIN)
                return -errno;
        return 0;
}

/*
 * Who has the lock is about to listen, listens, or is about to end: wait until either we have the
 * lock or the other one can be connected to.
 */
static int take_lock(Listener *listener) {
        const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
        char path[sizeof(listener->path) + 8];

        snprintf(path, sizeof(path), "%s.lock", listener->path);
        listener->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (listener->lock_fd < 0)
                return say(-errno, "cannot open", path);
        for (int i = 0; i < BUSY_TRIES; i++) {
                if (flock(listener->lock_fd, LOCK_EX | LOCK_NB) == 0)
                        return 0;
                if (errno != EWOULDBLOCK)
                        return say(-errno, "cannot lock", path);
                if (connect_to(listener->path) == 0)
                        return LISTENER_E_BUSY;
                (void)nanosleep(&pause, NULL);
        }
        return say(-EBUSY, "somebody else keeps", path);
}

static int bind_and_listen(Listener *listener, mode_t mask) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        mode_t before;
        int r = 0;

        listener->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (listener->fd < 0)
                return say(-errno, "cannot make the socket", listener->path);
        strcpy(address.sun_path, listener->path);
        (void)unlink(listener->path); /* whose daemon was killed: we have the lock */
        before = umask(mask);
        if (bind(listener->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                r = -errno;
        umask(before);
        if (r)
                return say(r, "cannot bind to", listener->path);
        listener->owns_path = true;
        if (listen(listener->fd, BACKLOG) < 0)
                return say(-errno, "cannot listen on", listener->path);
        return 0;
}

static int listener_new(Listener **ret_listener) {
        Listener *listener = calloc(1, sizeof(*listener));

        if (!listener)
                return error_fold(-ENOMEM);
        listener->fd = -1;
        listener->lock_fd = -1;
        *ret_listener = listener;
        return 0;
}

int listener_open(const char *path, ListenerKind kind, Listener **ret_listener) {
        _cleanup_(listener_freep) Listener *listener = NULL;
        bool is_system = kind == LISTENER_SYSTEM;
        int r;

        r = listener_new(&listener);
        if (r)
                return error_fold(r);
        if (strlen(path) >= sizeof(listener->path))
                return say(-ENAMETOOLONG, "cannot listen on", path);
        strcpy(listener->path, path);
        r = make_directories(path, is_system ? 0755 : 0700);
        if (r)
                return r;
        r = kind == LISTENER_USER ? check_user_directory(path) : 0;
        if (r)
                return r;
        r = take_lock(listener);
        if (r)
                return r;
        r = bind_and_listen(listener, is_system ? 0111 : 0177);
        if (r)
                return r;
        *ret_listener = TAKE(listener);
        return 0;
}

/* A predecessor's socket file is ours to remove in the end, a socket unit's is not. */
static void listener_adopt_path(Listener *listener) {
        struct sockaddr_un address;
        socklen_t n = sizeof(address);

        if (getsockname(listener->fd, (struct sockaddr *)&address, &n) < 0)
                return;
        if (n <= offsetof(struct sockaddr_un, sun_path) || address.sun_path[0] != '/')
                return;
        memcpy(listener->path, address.sun_path, sizeof(listener->path) - 1);
        listener->owns_path = true;
}

int listener_adopt(Legacy *legacy, Listener **ret_listener) {
        Listener *listener = NULL;
        int r = listener_new(&listener);

        if (r)
                return error_fold(r);
        listener->fd = TAKE_FD(legacy->listen_fd);
        listener->lock_fd = TAKE_FD(legacy->lock_fd);
        listener->is_kept = true;
        if (legacy->listen_is_kept)
                listener_adopt_path(listener);
        (void)fcntl(listener->fd, F_SETFL, O_NONBLOCK);
        *ret_listener = listener;
        return 0;
}

/* Whoever was killed between storing the socket and its lock, or removing them. */
static void listener_lock_again(Listener *listener) {
        char path[sizeof(listener->path) + 8];
        int fd;

        snprintf(path, sizeof(path), "%s.lock", listener->path);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                fd_close(fd);
                return;
        }
        listener->lock_fd = fd;
        (void)store_keep_name(&listener->kernel->store, STORE_NAME_LOCK, fd);
}

void listener_keep(Listener *listener) {
        Store *store = &listener->kernel->store;

        if (listener->is_kept) {
                if (listener->owns_path && listener->lock_fd < 0)
                        listener_lock_again(listener);
                return;
        }
        (void)store_keep_name(store, STORE_NAME_LISTEN, listener->fd);
        if (listener->lock_fd >= 0)
                (void)store_keep_name(store, STORE_NAME_LOCK, listener->lock_fd);
        listener->is_kept = true;
}

/* The lock first: a lock without a socket would keep our successor out. */
static void listener_unkeep(Listener *listener) {
        if (!listener->kernel || !listener->owns_path)
                return;
        if (listener->lock_fd >= 0)
                store_remove_name(&listener->kernel->store, STORE_NAME_LOCK);
        store_remove_name(&listener->kernel->store, STORE_NAME_LISTEN);
}

Listener *listener_free(Listener *listener) {
        if (!listener)
                return NULL;
        if (listener->kernel) {
                ev_io_stop(listener->kernel->loop, &listener->io);
                ev_timer_stop(listener->kernel->loop, &listener->retry);
        }
        if (listener->owns_path)
                (void)unlink(listener->path);
        listener_unkeep(listener);
        fd_close(listener->fd);
        fd_close(listener->lock_fd); /* last: a successor may bind from here on */
        free(listener);
        return NULL;
}

/* ---- who comes ---- */

static void listener_pause(Listener *listener, int error) {
        log_warning("event=accept-paused why=%s", strerrorname_np(error));
        listener->is_paused = true;
        ev_io_stop(listener->kernel->loop, &listener->io);
        ev_timer_again(listener->kernel->loop, &listener->retry);
}

void listener_resume(Listener *listener) {
        if (!listener || !listener->is_paused)
                return;
        listener->is_paused = false;
        ev_timer_stop(listener->kernel->loop, &listener->retry);
        ev_io_start(listener->kernel->loop, &listener->io);
}

/* A private daemon serves its own user and root. */
static bool listener_admits(const Listener *listener, int fd) {
        pid_t pid;
        uid_t uid;

        if (!listener->kernel->options.is_private)
                return true;
        if (cred_peer(fd, &pid, &uid) == 0 && kernel_is_trusted(listener->kernel, uid))
                return true;
        log_warning("event=refused why=\"the daemon is private to another user\" fd=%d", fd);
        return false;
}

static int listener_accept_one(Listener *listener) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        int r;

        if (fd < 0)
                return errno;
        if (!listener_admits(listener, fd)) {
                fd_close(fd);
                return 0;
        }
        r = session_new(listener->kernel, fd);
        if (r && r != -EAGAIN) /* which is logged by whom it was charged to */
                log_warning("event=refused why=%s", strerrorname_np(-r));
        return 0;
}

void listener_accept(Listener *listener) {
        int error = 0;

        for (int i = 0; i < ACCEPTS_AT_ONCE && error == 0; i++)
                error = listener_accept_one(listener);
        if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)
                listener_pause(listener, error);
}

static void listener_on_readable(struct ev_loop *loop, ev_io *io, int events) {
        (void)loop;
        (void)events;
        listener_accept(io->data);
}

static void listener_on_retry(struct ev_loop *loop, ev_timer *timer, int events) {
        (void)loop;
        (void)events;
        listener_resume(timer->data);
}

int listener_path(const Listener *listener, char *path, size_t n) {
        struct sockaddr_un address;
        socklen_t length = sizeof(address);

        memset(&address, 0, sizeof(address));
        if (getsockname(listener->fd, (struct sockaddr *)&address, &length) < 0)
                return error_fold(-errno);
        if (length <= offsetof(struct sockaddr_un, sun_path) || address.sun_path[0] != '/')
                return -ENOTSUP;
        return snprintf(path, n, "%.*s", (int)sizeof(address.sun_path), address.sun_path) < (int)n ? 0
                                                                                                 : -ENAMETOOLONG;
}

void listener_start(Listener *listener, Kernel *kernel) {
        listener->kernel = kernel;
        ev_io_init(&listener->io, listener_on_readable, listener->fd, EV_READ);
        listener->io.data = listener;
        ev_init(&listener->retry, listener_on_retry);
        listener->retry.repeat = RETRY_SECONDS;
        listener->retry.data = listener;
        ev_io_start(kernel->loop, &listener->io);
}
