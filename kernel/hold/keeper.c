/* SPDX-License-Identifier: MIT */
#include "hold/keeper.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdmsg.h"
#include "base/log.h"
#include "hold/child.h"
#include "hold/notice.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_SYSTEM       111
#define FDS_RESERVED      (FDMSG_FDS_KERNEL + 32u) /* ours, and those of one message before they are looked at */
#define MESSAGES_AT_ONCE  64
#define MESSAGE_BYTES     4096
#define FAILURES_MAX      3u  /* then with the listening socket alone, once */
#define KILLS_MAX         100u /* somebody kills it each time before it is ready: that is a failure, too */
#define STABLE_NS         1000000000ull /* who crashes within this time was never ready */
#define LISTEN_NAME       "listen"
#define FORK_RETRY_NS     100000000L

static uint64_t now_ns(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static size_t raise_fd_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return 1024;
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 1024 : limit.rlim_cur;
}

int keeper_init(Keeper *keeper) {
        size_t n_fds = raise_fd_limit();
        sigset_t signals;
        int r;

        store_init(&keeper->store, n_fds > 2 * FDS_RESERVED ? n_fds - FDS_RESERVED : n_fds / 2);
        sigemptyset(&signals);
        sigaddset(&signals, SIGCHLD);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        sigprocmask(SIG_SETMASK, &signals, NULL);
        signal(SIGCHLD, SIG_DFL);
        signal(SIGPIPE, SIG_IGN);
        keeper->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (keeper->signal_fd < 0)
                return error_fold(-errno);
        r = inbox_open(&keeper->inbox);
        if (r)
                keeper->signal_fd = fd_close(keeper->signal_fd);
        return r;
}

void keeper_deinit(Keeper *keeper) {
        store_remove_all_but(&keeper->store, NULL);
        inbox_close(&keeper->inbox);
        keeper->signal_fd = fd_close(keeper->signal_fd);
        keeper->ready_fd = fd_close(keeper->ready_fd);
}

/* ---- what the daemon says ---- */

static void redirect_stderr(const char *path, int flags) {
        _cleanup_close_ int fd = open(path, flags | O_CLOEXEC, 0600);

        if (fd >= 0)
                (void)dup2(fd, STDERR_FILENO);
}

/* Until now the starter could read what went wrong. The daemons to come inherit what we have. */
static void leave_terminal(void) {
        const char *log = getenv("NUNTIUSD_LOG");

        redirect_stderr("/dev/null", O_WRONLY);
        if (log)
                redirect_stderr(log, O_WRONLY | O_CREAT | O_APPEND);
        if (chdir("/") < 0)
                log_warning("event=chdir-failed");
}

static void keeper_on_ready(Keeper *keeper) {
        if (keeper->state == KEEPER_STARTING)
                keeper->state = KEEPER_SERVING;
        keeper->ready_at = now_ns();
        if (keeper->was_ready)
                return;
        keeper->was_ready = true;
        if (keeper->ready_fd >= 0 && write(keeper->ready_fd, "\n", 1) < 0)
                log_warning("event=ready-fd-failed");
        keeper->ready_fd = fd_close(keeper->ready_fd);
        if (keeper->is_private)
                leave_terminal();
}

static void keeper_store(Keeper *keeper, const char *name, const int *fds, size_t n_fds) {
        static LogRate rate;

        for (size_t i = 0; i < n_fds; i++) {
                int r = store_add(&keeper->store, name, fds[i]);

                if (r && log_rate_ok(&rate, 1))
                        log_error("event=not-kept name=%s n=%zu why=%s", name, keeper->store.n,
                                  strerrorname_np(-r));
        }
}

static void keeper_obey(Keeper *keeper, const Notice *notice, const int *fds, size_t n_fds) {
        if (notice->removes)
                store_remove(&keeper->store, notice->name);
        if (notice->stores)
                keeper_store(keeper, notice->name, fds, n_fds);
        else
                for (size_t i = 0; i < n_fds; i++)
                        fd_close(fds[i]);
        if (notice->is_ready)
                keeper_on_ready(keeper);
        if (notice->is_stopping)
                keeper->state = KEEPER_LEAVING;
}

/* At most @most messages; true when there may be more. */
static bool keeper_read(Keeper *keeper, size_t most) {
        int fds[FDMSG_FDS_KERNEL];
        char text[MESSAGE_BYTES];
        Notice notice;
        size_t n_fds;

        for (size_t i = 0; i < most; i++) {
                ssize_t n = inbox_take(&keeper->inbox, keeper->pid, text, sizeof(text), fds, &n_fds);

                if (n < 0)
                        return false;
                notice_parse(&notice, text, (size_t)n);
                keeper_obey(keeper, &notice, fds, n_fds);
        }
        return true;
}

