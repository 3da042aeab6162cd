/* SPDX-License-Identifier: MIT */
#include "daemon/priority.h"

#include "abi/priority.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/schedule.h"
#include "daemon/bell.h"
#include "daemon/channel.h"
#include "daemon/connection.h"
#include "daemon/extent.h"
#include "daemon/flags.h"
#include "daemon/lane.h"
#include "daemon/link.h"
#include "shm/bell.h"
#include "shm/link.h"
#include "shm/slot.h"
#include "shm/word.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVERS_DEEP 64u   /* a chain of servers that wait for each other */
#define LIFTS_MOST   1024u /* threads raised for one request: nobody keeps us for long */

#define RECEIVE 5u /* STATE_RECEIVE */
#define SEND    4u /* STATE_SEND: not answered yet; the slot tells whether it was received */

/* One request on its way through the servers. */
typedef struct Boost {
        Kernel *kernel;
        uint64_t stamp; /* channels that bear it have been seen to */
        int realtime;
        unsigned lifts;
} Boost;

/* ---- threads of another PID namespace ---- */

static bool read_text(const char *path, char *text, size_t n) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t bytes = fd < 0 ? -1 : read(fd, text, n - 1);

        if (bytes <= 0)
                return false;
        text[bytes] = '\0';
        return true;
}

/* "NSpid:\t4711\t12": our number first, the thread's own last. @ret_n: how many. */
static uint32_t innermost(const char *status, unsigned *ret_n) {
        const char *at = strstr(status, "\nNSpid:");
        char *end;
        uint32_t number = 0;

        *ret_n = 0;
        for (at = at ? at + strlen("\nNSpid:") : NULL; at; at = end) {
                unsigned long value = strtoul(at, &end, 10);

                if (end == at || *at == '\n')
                        break;
                number = (uint32_t)value;
                ++*ret_n;
                if (*end == '\n')
                        break;
        }
        return number;
}

/* A process stays in the PID namespace that it was born in: looked up once. */
static bool is_foreign(Process *process) {
        char path[64], text[4096];
        unsigned n = 0;

        if (process->numbers == NUMBERS_UNKNOWN) {
                snprintf(path, sizeof(path), "/proc/%d/status", process->record->pid);
                if (read_text(path, text, sizeof(text)))
                        innermost(text, &n);
                process->numbers = n > 1 ? NUMBERS_FOREIGN : NUMBERS_OURS;
        }
        return process->numbers == NUMBERS_FOREIGN;
}

static pid_t search_thread(const Process *process, uint32_t tid) {
        char path[96], text[4096];
        struct dirent *entry;
        pid_t found = 0;
        DIR *directory;
        unsigned n;

        snprintf(path, sizeof(path), "/proc/%d/task", process->record->pid);
        directory = opendir(path);
        while (directory && !found && (entry = readdir(directory))) {
                snprintf(path, sizeof(path), "/proc/%d/task/%d/status", process->record->pid,
                         atoi(entry->d_name));
                if (atoi(entry->d_name) > 0 && read_text(path, text, sizeof(text)) &&
                    innermost(text, &n) == tid)
                        found = atoi(entry->d_name);
        }
        if (directory)
                closedir(directory);
        return found;
}

pid_t priority_thread(Process *process, uint32_t tid) {
        if (tid == 0 || tid > INT32_MAX)
                return 0;
        if (is_foreign(process))
                return search_thread(process, tid);
        return schedule_is_thread_of(process->record->pid, (pid_t)tid) ? (pid_t)tid : 0;
}

/* ---- how high ---- */

/* RLIMIT_RTPRIO of another user's process; prlimit() would need a capability for it. */
static int limit_of(const Process *process) {
        char path[64], text[4096];
        const char *line;
        int soft = 0;

        snprintf(path, sizeof(path), "/proc/%d/limits", process->record->pid);
        if (!read_text(path, text, sizeof(text)))
                return 0;
        line = strstr(text, "\nMax realtime priority");
        if (!line || sscanf(line, "\nMax realtime priority %d", &soft) != 1)
                return 0;
        return soft;
}

static int smaller(int a, int b) {
        return a < b ? a : b;
}

int priority_lendable(const Process *client, pid_t tid, int wanted) {
        Schedule schedule;
        int limit;

        wanted = smaller(wanted, (int)client->record->priority_max);
        if (schedule_get(tid, &schedule) < 0)
                return 0;
        if (schedule.realtime >= wanted)
                return wanted;
        limit = limit_of(client);
        return smaller(limit > schedule.realtime ? limit : schedule.realtime, wanted);
}

