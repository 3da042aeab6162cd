/* SPDX-License-Identifier: MIT */
/* iov_t: one part of a message that lies in several places. It is struct iovec. */
#pragma once

#include <sys/uio.h>

typedef struct iovec iov_t;

#define SETIOV(iov, addr, len) ((iov)->iov_base = (void *)(addr), (iov)->iov_len = (len))
/* The bytes are only read: for the sending side. */
#define SETIOV_CONST(iov, addr, len) SETIOV(iov, addr, len)
#define GETIOVBASE(iov) ((iov)->iov_base)
#define GETIOVLEN(iov)  ((iov)->iov_len)
