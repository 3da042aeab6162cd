/* SPDX-License-Identifier: MIT */
#include "runtime/connection.h"

#include "abi/wire.h"
#include "runtime/retire.h"
#include "runtime/session.h"
#include "shm/link.h"
#include "shm/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK       1024
#define CHUNKS      1024
#define NUMBERS     (CHUNK * CHUNKS)

typedef struct Table {
        WordPointer chunks[CHUNKS]; /* each points to CHUNK WordPointers, never freed */
} Table;

static Table descriptors, side_channel;

/*
 * Descriptors that were connections in the process that we come from (by fork or exec): adopted when they are
 * used. One bit a number.
 */
static Word inherited[NUMBERS / 32];

/* ---- descriptors that we were born with ---- */

static bool is_inherited(int fd) {
        return (unsigned)fd < NUMBERS && word_load_relaxed(&inherited[fd / 32]) >> (fd % 32) & 1;
}

void connection_inherit(int fd) {
        if ((unsigned)fd < NUMBERS)
                word_or(&inherited[fd / 32], 1u << (fd % 32));
}

static void disinherit(int fd) {
        if (is_inherited(fd))
                word_and(&inherited[fd / 32], ~(1u << (fd % 32)));
}

/* ---- the tables ---- */

static Table *table_of(int coid, unsigned *ret_number) {
        *ret_number = (unsigned)coid & ~(unsigned)SIDE_CHANNEL;
        if (coid < 0 || *ret_number >= NUMBERS)
                return NULL;
        return coid & SIDE_CHANNEL ? &side_channel : &descriptors;
}

static Connection *table_get(int coid) {
        unsigned number;
        Table *table = table_of(coid, &number);
        WordPointer *chunk;

        if (!table)
                return NULL;
        chunk = word_pointer_load(&table->chunks[number / CHUNK]);
        return chunk ? word_pointer_load(&chunk[number % CHUNK]) : NULL;
}

static int table_set_locked(int coid, Connection *connection) {
        unsigned number;
        Table *table = table_of(coid, &number);
        WordPointer *chunk;

        if (!table)
                return -EMFILE;
        chunk = word_pointer_load(&table->chunks[number / CHUNK]);
        if (!chunk) {
                chunk = calloc(CHUNK, sizeof(*chunk));
                if (!chunk)
                        return -ENOMEM;
                word_pointer_store(&table->chunks[number / CHUNK], chunk);
        }
        word_pointer_store(&chunk[number % CHUNK], connection);
        return 0;
}

static Connection *record_locked(void) {
        return calloc(1, sizeof(Connection));
}

static void free_record(void *record, size_t bytes) {
        (void)bytes;
        free(record);
}

static void forget_locked(Connection *connection) {
        table_set_locked(connection->coid, NULL);
        retire(free_record, connection, 0); /* a sender may be inside a call with it */
}

static int free_side_number_locked(void) {
        for (int number = 1; number < NUMBERS; number++)
                if (!table_get(SIDE_CHANNEL | number))
                        return SIDE_CHANNEL | number;
        return -EAGAIN;
}

/* ---- what the daemon answers ---- */

static ino_t inode_of(int fd) {
        struct stat st;

        /* not fstat(): of a manager's file that asks the manager */
        return syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}

/* The first descriptor of the answer is the link's if its bit is set, and so on. */
static int take_fd(uint32_t *bits, uint32_t bit, const int *fds, unsigned *used) {
        if (!(*bits & bit))
                return -1;
        *bits &= ~bit;
        return fds[(*used)++];
}

typedef struct AnswerFds {
        int link;
        int bell;
        int coid;
} AnswerFds;

static AnswerFds answer_fds(const WireReply *reply, const int *fds) {
        uint32_t bits = reply->fds;
        unsigned used = 0;
        AnswerFds answer;

        answer.link = take_fd(&bits, WIRE_FD_LINK, fds, &used);
        answer.bell = take_fd(&bits, WIRE_FD_LANE_BELL, fds, &used);
        answer.coid = take_fd(&bits, WIRE_FD_COID, fds, &used);
        return answer;
}

