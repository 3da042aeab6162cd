/* SPDX-License-Identifier: MIT */
/*
 * Fdmsg: one record of bytes with descriptors over a UNIX SOCK_SEQPACKET socket.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define FDMSG_FDS_MAX 8u

/* @flags: MSG_... ; MSG_NOSIGNAL is added, EINTR is retried. 0 or -errno. */
int fdmsg_send(int socket, const void *bytes, size_t n, const int *fds, size_t n_fds, int flags);

/*
 * Bytes received, 0 when the peer has closed, or -errno. Received descriptors are close-on-exec and
 * belong to the caller. A record with more bytes than @n or more descriptors than @max_fds is -EPROTO;
 * its descriptors are closed.
 */
ssize_t fdmsg_receive(int socket, void *bytes, size_t n, int *fds, size_t max_fds, size_t *ret_n_fds,
                      int flags);
