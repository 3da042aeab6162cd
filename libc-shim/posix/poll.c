/* SPDX-License-Identifier: MIT */
/*
 * Poll: poll() and select() where some of the descriptors are managers' files, and QNX's ionotify().
 *
 * A manager's file is asked with _IO_NOTIFY: what is true now, and if nothing is, to tell us later by a pulse. The
 * pulse goes to a channel of the library's own; a thread waits there and counts up an eventfd, which stands in the
 * place of the file in the real poll().
 */
#include "posix/next.h"
#include "posix/public.h"
#include "runtime/connection.h"
#include "runtime/thread.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define CODE_READY 1
#define STACK      (64 * 1024)

/* ---- ionotify ---- */

static long notify(int fd, int action, unsigned flags, const struct sigevent *event) {
        struct _io_notify message = { .type = _IO_NOTIFY, .combine_len = sizeof(message), .action = action,
                                      .flags = (int32_t)flags };
        struct _io_notify_reply reply = { .zero = 0 };
        long r;

        if (event)
                message.event = *event;
        r = MsgSend_r(fd, &message, sizeof(message), &reply, sizeof(reply));
        return r < 0 ? r : (long)(reply.flags & _NOTIFY_COND_MASK);
}

PUBLIC int ionotify(int fd, int action, int flags, const struct sigevent *event) {
        return (int)plain(notify(fd, action, (unsigned)flags, event));
}

/* ---- the bell of one who polls ---- */

/* A poll that waits; the value of a pulse is its number, so that a late one rings nobody else. */
typedef struct Poller {
        struct Poller *next;
        int number;
        int fd; /* eventfd */
} Poller;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Poller *pollers;
static int next_number;
static int chid = -1, coid = -1;
static pid_t owner;

static void ring(int number) {
        uint64_t one = 1;
        ssize_t n;

        pthread_mutex_lock(&mutex);
        for (Poller *poller = pollers; poller; poller = poller->next)
                if (poller->number == number) {
                        n = write(poller->fd, &one, sizeof(one));
                        (void)n;
                }
        pthread_mutex_unlock(&mutex);
}

static void *listen(void *argument) {
        struct _pulse pulse;
        int from = (int)(intptr_t)argument;

        thread_register_library();
        for (;;)
                if (MsgReceivePulse_r(from, &pulse, sizeof(pulse), NULL) == EOK && pulse.code == CODE_READY)
                        ring(pulse.value.sival_int);
        return NULL;
}

static int start_locked(void) {
        int r;

        if (owner == getpid())
                return 0;
        chid = ChannelCreate_r(_NTO_CHF_PRIVATE);
        if (chid < 0)
                return chid;
        coid = ConnectAttach_r(ND_LOCAL_NODE, 0, chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC);
        r = coid < 0 ? coid : thread_start_library("nuntius-poll", STACK, listen, (void *)(intptr_t)chid);
        if (r < 0) {
                ChannelDestroy_r(chid);
                return r;
        }
        owner = getpid();
        return 0;
}

static int poller_begin(Poller *poller) {
        int r;

        poller->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (poller->fd < 0)
                return -errno;
        pthread_mutex_lock(&mutex);
        r = start_locked();
        poller->number = ++next_number & 0x7fffffff;
        poller->next = pollers;
        if (r == 0)
                pollers = poller;
        pthread_mutex_unlock(&mutex);
        if (r < 0)
                close(poller->fd);
        return r;
}

static void poller_end(Poller *poller) {
        Poller **at = &pollers;

        pthread_mutex_lock(&mutex);
        while (*at != poller)
                at = &(*at)->next;
        *at = poller->next;
        pthread_mutex_unlock(&mutex);
        close(poller->fd);
}

/* ---- poll ---- */

static unsigned conditions_of(short events) {
        return (events & (POLLIN | POLLRDNORM) ? _NOTIFY_COND_INPUT : 0) |
               (events & (POLLOUT | POLLWRNORM) ? _NOTIFY_COND_OUTPUT : 0) |
               (events & (POLLPRI | POLLRDBAND) ? _NOTIFY_COND_OBAND : 0);
}

