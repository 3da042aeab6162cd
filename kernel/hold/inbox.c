/* SPDX-License-Identifier: MIT */
#include "hold/inbox.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdmsg.h"
#include "base/log.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_abstract(int fd, const char *address) {
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        size_t n = strlen(address);

        memcpy(name.sun_path + 1, address + 1, n - 1);
        if (bind(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
                return -errno;
        return 0;
}

int inbox_open(Inbox *inbox) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        uint64_t chance[2];
        int on = 1, r;

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
                return error_fold(-errno);
        if (getrandom(chance, sizeof(chance), 0) != sizeof(chance))
                return error_fold(-EIO);
        snprintf(inbox->address, sizeof(inbox->address), "@nuntius-hold/%016llx%016llx",
                 (unsigned long long)chance[0], (unsigned long long)chance[1]);
        r = bind_abstract(fd, inbox->address);
        if (r)
                return error_fold(r);
        inbox->fd = TAKE_FD(fd);
        return 0;
}

void inbox_close(Inbox *inbox) {
        inbox->fd = fd_close(inbox->fd);
}

ssize_t inbox_take(Inbox *inbox, pid_t pid, char *text, size_t n, int *fds, size_t *ret_n_fds) {
        static LogRate rate;
        pid_t from;
        ssize_t received;

        for (;;) {
                received = fdmsg_receive_from(inbox->fd, text, n, fds, ret_n_fds, &from, MSG_DONTWAIT);
                if (received == -EAGAIN || (received >= 0 && from == pid))
                        return received;
                if (received < 0 && received != -EPROTO)
                        return error_fold((int)received);
                if (log_rate_ok(&rate, 1))
                        log_warning("event=message-refused pid=%d why=\"%s\"", (int)from,
                                    received < 0 ? "too long, or its descriptors find no room" :
                                                   "not of the daemon");
                for (size_t i = 0; received >= 0 && i < *ret_n_fds; i++)
                        fd_close(fds[i]);
        }
}
