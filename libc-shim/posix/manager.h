/* SPDX-License-Identifier: MIT */
/*
 * Manager: what a client says to a resource manager on a name.
 *
 * A connect message goes to whoever serves the path, in their order; one that answers ENOSYS passes it on to the next,
 * and past the last one the path is Linux's. An answer that is a symbolic link starts anew with what it says.
 */
#pragma once

#include "runtime/pathname.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/iomsg.h>

/* The path is not a manager's: do what the C library does. Never an errno. */
#define MANAGER_NONE (-100000)

typedef struct ConnectRequest {
        unsigned subtype;    /* _IO_CONNECT_... */
        unsigned ioflag;
        mode_t mode;
        unsigned file_type;  /* _FTYPE_... */
        unsigned extra_type; /* _IO_CONNECT_EXTRA_... */
        const void *extra;
        size_t extra_bytes;
        iov_t part;          /* COMBINE...: the message behind */
        iov_t reply;         /* where the answer goes */
        bool follows_last;   /* a symbolic link at the end is followed */
        bool closes_on_exec; /* OPEN */
} ConnectRequest;

/*
 * Whole path of @path, which counts from directory @directory (AT_FDCWD, an open one of Linux's or of a manager's).
 * MANAGER_NONE: it cannot lead to a manager. 0; -ENAMETOOLONG; -ENOENT: empty.
 */
int manager_path(int directory, const char *path, char whole[PATH_MAX]);

/*
 * For OPEN: the descriptor; for the others what the manager answered, 0 or more. -errno.
 * MANAGER_NONE: nobody serves it.
 */
int manager_connect(const char *path, const ConnectRequest *request);

/* Whole path of a directory that open() got from a manager. False: @fd is none. */
bool manager_directory(int fd, char whole[PATH_MAX]);
/* Remember, forget. */
void manager_opened(int fd, const char *whole);
void manager_closed(int fd);

/*
 * close(): waits until the server has done what the close of the file makes it do. The descriptor
 * itself has been closed.
 */
typedef struct ManagerAddress {
        int pid;
        int chid;
} ManagerAddress;
/* False: @fd is no open file of a manager's. */
bool manager_address(int fd, ManagerAddress *ret_address);
void manager_wait_closed(const ManagerAddress *address);

void managers_after_fork(void);
