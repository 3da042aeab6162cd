/* SPDX-License-Identifier: MIT */
#include "runtime/session.h"

#include "base/failpoint.h"
#include "base/fdmsg.h"
#include "runtime/autostart.h"
#include "runtime/priority.h"
#include "runtime/thread.h"
#include "shm/futex.h"
#include "shm/link.h"
#include "shm/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Our descriptors stay away from the low numbers, which belong to the program and its coids. */
#define HIGH_FD_MARGIN 24
#define HIGH_FD_MOST   1000

#define GREET_TRIES        20u
#define GREET_PAUSE_MAX_MS 5u /* between the last of them; between the first ones less */

static pthread_mutex_t session_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int request_fd = -1;
static int news_fd = -1;
static uint32_t serial;
static const ShmNotice *notice;
static WireReplyGreet self;
static bool is_lost;       /* the daemon has ended for good */
static uint32_t dropped_at; /* session_news() when there was no old answer */

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

int session_move_fd(int fd) {
        return move_high(fd);
}

bool session_is_own_fd(int fd) {
        return fd >= high_base();
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
        priority_use_notice(map);
        return 0;
}

/* The kernel is short of memory for a moment: what must be said to the daemon waits for it. */
#define SHORTAGE_TRIES 1000

static bool is_shortage(ssize_t r) {
        return r == -ENOBUFS || r == -ENOMEM;
}

static void wait_out_shortage(void) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static int send_request(WireRequest *request, int fd) {
        int r = -ENOBUFS;

        request->serial = ++serial;
        request->fds = fd >= 0 ? 1 : 0;
        for (int i = 0; i < SHORTAGE_TRIES && is_shortage(r); i++) {
                if (i > 0)
                        wait_out_shortage();
                r = fdmsg_send(request_fd, request, sizeof(*request), &fd, fd >= 0 ? 1 : 0, 0);
        }
        return is_shortage(r) ? -EAGAIN : r;
}

static void close_fds(const int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                session_close(fds[i]);
}

/* The other end has closed: which error that gives depends on what was under way. */
static int error_of(ssize_t n) {
        return n == 0 || n == -ECONNRESET ? -EPIPE : n < 0 ? (int)n : -EPROTO;
}

/*
 * A daemon that was killed after it had answered leaves it to the next one to answer again. Such an answer is
 * older than what we wait for.
 */
static bool is_old(const WireReply *reply) {
        return (int32_t)(reply->serial - serial) < 0;
}

/* It was asked, so it will be answered: there is nothing but waiting for it. */
static ssize_t receive_reply(WireReply *ret_reply, int fds[SESSION_FDS], size_t *ret_n_fds) {
        ssize_t n;

        while (is_shortage(n = fdmsg_receive(request_fd, ret_reply, sizeof(*ret_reply), fds, SESSION_FDS,
                                             ret_n_fds, 0)))
                wait_out_shortage();
        return n;
}

static int receive_answer(WireReply *ret_reply, int fds[SESSION_FDS]) {
        size_t n_fds;
        ssize_t n;

        for (;;) {
                n = receive_reply(ret_reply, fds, &n_fds);
                if (n == -EMFILE && is_old(ret_reply))
                        continue;
                if (n != (ssize_t)sizeof(*ret_reply))
                        break;
                if (ret_reply->serial == serial && n_fds == (size_t)__builtin_popcount(ret_reply->fds))
                        return 0;
                if (!is_old(ret_reply))
                        break;
                close_fds(fds, n_fds);
        }
        close_fds(fds, n_fds);
        return error_of(n);
}

static int exchange(WireRequest *request, int fd, WireReply *ret_reply, int fds[SESSION_FDS]);

/* The answer's descriptors found no room here: what was made is nobody's, so it is given back. */
static void undo(const WireRequest *done, const WireReply *answer) {
        WireRequest request = { .op = WIRE_CHANNEL_DESTROY };
        WireReply reply;
        int fds[SESSION_FDS];

        switch ((WireOp)done->op) {
        case WIRE_CHANNEL_CREATE:
                request.channel_destroy.chid = answer->channel.chid;
                exchange(&request, -1, &reply, fds);
                return;
        case WIRE_CONNECT_ATTACH:
        case WIRE_CONNECT_ADOPT:
                request.op = WIRE_CONNECT_DETACH;
                request.connect_detach = (WireConnectDetach){ .connection = answer->connect.id,
                                                              .lost = answer->fds & WIRE_DETACH_LOST,
                                                              .link = answer->connect.link,
                                                              .bell = answer->connect.bell };
                send_request(&request, -1);
                return;
        default:
                return;
        }
}