/* ---- its end ---- */

static bool is_exit(int status) {
        return WIFEXITED(status);
}

static int exit_code(int status) {
        return is_exit(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void log_end(const Keeper *keeper, int status) {
        log_warning("event=daemon-ended pid=%d %s=%d descriptors=%zu", (int)keeper->pid,
                    is_exit(status) ? "code" : "signal", is_exit(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                    keeper->store.n);
}

/* Counts what this end says about the daemon's health. Whom somebody else has killed is not to blame for it. */
static void keeper_judge(Keeper *keeper, int status) {
        bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        bool was_sound = is_killed || (is_exit(status) && WEXITSTATUS(status) == 0);
        bool was_ready = keeper->state == KEEPER_SERVING;

        if (was_ready && (was_sound || now_ns() - keeper->ready_at >= STABLE_NS))
                keeper->failures = keeper->kills = 0;
        else if (!is_killed)
                keeper->failures++;
        else if (++keeper->kills % KILLS_MAX == 0)
                keeper->failures++;
}

static bool keeper_may_go_on(Keeper *keeper, int status) {
        if (keeper->state == KEEPER_LEAVING)
                return false;
        if (!keeper->was_ready && is_exit(status))
                return false; /* it has said why */
        keeper_judge(keeper, status);
        if (keeper->failures == FAILURES_MAX) {
                log_error("event=store-dropped descriptors=%zu why=\"%u starts failed in a row\"",
                          keeper->store.n, keeper->failures);
                store_remove_all_but(&keeper->store, LISTEN_NAME);
        }
        if (keeper->failures <= FAILURES_MAX)
                return true;
        fprintf(stderr, "nuntius-hold: %s does not start, not even with nothing to take over; giving up\n",
                keeper->command[0]);
        return false;
}

static int keeper_start(Keeper *keeper) {
        const struct timespec pause = { .tv_nsec = FORK_RETRY_NS };
        pid_t pid;

        keeper->state = keeper->is_told_to_end ? KEEPER_LEAVING : KEEPER_STARTING;
        for (unsigned i = 0; i < KILLS_MAX; i++) {
                pid = child_start(keeper->command, &keeper->store, keeper->inbox.address);
                if (pid > 0) {
                        keeper->pid = pid;
                        return 0;
                }
                log_warning("event=start-failed why=%s", strerrorname_np(-pid));
                (void)nanosleep(&pause, NULL);
        }
        fprintf(stderr, "nuntius-hold: cannot start %s: %s\n", keeper->command[0], strerror(-pid));
        return pid;
}

/* True when it was the last; then @ret_code is what we end with. */
static bool keeper_on_end(Keeper *keeper, int status, int *ret_code) {
        while (keeper_read(keeper, MESSAGES_AT_ONCE)) /* what a dead daemon has said counts */
                ;
        *ret_code = keeper->is_told_to_end && !is_exit(status) ? 0 : exit_code(status);
        if (!keeper_may_go_on(keeper, status))
                return true;
        log_end(keeper, status);
        *ret_code = EXIT_SYSTEM;
        return keeper_start(keeper) < 0;
}

/* ---- what we are told ---- */

static bool keeper_reap(Keeper *keeper, int *ret_code) {
        int status;

        if (waitpid(keeper->pid, &status, WNOHANG) != keeper->pid)
                return false;
        return keeper_on_end(keeper, status, ret_code);
}

static bool keeper_on_signal(Keeper *keeper, int *ret_code) {
        struct signalfd_siginfo info;

        if (read(keeper->signal_fd, &info, sizeof(info)) != sizeof(info))
                return false;
        switch (info.ssi_signo) {
        case SIGCHLD:
                return keeper_reap(keeper, ret_code);
        case SIGHUP: /* another version takes over */
                (void)kill(keeper->pid, SIGTERM);
                return false;
        default:
                keeper->is_told_to_end = true;
                keeper->state = KEEPER_LEAVING;
                (void)kill(keeper->pid, SIGINT);
                return false;
        }
}

int keeper_run(Keeper *keeper) {
        struct pollfd wait[] = { { .fd = keeper->inbox.fd, .events = POLLIN },
                                 { .fd = keeper->signal_fd, .events = POLLIN } };
        int code = EXIT_SYSTEM;

        if (keeper_start(keeper) < 0)
                return EXIT_SYSTEM;
        for (;;) {
                if (poll(wait, 2, -1) < 0 && errno != EINTR)
                        return EXIT_SYSTEM;
                if (wait[0].revents)
                        keeper_read(keeper, MESSAGES_AT_ONCE);
                if (wait[1].revents && keeper_on_signal(keeper, &code))
                        return code;
        }
}