static void close_if(int fd) {
        if (fd >= 0)
                session_close(fd);
}

/* Finds or maps link and bell of a new connection. */
static int resolve_locked(const WireReplyConnect *answer, const AnswerFds *fds, OutLink **ret_link,
                          ShmBell **ret_bell) {
        OutLink *link = outlink_find_locked(answer->link);
        int r = 0;

        if (!link) {
                if (fds->link < 0)
                        return -EPROTO;
                r = outlink_add_locked(answer->link, answer->server_pid, fds->link, answer->token, &link);
        }
        if (r < 0)
                return r;
        *ret_link = link;
        *ret_bell = outlink_bell_locked(link, answer->bell);
        if (*ret_bell)
                return 0;
        return fds->bell < 0 ? -EPROTO : outlink_add_bell_locked(link, answer->bell, fds->bell, ret_bell);
}

static void tell_detached(uint32_t id) {
        WireRequest request = { .op = WIRE_CONNECT_DETACH, .connect_detach = { .connection = id } };

        session_tell(&request);
}

/* It could not be recorded here. What the daemon believes us to have had, it must send again next time. */
static void give_back_locked(const WireReplyConnect *answer) {
        OutLink *link = outlink_find_locked(answer->link);
        WireRequest request = {
                .op = WIRE_CONNECT_DETACH,
                .connect_detach = { .connection = answer->id, .link = answer->link, .bell = answer->bell },
        };

        if (!link)
                request.connect_detach.lost |= WIRE_FD_LINK;
        if (!link || !outlink_bell_locked(link, answer->bell))
                request.connect_detach.lost |= WIRE_FD_LANE_BELL;
        session_tell(&request);
}

static int adopt_answer_locked(const WireReplyConnect *answer, const AnswerFds *fds, int coid,
                               uint32_t flags) {
        Connection *connection = record_locked();
        int r;

        if (!connection)
                return -ENOMEM;
        *connection = (Connection){
                .coid = coid,
                .id = answer->id,
                .index = answer->index,
                .lane = answer->lane,
                .server_pid = answer->server_pid,
                .chid = answer->chid,
                .scoid = answer->scoid,
                .channel_flags = answer->channel_flags,
                .flags = flags & ~WIRE_CONNECT_FILE,
                .is_file = flags & WIRE_CONNECT_FILE,
                .inode = coid & SIDE_CHANNEL ? 0 : inode_of(coid),
        };
        connection->next = connection;
        r = resolve_locked(answer, fds, &connection->link, &connection->bell);
        if (r == 0)
                r = table_set_locked(coid, connection);
        if (r < 0) {
                free(connection);
                return r;
        }
        connection->link->n_connections++;
        return coid;
}

/* ---- attach ---- */

/* The descriptor came among others that are closed by now: find it the lowest place from @index on. */
static int place_descriptor(int fd, unsigned index, unsigned flags) {
        int command = flags & CONNECTION_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD;
        int placed = fcntl(fd, command, (int)index);

        if (placed >= 0 && placed < fd) {
                session_close(fd);
                return placed;
        }
        if (placed >= 0 && (unsigned)fd < index) {
                session_close(fd);
                return placed;
        }
        if (placed >= 0)
                session_close(placed);
        else if ((unsigned)fd < index)
                return -errno;
        fcntl(fd, F_SETFD, flags & CONNECTION_CLOEXEC ? FD_CLOEXEC : 0);
        return fd;
}

