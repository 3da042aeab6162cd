/* SPDX-License-Identifier: MIT */
/*
 * Inbox: the socket that the daemon finds in $NOTIFY_SOCKET. Whatever was sent waits in it, also when
 * the sender is dead.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

typedef struct Inbox {
        int fd;
        char address[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* as it stands in $NOTIFY_SOCKET */
} Inbox;

/* An abstract name that nobody can guess before it is there. 0 or -errno. */
int inbox_open(Inbox *inbox);
void inbox_close(Inbox *inbox);

/*
 * The next message of process @pid, without waiting; what others send is thrown away. Bytes, -EAGAIN when there
 * is none, or another -errno.
 */
ssize_t inbox_take(Inbox *inbox, pid_t pid, char *text, size_t n, int *fds, size_t *ret_n_fds);
