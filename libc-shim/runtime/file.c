/* SPDX-License-Identifier: MIT */
#include "runtime/file.h"

#include "abi/wire.h"
#include "base/map.h"
#include "runtime/channel.h"
#include "runtime/connection.h"
#include "runtime/news.h"
#include "runtime/receipt.h"
#include "runtime/session.h"
#include "runtime/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CLOSED_PRIORITY 10

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Map files = MAP_INIT; /* scoid, index -> number, as a pointer */

/* Files that were closed and not yet taken. */
typedef struct Closed {
        int chid;
        uint64_t file;
} Closed;

static Closed *closed;
static size_t n_closed, closed_room;

static uint64_t key_of(int32_t scoid, uint32_t index) {
        return map_key((uint32_t)scoid, index);
}

static uint64_t known(int32_t scoid, uint32_t index) {
        uint64_t file;

        pthread_mutex_lock(&mutex);
        file = (uintptr_t)map_get(&files, key_of(scoid, index));
        pthread_mutex_unlock(&mutex);
        return file;
}

static int ask(int32_t scoid, uint32_t index, uint64_t *ret_file) {
        WireRequest request = { .op = WIRE_FILE_BIND, .file_bind = { .scoid = scoid, .index = index } };
        WireReply reply;
        int fds[SESSION_FDS];
        int r = session_ask(&request, -1, &reply, fds);

        if (r < 0)
                return r == -EPROTO ? r : -EBADF;
        *ret_file = reply.file.file;
        pthread_mutex_lock(&mutex);
        /* without memory for it the next message asks again */
        (void)map_set(&files, key_of(scoid, index), (void *)(uintptr_t)reply.file.file);
        pthread_mutex_unlock(&mutex);
        return 0;
}

/* What the daemon said of this connection before the client could send on it comes first. */
static void read_news(void) {
        if (!news_pending())
                return;
        server_lock();
        news_read_locked();
        server_unlock();
}

static int find(int rcvid, uint64_t *ret_file) {
        Receipt *receipt = receipt_use(rcvid);
        bool is_descriptor;
        uint32_t index;
        int32_t scoid;

        if (!receipt)
                return -ESRCH;
        is_descriptor = !(receipt->coid & SIDE_CHANNEL);
        scoid = receipt->scoid;
        index = receipt->connection;
        receipt_done(receipt);
        if (!is_descriptor)
                return -EBADF;
        read_news();
        *ret_file = known(scoid, index);
        return *ret_file ? 0 : ask(scoid, index, ret_file);
}

int file_of_message(int rcvid, uint64_t *ret_file) {
        Thread *thread = call_enter();
        int r = find(rcvid, ret_file);

        call_leave(thread);
        return r;
}

void file_forget_connection(int32_t scoid, uint32_t index) {
        pthread_mutex_lock(&mutex);
        map_remove(&files, key_of(scoid, index));
        pthread_mutex_unlock(&mutex);
}

/* ---- closed ---- */

static int add_closed(int chid, uint64_t file) {
        Closed *more;

        if (n_closed == closed_room) {
                more = realloc(closed, (2 * closed_room + 16) * sizeof(*more));
                if (!more)
                        return -ENOMEM;
                closed = more;
                closed_room = 2 * closed_room + 16;
        }
        closed[n_closed++] = (Closed){ .chid = chid, .file = file };
        return 0;
}

int file_closed_locked(int chid, uint64_t file) {
        Channel *channel = channel_find_locked(chid);
        int r;

        if (!channel)
                return 0;
        pthread_mutex_lock(&mutex);
        r = add_closed(chid, file);
        pthread_mutex_unlock(&mutex);
        if (r == 0)
                channel_pulse_locked(channel, FILE_PULSE_CLOSED, 0, -1, CLOSED_PRIORITY);
        return r;
}

static bool take_closed(int chid, uint64_t *ret_file) {
        bool found = false;

        pthread_mutex_lock(&mutex);
        for (size_t i = 0; i < n_closed && !found; i++) {
                if (closed[i].chid != chid)
                        continue;
                *ret_file = closed[i].file;
                memmove(&closed[i], &closed[i + 1], (--n_closed - i) * sizeof(*closed));
                found = true;
        }
        pthread_mutex_unlock(&mutex);
        return found;
}

bool file_take_closed(int chid, uint64_t *ret_file) {
        Thread *thread;

        if (news_pending()) {
                thread = call_enter();
                read_news();
                call_leave(thread);
        }
        return n_closed > 0 && take_closed(chid, ret_file);
}

void files_after_fork(void) {
        pthread_mutex_init(&mutex, NULL);
        n_closed = 0;
        map_deinit(&files);
        map_init(&files);
}
