/* SPDX-License-Identifier: MIT */
/*
 * Wire: talks to the daemon without the library, as a liar would.
 */
#include "rig.h"

#include "abi/layout.h"
#include "base/fdmsg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int wire_connect(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct timeval patience = { .tv_sec = RIG_PATIENCE };
        const char *path = getenv("NUNTIUS_SOCKET");
        int fd, r;

        if (!path || strlen(path) >= sizeof(address.sun_path))
                return -EINVAL;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        strcpy(address.sun_path, path);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                return fd;
        r = -errno;
        close(fd);
        return r;
}

/* Descriptors come in the order of their bits; we store each at the place of its bit. */
static void place_fds(uint32_t bits, const int *received, size_t n, int fds[3]) {
        size_t used = 0;

        for (unsigned i = 0; i < 3; i++)
                fds[i] = bits & (1u << i) && used < n ? received[used++] : -1;
}

int wire_ask(int socket, WireRequest *request, int fd, WireReply *ret_reply, int fds[3]) {
        static __thread uint32_t serial;
        int received[3];
        size_t n_received = 0;
        ssize_t n;
        int r;

        fds[0] = fds[1] = fds[2] = -1;
        request->serial = ++serial;
        request->fds = fd >= 0 ? 1 : 0;
        r = fdmsg_send(socket, request, sizeof(*request), &fd, fd >= 0 ? 1 : 0, 0);
        if (r < 0)
                return r;
        n = fdmsg_receive(socket, ret_reply, sizeof(*ret_reply), received, 3, &n_received, 0);
        if (n != (ssize_t)sizeof(*ret_reply))
                return n < 0 ? (int)n : -ECONNRESET;
        place_fds(ret_reply->fds, received, n_received, fds);
        return -ret_reply->status;
}

int wire_greet(int socket, uint32_t flags, WireReply *ret_reply, int fds[3]) {
        WireRequest request = {
                .op = WIRE_GREET,
                .greet = {
                        .wire_version = WIRE_VERSION,
                        .layout_version = LAYOUT_VERSION,
                        .flags = flags,
                },
        };

        return wire_ask(socket, &request, -1, ret_reply, fds);
}

static char *read_text(int fd, size_t bytes) {
        char *text = calloc(1, bytes + 1);

        if (text && pread(fd, text, bytes, 0) != (ssize_t)bytes) {
                free(text);
                text = NULL;
        }
        return text;
}

static char *status_now(void) {
        WireRequest request = { .op = WIRE_STATUS, .status.json = 1 };
        int socket = wire_connect();
        char *text = NULL;
        WireReply reply;
        int fds[3];

        if (socket < 0)
                return NULL;
        if (wire_greet(socket, WIRE_GREET_OBSERVER, &reply, fds) == 0 &&
            wire_ask(socket, &request, -1, &reply, fds) == 0) {
                text = read_text(fds[0], reply.status_text.bytes);
                close(fds[0]);
        }
        close(socket);
        return text;
}

/* A daemon may be killed while it answers; where another one takes over, that answers. */
char *wire_status(void) {
        char *text = status_now();

        for (unsigned i = 0; !text && i < 20; i++) {
                rig_pause(10);
                text = status_now();
        }
        return text;
}
