/* SPDX-License-Identifier: MIT */
/*
 * Descriptor: closing and copying a descriptor that is a connection.
 *
 * The daemon would notice by itself when the last copy of a connection's descriptor is closed; these
 * make this process forget its number at once, and know copies without asking the daemon.
 */
#include "posix/manager.h"
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"
#include "runtime/thread.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

static void forget(int fd) {
        Thread *thread = call_enter();

        connection_forget(fd);
        call_leave(thread);
}

static int copied(int from, int to) {
        Thread *thread;

        if (to < 0)
                return to;
        thread = call_enter();
        connection_duplicated(from, to);
        call_leave(thread);
        return to;
}

/* Of a file that a manager has opened, close() returns when the manager has closed it. */
static int close_file(int fd) {
        ManagerAddress address;
        bool is_file = manager_address(fd, &address);
        int r;

        manager_closed(fd);
        forget(fd);
        r = NEXT(close)(fd);
        if (is_file)
                manager_wait_closed(&address);
        return r;
}

PUBLIC int close(int fd) {
        return connection_is_descriptor(fd) ? close_file(fd) : NEXT(close)(fd);
}

PUBLIC int dup(int from) {
        int to = NEXT(dup)(from);

        return connection_is_descriptor(from) ? copied(from, to) : to;
}

PUBLIC int dup2(int from, int to) {
        if (from != to && connection_is_descriptor(to))
                forget(to);
        to = NEXT(dup2)(from, to);
        return connection_is_descriptor(from) ? copied(from, to) : to;
}

PUBLIC int dup3(int from, int to, int flags) {
        if (from != to && connection_is_descriptor(to))
                forget(to);
        to = NEXT(dup3)(from, to, flags);
        return connection_is_descriptor(from) ? copied(from, to) : to;
}
