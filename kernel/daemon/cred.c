/* SPDX-License-Identifier: MIT */
/* Cred: SO_PEER... where there is one, /proc for what has none (real and saved ids, session). */
#include "daemon/cred.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define GROUPS_ROOM 65536u /* NGROUPS_MAX */

int cred_peer(int socket, pid_t *ret_pid, uid_t *ret_uid) {
        struct ucred peer;
        socklen_t n = sizeof(peer);

        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
                return error_fold(-errno);
        if (peer.pid <= 0) /* lives in a PID namespace that we cannot see into */
                return -ESRCH;
        *ret_pid = peer.pid;
        *ret_uid = peer.uid;
        return 0;
}

int cred_pidfd(int socket, pid_t pid, int *ret_fd) {
        socklen_t n = sizeof(int);
        int fd;

        if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &n) < 0)
                fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                return -errno;
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        *ret_fd = fd;
        return 0;
}

int cred_cookie(int socket, uint64_t *ret_cookie) {
        socklen_t n = sizeof(*ret_cookie);

        return getsockopt(socket, SOL_SOCKET, SO_COOKIE, ret_cookie, &n) < 0 ? -errno : 0;
}

bool cred_pidfd_is_of(int pidfd, pid_t pid) {
        char path[64], text[1024];
        _cleanup_close_ int fd = -1;
        const char *line;
        ssize_t n;
        int named;

        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        n = read(fd, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        line = strstr(text, "\nPid:");
        return line && sscanf(line, "\nPid: %d", &named) == 1 && (named == pid || named == -1);
}

/* "Uid:\treal\teffective\tsaved\tfs" of /proc/PID/status. */
static bool status_ids(const char *text, const char *key, uint32_t ids[3]) {
        const char *line = strstr(text, key);

        return line && sscanf(line + strlen(key), "%u %u %u", &ids[0], &ids[1], &ids[2]) == 3;
}

/* 0 or -errno. */
static int read_status(pid_t pid, char *text, size_t room) {
        _cleanup_close_ int fd = -1;
        char path[64];
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, text, room - 1);
        if (n <= 0)
                return n < 0 ? -errno : -ESRCH;
        text[n] = '\0';
        return 0;
}

int cred_euid(pid_t pid, uint32_t *ret_uid) {
        char text[4096];
        uint32_t ids[3];
        int r = read_status(pid, text, sizeof(text));

        if (r)
                return r;
        if (!status_ids(text, "\nUid:", ids))
                return -ESRCH;
        *ret_uid = ids[1];
        return 0;
}

int cred_parent(pid_t pid, pid_t *ret_parent) {
        static const char key[] = "\nPPid:";
        char text[4096];
        const char *line;
        int r = read_status(pid, text, sizeof(text));

        if (r)
                return r;
        line = strstr(text, key);
        if (!line)
                return -ESRCH;
        *ret_parent = atoi(line + strlen(key));
        return 0;
}

/* Only believed as long as it agrees with what the socket says of the same process. */
static void read_real_ids(WireCredentials *credentials) {
        uint32_t uids[3], gids[3];
        char text[4096];

        if (read_status(credentials->pid, text, sizeof(text)))
                return;
        if (!status_ids(text, "\nUid:", uids) || uids[1] != credentials->euid)
                return;
        if (!status_ids(text, "\nGid:", gids) || gids[1] != credentials->egid)
                return;
        credentials->ruid = uids[0];
        credentials->suid = uids[2];
        credentials->rgid = gids[0];
        credentials->sgid = gids[2];
}

static int read_groups(int socket, WireCredentials *credentials) {
        _cleanup_free_ uint32_t *groups = NULL;
        socklen_t bytes = sizeof(credentials->groups);
        uint32_t n;

        if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, credentials->groups, &bytes) == 0) {
                credentials->n_groups = bytes / sizeof(uint32_t);
                return 0;
        }
        if (errno != ERANGE)
                return 0;
        bytes = GROUPS_ROOM * sizeof(*groups);
        groups = malloc(bytes);
        if (!groups)
                return -ENOMEM;
        if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) < 0)
                return -errno;
        credentials->n_groups = bytes / sizeof(*groups);
        n = credentials->n_groups < WIRE_GROUPS_MAX ? credentials->n_groups : WIRE_GROUPS_MAX;
        memcpy(credentials->groups, groups, n * sizeof(*groups));
        return 0;
}

int cred_read(int socket, WireCredentials *ret_credentials) {
        struct ucred peer;
        socklen_t n = sizeof(peer);
        pid_t sid;

        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
                return error_fold(-errno);
        memset(ret_credentials, 0, sizeof(*ret_credentials));
        ret_credentials->pid = peer.pid;
        ret_credentials->ruid = ret_credentials->euid = ret_credentials->suid = peer.uid;
        ret_credentials->rgid = ret_credentials->egid = ret_credentials->sgid = peer.gid;
        read_real_ids(ret_credentials);
        sid = getsid(peer.pid);
        ret_credentials->sid = sid < 0 ? 0 : sid;
        return error_fold(read_groups(socket, ret_credentials));
}