static int attach_side_locked(WireRequest *request, unsigned flags) {
        int coid = free_side_number_locked();
        WireReply reply;
        AnswerFds answer;
        int fds[SESSION_FDS];
        int r;

        if (coid < 0)
                return coid;
        request->connect_attach.coid = coid;
        r = session_ask(request, -1, &reply, fds);
        if (r < 0)
                return r;
        answer = answer_fds(&reply, fds);
        r = adopt_answer_locked(&reply.connect, &answer, coid, flags);
        close_if(answer.link);
        close_if(answer.bell);
        if (r < 0)
                give_back_locked(&reply.connect);
        return r;
}

static void tell_number(uint32_t id, int coid) {
        WireRequest request = {
                .op = WIRE_CONNECT_NUMBER,
                .connect_number = { .connection = id, .coid = coid },
        };

        session_tell(&request);
}

static int attach_descriptor_locked(WireRequest *request, unsigned index, unsigned flags) {
        WireReply reply;
        AnswerFds answer;
        OutLink *link;
        ShmBell *bell;
        int fds[SESSION_FDS];
        int coid, r;

        r = session_ask(request, -1, &reply, fds);
        if (r < 0)
                return r;
        answer = answer_fds(&reply, fds);
        r = resolve_locked(&reply.connect, &answer, &link, &bell);
        close_if(answer.link);
        close_if(answer.bell);
        answer.link = answer.bell = -1;
        coid = r < 0 ? r : place_descriptor(answer.coid, index, flags);
        if (coid >= 0)
                r = adopt_answer_locked(&reply.connect, &answer, coid, flags);
        if (r < 0 || coid < 0) {
                session_close(coid < 0 ? answer.coid : coid);
                give_back_locked(&reply.connect);
                return r < 0 ? r : coid;
        }
        tell_number(reply.connect.id, coid);
        return coid;
}

int connection_attach(int pid, int chid, unsigned index, unsigned flags) {
        WireRequest request = {
                .op = WIRE_CONNECT_ATTACH,
                .connect_attach = { .pid = pid, .chid = chid, .flags = flags },
        };
        int r;

        r = session_open();
        if (r < 0)
                return r;
        session_lock();
        r = index & SIDE_CHANNEL ? attach_side_locked(&request, flags)
                                 : attach_descriptor_locked(&request, index, flags);
        session_unlock();
        return r;
}

/* ---- find, and descriptors that came by fork, exec or dup ---- */

static Connection *same_inode_locked(ino_t inode) {
        for (int fd = 0; fd < NUMBERS; fd++) {
                Connection *connection;

                if (!word_pointer_load(&descriptors.chunks[fd / CHUNK])) {
                        fd |= CHUNK - 1;
                        continue;
                }
                connection = table_get(fd);
                if (connection && connection->inode == inode)
                        return connection;
        }
        return NULL;
}

static Connection *table_with_id(Table *table, int kind, uint32_t id) {
        for (int number = 0; number < NUMBERS; number++) {
                Connection *connection;

                if (!word_pointer_load(&table->chunks[number / CHUNK])) {
                        number |= CHUNK - 1;
                        continue;
                }
                connection = table_get(kind | number);
                if (connection && connection->id == id)
                        return connection;
        }
        return NULL;
}

int connection_number_of(uint32_t id) {
        Connection *connection = table_with_id(&descriptors, 0, id);

        if (!connection)
                connection = table_with_id(&side_channel, SIDE_CHANNEL, id);
        return connection ? connection->coid : -1;
}

/* One more number for the same connection (dup). */
static Connection *alias_locked(Connection *original, int coid) {
        Connection *alias = record_locked();

        if (!alias)
                return NULL;
        *alias = *original;
        alias->coid = coid;
        alias->next = original->next;
        if (table_set_locked(coid, alias) < 0) {
                free(alias);
                return NULL;
        }
        original->next = alias;
        return alias;
}

/* The daemon refuses what is no connection; everything else is a shortage of ours or of its. */
static int cannot_adopt(int r) {
        switch (r) {
        case -ENOMEM:
                return r;
        case -EAGAIN:
        case -EMFILE:
        case -ENFILE:
                return -EAGAIN;
        default:
                return -EBADF;
        }
}

