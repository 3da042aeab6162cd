/* SPDX-License-Identifier: MIT */
/*
 * Recover. Until image and descriptors have been checked nothing is changed, so that a clean start is
 * still possible; from then on a failure ends the process, and its successor begins here again.
 */
#include "daemon/recover.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "daemon/channel.h"
#include "daemon/connection.h"
#include "daemon/cred.h"
#include "daemon/extent.h"
#include "daemon/flags.h"
#include "daemon/image.h"
#include "daemon/lane.h"
#include "daemon/lifeline.h"
#include "daemon/link.h"
#include "daemon/news.h"
#include "daemon/path.h"
#include "daemon/process.h"
#include "daemon/request.h"
#include "daemon/session.h"
#include "shm/bell.h"
#include "shm/link.h"
#include "shm/region.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define CRASHED_MAX    2u   /* starts that may crash before we try without what made them crash */
#define UNFINISHED_MAX 200u /* starts that somebody may kill, which is not their fault, nor what they began with */

typedef struct Recovery {
        Kernel *kernel;
        Legacy *legacy;
        Image image;
        bool carried[NOUN_N];     /* from an older version */
        void **objects[NOUN_N];   /* by index of their record */
        JournalRecord journal;    /* what was committed; state FREE = nothing */
        int answer_fds[ANSWER_FDS];
} Recovery;

