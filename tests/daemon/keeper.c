/* SPDX-License-Identifier: MIT */
/* Keeper: as systemd keeps them: the same open file twice is kept once, a name is removed with all it names. */
#include "keeper.h"

#include "base/fdmsg.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define KEPT_MAX  4096
#define WAIT_MS   30000
#define HIGH_FD   10000 /* above everything that is handed over */

typedef struct Kept {
        char name[32];
        int fd;
} Kept;

static Kept kept[KEPT_MAX];
static size_t n_kept;
static char said[4096]; /* all words since they were last looked for */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;
static int notify_fd = -1, end_pipe[2];
static char path[64];
static bool use_names_fd;

static bool is_same(int a, int b) {
        return syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b) == 0;
}

/* Call locked. */
static void keep(const char *name, int fd) {
        for (size_t i = 0; i < n_kept; i++)
                if (is_same(kept[i].fd, fd)) {
                        close(fd);
                        return;
                }
        if (n_kept == KEPT_MAX)
                abort();
        snprintf(kept[n_kept].name, sizeof(kept[0].name), "%s", name);
        kept[n_kept++].fd = fd;
}

static void forget(const char *name) {
        for (size_t i = n_kept; i-- > 0;)
                if (strcmp(kept[i].name, name) == 0) {
                        close(kept[i].fd);
                        memmove(&kept[i], &kept[i + 1], (--n_kept - i) * sizeof(kept[0]));
                }
}

static void hear(char *text, int *fds, size_t n_fds) {
        char *name = strstr(text, "FDNAME=");

        if (name) {
                name += strlen("FDNAME=");
                name[strcspn(name, "\n")] = '\0';
        }
        if (strncmp(text, "FDSTORE=1", 9) == 0 && name)
                for (size_t i = 0; i < n_fds; i++)
                        keep(name, fds[i]);
        else if (strncmp(text, "FDSTOREREMOVE=1", 15) == 0 && name)
                forget(name);
        else
                strncat(said, text, sizeof(said) - strlen(said) - 1);
}

static void *keeper_main(void *unused) {
        struct pollfd waiting[2] = { { .fd = notify_fd, .events = POLLIN },
                                     { .fd = end_pipe[0], .events = POLLIN } };
        int fds[FDMSG_FDS_MAX];
        char text[512];
        size_t n_fds;
        ssize_t n;

        for (;;) {
                if (poll(waiting, 2, -1) < 0)
                        continue;
                if (!(waiting[0].revents & POLLIN) && waiting[1].revents)
                        return unused;
                pthread_mutex_lock(&lock);
                n = fdmsg_receive(notify_fd, text, sizeof(text) - 1, fds, FDMSG_FDS_MAX, &n_fds, MSG_DONTWAIT);
                if (n > 0) {
                        text[n] = '\0';
                        hear(text, fds, n_fds);
                }
                pthread_mutex_unlock(&lock);
        }
}

void keeper_start(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(path, sizeof(path), "/tmp/nuntiusd-keeper-%d", (int)getpid());
        strcpy(address.sun_path, path);
        unlink(path);
        notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(notify_fd, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(pipe2(end_pipe, O_CLOEXEC), 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, keeper_main, NULL), 0);
}

void keeper_stop(void) {
        ck_assert_int_eq(write(end_pipe[1], "x", 1), 1);
        pthread_join(thread, NULL);
        while (n_kept > 0)
                close(kept[--n_kept].fd);
        close(notify_fd);
        close(end_pipe[0]);
        close(end_pipe[1]);
        unlink(path);
        said[0] = '\0';
}

const char *keeper_path(void) {
        return path;
}

void keeper_settle(void) {
        struct pollfd waiting = { .fd = notify_fd, .events = POLLIN };
        int n;

        do {
                pthread_mutex_lock(&lock);
                n = poll(&waiting, 1, 0);
                pthread_mutex_unlock(&lock);
        } while (n > 0);
}

/* ---- handing over ---- */