/* ---- who ---- */

static void walk(Boost *boost, Channel *channel, bool is_taken, unsigned depth);

/* The slot of that number in a link of @client; NULL when there is none. */
static ShmSlot *slot_of(Link *link, uint32_t index) {
        Extent *extent;

        if (index < LINK_SLOTS)
                return &link->map->slots[index];
        index -= LINK_SLOTS;
        LIST_FOREACH(extent, &link->extents, Extent, of_link) {
                if (!extent->slots)
                        continue;
                if (index < EXTENT_SLOTS)
                        return &extent->slots[index];
                index -= EXTENT_SLOTS;
        }
        return NULL;
}

/* A thread of @process says that it waits on a slot: its server is next. */
static void follow(Boost *boost, Process *process, const ShmThread *thread, unsigned depth) {
        Link *link = link_find_id(boost->kernel, thread->on_link);
        uint32_t index = thread->on_slot, state;
        ShmSlot *slot;
        Lane *lane;

        if (!link || link->client != process)
                return;
        slot = slot_of(link, index);
        if (!slot)
                return;
        lane = lane_find(link->server, slot->scoid);
        state = slot_state(slot_peek(slot));
        if (!lane || lane->link != link || (state != SLOT_SEND && state != SLOT_REPLY))
                return;
        if (state == SLOT_SEND && slot->priority < boost->realtime) {
                slot->priority = (uint8_t)boost->realtime;
                bell_ring(lane->bell->map, lane->record->leaf, index % BELL_SLOT_BITS);
        }
        walk(boost, lane->channel, state == SLOT_REPLY, depth + 1);
}

static bool copy_thread(const ShmThread *shared, int32_t chid, ShmThread *ret_thread) {
        if (word_load(&shared->tid) == 0 || word_load(&shared->channel) != (uint32_t)chid)
                return false;
        memcpy(ret_thread, shared, sizeof(*ret_thread));
        return true;
}

static unsigned threads_used(const ShmProcess *page) {
        uint32_t n = word_load(&page->used);

        return n < PROCESS_THREADS ? n : PROCESS_THREADS;
}

static bool somebody_receives(const Channel *channel) {
        const ShmProcess *page = channel->process->page;
        ShmThread thread;

        for (unsigned i = 0; i < threads_used(page); i++)
                if (copy_thread(&page->threads[i], channel->record->chid, &thread) &&
                    word_load(&thread.state) == RECEIVE)
                        return true;
        return false;
}

static void lift(Boost *boost, Process *process, const ShmThread *thread, unsigned depth) {
        pid_t tid = priority_thread(process, thread->linux_tid);

        boost->lifts++;
        if (tid)
                (void)schedule_lift(tid, boost->realtime);
        if (word_load(&thread->state) == SEND)
                follow(boost, process, thread, depth);
}

/* @is_taken: a thread has the message already, so those that wait for another one cannot help. */
static void walk(Boost *boost, Channel *channel, bool is_taken, unsigned depth) {
        Process *process = channel->process;
        bool idle;

        if (depth == SERVERS_DEEP || channel->boost_stamp == boost->stamp)
                return;
        if (channel->record->flags & CHANNEL_FIXED_PRIORITY)
                return;
        channel->boost_stamp = boost->stamp;
        notice_count_boost(process->notice); /* before the look at its threads: priority.md */
        idle = !is_taken && somebody_receives(channel);
        for (unsigned i = 0; i < threads_used(process->page) && boost->lifts < LIFTS_MOST; i++) {
                ShmThread thread;

                if (!copy_thread(&process->page->threads[i], channel->record->chid, &thread))
                        continue;
                if ((word_load(&thread.state) == RECEIVE) == idle)
                        lift(boost, process, &thread, depth);
        }
}

int priority_boost(Process *client, const WireBoost *wire) {
        Boost boost = { .kernel = client->kernel };
        Connection *connection = map_get(&client->kernel->connections, wire->connection);
        pid_t tid;

        if (wire->pad != 0 || !connection || connection->client != client || !connection->lane)
                return -EBADF;
        tid = priority_thread(client, wire->tid);
        if (!tid)
                return -ESRCH;
        boost.realtime = priority_lendable(client, tid, priority_realtime((int)(wire->priority & 0xff)));
        if (boost.realtime == 0)
                return -EPERM;
        boost.stamp = ++client->kernel->boosts;
        walk(&boost, connection->lane->channel, false, 0);
        return 0;
}
