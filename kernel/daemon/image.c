/* SPDX-License-Identifier: MIT */
/* Image: one function for each noun, in the order in which they refer to each other. */
#include "daemon/image.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/map.h"
#include "daemon/channel.h"
#include "daemon/flags.h"
#include "daemon/journal.h"
#include "daemon/path.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HEADER_BYTES 4096u

typedef struct Check {
        Image *image;
        Map seen; /* numbers that must come once, of the kind that is being looked at */
        Noun noun;
        uint32_t index; /* of the record that is being looked at */
} Check;

/* ---- queries ---- */

static const TableHeader *image_header(const Image *image, Noun noun) {
        return image->tables[noun].bytes;
}

uint32_t image_capacity(const Image *image, Noun noun) {
        const TableHeader *header = image_header(image, noun);

        return header ? table_header_capacity(header) : 0;
}

static const RecordHead *image_place(const Image *image, Noun noun, uint32_t index) {
        const TableHeader *header = image_header(image, noun);

        if (index >= image_capacity(image, noun))
                return NULL;
        return (const void *)((const char *)header + HEADER_BYTES + (size_t)index * header->record_bytes);
}

const JournalRecord *image_journal(const Image *image) {
        const RecordHead *head = image_place(image, NOUN_JOURNAL, 0);

        return head && table_record_state(head) == RECORD_LIVE ? (const void *)head : NULL;
}

const void *image_at(const Image *image, Noun noun, uint32_t index) {
        const RecordHead *head = image_place(image, noun, index);
        uint32_t state = head ? table_record_state(head) : RECORD_FREE;

        if (state == RECORD_FREE || (state == RECORD_BUILDING && !image_journal(image)))
                return NULL;
        return head;
}

/* NULL for none, and for what is not there. */
static const void *image_resolve(const Image *image, Noun noun, RecordRef ref) {
        const RecordHead *head = ref.generation ? image_at(image, noun, ref.index) : NULL;

        return head && head->generation == ref.generation ? head : NULL;
}

static bool is_dying(const void *record) {
        return table_record_state(record) == RECORD_DYING;
}

static bool ref_is_none(RecordRef ref) {
        return ref.generation == 0;
}

static bool ref_is_same(RecordRef a, RecordRef b) {
        return a.index == b.index && a.generation == b.generation;
}

/* ---- faults ---- */

