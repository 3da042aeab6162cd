/* SPDX-License-Identifier: MIT */
#include "runtime/watch.h"

#include "base/list.h"
#include "runtime/session.h"
#include "runtime/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RING_ENTRIES 256
#define STACK        (64 * 1024)

typedef enum WatchState { WATCH_IDLE, WATCH_WANTED, WATCH_ARMED, WATCH_GONE } WatchState;

/* WANTED: its owner has armed it, the thread has not heard of it yet. */
struct Watch {
        List link;
        int fd;
        short events;
        WatchFunction *function;
        void *data;
        WatchState state;
        bool is_queued; /* io_uring knows it: the memory must stay until it has answered */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* also held while a function runs */
static List watches = LIST_INIT(watches);
static int wake_fd = -1;
static bool has_ring;
static struct io_uring ring;

static void wake(void) {
        uint64_t one = 1;
        ssize_t n = write(wake_fd, &one, sizeof(one));

        (void)n; /* full: it is awake anyway */
}

static void drain(void) {
        uint64_t n;
        ssize_t r = read(wake_fd, &n, sizeof(n));

        (void)r;
}

static void fire_locked(Watch *watch, short events) {
        if (watch->state != WATCH_ARMED)
                return;
        watch->state = WATCH_IDLE;
        watch->function(watch->data, events);
}

static void bury_locked(Watch *watch) {
        list_unlink(&watch->link);
        free(watch);
}

/* ---- with io_uring ---- */

static struct io_uring_sqe *entry_locked(void) {
        struct io_uring_sqe *entry = io_uring_get_sqe(&ring);