static short events_of(unsigned conditions, short wanted) {
        short events = (short)((conditions & _NOTIFY_COND_INPUT ? POLLIN | POLLRDNORM : 0) |
                               (conditions & _NOTIFY_COND_OUTPUT ? POLLOUT | POLLWRNORM : 0) |
                               (conditions & _NOTIFY_COND_OBAND ? POLLPRI | POLLRDBAND : 0));

        return (short)(events & wanted);
}

/* A manager without notify is always ready, as a plain file is. */
static short ask(const struct pollfd *fd, int action, const struct sigevent *event) {
        long r = notify(fd->fd, action, conditions_of(fd->events), event);

        if (r == -ENOSYS || r == -ENOTSUP)
                return (short)(fd->events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM));
        if (r == -EBADF)
                return POLLNVAL;
        return r < 0 ? POLLERR : events_of((unsigned)r, fd->events);
}

static bool has_managed(const struct pollfd *fds, nfds_t n) {
        for (nfds_t i = 0; i < n; i++)
                if (connection_is_descriptor(fds[i].fd))
                        return true;
        return false;
}

/* Managers' files: how many are ready. Each other place of @real is the caller's own. */
static int ask_all(struct pollfd *fds, nfds_t n, struct pollfd *real, int action, const struct sigevent *event) {
        int n_ready = 0;

        for (nfds_t i = 0; i < n; i++) {
                real[i] = fds[i];
                fds[i].revents = 0;
                if (!connection_is_descriptor(fds[i].fd))
                        continue;
                real[i].fd = -1;
                fds[i].revents = ask(&fds[i], action, event);
                n_ready += fds[i].revents != 0;
        }
        return n_ready;
}

static int merge(struct pollfd *fds, nfds_t n, const struct pollfd *real, int n_managed) {
        for (nfds_t i = 0; i < n; i++) {
                if (real[i].fd < 0 || !real[i].revents)
                        continue;
                fds[i].revents = real[i].revents;
                n_managed++;
        }
        return n_managed;
}

static bool left(struct timespec *timeout, const struct timespec *end) {
        struct timespec now;
        int64_t ns;

        if (!end)
                return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
        ns = (int64_t)(end->tv_sec - now.tv_sec) * 1000000000 + (end->tv_nsec - now.tv_nsec);
        ns = ns > 0 ? ns : 0;
        *timeout = (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
        return ns > 0;
}

/* Asked, armed, slept; and asked again: whoever wins, nothing that became true in between is missed. */
static int wait_with(Poller *poller, struct pollfd *fds, nfds_t n, struct pollfd *real, const struct timespec *end,
                     const sigset_t *mask) {
        struct timespec timeout, *wait = end ? &timeout : NULL;
        static const struct timespec none;
        struct sigevent event;
        bool is_late;
        uint64_t count;
        int n_ready, r;

        SIGEV_PULSE_INIT(&event, coid, SIGEV_PULSE_PRIO_INHERIT, CODE_READY, poller->number);
        do {
                is_late = !left(&timeout, end);
                n_ready = ask_all(fds, n, real, is_late ? _NOTIFY_ACTION_POLL : _NOTIFY_ACTION_POLLARM, &event);
                real[n] = (struct pollfd){ .fd = poller->fd, .events = POLLIN };
                r = NEXT(ppoll)(real, n + 1, n_ready || is_late ? &none : wait, mask);
                if (r < 0)
                        return -errno;
                n_ready = merge(fds, n, real, n_ready);
                if (real[n].revents && read(poller->fd, &count, sizeof(count)) < 0)
                        return -errno;
        } while (n_ready == 0 && !is_late);
        return n_ready;
}

static int poll_until(struct pollfd *fds, nfds_t n, const struct timespec *end, const sigset_t *mask) {
        struct pollfd *real = calloc(n + 1, sizeof(*real));
        Poller poller;
        int r;

        if (!real)
                return -ENOMEM;
        r = poller_begin(&poller);
        if (r == 0) {
                r = wait_with(&poller, fds, n, real, end, mask);
                poller_end(&poller);
        }
        free(real);
        return r;
}

static struct timespec end_after(const struct timespec *timeout) {
        struct timespec end;

        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += timeout->tv_sec;
        end.tv_nsec += timeout->tv_nsec;
        if (end.tv_nsec >= 1000000000) {
                end.tv_nsec -= 1000000000;
                end.tv_sec++;
        }
        return end;
}

PUBLIC int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask) {
        struct timespec end;

        if (!has_managed(fds, n))
                return NEXT(ppoll)(fds, n, timeout, mask);
        if (timeout)
                end = end_after(timeout);
        return (int)plain(poll_until(fds, n, timeout ? &end : NULL, mask));
}

