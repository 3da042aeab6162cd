/* SPDX-License-Identifier: MIT */
/*
 * Daemon: procmgr_daemon() and its neighbours.
 *
 * The process stays what it is, so its channels do, too. Our own descriptors lie high (session.h) and are spared.
 */
#include "neutrino/limit.h"
#include "neutrino/result.h"
#include "runtime/session.h"
#include "sys/procmgr.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS_KNOWN                                                                                \
        (PROCMGR_DAEMON_NOCHDIR | PROCMGR_DAEMON_NOCLOSE | PROCMGR_DAEMON_NODEVNULL |              \
         PROCMGR_DAEMON_KEEPUMASK)

/* By the public close(), which makes the library forget connections. */
static void close_all(void) {
        DIR *dir = opendir("/proc/self/fd");
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                int fd = atoi(entry->d_name);

                if (fd > STDERR_FILENO && fd != dirfd(dir) && !session_is_own_fd(fd))
                        close(fd);
        }
        if (dir)
                closedir(dir);
}

static int silence(void) {
        int fd = open("/dev/null", O_RDWR);

        if (fd < 0)
                return -ENXIO;
        for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
                dup2(fd, i);
        if (fd > STDERR_FILENO)
                close(fd);
        return 0;
}

/* The leader of a group, as a shell makes it, cannot have a new session; it lets go of its terminal. */
static void leave_session(void) {
        int fd;

        if (setsid() >= 0)
                return;
        fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return;
        (void)ioctl(fd, TIOCNOTTY);
        close(fd);
}

static void tell_daemon(void) {
        WireRequest request = { .op = WIRE_DAEMON };
        Thread *thread = call_enter();
        int fds[SESSION_FDS];
        WireReply reply;

        call_take_timeout(thread);
        (void)session_ask(&request, -1, &reply, fds);
        call_leave(thread);
}

int procmgr_daemon(int status, unsigned flags) {
        int r = flags & ~(unsigned)FLAGS_KNOWN ? -EINVAL : 0;

        if (!r && !(flags & PROCMGR_DAEMON_NODEVNULL))
                r = silence();
        if (r)
                return (int)plain_value(r);
        leave_session();
        if (!(flags & PROCMGR_DAEMON_NOCHDIR) && chdir("/") < 0)
                return -1;
        if (!(flags & PROCMGR_DAEMON_KEEPUMASK))
                umask(0);
        if (!(flags & PROCMGR_DAEMON_NOCLOSE))
                close_all();
        tell_daemon();
        return 0;
}

/* ---- sessions ---- */

/* The first process of a session has its number. */
static int signal_session(pid_t sid, int signo, unsigned event) {
        if (sid <= 0)
                return -EINVAL;
        return kill(event == PROCMGR_SESSION_SIGNAL_PGRP ? -sid : sid, signo) < 0 ? -errno : 0;
}

static int change_session(pid_t sid, int id, unsigned event) {
        switch (event) {
        case PROCMGR_SESSION_TCSETSID:
                return -ENOTSUP;
        case PROCMGR_SESSION_SETSID:
                return setsid() < 0 ? -errno : 0;
        case PROCMGR_SESSION_SETPGRP:
                return setpgid(0, id) < 0 ? -errno : 0;
        case PROCMGR_SESSION_SIGNAL_PID:
        case PROCMGR_SESSION_SIGNAL_PGRP:
        case PROCMGR_SESSION_SIGNAL_LEADER:
                return signal_session(sid, id, event);
        }
        return -EINVAL;
}

int procmgr_session(uint32_t nd, pid_t sid, int id, unsigned event) {
        limit_drop();
        return (int)plain_value(nd == ND_LOCAL_NODE ? change_session(sid, id, event) : -ESRCH);
}

int procmgr_guardian(pid_t pid) {
        limit_drop();
        return plain_status(ENOSYS);
}