static int exchange(WireRequest *request, int fd, WireReply *ret_reply, int fds[SESSION_FDS]) {
        int r;

        r = send_request(request, fd);
        if (r < 0)
                return error_of(r);
        FAILPOINT("request:sent");
        r = receive_answer(ret_reply, fds);
        FAILPOINT("request:answered");
        if (r == -EMFILE)
                undo(request, ret_reply);
        return r < 0 ? r : -ret_reply->status;
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

static int connect_and_greet(void) {
        int r = autostart_connect();

        if (r < 0)
                return r;
        request_fd = move_high(r);
        r = greet();
        if (r < 0) {
                session_close(request_fd);
                request_fd = -1;
        }
        return r;
}

/*
 * Race 1: the daemon is killed between accept() and its answer to GREET. The next one knows nothing of that
 * socket, and we are nobody to it: we connect again. A daemon that does not want us closes the
 * socket, too: hence not for ever.
 */
static int connect_until_greeted(void) {
        int r = connect_and_greet();

        for (unsigned i = 1; r == -EPIPE && i < GREET_TRIES; i++) {
                unsigned ms = i < GREET_PAUSE_MAX_MS ? i : GREET_PAUSE_MAX_MS;
                const struct timespec pause = { .tv_nsec = ms * 1000000L };

                clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
                r = connect_and_greet();
        }
        return r;
}

int session_open(void) {
        int r = 0;

        if (notice)
                return 0;
        session_lock();
        if (!notice)
                r = connect_until_greeted();
        session_unlock();
        return r;
}

/*
 * Nobody starts that daemon again: what we know of it (connections, channels) is known to no other, so there is no
 * second session for this process. A child of fork begins anew.
 */
static int session_lost(int r) {
        if (r == -EPIPE && !is_lost) {
                is_lost = true;
                fprintf(stderr, "nuntius: the daemon has ended, and with it what it knew of this program; "
                                "connections still carry messages, nothing new can be made\n");
        }
        return r;
}

int session_ask(WireRequest *request, int fd, WireReply *ret_reply, int fds[SESSION_FDS]) {
        int r;

        r = session_open();
        if (r < 0)
                return r;
        session_lock();
        r = is_lost ? -EPIPE : session_lost(exchange(request, fd, ret_reply, fds));
        session_unlock();
        return r;
}

/* Old answers may have brought descriptors, which are not to stay open in our socket. */
static void drop_old_answers(void) {
        int fds[SESSION_FDS];
        WireReply reply;
        size_t n_fds;

        if (dropped_at == session_news())
                return; /* a daemon that takes over gives everybody news */
        dropped_at = session_news();
        while (fdmsg_receive(request_fd, &reply, sizeof(reply), fds, SESSION_FDS, &n_fds, MSG_DONTWAIT) > 0)
                close_fds(fds, n_fds);
}

int session_tell(WireRequest *request) {
        int r;

        r = session_open();
        if (r < 0)
                return r;
        session_lock();
        r = is_lost ? -EPIPE : send_request(request, -1);
        r = session_lost(r < 0 ? error_of(r) : 0);
        drop_old_answers();
        session_unlock();
        return r;
}

void session_tell_boost(const WireBoost *boost) {
        send(news_fd, boost, sizeof(*boost), MSG_DONTWAIT | MSG_NOSIGNAL);
}

uint32_t session_news(void) {
        return notice ? notice_news(notice) : 0;
}

bool session_has_news(uint32_t seen) {
        return notice && notice_news(notice) != seen;
}

int session_peek_news(WireNews *ret_news, int fds[2], size_t *ret_n_fds) {
        ssize_t n = fdmsg_receive(news_fd, ret_news, sizeof(*ret_news), fds, 2, ret_n_fds,
                                  MSG_DONTWAIT | MSG_PEEK);

        if (n == -EMFILE || is_shortage(n))
                return (int)n;
        return n == (ssize_t)sizeof(*ret_news);
}

/* Without room for them the kernel lets go of the descriptors, which session_peek_news() has brought. */
void session_drop_news(void) {
        char byte;

        while (recv(news_fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 && errno == EINTR)
                ;
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

void session_use_priority_max(unsigned priority) {
        self.priority_max = priority;
}

int session_ask_able(uint32_t ability, uint64_t about) {
        WireRequest request = {
                .op = WIRE_ABLE,
                .able = { .scoid = -1, .ability = ability, .lo = about },
        };
        int fds[SESSION_FDS];
        WireReply reply;

        return session_ask(&request, -1, &reply, fds);
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
        is_lost = false;
        priority_use_notice(NULL);
}
