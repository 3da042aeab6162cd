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
 * its descriptors are closed. -EMFILE: the bytes are there, but this process has no room for the descriptors:
 * they are lost, all of them.
 */
ssize_t fdmsg_receive(int socket, void *bytes, size_t n, int *fds, size_t max_fds, size_t *ret_n_fds,
                      int flags);

/* Whoever speaks a public protocol to us may send as many at once as the kernel lets through. */
#define FDMSG_FDS_KERNEL 253u

/*
 * As fdmsg_receive(), for a socket that has SO_PASSCRED: @ret_pid is who sent it, 0 when the kernel does not
 * say. @fds has room for FDMSG_FDS_KERNEL.
 */
ssize_t fdmsg_receive_from(int socket, void *bytes, size_t n, int *fds, size_t *ret_n_fds, pid_t *ret_pid,
                           int flags);
