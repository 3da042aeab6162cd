/* SPDX-License-Identifier: MIT */
/*
 * Cred: who is at the other end of a socket, as the kernel says. Nothing here comes from the peer.
 */
#pragma once

#include "abi/wire.h"

#include <stdbool.h>
#include <sys/types.h>

/* Process and effective user that connected @socket. */
int cred_peer(int socket, pid_t *ret_pid, uid_t *ret_uid);

/* Everything a server may want to know of the process behind @socket. Reads /proc. */
int cred_read(int socket, WireCredentials *ret_credentials);

/* Its effective user now; and its parent, 0 when that cannot be seen. -errno when it has gone. */
int cred_euid(pid_t pid, uint32_t *ret_uid);
int cred_parent(pid_t pid, pid_t *ret_parent);

/* SO_COOKIE: the kernel never gives one twice. */
int cred_cookie(int socket, uint64_t *ret_cookie);

/* Is @pidfd one of process @pid, or of one that is dead? */
bool cred_pidfd_is_of(int pidfd, pid_t pid);

/* A descriptor for the process behind @socket that becomes readable when it dies. */
int cred_pidfd(int socket, pid_t pid, int *ret_fd);
