/* SPDX-License-Identifier: MIT */
#include "runtime/session.h"

#include "base/failpoint.h"
#include "base/fdmsg.h"
#include "runtime/autostart.h"
#include "runtime/thread.h"
#include "shm/futex.h"
#include "shm/link.h"
#include "shm/region.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Our descriptors stay away from the low numbers, which belong to the program and its coids. */
#define HIGH_FD_MARGIN 24
#define HIGH_FD_MOST   1000

static pthread_mutex_t session_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int request_fd = -1;
static int news_fd = -1;
static uint32_t serial;
static const ShmNotice *notice;
static WireReplyGreet self;

static unsigned lock_depth;
static int cancel_state;

void session_lock(void) {
        int old;

        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        pthread_mutex_lock(&session_mutex);
        if (lock_depth++ == 0)
                cancel_state = old;
}

void session_unlock(void) {
        int old = cancel_state;
        bool outermost = --lock_depth == 0;

        pthread_mutex_unlock(&session_mutex);
        if (outermost)
                pthread_setcancelstate(old, &old);
}

void session_close(int fd) {
        syscall(SYS_close, fd);
}

static int high_base(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < 64)
                return 32;
        if (limit.rlim_cur >= HIGH_FD_MOST + HIGH_FD_MARGIN)
                return HIGH_FD_MOST;
        return (int)limit.rlim_cur - HIGH_FD_MARGIN;
}

static int move_high(int fd) {
        int high = fcntl(fd, F_DUPFD_CLOEXEC, high_base());

        if (high < 0)
                return fd;
        session_close(fd);
        return high;
}

static int map_greeting(const int fds[SESSION_FDS]) {
        void *map, *page;
        int r;

        r = region_map_private_to_process(fds[0], sizeof(ShmNotice), false, &map);
        if (r < 0)
                return r;
        r = region_map_private_to_process(fds[1], PROCESS_BYTES, true, &page);
        if (r < 0) {
                region_unmap(map, sizeof(ShmNotice));
                return r;
        }
        notice = map;
        ((ShmProcess *)page)->magic = LAYOUT_MAGIC;
        ((ShmProcess *)page)->version = LAYOUT_VERSION;
        threads_use_page(page);
        return 0;
}

static int exchange(WireRequest *request, int fd, WireReply *ret_reply, int fds[SESSION_FDS]) {
        size_t n_fds = 0;
        ssize_t n;
        int r;

        request->serial = ++serial;
        request->fds = fd >= 0 ? 1 : 0;
        r = fdmsg_send(request_fd, request, sizeof(*request), &fd, fd >= 0 ? 1 : 0, 0);
        if (r < 0)
                return r;
        FAILPOINT("request:sent");
        do
                n = fdmsg_receive(request_fd, ret_reply, sizeof(*ret_reply), fds, SESSION_FDS, &n_fds, 0);
        while (n == -EINTR);
        FAILPOINT("request:answered");
        if (n != (ssize_t)sizeof(*ret_reply) || ret_reply->serial != request->serial ||
            n_fds != (size_t)__builtin_popcount(ret_reply->fds)) {
                for (size_t i = 0; n > 0 && i < n_fds; i++)
                        session_close(fds[i]);
                return n < 0 ? (int)n : -EPROTO;
        }
        return -ret_reply->status;
}

static int greet(void) {
        WireRequest request = {
                .op = WIRE_GREET,
                .greet = {
                        .wire_version = WIRE_VERSION,
                        .layout_version = LAYOUT_VERSION,
                        .flags = futex_can_wait_many() ? 0 : WIRE_GREET_ONE_BELL,
                },
        };
        WireReply reply;
        int fds[SESSION_FDS];
        int r;

        r = exchange(&request, -1, &reply, fds);
        if (r < 0)
                return r;
        if (reply.fds != (WIRE_FD_NOTICE | WIRE_FD_PAGE | WIRE_FD_NEWS))
                return -EPROTO;
        r = map_greeting(fds);
        session_close(fds[0]);
        session_close(fds[1]);
        if (r < 0) {
                session_close(fds[2]);
                return r;
        }
        news_fd = move_high(fds[2]);
        self = reply.greet;
        return 0;
}

int session_open(void) {
        int r = 0;

        if (notice)
                return 0;
        session_lock();
        if (!notice) {
                r = autostart_connect();
                if (r >= 0) {
                        request_fd = move_high(r);
                        r = greet();
                }
                if (r < 0 && request_fd >= 0) {
                        session_close(request_fd);
                        request_fd = -1;
                }
        }
        session_unlock();
        return r;
}

int session_ask(WireRequest *request, int fd, WireReply *ret_reply, int fds[SESSION_FDS]) {
        int r;

        r = session_open();
        if (r < 0)
                return r;
        session_lock();
        r = exchange(request, fd, ret_reply, fds);
        session_unlock();
        return r;
}

int session_tell(WireRequest *request) {
        int r;

        r = session_open();
        if (r < 0)
                return r;
        session_lock();
        request->serial = ++serial;
        r = fdmsg_send(request_fd, request, sizeof(*request), NULL, 0, 0);
        session_unlock();
        return r;
}

uint32_t session_news(void) {
        return notice ? notice_news(notice) : 0;
}

bool session_has_news(uint32_t seen) {
        return notice && notice_news(notice) != seen;
}

bool session_take_news(WireNews *ret_news, int fds[2], size_t *ret_n_fds) {
        ssize_t n = fdmsg_receive(news_fd, ret_news, sizeof(*ret_news), fds, 2, ret_n_fds,
                                  MSG_DONTWAIT);

        return n == (ssize_t)sizeof(*ret_news);
}

int session_signal_news(int linux_tid, int signo) {
        struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = linux_tid };
        int flags, r;

        r = session_open();
        if (r < 0)
                return r;
        flags = fcntl(news_fd, F_GETFL);
        if (fcntl(news_fd, F_SETOWN_EX, &owner) < 0 || fcntl(news_fd, F_SETSIG, signo) < 0 ||
            fcntl(news_fd, F_SETFL, flags | O_ASYNC) < 0)
                return -errno;
        return 0;
}

int session_pid(void) {
        return self.pid;
}

unsigned session_priority_max(void) {
        return self.priority_max;
}

/* The parent's sockets are only copies here; its memory was not inherited (MADV_DONTFORK). */
void session_after_fork(void) {
        pthread_mutexattr_t recursive;

        pthread_mutexattr_init(&recursive);
        pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
        pthread_mutex_init(&session_mutex, &recursive);
        pthread_mutexattr_destroy(&recursive);
        lock_depth = 0;
        if (request_fd >= 0)
                session_close(request_fd);
        if (news_fd >= 0)
                session_close(news_fd);
        request_fd = news_fd = -1;
        notice = NULL;
}
