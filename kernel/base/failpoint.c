/* SPDX-License-Identifier: MIT */
/*
 * Failpoint: many threads pass one place at once, some in signal handlers, so the count is taken with
 * all signals blocked and a lock that fork holds too. A forked child goes on from its parent's count;
 * an executed program starts anew.
 */
#include "base/failpoint.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_MAX 1024u
#define NAME_BYTES 128u

static pthread_once_t failpoint_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t failpoint_lock = PTHREAD_MUTEX_INITIALIZER;
static char failpoint_name[NAME_BYTES];
static long failpoint_left; /* hits until death */
static int failpoint_list_fd = -1;
static const char *failpoint_once_path; /* in the environment; NULL = each process dies */
static const char *failpoint_seen[NAMES_MAX];

static void failpoint_fork_prepare(void) {
        pthread_mutex_lock(&failpoint_lock);
}

static void failpoint_fork_done(void) {
        pthread_mutex_unlock(&failpoint_lock);
}

static void failpoint_init(void) {
        const char *wanted = getenv("NUNTIUS_FAILPOINT"), *list = getenv("NUNTIUS_FAILPOINT_LIST");

        if (wanted && strlen(wanted) < sizeof(failpoint_name)) {
                char *colon;

                strcpy(failpoint_name, wanted);
                colon = strrchr(failpoint_name, ':');
                failpoint_left = colon ? atol(colon + 1) : 1;
                if (colon)
                        *colon = '\0';
        }
        failpoint_once_path = getenv("NUNTIUS_FAILPOINT_ONCE");
        if (list)
                failpoint_list_fd = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        pthread_atfork(failpoint_fork_prepare, failpoint_fork_done, failpoint_fork_done);
}

/* Call locked. */
static void failpoint_note(const char *name) {
        size_t n = strlen(name), i = 0;
        char line[NAME_BYTES];

        while (i < NAMES_MAX && failpoint_seen[i]) {
                if (strcmp(failpoint_seen[i], name) == 0)
                        return;
                i++;
        }
        if (i == NAMES_MAX || n > sizeof(line) - 1)
                return;
        failpoint_seen[i] = name;
        memcpy(line, name, n);
        line[n] = '\n';
        if (write(failpoint_list_fd, line, n + 1) < 0)
                return;
}

/* Whoever comes after us under the same environment shall live. */
static bool failpoint_is_first(void) {
        int fd;

        if (!failpoint_once_path)
                return true;
        fd = open(failpoint_once_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0)
                (void)close(fd);
        return fd >= 0;
}

void failpoint_hit(const char *name) {
        bool is_wanted;
        sigset_t all, before;

        pthread_once(&failpoint_once, failpoint_init);
        is_wanted = failpoint_name[0] != '\0' && strcmp(name, failpoint_name) == 0;
        if (!is_wanted && failpoint_list_fd < 0)
                return;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pthread_mutex_lock(&failpoint_lock);
        if (failpoint_list_fd >= 0)
                failpoint_note(name);
        if (is_wanted && --failpoint_left == 0 && failpoint_is_first())
                (void)kill(getpid(), SIGKILL);
        pthread_mutex_unlock(&failpoint_lock);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
}