/* Walks the records that are there; the body may drop any. */
#define EACH_RECORD(recovery, noun, record)                                                        \
        for (uint32_t at_##record = 0, max_##record = table_capacity(&(recovery)->kernel->tables[noun]); \
             at_##record < max_##record; at_##record++)                                            \
                if (((record) = record_there(recovery, noun, at_##record)) != NULL)

static void *record_there(const Recovery *recovery, Noun noun, uint32_t index) {
        void *record = table_at(&recovery->kernel->tables[noun], index);

        return record && table_record_state(record) != RECORD_FREE ? record : NULL;
}

static bool is_dying(const void *record) {
        return table_record_state(record) == RECORD_DYING;
}

static uint32_t index_of(const Recovery *recovery, Noun noun, const void *record) {
        return table_index(&recovery->kernel->tables[noun], record);
}

static void *object_at(const Recovery *recovery, Noun noun, RecordRef ref) {
        return ref.generation ? recovery->objects[noun][ref.index] : NULL;
}

static void *object_of(const Recovery *recovery, Noun noun, const void *record) {
        return recovery->objects[noun][index_of(recovery, noun, record)];
}

static void object_set(Recovery *recovery, Noun noun, const void *record, void *object) {
        recovery->objects[noun][index_of(recovery, noun, record)] = object;
}

static void recovery_deinit(Recovery *recovery) {
        for (unsigned i = 0; i < NOUN_N; i++)
                free(recovery->objects[i]);
        for (unsigned i = 0; i < ANSWER_FDS; i++)
                fd_close(recovery->answer_fds[i]);
}

/* ---- tables ---- */

static int refuse(Recovery *recovery, const char *why) {
        snprintf(recovery->image.why, sizeof(recovery->image.why), "%s", why);
        return RECOVER_E_NOTHING;
}

static int refuse_table(Recovery *recovery, Noun noun, const char *why) {
        snprintf(recovery->image.why, sizeof(recovery->image.why), "%s: %s", noun_shape(noun)->name, why);
        return RECOVER_E_NOTHING;
}

typedef struct Candidate {
        uint32_t name; /* what it is stored as */
        TableFault found;
        void *bytes; /* NULL = there is none */
        size_t n;
} Candidate;

static int look_at_table(const Recovery *recovery, Noun noun, uint32_t name, Candidate *candidate) {
        const NounShape *shape = noun_shape(noun);
        int fd = legacy_peek(recovery->legacy, STORED_TABLE, name);
        struct stat st;

        *candidate = (Candidate){ .name = name, .found = TABLE_TORN };
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(TableHeader))
                return 0;
        candidate->n = (size_t)st.st_size;
        candidate->bytes = mmap(NULL, candidate->n, PROT_READ, MAP_SHARED, fd, 0);
        if (candidate->bytes == MAP_FAILED) {
                candidate->bytes = NULL;
                return error_fold(-errno);
        }
        candidate->found = table_check(candidate->bytes, candidate->n, shape->name, shape->record_bytes,
                                       shape->records_max);
        return 0;
}

static int reopen_table(Recovery *recovery, Noun noun, const Candidate *candidate) {
        const NounShape *shape = noun_shape(noun);
        Table *table = &recovery->kernel->tables[noun];
        int fd, r;

        recovery->kernel->table_names[noun] = candidate->name;
        if (candidate->found == TABLE_NEWER)
                return refuse_table(recovery, noun, "of a newer version");
        if (candidate->found == TABLE_TORN)
                return refuse_table(recovery, noun, candidate->bytes ? "torn" : "no table");
        if (candidate->found == TABLE_OLDER) {
                recovery->carried[noun] = true;
                return table_carry_over(table, candidate->bytes, shape->name, shape->record_bytes,
                                        shape->records_max);
        }
        fd = legacy_copy(recovery->legacy, STORED_TABLE, candidate->name);
        if (fd < 0)
                return error_fold(-EMFILE);
        r = table_adopt(table, fd, shape->record_bytes, shape->records_max);
        if (r)
                fd_close(fd);
        return r;
}

/*
 * A table that is carried over is stored under the noun's other name before it loses its first. Where both
 * are there, whoever did that died in between: the one of this version is complete.
 */
static int reopen_noun(Recovery *recovery, Noun noun) {
        Candidate candidates[2] = { { .bytes = NULL }, { .bytes = NULL } };
        int r, best = 0;

        r = look_at_table(recovery, noun, noun, &candidates[0]);
        if (!r)
                r = look_at_table(recovery, noun, noun + STORED_TABLE_NEW, &candidates[1]);
        if (!candidates[0].bytes || (candidates[1].bytes && candidates[1].found < candidates[0].found))
                best = 1;
        if (!r)
                r = reopen_table(recovery, noun, &candidates[best]);
        for (int i = 0; i < 2; i++)
                if (candidates[i].bytes)
                        munmap(candidates[i].bytes, candidates[i].n);
        return r;
}

static void image_of_tables(Recovery *recovery) {
        struct stat st;

        for (unsigned i = 0; i < NOUN_N; i++) {
                const Table *table = &recovery->kernel->tables[i];

                if (table->fd < 0 || fstat(table->fd, &st) < 0)
                        continue;
                recovery->image.tables[i] = (ImageTable){ .bytes = table->header, .n = (size_t)st.st_size };
        }
}

/* How many nouns there were is only known from the first table. */
static int reopen_all(Recovery *recovery) {
        Kernel *kernel = recovery->kernel;
        uint32_t n_nouns = 1;
        int r = 0;

        for (uint32_t i = 0; !r && i < n_nouns; i++) {
                if (!legacy_has(recovery->legacy, STORED_TABLE, i) &&
                    !legacy_has(recovery->legacy, STORED_TABLE, i + STORED_TABLE_NEW))
                        return refuse_table(recovery, i, "missing");
                r = reopen_noun(recovery, i);
                if (r || i != NOUN_KERNEL)
                        continue;
                kernel->record = record_there(recovery, NOUN_KERNEL, 0);
                if (!kernel->record || table_record_state(kernel->record) != RECORD_LIVE)
                        return refuse_table(recovery, i, "empty");
                n_nouns = kernel->record->n_nouns;
                if (n_nouns == 0 || n_nouns > NOUN_N)
                        return refuse_table(recovery, i, "of a newer version");
        }
        return r;
}

/* ---- descriptors: is each what its name and its record say? ---- */

static bool is_inode(int fd, uint64_t inode) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == inode;
}

static bool is_cookie(int fd, uint64_t cookie) {
        uint64_t found;

        return cred_cookie(fd, &found) == 0 && found == cookie;
}

static int peek_fd(const Recovery *recovery, Stored kind, uint32_t index) {
        return legacy_peek(recovery->legacy, kind, index);
}

static bool memory_is_right(const Recovery *recovery, Stored kind, uint32_t index, uint64_t inode, size_t bytes) {
        int fd = peek_fd(recovery, kind, index);
        void *map;

        if (fd < 0)
                return true;
        if (!is_inode(fd, inode) || region_map(fd, bytes, false, &map))
                return false;
        region_unmap(map, bytes);
        return true;
}

static bool socket_is_right(const Recovery *recovery, Stored kind, uint32_t index, uint64_t cookie) {
        int fd = peek_fd(recovery, kind, index);

        return fd < 0 || is_cookie(fd, cookie);
}

static bool process_fds_are_right(const Recovery *recovery, const ProcessRecord *record, uint32_t i) {
        int requests = peek_fd(recovery, STORED_REQUESTS, i), pidfd = peek_fd(recovery, STORED_PIDFD, i);
        pid_t pid;
        uid_t uid;

        if (requests >= 0 && (cred_peer(requests, &pid, &uid) || pid != record->pid || uid != record->uid))
                return false;
        if (pidfd >= 0 && !cred_pidfd_is_of(pidfd, record->pid))
                return false;
        return socket_is_right(recovery, STORED_REQUESTS, i, record->requests_cookie) &&
               socket_is_right(recovery, STORED_NEWS, i, record->news_cookie) &&
               memory_is_right(recovery, STORED_NOTICE, i, record->notice_inode, sizeof(ShmNotice)) &&
               memory_is_right(recovery, STORED_PAGE, i, record->page_inode, PROCESS_BYTES);
}

static bool noun_fds_are_right(const Recovery *recovery, Noun noun, const void *at, uint32_t i) {
        const ExtentRecord *extent = at;
        const LifelineRecord *lifeline = at;

        switch (noun) {
        case NOUN_PROCESS:
                return process_fds_are_right(recovery, at, i);
        case NOUN_BELL:
                return memory_is_right(recovery, STORED_BELL, i, ((const BellRecord *)at)->inode, BELL_BYTES);
        case NOUN_LINK:
                return memory_is_right(recovery, STORED_LINK, i, ((const LinkRecord *)at)->inode, LINK_BYTES);
        case NOUN_EXTENT:
                return memory_is_right(recovery, STORED_EXTENT, i, extent->inode, extent->bytes);
        case NOUN_LIFELINE:
                return socket_is_right(recovery, STORED_LIFELINE, i, lifeline->own_cookie) &&
                       socket_is_right(recovery, STORED_LIFELINE_PEER, i, lifeline->cookie);
        default:
                return true;
        }
}

static int check_descriptors(Recovery *recovery) {
        char why[96];

        for (Noun noun = 0; noun < NOUN_N; noun++)
                for (uint32_t i = 0; i < image_capacity(&recovery->image, noun); i++) {
                        const void *record = image_at(&recovery->image, noun, i);

                        if (!record || noun_fds_are_right(recovery, noun, record, i))
                                continue;
                        snprintf(why, sizeof(why), "%s %u: a descriptor of something else", noun_shape(noun)->name,
                                 i);
                        return refuse(recovery, why);
                }
        return 0;
}

/* ---- the request that was being carried out ---- */

/* Before its descriptors go to the objects that they belong to. */
static void copy_answer_fds(Recovery *recovery) {
        const JournalRecord *journal = &recovery->journal;

        for (unsigned i = 0; i < ANSWER_FDS; i++) {
                Stored kind = journal->fds[i].kind;
                int copy;

                if (!(journal->reply.fds & 1u << i))
                        continue;
                copy = legacy_copy(recovery->legacy, kind, journal->fds[i].index);
                if (kind == STORED_NOTICE && copy >= 0) {
                        int fd = copy;

                        copy = -1;
                        (void)region_reopen_read_only(fd, &copy);
                        fd_close(fd);
                }
                recovery->answer_fds[i] = copy;
        }
}

static void replay_redo(Recovery *recovery) {
        const JournalRecord *journal = &recovery->journal;

        for (uint32_t i = 0; i < journal->n_redo; i++) {
                const JournalRedo *redo = &journal->redo[i];
                char *record = table_resolve(&recovery->kernel->tables[redo->noun], redo->record);

                if (record && !(redo->offset == 0 && is_dying(record)))
                        table_store((uint32_t *)(record + redo->offset), redo->value);
                FAILPOINT("daemon-recover-redone");
        }
}

/* After this no record is BUILDING, and users, which are made anew, have none. */
static void replay_records(Recovery *recovery, bool is_committed) {
        Table *tables = recovery->kernel->tables;
        void *record;

        EACH_RECORD(recovery, NOUN_USER, record)
                table_drop(&tables[NOUN_USER], record);
        for (Noun noun = NOUN_USER + 1; noun < NOUN_N; noun++)
                EACH_RECORD(recovery, noun, record) {
                        if (table_record_state(record) != RECORD_BUILDING)
                                continue;
                        if (is_committed)
                                table_publish(record);
                        else
                                table_drop(&tables[noun], record);
                        FAILPOINT("daemon-recover-replayed");
                }
}

static void replay(Recovery *recovery) {
        Kernel *kernel = recovery->kernel;
        JournalRecord *journal = record_there(recovery, NOUN_JOURNAL, 0);
        bool is_committed = journal && table_record_state(journal) == RECORD_LIVE;

        if (is_committed) {
                recovery->journal = *journal;
                copy_answer_fds(recovery);
                kernel->journal.record = journal;
        } else if (journal) {
                table_drop(&kernel->tables[NOUN_JOURNAL], journal);
        }
        replay_records(recovery, is_committed);
        replay_redo(recovery);
}

/* Whoever died between answering and taking the request out of the socket answers twice. */
static bool request_is_still_there(const Session *session, const WireRequest *wanted) {
        WireRequest wire;

        return recv(session->fd, &wire, sizeof(wire), MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof(wire) &&
               memcmp(&wire, wanted, sizeof(wire)) == 0;
}

static bool answer_is_complete(const Recovery *recovery) {
        for (unsigned i = 0; i < ANSWER_FDS; i++)
                if (recovery->journal.reply.fds & 1u << i && recovery->answer_fds[i] < 0)
                        return false;
        return true;
}

/* Whom the request was about, if it was told nothing yet. */
static void tell_whom_it_was_about(Recovery *recovery) {
        const JournalRecord *journal = &recovery->journal;
        Table *processes = &recovery->kernel->tables[NOUN_PROCESS];
        const ProcessRecord *record = table_resolve(processes, journal->news_to);

        if (record)
                news_once(object_of(recovery, NOUN_PROCESS, record), &journal->news, journal->news_chid);
}

static void answer_the_asker(Recovery *recovery) {
        const JournalRecord *journal = &recovery->journal;
        Process *process = recovery->kernel->journal.record ?
                                   object_at(recovery, NOUN_PROCESS, journal->process) : NULL;

        if (process && request_is_still_there(process->session, &journal->request)) {
                int r = 0;

                if (journal->is_sent)
                        r = 0;
                else if (journal->answers && !answer_is_complete(recovery))
                        r = -EBADF;
                else if (journal->answers)
                        r = answer_send(process->session, &journal->reply, recovery->answer_fds);
                FAILPOINT("daemon-recover-answered");
                process->session->has_peeked = true;
                session_consume(process->session);
                if (r)
                        session_doom(process->session, r == -EPIPE ? NULL : "could not be answered");
        }
        FAILPOINT("daemon-recover-consumed");
        journal_clear(recovery->kernel);
}

/* ---- objects ---- */

/*
 * Where a descriptor was not stored (the store was full), something stands in for it that ends its owner
 * by the usual ways: a socket whose far end is closed, memory that nobody else has.
 */
static int take_socket(Recovery *recovery, Stored kind, uint32_t index, int *ret_fd) {
        int ends[2];

        *ret_fd = legacy_take(recovery->legacy, kind, index);
        if (*ret_fd >= 0)
                return 0;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
                return error_fold(-errno);
        (void)close(ends[1]);
        *ret_fd = ends[0];
        return 0;
}

static int take_memory(Recovery *recovery, Stored kind, uint32_t index, size_t bytes, int *ret_fd,
                       void **ret_map, Process *owner) {
        int r;

        *ret_fd = legacy_take(recovery->legacy, kind, index);
        if (*ret_fd < 0) {
                r = region_create("nuntius-lost", bytes, ret_fd);
                if (r)
                        return error_fold(r);
                if (owner)
                        session_doom(owner->session, "what it holds was not stored");
        }
        return error_fold(region_map(*ret_fd, bytes, true, ret_map));
}

static int take_process_memory(Recovery *recovery, uint32_t i, ProcessMemory *memory) {
        void *notice, *page;
        int r;

        r = take_socket(recovery, STORED_PIDFD, i, &memory->pidfd);
        if (!r)
                r = take_socket(recovery, STORED_NEWS, i, &memory->news_fd);
        if (!r)
                r = take_memory(recovery, STORED_NOTICE, i, sizeof(ShmNotice), &memory->notice_fd, &notice, NULL);
        if (!r)
                r = take_memory(recovery, STORED_PAGE, i, PROCESS_BYTES, &memory->page_fd, &page, NULL);
        if (r)
                return error_fold(r);
        memory->notice = notice;
        memory->page = page;
        return 0;
}

static int make_process(Recovery *recovery, void *at) {
        ProcessRecord *record = at;
        uint32_t i = index_of(recovery, NOUN_PROCESS, record);
        ProcessMemory memory;
        Process *process;
        Session *session;
        bool is_lost;
        int fd, r;

        is_lost = !legacy_has(recovery->legacy, STORED_NOTICE, i) || !legacy_has(recovery->legacy, STORED_PAGE, i) ||
                  !legacy_has(recovery->legacy, STORED_NEWS, i);
        r = take_socket(recovery, STORED_REQUESTS, i, &fd);
        if (!r)
                r = session_adopt(recovery->kernel, fd, record, &session);
        if (!r)
                r = take_process_memory(recovery, i, &memory);
        if (!r)
                r = process_adopt(session, record, &memory, &process);
        if (r)
                return error_fold(r);
        process->is_dying = is_dying(record);
        if (is_lost)
                session_doom(session, "what it holds was not stored");
        object_set(recovery, NOUN_PROCESS, record, process);
        return 0;
}

static int make_channel(Recovery *recovery, void *at) {
        ChannelRecord *record = at;
        Channel *channel;
        int r = channel_adopt(object_at(recovery, NOUN_PROCESS, record->process), record, &channel);

        if (r)
                return error_fold(r);
        object_set(recovery, NOUN_CHANNEL, record, channel);
        return 0;
}

static int make_bell(Recovery *recovery, void *at) {
        BellRecord *record = at;
        Channel *channel = object_at(recovery, NOUN_CHANNEL, record->channel);
        Bell *bell;
        void *map;
        int fd, r;

        r = take_memory(recovery, STORED_BELL, index_of(recovery, NOUN_BELL, record), BELL_BYTES, &fd, &map,
                        channel->process);
        if (!r)
                r = channel_adopt_bell(channel, record, fd, map, &bell);
        if (r)
                return error_fold(r);
        object_set(recovery, NOUN_BELL, record, bell);
        return 0;
}

static int make_link(Recovery *recovery, void *at) {
        LinkRecord *record = at;
        Process *client = object_at(recovery, NOUN_PROCESS, record->client);
        Process *server = object_at(recovery, NOUN_PROCESS, record->server);
        Link *link;
        void *map;
        int fd, r;

        if (!client) {
                r = link_adopt_closed(server, record, &link);
        } else {
                r = take_memory(recovery, STORED_LINK, index_of(recovery, NOUN_LINK, record), LINK_BYTES, &fd, &map,
                                client);
                if (!r)
                        r = link_adopt(client, server, record, fd, map, &link);
        }
        if (r)
                return error_fold(r);
        object_set(recovery, NOUN_LINK, record, link);
        return 0;
}

static int make_extent(Recovery *recovery, void *at) {
        ExtentRecord *record = at;
        Link *link = object_at(recovery, NOUN_LINK, record->link);
        uint32_t i = index_of(recovery, NOUN_EXTENT, record);
        void *map = NULL;
        int fd = -1, r = 0;

        if (record->kind == WIRE_EXTENT_SLOTS)
                r = take_memory(recovery, STORED_EXTENT, i, record->bytes, &fd, &map, link->client);
        else if (extent_record_has_fd(record))
                fd = legacy_take(recovery->legacy, STORED_EXTENT, i);
        if (fd < 0 && extent_record_has_fd(record)) {
                session_doom(link->client->session, "what it holds was not stored");
                record->announced = 1; /* there is nothing to announce it with */
        }
        return error_fold(r ? r : extent_adopt(link, record, fd, map));
}

static int make_lane(Recovery *recovery, void *at) {
        LaneRecord *record = at;
        Process *client = record->closed ? NULL : object_at(recovery, NOUN_PROCESS, record->client);
        Link *link = record->closed ? NULL : object_at(recovery, NOUN_LINK, record->link);
        Bell *bell = object_at(recovery, NOUN_BELL, record->bell);
        BellHold *hold;
        Lane *lane;
        int r;

        r = lane_adopt(object_at(recovery, NOUN_CHANNEL, record->channel), bell, client, link, record, &lane);
        if (!r && client && !bell_is_held(bell, client))
                r = bell_hold(bell, client, &hold);
        if (r)
                return error_fold(r);
        object_set(recovery, NOUN_LANE, record, lane);
        return 0;
}

static int make_lifeline(Recovery *recovery, void *at) {
        LifelineRecord *record = at;
        Process *creator = object_at(recovery, NOUN_PROCESS, record->creator);
        Channel *channel = object_at(recovery, NOUN_CHANNEL, record->channel);
        Lifeline *lifeline;
        int fd, r;

        r = take_socket(recovery, STORED_LIFELINE, index_of(recovery, NOUN_LIFELINE, record), &fd);
        if (!r)
                r = lifeline_adopt(recovery->kernel, creator, channel, record, fd, &lifeline);
        if (r)
                return error_fold(r);
        object_set(recovery, NOUN_LIFELINE, record, lifeline);
        return 0;
}

static int make_connection(Recovery *recovery, void *at) {
        ConnectionRecord *record = at;
        ConnectionEnds ends = { .link = object_at(recovery, NOUN_LINK, record->link),
                                .lifeline = object_at(recovery, NOUN_LIFELINE, record->lifeline) };
        Connection *connection;
        int r;

        if (record->flags & CONNECT_DEAD)
                table_ref_clear(&record->lane);
        else
                ends.lane = object_at(recovery, NOUN_LANE, record->lane);
        r = connection_adopt(object_at(recovery, NOUN_PROCESS, record->client), record, &ends, &connection);
        if (r)
                return error_fold(r);
        object_set(recovery, NOUN_CONNECTION, record, connection);
        return 0;
}

static int make_path(Recovery *recovery, void *at) {
        PathRecord *record = at;

        return path_adopt(object_at(recovery, NOUN_CHANNEL, record->channel), record);
}

static int make_each(Recovery *recovery, Noun noun, int (*make)(Recovery *recovery, void *record)) {
        size_t n = table_capacity(&recovery->kernel->tables[noun]);
        void *record;
        int r = 0;

        recovery->objects[noun] = calloc(n ? n : 1, sizeof(void *));
        if (!recovery->objects[noun])
                return error_fold(-ENOMEM);
        EACH_RECORD(recovery, noun, record) {
                r = make(recovery, record);
                if (r)
                        return error_fold(r);
        }
        return 0;
}

/* Each after all that it refers to. */
static int make_objects(Recovery *recovery) {
        static const struct {
                Noun noun;
                int (*make)(Recovery *recovery, void *record);
        } steps[] = {
                { NOUN_PROCESS, make_process },   { NOUN_CHANNEL, make_channel }, { NOUN_BELL, make_bell },
                { NOUN_LINK, make_link },         { NOUN_EXTENT, make_extent },   { NOUN_LANE, make_lane },
                { NOUN_LIFELINE, make_lifeline }, { NOUN_CONNECTION, make_connection },
                { NOUN_PATH, make_path },
        };
        int r = 0;

        for (size_t i = 0; !r && i < sizeof(steps) / sizeof(steps[0]); i++) {
                r = make_each(recovery, steps[i].noun, steps[i].make);
                FAILPOINT("daemon-recover-made");
        }
        return r;
}

/* ---- what was being torn down ---- */

static void end_connections(Recovery *recovery) {
        ConnectionRecord *record;

        EACH_RECORD(recovery, NOUN_CONNECTION, record)
                if (is_dying(record))
                        connection_close(object_of(recovery, NOUN_CONNECTION, record));
}

static void end_lifelines(Recovery *recovery) {
        LifelineRecord *record;

        EACH_RECORD(recovery, NOUN_LIFELINE, record)
                if (is_dying(record))
                        lifeline_end(object_of(recovery, NOUN_LIFELINE, record));
}

static void end_lane(Lane *lane) {
        if (lane->record->closed) {
                lane_settle(lane);
        } else if (is_dying(lane->record)) {
                lane_kill_connections(lane);
                lane_free(lane);
        } else if (list_is_empty(&lane->connections)) {
                lane_release(lane);
        }
}

static void end_lanes(Recovery *recovery) {
        LaneRecord *record;

        EACH_RECORD(recovery, NOUN_LANE, record)
                end_lane(object_of(recovery, NOUN_LANE, record));
}

static void end_channels(Recovery *recovery) {
        ChannelRecord *record;

        EACH_RECORD(recovery, NOUN_CHANNEL, record)
                if (is_dying(record))
                        channel_close(object_of(recovery, NOUN_CHANNEL, record));
}

static void end_processes(Recovery *recovery) {
        ProcessRecord *record;

        EACH_RECORD(recovery, NOUN_PROCESS, record)
                if (is_dying(record)) {
                        Process *process = object_of(recovery, NOUN_PROCESS, record);

                        object_set(recovery, NOUN_PROCESS, record, NULL);
                        session_free(process->session);
                }
}

/* Whose client died and whose server has to be told: after all its lanes. */
static void end_links(Recovery *recovery) {
        LinkRecord *record;

        EACH_RECORD(recovery, NOUN_LINK, record) {
                Link *link = object_of(recovery, NOUN_LINK, record);

                if (link->client || link->news)
                        continue;
                if (record->announced)
                        news_link_close(link);
                if (!link->news)
                        link_free(link);
        }
}

static void end_what_was_ending(Recovery *recovery) {
        end_connections(recovery);
        FAILPOINT("daemon-recover-connections-ended");
        end_lifelines(recovery);
        end_lanes(recovery);
        FAILPOINT("daemon-recover-lanes-ended");
        end_channels(recovery);
        FAILPOINT("daemon-recover-channels-ended");
        end_links(recovery);
        end_processes(recovery);
        FAILPOINT("daemon-recover-processes-ended");
}

/* ---- what is due ---- */

static void tell_of_lanes(Process *server) {
        Channel *channel;
        Lane *lane;

        LIST_FOREACH(channel, &server->channels, Channel, of_process)
                LIST_FOREACH(lane, &channel->lanes, Lane, of_channel)
                        if (!lane->record->closed && !lane->record->announced)
                                news_lane_open(lane);
}

static void tell_of_extents(Process *server) {
        Extent *extent;
        Link *link;

        LIST_FOREACH(link, &server->server_links, Link, of_server)
                LIST_FOREACH(extent, &link->extents, Extent, of_link)
                        if (!extent->record->announced && !extent->news)
                                news_link_extent(extent);
}

static void tell_of_deaths(Process *client) {
        Connection *connection;

        LIST_FOREACH(connection, &client->connections, Connection, of_client)
                if (!connection->lane && !connection->record->told && !connection->news)
                        news_coid_death(connection);
}

/* What was sent and not counted is looked at, what was changed and not rung for is seen. */
static void wake(Process *process) {
        Channel *channel;

        notice_count(process->notice);
        LIST_FOREACH(channel, &process->channels, Channel, of_process)
                for (uint32_t i = 0; i < channel->n_bells; i++)
                        bell_wake_all(channel->bells[i]->map);
}

static void tell_and_start(Recovery *recovery) {
        Process *process;

        LIST_FOREACH(process, &recovery->kernel->processes, Process, all) {
                tell_of_lanes(process);
                tell_of_extents(process);
                tell_of_deaths(process);
                FAILPOINT("daemon-recover-told");
        }
        LIST_FOREACH(process, &recovery->kernel->processes, Process, all) {
                wake(process);
                process_start(process);
                session_start(process->session);
        }
}

/* ---- the whole ---- */

static void keep_carried(Recovery *recovery, Noun noun) {
        Kernel *kernel = recovery->kernel;
        uint32_t before = kernel->table_names[noun];

        kernel->table_names[noun] = before == noun ? noun + STORED_TABLE_NEW : noun;
        (void)store_keep(&kernel->store, STORED_TABLE, kernel->table_names[noun], kernel->tables[noun].fd);
        FAILPOINT("daemon-recover-carried");
}

/* Tables of this version, and the ones that an older version did not have yet. */
static int settle_tables(Recovery *recovery) {
        Kernel *kernel = recovery->kernel;
        int fd, r;

        for (Noun noun = 0; noun < NOUN_N; noun++) {
                if (noun >= kernel->record->n_nouns) {
                        r = kernel_make_table(kernel, noun);
                        if (r)
                                return error_fold(r);
                        continue;
                }
                if (recovery->carried[noun])
                        keep_carried(recovery, noun);
                fd = legacy_take(recovery->legacy, STORED_TABLE, kernel->table_names[noun]);
                fd_close(fd); /* the table has a copy; whatever else is called a table leaves the store */
        }
        kernel->record->n_nouns = NOUN_N;
        return 0;
}

static int examine(Recovery *recovery) {
        int r = reopen_all(recovery);

        if (r)
                return r;
        image_of_tables(recovery);
        r = image_check(&recovery->image);
        if (r)
                return r == -EINVAL ? RECOVER_E_NOTHING : error_fold(r);
        r = check_descriptors(recovery);
        if (r)
                return r;
        if (recovery->kernel->record->n_crashed >= CRASHED_MAX)
                return refuse(recovery, "the starts with it have crashed");
        if (recovery->kernel->record->n_unfinished >= UNFINISHED_MAX)
                return refuse(recovery, "no start with it came to its end");
        return 0;
}

/* ---- a start that crashes ---- */

static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
static KernelRecord *crash_witness;

/* The handler is gone by now: what crashed crashes again, by the signal's own action. */
static void on_crash(int signal) {
        (void)signal;
        crash_witness->n_crashed++;
}

/* A sanitizer's own handlers stay. */
static void watch_for_crashes(KernelRecord *record, bool on) {
        const struct sigaction action = { .sa_handler = on ? on_crash : SIG_DFL,
                                          .sa_flags = (int)SA_RESETHAND | SA_NODEFER };
        void (*const expected)(int) = on ? SIG_DFL : on_crash;
        struct sigaction old;

        crash_witness = record;
        for (size_t i = 0; i < sizeof(crash_signals) / sizeof(crash_signals[0]); i++)
                if (sigaction(crash_signals[i], NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
                    old.sa_handler == expected)
                        (void)sigaction(crash_signals[i], &action, NULL);
}

static int go_on(Recovery *recovery) {
        Kernel *kernel = recovery->kernel;
        int r;

        r = settle_tables(recovery);
        if (r)
                return error_fold(r);
        kernel->record->n_starts++;
        kernel->record->n_unfinished++;
        FAILPOINT("daemon-recover-begins");
        replay(recovery);
        FAILPOINT("daemon-recover-replay-done");
        r = make_objects(recovery);
        if (r)
                return error_fold(r);
        tell_whom_it_was_about(recovery);
        answer_the_asker(recovery);
        FAILPOINT("daemon-recover-asker-answered");
        (void)legacy_drop_rest(recovery->legacy, &kernel->store);
        FAILPOINT("daemon-recover-rest-dropped");
        end_what_was_ending(recovery);
        tell_and_start(recovery);
        kernel->record->n_unfinished = kernel->record->n_crashed = 0;
        FAILPOINT("daemon-recover-done");
        log_info("event=recovered starts=%u processes=%zu connections=%zu", kernel->record->n_starts,
                 map_size(&kernel->by_pid), map_size(&kernel->connections));
        return 0;
}

static void forget_tables(Recovery *recovery) {
        for (unsigned i = 0; i < NOUN_N; i++)
                table_leave(&recovery->kernel->tables[i]);
        recovery->kernel->record = NULL;
}

int recover(Kernel *kernel, Legacy *legacy) {
        _cleanup_(recovery_deinit) Recovery recovery = { .kernel = kernel, .legacy = legacy,
                                                         .answer_fds = { -1, -1, -1 } };
        int r;

        for (unsigned i = 0; i < NOUN_N; i++)
                kernel->table_names[i] = i;
        if (!store_is_on(&kernel->store) || legacy->n == 0)
                return RECOVER_E_NOTHING;
        r = examine(&recovery);
        if (r) {
                if (r == RECOVER_E_NOTHING)
                        log_error("event=clean-start why=\"%s\"", recovery.image.why);
                forget_tables(&recovery);
                for (unsigned i = 0; i < NOUN_N; i++)
                        kernel->table_names[i] = i;
                return r;
        }
        kernel->is_leaving = true; /* if this fails */
        watch_for_crashes(kernel->record, true);
        r = go_on(&recovery);
        watch_for_crashes(kernel->record, false);
        if (r)
                kernel->record->n_crashed++;
        else
                kernel->is_leaving = false;
        return r;
}