PUBLIC int poll(struct pollfd *fds, nfds_t n, int timeout) {
        struct timespec wait = { .tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000l };

        if (!has_managed(fds, n))
                return NEXT(poll)(fds, n, timeout);
        return ppoll(fds, n, timeout < 0 ? NULL : &wait, NULL);
}

/* ---- select: the same, asked in sets ---- */

static bool sets_have_managed(int n, const fd_set *r, const fd_set *w, const fd_set *x) {
        for (int fd = 0; fd < n && fd < FD_SETSIZE; fd++)
                if (((r && FD_ISSET(fd, r)) || (w && FD_ISSET(fd, w)) || (x && FD_ISSET(fd, x))) &&
                    connection_is_descriptor(fd))
                        return true;
        return false;
}

static nfds_t polls_of(int n, const fd_set *r, const fd_set *w, const fd_set *x, struct pollfd *fds) {
        nfds_t count = 0;

        for (int fd = 0; fd < n && fd < FD_SETSIZE; fd++) {
                short events = (short)((r && FD_ISSET(fd, r) ? POLLIN : 0) | (w && FD_ISSET(fd, w) ? POLLOUT : 0) |
                                       (x && FD_ISSET(fd, x) ? POLLPRI : 0));

                if (events)
                        fds[count++] = (struct pollfd){ .fd = fd, .events = events };
        }
        return count;
}

static int keep_if(fd_set *set, int fd, bool is_ready) {
        if (!set || !FD_ISSET(fd, set))
                return 0;
        if (!is_ready)
                FD_CLR(fd, set);
        return is_ready;
}

static int sets_of(const struct pollfd *fds, nfds_t count, fd_set *r, fd_set *w, fd_set *x) {
        int n = 0;

        for (nfds_t i = 0; i < count; i++) {
                short got = fds[i].revents;

                n += keep_if(r, fds[i].fd, got & (POLLIN | POLLHUP | POLLERR));
                n += keep_if(w, fds[i].fd, got & (POLLOUT | POLLERR));
                n += keep_if(x, fds[i].fd, got & POLLPRI);
        }
        return n;
}

PUBLIC int pselect(int n, fd_set *r, fd_set *w, fd_set *x, const struct timespec *timeout, const sigset_t *mask) {
        struct pollfd fds[FD_SETSIZE];
        nfds_t count;
        int ready;

        if (!sets_have_managed(n, r, w, x))
                return NEXT(pselect)(n, r, w, x, timeout, mask);
        count = polls_of(n, r, w, x, fds);
        ready = ppoll(fds, count, timeout, mask);
        for (nfds_t i = 0; ready >= 0 && i < count; i++)
                if (fds[i].revents & POLLNVAL)
                        return (int)plain(-EBADF);
        return ready < 0 ? ready : sets_of(fds, count, r, w, x);
}

PUBLIC int select(int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *timeout) {
        struct timespec wait;

        if (!sets_have_managed(n, r, w, x))
                return NEXT(select)(n, r, w, x, timeout);
        if (timeout)
                wait = (struct timespec){ .tv_sec = timeout->tv_sec, .tv_nsec = timeout->tv_usec * 1000 };
        return pselect(n, r, w, x, timeout ? &wait : NULL, NULL);
}