void keeper_use_names_fd(bool use) {
        use_names_fd = use;
}

static void set_number(const char *variable, long n) {
        char text[32];

        snprintf(text, sizeof(text), "%ld", n);
        setenv(variable, text, 1);
}

static void hand_names(char *names) {
        int fd;

        if (!use_names_fd) {
                setenv("LISTEN_FDNAMES", names, 1);
                return;
        }
        fd = memfd_create("names", 0);
        if (fd < 0 || write(fd, names, strlen(names)) < 0)
                _exit(3);
        set_number("NUNTIUS_FDNAMES", dup2(fd, HIGH_FD + KEPT_MAX));
        close(fd);
}

int keeper_hand_over(int spare) {
        static char names[KEPT_MAX * sizeof(kept[0].name)];
        int moved = fcntl(spare, F_DUPFD, HIGH_FD + KEPT_MAX + 1);

        setenv("NOTIFY_SOCKET", path, 1);
        unsetenv("SYSTEMD_EXEC_PID");
        if (moved < 0)
                _exit(3);
        /* the thread was not forked, but may have been in the middle of something: the lock is the parent's */
        for (size_t i = 0; i < n_kept; i++) {
                dup2(kept[i].fd, HIGH_FD + (int)i);
                if (i > 0)
                        strcat(names, ":");
                strcat(names, kept[i].name);
        }
        hand_names(names);
        for (size_t i = 0; i < n_kept; i++)
                dup2(HIGH_FD + (int)i, 3 + (int)i);
        close_range(3 + (unsigned)n_kept, HIGH_FD + KEPT_MAX - 1, 0);
        if (!use_names_fd)
                close_range(HIGH_FD + KEPT_MAX, (unsigned)moved - 1, 0);
        if (n_kept > 0) {
                set_number("LISTEN_PID", getpid());
                set_number("LISTEN_FDS", (long)n_kept);
        }
        return moved;
}

/* ---- looking ---- */

void keeper_expect(const char *words) {
        bool heard = false;

        for (int i = 0; i < WAIT_MS && !heard; i++) {
                char *at;

                pthread_mutex_lock(&lock);
                at = strstr(said, words);
                heard = at != NULL;
                if (heard)
                        memmove(at, at + strlen(words), strlen(at + strlen(words)) + 1);
                pthread_mutex_unlock(&lock);
                if (!heard)
                        poll(NULL, 0, 1);
        }
        ck_assert_msg(heard, "the service manager never heard %s", words);
}

size_t keeper_n(void) {
        size_t n;

        pthread_mutex_lock(&lock);
        n = n_kept;
        pthread_mutex_unlock(&lock);
        return n;
}

size_t keeper_n_of(const char *name) {
        size_t n = 0;

        pthread_mutex_lock(&lock);
        for (size_t i = 0; i < n_kept; i++)
                n += strcmp(kept[i].name, name) == 0;
        pthread_mutex_unlock(&lock);
        return n;
}

void keeper_expect_n(size_t n) {
        for (int i = 0; i < WAIT_MS && keeper_n() != n; i++)
                poll(NULL, 0, 1);
        if (keeper_n() != n)
                for (size_t i = 0; i < n_kept; i++)
                        fprintf(stderr, "kept: %s\n", kept[i].name);
        ck_assert_uint_eq(keeper_n(), n);
}

int keeper_copy(const char *name) {
        int fd = -1;

        pthread_mutex_lock(&lock);
        for (size_t i = 0; i < n_kept && fd < 0; i++)
                if (strcmp(kept[i].name, name) == 0)
                        fd = fcntl(kept[i].fd, F_DUPFD_CLOEXEC, 3);
        pthread_mutex_unlock(&lock);
        return fd;
}

void keeper_replace(const char *name, int fd) {
        pthread_mutex_lock(&lock);
        forget(name);
        if (fd >= 0)
                keep(name, fd);
        pthread_mutex_unlock(&lock);
}

const char *keeper_name(size_t i) {
        return kept[i].name;
}
