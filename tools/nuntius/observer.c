/* SPDX-License-Identifier: MIT */
#include "observer.h"

#include "abi/layout.h"
#include "base/cleanup.h"
#include "base/fdmsg.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define SYSTEM_SOCKET "/run/nuntius/nuntiusd.sock"
#define PATH_ROOM     sizeof(((struct sockaddr_un *)NULL)->sun_path)
#define PAUSE_MAX_MS  256

static int connect_to(const char *path, int *ret_socket) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        *ret_socket = TAKE_FD(fd);
        return 0;
}

static void user_path(char path[PATH_ROOM]) {
        const char *runtime = getenv("XDG_RUNTIME_DIR");

        if (runtime && runtime[0] == '/')
                snprintf(path, PATH_ROOM, "%s/nuntius/nuntiusd.sock", runtime);
        else
                snprintf(path, PATH_ROOM, "/tmp/nuntius-%u/nuntiusd.sock", (unsigned)geteuid());
}

static int connect_somewhere(const char *path, int *ret_socket) {
        char user[PATH_ROOM];
        int r;

        if (!path)
                path = getenv("NUNTIUS_SOCKET");
        if (path && path[0]) {
                r = connect_to(path, ret_socket);
                if (r)
                        fprintf(stderr, "nuntius: no daemon answers at %s: %s\n", path, strerror(-r));
                return r;
        }
        if (connect_to(SYSTEM_SOCKET, ret_socket) == 0)
                return 0;
        user_path(user);
        r = connect_to(user, ret_socket);
        if (r)
                fprintf(stderr, "nuntius: no daemon runs, neither at %s nor at %s\n", SYSTEM_SOCKET, user);
        return r;
}

static int observer_ask(int socket, const WireRequest *request, WireReply *reply, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        size_t n_fds;
        ssize_t n;
        int r;

        r = fdmsg_send(socket, request, sizeof(*request), NULL, 0, 0);
        if (r)
                return r;
        n = fdmsg_receive(socket, reply, sizeof(*reply), &fd, 1, &n_fds, 0);
        if (n == 0 || n == -ECONNRESET)
                return -EPIPE;
        if (n < 0)
                return (int)n;
        if (n != sizeof(*reply) || reply->serial != request->serial)
                return -EPROTO;
        if (reply->status)
                return -reply->status;
        if (ret_fd)
                *ret_fd = TAKE_FD(fd);
        return 0;
}

static int open_and_ask(const char *path, const WireRequest *request, WireReply *reply, int *ret_fd, bool *is_there) {
        const WireRequest greet = { .op = WIRE_GREET,
                                    .greet = { .wire_version = WIRE_VERSION,
                                               .layout_version = LAYOUT_VERSION,
                                               .flags = WIRE_GREET_OBSERVER } };
        _cleanup_close_ int socket = -1;
        int r;

        r = connect_somewhere(path, &socket);
        *is_there = r == 0;
        if (!r)
                r = observer_ask(socket, &greet, reply, NULL);
        return r ? r : observer_ask(socket, request, reply, ret_fd);
}

int observer_query(const char *path, const WireRequest *request, WireReply *reply, int *ret_fd) {
        bool is_there;
        int r = open_and_ask(path, request, reply, ret_fd, &is_there);

        for (long ms = 1; r == -EPIPE && ms <= PAUSE_MAX_MS; ms *= 2) {
                const struct timespec pause = { .tv_nsec = ms * 1000000L };

                (void)nanosleep(&pause, NULL);
                r = open_and_ask(path, request, reply, ret_fd, &is_there);
        }
        if (r && is_there)
                fprintf(stderr, "nuntius: the daemon does not answer: %s\n", strerror(-r));
        return r;
}