/* 0 or -errno: -EBADF when it is none of ours, else what keeps it from being adopted now. */
static int adopt_locked(int coid, Connection **ret_connection) {
        WireRequest request = { .op = WIRE_CONNECT_ADOPT, .connect_adopt = { .coid = coid } };
        ino_t inode = inode_of(coid);
        Connection *known;
        WireReply reply;
        AnswerFds answer;
        int fds[SESSION_FDS];
        int r;

        if (!inode)
                return -EBADF;
        known = same_inode_locked(inode);
        if (known) {
                *ret_connection = alias_locked(known, coid);
                return *ret_connection ? 0 : -ENOMEM;
        }
        r = session_ask(&request, coid, &reply, fds);
        if (r < 0)
                return cannot_adopt(r);
        answer = answer_fds(&reply, fds);
        r = adopt_answer_locked(&reply.connect, &answer, coid, reply.connect.flags);
        close_if(answer.link);
        close_if(answer.bell);
        close_if(answer.coid);
        if (r < 0)
                give_back_locked(&reply.connect);
        *ret_connection = table_get(coid);
        return r < 0 ? r : 0;
}

static void detach_record_locked(Connection *connection);

/*
 * A record whose word the daemon has freed is left over from a descriptor that was closed behind our
 * back; the number may be something else by now.
 */
static bool is_stale(const Connection *connection) {
        if (connection->coid & SIDE_CHANNEL)
                return false;
        return word_load(&connection->link->map->connections[connection->index]) == CONNECTION_FREE;
}

static int find_descriptor(int coid, Connection **ret_connection) {
        Connection *connection;
        int r = 0;

        session_lock();
        connection = table_get(coid);
        if (connection && is_stale(connection)) {
                detach_record_locked(connection);
                connection = NULL;
        }
        if (!connection)
                r = adopt_locked(coid, &connection);
        disinherit(coid); /* by now it is in the table, or was no connection */
        session_unlock();
        *ret_connection = connection;
        return r;
}

int connection_look_up(int coid, Connection **ret_connection) {
        Connection *connection = table_get(coid);

        if (coid < 0)
                return -EBADF;
        if (!connection || is_stale(connection))
                return coid & SIDE_CHANNEL ? -EBADF : find_descriptor(coid, ret_connection);
        *ret_connection = connection;
        return 0;
}

Connection *connection_find(int coid) {
        Connection *connection = NULL;

        return connection_look_up(coid, &connection) < 0 ? NULL : connection;
}

static uint32_t word_of(const Connection *connection) {
        return word_load(&connection->link->map->connections[connection->index]);
}

bool connection_is_detached(const Connection *connection) {
        return word_of(connection) != CONNECTION_DEAD;
}

bool connection_is_live(const Connection *connection) {
        return link_connection_is_live(connection->link->map, connection->index);
}

bool connection_is_still(int coid, uint32_t id) {
        const Connection *connection = table_get(coid);

        return connection && connection->id == id && connection_is_live(connection);
}

/* ---- detach ---- */

/* Threads of ours that are blocked on it leave with EBADF (or ask the server first). */
static void kick_senders(const Connection *connection) {
        threads_lock();
        for (Thread *thread = threads_first(); thread; thread = thread->next) {
                for (OutSlot *own = thread->slots; own; own = own->next) {
                        if (own->link != connection->link || own->connection != connection->index)
                                continue;
                        word_store(&thread->kicked, connection->id);
                        slot_kick(own->shm);
                }
        }
        threads_unlock();
}

static void leave_ring_locked(Connection *connection) {
        Connection *before = connection;

        while (before->next != connection)
                before = before->next;
        before->next = connection->next;
}

static void detach_record_locked(Connection *connection) {
        OutLink *link = connection->link;

        if (connection->next != connection) { /* another number for it is left */
                leave_ring_locked(connection);
                forget_locked(connection);
                return;
        }
        kick_senders(connection);
        tell_detached(connection->id);
        forget_locked(connection);
        outlink_put_locked(link);
}