static int fault(Check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fault(Check *check, const char *format, ...) {
        Image *image = check->image;
        va_list arguments;
        int n;

        n = snprintf(image->why, sizeof(image->why), "%s %u: ", noun_shape(check->noun)->name, check->index);
        va_start(arguments, format);
        (void)vsnprintf(image->why + n, sizeof(image->why) - (size_t)n, format, arguments);
        va_end(arguments);
        return -EINVAL;
}

/* Each number of this kind comes once. */
static int once(Check *check, Map *map, uint64_t key, const char *what) {
        int r = map_add(map, key, check);

        return r == -EEXIST ? fault(check, "%s comes twice", what) : r;
}

static int check_id(Check *check, uint32_t id) {
        if (id == 0)
                return fault(check, "no id");
        return once(check, &check->seen, id, "id");
}

/* ---- nouns ---- */

static int check_kernel(Check *check, const void *record) {
        const KernelRecord *kernel = record;

        if (kernel->n_nouns == 0 || kernel->n_nouns > NOUN_N)
                return fault(check, "%u nouns", kernel->n_nouns);
        if (kernel->wire_version != WIRE_VERSION || kernel->layout_version != LAYOUT_VERSION)
                return fault(check, "its processes speak version %u of the wire, %u of the layout",
                             kernel->wire_version, kernel->layout_version);
        for (uint32_t i = 0; i < kernel->n_nouns; i++)
                if (!check->image->tables[i].bytes)
                        return fault(check, "there is no table %u", i);
        return 0;
}

static int check_process(Check *check, const void *record) {
        const ProcessRecord *process = record;

        if (process->pid <= 0 || process->priority_max > 255)
                return fault(check, "pid %d, priority %u", process->pid, process->priority_max);
        if (process->next_chid < 1 || process->next_chid > CHID_MAX || process->next_scoid >= SCOID_NUMBERS)
                return fault(check, "next chid %d, scoid %u", process->next_chid, process->next_scoid);
        return check_id(check, process->id);
}

static int check_channel(Check *check, const void *record) {
        const ChannelRecord *channel = record;

        if (!image_resolve(check->image, NOUN_PROCESS, channel->process))
                return fault(check, "of no process");
        if (channel->chid < 1 || channel->chid > CHID_MAX || channel->flags & ~CHANNEL_FLAGS)
                return fault(check, "chid %d, flags 0x%x", channel->chid, channel->flags);
        return check_id(check, channel->id);
}

static int check_bell(Check *check, const void *record) {
        const BellRecord *bell = record;

        if (!image_resolve(check->image, NOUN_CHANNEL, bell->channel))
                return fault(check, "of no channel");
        return check_id(check, bell->id);
}

/* What only has still to be told. */
static bool link_is_closed(const LinkRecord *link) {
        return is_dying(link) && ref_is_none(link->client);
}

static int check_link(Check *check, const void *record) {
        const LinkRecord *link = record;

        if (!image_resolve(check->image, NOUN_PROCESS, link->server))
                return fault(check, "to no server");
        if (!link_is_closed(link) && !image_resolve(check->image, NOUN_PROCESS, link->client))
                return fault(check, "of no client");
        if (link->bytes != LINK_BYTES || link->announced > 1 || link->client_lacks > 1)
                return fault(check, "%llu bytes, announced %u, lacks %u", (unsigned long long)link->bytes,
                             link->announced, link->client_lacks);
        return check_id(check, link->id);
}

static bool extent_bytes_are_fine(const ExtentRecord *extent) {
        uint64_t n = extent->bytes;

        if (extent->kind == WIRE_EXTENT_SLOTS)
                return n == (uint64_t)EXTENT_SLOTS * SLOT_STRIDE;
        return extent->kind == WIRE_EXTENT_BULK && n >= EXTENT_BULK_MIN && n <= EXTENT_BULK_MAX &&
               (n & (n - 1)) == 0;
}

static int check_extent(Check *check, const void *record) {
        const ExtentRecord *extent = record;
        const LinkRecord *link = image_resolve(check->image, NOUN_LINK, extent->link);

        if (!link || link_is_closed(link))
                return fault(check, "of no link");
        if (!extent_bytes_are_fine(extent))
                return fault(check, "kind %u, %llu bytes", extent->kind, (unsigned long long)extent->bytes);
        if (extent->number < 1 || extent->number >= EXTENTS_MAX || extent->announced > 1)
                return fault(check, "number %u, announced %u", extent->number, extent->announced);
        return once(check, &check->seen, map_key(extent->link.index, extent->number), "number");
}

static bool scoid_is_fine(int32_t scoid) {
        return scoid > 0 && scoid < COID_SIDE_FIRST && (scoid & SCOID_BIT);
}

/* One that is open has both its sides. */
static int check_lane_client(Check *check, const LaneRecord *lane, const ChannelRecord *channel) {
        const LinkRecord *link = image_resolve(check->image, NOUN_LINK, lane->link);

        if (!image_resolve(check->image, NOUN_PROCESS, lane->client))
                return fault(check, "open, of no client");
        if (!link || !ref_is_same(link->client, lane->client) || !ref_is_same(link->server, channel->process))
                return fault(check, "open, by a link of others");
        return 0;
}

static int check_lane(Check *check, const void *record) {
        const LaneRecord *lane = record;
        const ChannelRecord *channel = image_resolve(check->image, NOUN_CHANNEL, lane->channel);
        const BellRecord *bell = image_resolve(check->image, NOUN_BELL, lane->bell);

        if (!channel || !bell || !ref_is_same(bell->channel, lane->channel))
                return fault(check, "to no channel, or by a bell of others");
        if (lane->leaf >= BELL_LANES || !scoid_is_fine(lane->scoid))
                return fault(check, "leaf %u, scoid %d", lane->leaf, lane->scoid);
        if (lane->noshare > 1 || lane->announced > 1 || lane->zombie > 1 || lane->told > 1 ||
            lane->closed > LANE_DIED || (lane->zombie && !lane->closed) || lane->told > lane->announced)
                return fault(check, "noshare %u, announced %u, zombie %u, told %u, closed %u", lane->noshare,
                             lane->announced, lane->zombie, lane->told, lane->closed);
        if (!lane->closed && check_lane_client(check, lane, channel))
                return -EINVAL;
        return once(check, &check->seen, map_key(lane->bell.index, lane->leaf), "leaf");
}

static int check_lifeline(Check *check, const void *record) {
        const LifelineRecord *lifeline = record;
        const ProcessRecord *creator = image_resolve(check->image, NOUN_PROCESS, lifeline->creator);

        if (!ref_is_none(lifeline->channel) && !image_resolve(check->image, NOUN_CHANNEL, lifeline->channel))
                return fault(check, "to no channel");
        if (!ref_is_none(lifeline->creator) && (!creator || creator->uid != lifeline->uid))
                return fault(check, "of no creator, or of another user's");
        if (lifeline->flags & ~CONNECT_FLAGS || lifeline->cookie == 0)
                return fault(check, "flags 0x%x", lifeline->flags);
        return once(check, &check->seen, lifeline->cookie, "cookie");
}

static int check_connection_lane(Check *check, const ConnectionRecord *connection) {
        const LaneRecord *lane = image_resolve(check->image, NOUN_LANE, connection->lane);

        if (ref_is_none(connection->lane) && is_dying(connection))
                return 0;
        if (!lane || lane->closed)
                return fault(check, "alive, of no lane");
        if (!ref_is_same(lane->client, connection->client))
                return fault(check, "of a lane of others");
        if (ref_is_none(connection->link) ? !is_dying(connection) : !ref_is_same(connection->link, lane->link))
                return fault(check, "by a link of others");
        return 0;
}

static int check_connection_link(Check *check, const ConnectionRecord *connection) {
        const LinkRecord *link = image_resolve(check->image, NOUN_LINK, connection->link);

        if (ref_is_none(connection->link))
                return 0;
        if (!link || !ref_is_same(link->client, connection->client))
                return fault(check, "by no link, or one of others");
        if (connection->index >= LINK_CONNECTIONS)
                return fault(check, "index %u", connection->index);
        return 0;
}

static int check_connection(Check *check, const void *record) {
        const ConnectionRecord *connection = record;

        if (!image_resolve(check->image, NOUN_PROCESS, connection->client))
                return fault(check, "of no process");
        if (!ref_is_none(connection->lifeline) &&
            !image_resolve(check->image, NOUN_LIFELINE, connection->lifeline))
                return fault(check, "of no lifeline");
        if (connection->flags & ~CONNECT_FLAGS || connection->coid < COID_NONE || connection->told > 1)
                return fault(check, "flags 0x%x, coid %d, told %u", connection->flags, connection->coid,
                             connection->told);
        if (check_connection_link(check, connection))
                return -EINVAL;
        if (!(connection->flags & CONNECT_DEAD) && check_connection_lane(check, connection))
                return -EINVAL;
        return check_id(check, connection->id);
}

static int check_path(Check *check, const void *record) {
        const PathRecord *path = record;

        if (!image_resolve(check->image, NOUN_CHANNEL, path->channel))
                return fault(check, "to no channel");
        if (path->length >= PATH_TEXT || path->text[path->length] != '\0' ||
            !path_text_is_normal(path->text, path->length))
                return fault(check, "text of %u bytes", path->length);
        if (path->flags & ~PATH_FLAGS)
                return fault(check, "flags 0x%x", path->flags);
        return check_id(check, path->id);
}

/* ---- the journal ---- */

static int check_redo(Check *check, const JournalRedo *redo) {
        if (redo->noun >= NOUN_N || !journal_redo_is_allowed(redo))
                return fault(check, "changes what none changes: noun %u, offset %u", redo->noun, redo->offset);
        if (redo->record.index >= image_capacity(check->image, redo->noun) || ref_is_none(redo->record))
                return fault(check, "changes noun %u, index %u, which was never there", redo->noun,
                             redo->record.index);
        if (redo->offset == 0)
                return 0;
        if (redo->noun == NOUN_PROCESS)
                return redo->value < 1 || redo->value > CHID_MAX ? fault(check, "next chid %u", redo->value) : 0;
        if (redo->offset == offsetof(ConnectionRecord, flags) && redo->value & ~CONNECT_FLAGS)
                return fault(check, "flags 0x%x", redo->value);
        if (redo->offset == offsetof(ConnectionRecord, coid) && (int32_t)redo->value < COID_NONE)
                return fault(check, "coid %d", (int32_t)redo->value);
        return 0;
}

static int check_journal(Check *check, const void *record) {
        const JournalRecord *journal = record;
        int r = 0;

        if (table_record_state(record) != RECORD_LIVE)
                return fault(check, "in state %u", table_record_state(record));
        if (!image_resolve(check->image, NOUN_PROCESS, journal->process))
                return fault(check, "of no process");
        if (journal->n_redo > JOURNAL_REDO_MAX || journal->answers > 1 || journal->reply.fds >= 1u << ANSWER_FDS)
                return fault(check, "%u stores, descriptors 0x%x", journal->n_redo, journal->reply.fds);
        if (journal->reply.serial != journal->request.serial)
                return fault(check, "answers another request");
        if (!ref_is_none(journal->news_to) && journal->news.kind != WIRE_NEWS_PULSE &&
            journal->news.kind != WIRE_NEWS_EVENT)
                return fault(check, "news of kind %u", journal->news.kind);
        for (unsigned i = 0; i < ANSWER_FDS; i++)
                if (journal->reply.fds & 1u << i && journal->fds[i].kind >= STORED_N)
                        return fault(check, "a descriptor of no kind");
        for (uint32_t i = 0; !r && i < journal->n_redo; i++)
                r = check_redo(check, &journal->redo[i]);
        return r;
}

/* ---- numbers that depend on two nouns ---- */

static int check_process_pid(Check *check, const void *record) {
        return once(check, &check->seen, (uint32_t)((const ProcessRecord *)record)->pid, "pid");
}

static int check_channel_chid(Check *check, const void *record) {
        const ChannelRecord *channel = record;

        return once(check, &check->seen, map_key(channel->process.index, (uint32_t)channel->chid), "chid");
}

static int check_link_pair(Check *check, const void *record) {
        const LinkRecord *link = record;

        if (link_is_closed(link))
                return 0;
        return once(check, &check->seen, map_key(link->client.index, link->server.index), "pair");
}

static int check_lane_scoid(Check *check, const void *record) {
        const LaneRecord *lane = record;
        const ChannelRecord *channel = image_resolve(check->image, NOUN_CHANNEL, lane->channel);

        return once(check, &check->seen, map_key(channel->process.index, (uint32_t)lane->scoid), "scoid");
}

static int check_lane_share(Check *check, const void *record) {
        const LaneRecord *lane = record;

        if (lane->noshare || lane->closed)
                return 0;
        return once(check, &check->seen, map_key(lane->client.index, lane->channel.index), "shared lane");
}

static int check_connection_index(Check *check, const void *record) {
        const ConnectionRecord *connection = record;

        if (ref_is_none(connection->link))
                return 0;
        return once(check, &check->seen, map_key(connection->link.index, connection->index), "index");
}

/* The number that it has, or will have by the journal. */
static int32_t coid_in_force(const Image *image, uint32_t index, const ConnectionRecord *connection) {
        const JournalRecord *journal = image_journal(image);
        const RecordRef self = { .index = index, .generation = connection->head.generation };
        int32_t coid = connection->coid;

        for (uint32_t i = 0; journal && i < journal->n_redo; i++)
                if (journal->redo[i].noun == NOUN_CONNECTION && ref_is_same(journal->redo[i].record, self) &&
                    journal->redo[i].offset == offsetof(ConnectionRecord, coid))
                        coid = (int32_t)journal->redo[i].value;
        return coid;
}

static int check_connection_coid(Check *check, const void *record) {
        const ConnectionRecord *connection = record;
        int32_t coid = coid_in_force(check->image, check->index, connection);

        if (coid == COID_NONE)
                return 0;
        return once(check, &check->seen, map_key(connection->client.index, (uint32_t)coid), "coid");
}

/* A channel that lives has a bell; none has more than it may. Counts in check->seen, by channel. */
static int check_bell_count(Check *check, const void *record) {
        const BellRecord *bell = record;
        uintptr_t n = (uintptr_t)map_get(&check->seen, bell->channel.index) + 1;

        if (n > CHANNEL_BELLS_MAX)
                return fault(check, "one of too many");
        return map_set(&check->seen, bell->channel.index, (void *)n);
}

static int check_channel_has_bell(Check *check, const void *record) {
        if (!is_dying(record) && !map_get(&check->seen, check->index))
                return fault(check, "no bell");
        return 0;
}

/* ---- the whole ---- */

typedef int (*CheckRecord)(Check *check, const void *record);

static int check_each(Check *check, Noun noun, CheckRecord look) {
        uint32_t capacity = image_capacity(check->image, noun);
        int r = 0;

        check->noun = noun;
        for (uint32_t i = 0; !r && i < capacity; i++) {
                const void *record = image_at(check->image, noun, i);

                check->index = i;
                if (record)
                        r = look(check, record);
        }
        return r;
}

static int check_alone(Check *check, Noun noun, CheckRecord look) {
        int r = check_each(check, noun, look);

        map_deinit(&check->seen);
        return r;
}

static int check_tables(Check *check) {
        Image *image = check->image;

        for (check->noun = 0; check->noun < NOUN_N; check->noun++) {
                const NounShape *shape = noun_shape(check->noun);
                const ImageTable *table = &image->tables[check->noun];
                TableFault found = TABLE_FINE;

                if (table->bytes)
                        found = table_check(table->bytes, table->n, shape->name, shape->record_bytes,
                                            shape->records_max);
                if (found != TABLE_FINE)
                        return fault(check, "the table is %s", found == TABLE_TORN ? "torn" : "of another version");
        }
        check->noun = NOUN_KERNEL;
        if (!image_at(image, NOUN_KERNEL, 0))
                return fault(check, "there is none");
        return 0;
}

static int check_bells_of_channels(Check *check) {
        int r = check_each(check, NOUN_BELL, check_bell_count);

        if (!r)
                r = check_each(check, NOUN_CHANNEL, check_channel_has_bell);
        map_deinit(&check->seen);
        return r;
}

int image_check(Image *image) {
        static const struct {
                Noun noun;
                CheckRecord look;
        } steps[] = {
                { NOUN_KERNEL, check_kernel },         { NOUN_PROCESS, check_process },
                { NOUN_PROCESS, check_process_pid },   { NOUN_CHANNEL, check_channel },
                { NOUN_CHANNEL, check_channel_chid },  { NOUN_BELL, check_bell },
                { NOUN_LINK, check_link },             { NOUN_LINK, check_link_pair },
                { NOUN_EXTENT, check_extent },         { NOUN_LANE, check_lane },
                { NOUN_LANE, check_lane_scoid },       { NOUN_LANE, check_lane_share },
                { NOUN_LIFELINE, check_lifeline },     { NOUN_CONNECTION, check_connection },
                { NOUN_CONNECTION, check_connection_index }, { NOUN_PATH, check_path },
                { NOUN_JOURNAL, check_journal },
                { NOUN_CONNECTION, check_connection_coid },
        };
        Check check = { .image = image };
        int r = check_tables(&check);

        for (size_t i = 0; !r && i < sizeof(steps) / sizeof(steps[0]); i++)
                r = check_alone(&check, steps[i].noun, steps[i].look);
        return r ? r : check_bells_of_channels(&check);
}
