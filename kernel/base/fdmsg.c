/* SPDX-License-Identifier: MIT */
/* Fdmsg: sendmsg and recvmsg with SCM_RIGHTS; the only place that builds or walks control messages. */
#include "base/fdmsg.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union FdmsgControl {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDMSG_FDS_MAX * sizeof(int))];
} FdmsgControl;

int fdmsg_send(int socket, const void *bytes, size_t n, const int *fds, size_t n_fds, int flags) {
        FdmsgControl control;
        struct iovec part = { .iov_base = (void *)bytes, .iov_len = n };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
        ssize_t sent;

        assert(n_fds <= FDMSG_FDS_MAX);
        if (n_fds > 0) {
                memset(&control, 0, sizeof(control));
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                control.align.cmsg_level = SOL_SOCKET;
                control.align.cmsg_type = SCM_RIGHTS;
                control.align.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(&control.align), fds, n_fds * sizeof(int));
        }
        do
                sent = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0)
                return -errno;
        return (size_t)sent == n ? 0 : -EPROTO;
}

static void close_all(const int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                (void)close(fds[i]);
}

/* Moves the descriptors of @message into @fds; those beyond @max_fds are closed and counted all the same. */
static size_t take_fds(struct msghdr *message, int *fds, size_t max_fds) {
        size_t n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                size_t n_here;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                n_here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < n_here; i++, n++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
                        if (n < max_fds)
                                fds[n] = fd;
                        else
                                (void)close(fd);
                }
        }
        return n;
}

/* The bytes received, or -errno; @message has its iovec and its room for control messages. */
static ssize_t receive(int socket, struct msghdr *message, int *fds, size_t max_fds, size_t *ret_n_fds,
                       int flags) {
        ssize_t received;
        size_t n_fds;

        *ret_n_fds = 0;
        do
                received = recvmsg(socket, message, flags | MSG_CMSG_CLOEXEC);
        while (received < 0 && errno == EINTR);
        if (received < 0)
                return -errno;
        n_fds = take_fds(message, fds, max_fds);
        if (n_fds > max_fds || message->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
                size_t room = max_fds > FDMSG_FDS_MAX ? max_fds : FDMSG_FDS_MAX;

                close_all(fds, n_fds < max_fds ? n_fds : max_fds);
                /* lost for want of room in the message, or in our table */
                return n_fds > max_fds || n_fds == room || message->msg_flags & MSG_TRUNC ? -EPROTO : -EMFILE;
        }
        *ret_n_fds = n_fds;
        return received;
}

ssize_t fdmsg_receive(int socket, void *bytes, size_t n, int *fds, size_t max_fds, size_t *ret_n_fds,
                      int flags) {
        FdmsgControl control;
        struct iovec part = { .iov_base = bytes, .iov_len = n };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                                  .msg_controllen = sizeof(control) };
        size_t n_fds;

        return receive(socket, &message, fds, max_fds, ret_n_fds ? ret_n_fds : &n_fds, flags);
}

static pid_t sender(struct msghdr *message) {
        struct ucred peer;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
                        continue;
                memcpy(&peer, CMSG_DATA(c), sizeof(peer));
                return peer.pid;
        }
        return 0;
}

ssize_t fdmsg_receive_from(int socket, void *bytes, size_t n, int *fds, size_t *ret_n_fds, pid_t *ret_pid,
                           int flags) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(FDMSG_FDS_KERNEL * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct iovec part = { .iov_base = bytes, .iov_len = n };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                                  .msg_controllen = sizeof(control) };
        ssize_t received = receive(socket, &message, fds, FDMSG_FDS_KERNEL, ret_n_fds, flags);

        *ret_pid = received < 0 ? 0 : sender(&message);
        return received;
}