/* The record goes first: another thread may get the number as soon as the descriptor is closed. */
static bool forget(int coid) {
        Connection *connection;

        session_lock();
        connection = table_get(coid);
        if (connection)
                detach_record_locked(connection);
        session_unlock();
        return connection != NULL;
}

int connection_detach(int coid) {
        if (!forget(coid))
                return -EINVAL;
        if (!(coid & SIDE_CHANNEL))
                session_close(coid);
        return 0;
}

void connection_forget(int fd) {
        disinherit(fd);
        forget(fd);
}

bool connection_is_descriptor(int fd) {
        if (fd < 0 || fd & SIDE_CHANNEL)
                return false;
        return table_get(fd) || is_inherited(fd);
}

/* ---- queries ---- */

static Connection *next_in(Table *table, unsigned number, bool dead_too) {
        for (; number < NUMBERS; number++) {
                Connection *connection;
                int coid = (int)number | (table == &side_channel ? SIDE_CHANNEL : 0);

                if (!word_pointer_load(&table->chunks[number / CHUNK])) {
                        number |= CHUNK - 1;
                        continue;
                }
                connection = table_get(coid);
                if (connection && !is_stale(connection) && (dead_too || connection_is_live(connection)))
                        return connection;
        }
        return NULL;
}

Connection *connection_next(int from, bool dead_too) {
        Connection *connection = NULL;
        unsigned number;

        if (!table_of(from, &number))
                return NULL;
        if (!(from & SIDE_CHANNEL)) {
                connection = next_in(&descriptors, number, dead_too);
                number = 0;
        }
        return connection ? connection : next_in(&side_channel, number, dead_too);
}

/* Close-on-exec is the descriptor's own: the program may have set it with fcntl(2). */
static unsigned descriptor_flags(const Connection *connection) {
        unsigned flags = connection->flags & ~CONNECTION_CLOEXEC;

        if (connection->coid & SIDE_CHANNEL)
                return connection->flags;
        return fcntl(connection->coid, F_GETFD) & FD_CLOEXEC ? flags | CONNECTION_CLOEXEC : flags;
}

void connection_is_now_file(int coid) {
        Connection *connection;

        session_lock();
        connection = table_get(coid);
        if (connection)
                connection->is_file = true;
        session_unlock();
}

int connection_set_flags(int coid, unsigned mask, unsigned bits) {
        Connection *connection = connection_find(coid);
        unsigned before;

        if (!connection)
                return -EBADF;
        session_lock();
        before = descriptor_flags(connection);
        connection->flags = (before & ~mask) | (bits & mask);
        session_unlock();
        if ((mask & CONNECTION_CLOEXEC) && !(coid & SIDE_CHANNEL))
                fcntl(coid, F_SETFD, bits & CONNECTION_CLOEXEC ? FD_CLOEXEC : 0);
        if (!connection_is_live(connection))
                before |= CONNECTION_IS_DEAD;
        return (int)before;
}

void connection_duplicated(int from, int to) {
        Connection *connection = table_get(from);

        if (is_inherited(from))
                connection_inherit(to);
        if (!connection || from == to)
                return;
        session_lock();
        connection = table_get(from);
        if (connection && !table_get(to))
                alias_locked(connection, to);
        session_unlock();
}

/* Descriptors are inherited, but the child is another process to the daemon: it adopts what it uses. */
void connection_after_fork(void) {
        for (int fd = 0; fd < NUMBERS; fd++) {
                if (!word_pointer_load(&descriptors.chunks[fd / CHUNK]))
                        fd |= CHUNK - 1;
                else if (table_get(fd))
                        connection_inherit(fd);
        }
        memset(&descriptors, 0, sizeof(descriptors));
        memset(&side_channel, 0, sizeof(side_channel));
}
