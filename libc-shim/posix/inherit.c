/* SPDX-License-Identifier: MIT */
/*
 * Inherit: open files of managers that this program got from the one that executed it.
 *
 * cat </dev/x reads a descriptor that a shell has opened. Of all descriptors that we start with,
 * those that can be one are
 * shown to the daemon, which knows. Where nothing is attached anywhere nobody is asked.
 */
#include "runtime/connection.h"
#include "runtime/pathname.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct KernelEntry {
        uint64_t inode;
        int64_t offset;
        uint16_t length;
        uint8_t type;
        char name[];
} KernelEntry;

/* One end of a nameless UNIX socket pair of records. */
static bool can_be_one(int fd) {
        struct sockaddr_un name;
        socklen_t n = sizeof(int);
        int type;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0 || type != SOCK_SEQPACKET)
                return false;
        n = sizeof(name);
        return getsockname(fd, (struct sockaddr *)&name, &n) == 0 && name.sun_family == AF_UNIX &&
               n == sizeof(sa_family_t);
}

static void look_at(int fd) {
        if (!can_be_one(fd))
                return;
        connection_inherit(fd);
        connection_find(fd); /* it is known from now on, or is none */
}

static void look_at_all(int directory) {
        char buffer[4096] __attribute__((aligned(8)));
        long n;

        while ((n = syscall(SYS_getdents64, directory, buffer, sizeof(buffer))) > 0) {
                for (long at = 0; at < n;) {
                        const KernelEntry *entry = (const KernelEntry *)(buffer + at);

                        if (entry->name[0] != '.' && atoi(entry->name) != directory)
                                look_at(atoi(entry->name));
                        at += entry->length;
                }
        }
}

/* After the runtime has begun (runtime/start.c). */
__attribute__((constructor)) static void inherit(void) {
        int directory;

        if (!pathname_any())
                return;
        directory = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        if (directory < 0)
                return;
        look_at_all(directory);
        syscall(SYS_close, directory);
}