        if (entry)
                return entry;
        io_uring_submit(&ring);
        return io_uring_get_sqe(&ring);
}

static void queue_wake_fd(void) {
        struct io_uring_sqe *entry = entry_locked();

        io_uring_prep_poll_add(entry, wake_fd, POLLIN);
        io_uring_sqe_set_data(entry, NULL);
}

static void queue_locked(Watch *watch) {
        struct io_uring_sqe *entry = entry_locked();

        io_uring_prep_poll_add(entry, watch->fd, (unsigned)watch->events);
        io_uring_sqe_set_data(entry, watch);
        watch->is_queued = true;
        watch->state = WATCH_ARMED;
}

static void cancel_locked(Watch *watch) {
        struct io_uring_sqe *entry = entry_locked();

        io_uring_prep_poll_remove(entry, (__u64)(uintptr_t)watch);
        io_uring_sqe_set_data(entry, &watches); /* nobody's */
}

static void ring_prepare_locked(void) {
        Watch *watch;

        LIST_FOREACH(watch, &watches, Watch, link) {
                if (watch->state == WATCH_WANTED && !watch->is_queued)
                        queue_locked(watch);
                else if (watch->state == WATCH_WANTED)
                        watch->state = WATCH_ARMED;
                else if (watch->state == WATCH_GONE && watch->is_queued)
                        cancel_locked(watch);
                else if (watch->state == WATCH_GONE)
                        bury_locked(watch);
        }
}

static void ring_answer_locked(const struct io_uring_cqe *answer) {
        Watch *watch = io_uring_cqe_get_data(answer);

        if (!watch) {
                drain();
                queue_wake_fd();
                return;
        }
        if ((List *)watch == &watches)
                return;
        watch->is_queued = false;
        if (answer->res == -ECANCELED)
                return;
        fire_locked(watch, answer->res < 0 ? POLLNVAL : (short)answer->res);
}

static void ring_turn(void) {
        struct io_uring_cqe *answer;

        if (io_uring_submit_and_wait(&ring, 1) < 0)
                return;
        pthread_mutex_lock(&mutex);
        while (io_uring_peek_cqe(&ring, &answer) == 0) {
                ring_answer_locked(answer);
                io_uring_cqe_seen(&ring, answer);
        }
        ring_prepare_locked();
        pthread_mutex_unlock(&mutex);
}

/* ---- with poll ---- */

static size_t gather_locked(struct pollfd **polls, Watch ***owners) {
        size_t n = 0, room = 1;
        Watch *watch;

        LIST_FOREACH(watch, &watches, Watch, link)
                room++;
        *polls = calloc(room, sizeof(**polls));
        *owners = calloc(room, sizeof(**owners));
        if (!*polls || !*owners)
                return 0;
        (*polls)[n++] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
        LIST_FOREACH(watch, &watches, Watch, link) {
                if (watch->state == WATCH_GONE) {
                        bury_locked(watch);
                        continue;
                }
                if (watch->state == WATCH_IDLE)
                        continue;
                watch->state = WATCH_ARMED;
                (*owners)[n] = watch;
                (*polls)[n++] = (struct pollfd){ .fd = watch->fd, .events = watch->events };
        }
        return n;
}

/* Only this thread frees watches, so those that were gathered are still there. */
static void poll_turn(void) {
        struct pollfd *polls = NULL;
        Watch **owners = NULL;
        size_t n;

        pthread_mutex_lock(&mutex);
        n = gather_locked(&polls, &owners);
        pthread_mutex_unlock(&mutex);
        if (n > 0 && poll(polls, n, -1) > 0) {
                pthread_mutex_lock(&mutex);
                if (polls[0].revents)
                        drain();
                for (size_t i = 1; i < n; i++)
                        if (polls[i].revents)
                                fire_locked(owners[i], polls[i].revents);
                pthread_mutex_unlock(&mutex);
        }
        free(polls);
        free(owners);
}

/* ---- the thread ---- */

static void *serve(void *argument) {
        (void)argument;
        thread_register_library();
        for (;;)
                if (has_ring)
                        ring_turn();
                else
                        poll_turn();
        return NULL;
}

static int start_locked(void) {
        int r;

        if (wake_fd >= 0)
                return 0;
        wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (wake_fd < 0)
                return -errno;
        wake_fd = session_move_fd(wake_fd);
        has_ring = io_uring_queue_init(RING_ENTRIES, &ring, IORING_SETUP_CLAMP) == 0;
        if (has_ring) {
                ring.ring_fd = session_move_fd(ring.ring_fd);
                ring.enter_ring_fd = ring.ring_fd;
                queue_wake_fd();
        }
        r = thread_start_library("nuntius-watch", STACK, serve, NULL);
        if (r == 0)
                return 0;
        if (has_ring)
                io_uring_queue_exit(&ring);
        session_close(wake_fd);
        wake_fd = -1;
        return r;
}

/* ---- for owners ---- */

int watch_new(int fd, short events, WatchFunction *function, void *data, Watch **ret_watch) {
        Watch *watch;
        int r;

        if (fcntl(fd, F_GETFD) < 0)
                return -EBADF;
        watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        *watch = (Watch){ .fd = fd, .events = events, .function = function, .data = data, .state = WATCH_WANTED };
        pthread_mutex_lock(&mutex);
        r = start_locked();
        if (r == 0)
                list_append(&watches, &watch->link);
        pthread_mutex_unlock(&mutex);
        if (r < 0) {
                free(watch);
                return r;
        }
        wake();
        *ret_watch = watch;
        return 0;
}

int watch_arm(Watch *watch) {
        pthread_mutex_lock(&mutex);
        if (watch->state == WATCH_IDLE)
                watch->state = WATCH_WANTED;
        pthread_mutex_unlock(&mutex);
        wake();
        return 0;
}

void watch_free(Watch *watch) {
        pthread_mutex_lock(&mutex);
        watch->state = WATCH_GONE;
        pthread_mutex_unlock(&mutex);
        wake();
}

/* The thread is not there in the child, nor is what it watched. */
void watch_after_fork(void) {
        pthread_mutex_init(&mutex, NULL);
        list_init(&watches);
        if (wake_fd >= 0)
                session_close(wake_fd);
        if (has_ring)
                session_close(ring.ring_fd);
        wake_fd = -1;
        has_ring = false;
}
