/* SPDX-License-Identifier: MIT */
/* Tables that somebody left behind: what is as it must be, and everything that is not. */
#include "suite.h"

#include "daemon/flags.h"
#include "daemon/image.h"
#include "daemon/legacy.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static Table tables[NOUN_N];
static Image image;

/* One of each noun, as after an attach by a descriptor, and a request that is committed. */
static KernelRecord *kernel;
static JournalRecord *journal;
static ProcessRecord *server, *client;
static ChannelRecord *channel;
static BellRecord *bell;
static LinkRecord *linked;
static ExtentRecord *extent;
static LaneRecord *lane;
static LifelineRecord *lifeline;
static ConnectionRecord *connection;

static void *record_new(Noun noun) {
        void *record;

        ck_assert_int_eq(table_new(&tables[noun], &record), 0);
        return record;
}

static RecordRef ref(Noun noun, const void *record) {
        return table_ref(&tables[noun], record);
}

static ProcessRecord *process_record(uint32_t id) {
        ProcessRecord *record = record_new(NOUN_PROCESS);

        record->id = id;
        record->pid = 1000 + (int32_t)id;
        record->next_chid = 2;
        record->priority_max = 63;
        return record;
}

static void make_server(void) {
        server = process_record(1);
        client = process_record(2);
        channel = record_new(NOUN_CHANNEL);
        channel->process = ref(NOUN_PROCESS, server);
        channel->id = 1;
        channel->chid = 1;
        bell = record_new(NOUN_BELL);
        bell->channel = ref(NOUN_CHANNEL, channel);
        bell->id = 1;
}

static void make_road(void) {
        linked = record_new(NOUN_LINK);
        linked->client = ref(NOUN_PROCESS, client);
        linked->server = ref(NOUN_PROCESS, server);
        linked->bytes = LINK_BYTES;
        linked->id = 1;
        extent = record_new(NOUN_EXTENT);
        extent->link = ref(NOUN_LINK, linked);
        extent->kind = WIRE_EXTENT_BULK;
        extent->bytes = EXTENT_BULK_MIN;
        extent->number = 1;
        lane = record_new(NOUN_LANE);
        lane->client = ref(NOUN_PROCESS, client);
        lane->channel = ref(NOUN_CHANNEL, channel);
        lane->bell = ref(NOUN_BELL, bell);
        lane->link = ref(NOUN_LINK, linked);
        lane->scoid = SCOID_BIT;
}

static void make_connection(void) {
        lifeline = record_new(NOUN_LIFELINE);
        lifeline->channel = ref(NOUN_CHANNEL, channel);
        lifeline->creator = ref(NOUN_PROCESS, client);
        lifeline->cookie = 77;
        connection = record_new(NOUN_CONNECTION);
        connection->client = ref(NOUN_PROCESS, client);
        connection->lane = ref(NOUN_LANE, lane);
        connection->link = ref(NOUN_LINK, linked);
        connection->lifeline = ref(NOUN_LIFELINE, lifeline);
        connection->id = 1;
        connection->coid = 5;
        journal = record_new(NOUN_JOURNAL);
        journal->process = ref(NOUN_PROCESS, client);
        journal->answers = 1;
        journal->n_redo = 1;
        journal->redo[0] = (JournalRedo){ .noun = NOUN_CONNECTION, .record = ref(NOUN_CONNECTION, connection),
                                          .offset = offsetof(ConnectionRecord, coid), .value = 6 };
}

static void publish_all(void) {
        for (unsigned i = 0; i < NOUN_N; i++)
                for (uint32_t k = 0; k < table_capacity(&tables[i]); k++) {
                        void *record = table_at(&tables[i], k);

                        if (record && table_record_state(record) == RECORD_BUILDING)
                                table_publish(record);
                }
}

static void image_of_tables(void) {
        struct stat st;

        for (unsigned i = 0; i < NOUN_N; i++) {
                fstat(tables[i].fd, &st);
                image.tables[i] = (ImageTable){ .bytes = tables[i].header, .n = (size_t)st.st_size };
        }
}

static void setup(void) {
        for (unsigned i = 0; i < NOUN_N; i++) {
                const NounShape *shape = noun_shape(i);

                ck_assert_int_eq(table_init(&tables[i], shape->name, shape->record_bytes, shape->records_max), 0);
        }
        kernel = record_new(NOUN_KERNEL);
        kernel->n_nouns = NOUN_N;
        kernel->wire_version = WIRE_VERSION;
        kernel->layout_version = LAYOUT_VERSION;
        make_server();
        make_road();
        make_connection();
        publish_all();
        image_of_tables();
}

static void teardown(void) {
        for (unsigned i = 0; i < NOUN_N; i++)
                table_leave(&tables[i]);
}

static void expect_fine(void) {
        int r = image_check(&image);

        ck_assert_msg(r == 0, "refused: %s", image.why);
}

static void expect_refused(const char *why) {
        ck_assert_int_eq(image_check(&image), -EINVAL);
        ck_assert_msg(strstr(image.why, why), "\"%s\" does not speak of \"%s\"", image.why, why);
}

/* Refused with @value there, fine again with what was there before. */
#define REFUSED(place, value, why)                                                                 \
        do {                                                                                       \
                __typeof__(place) before_ = (place);                                               \
                (place) = (value);                                                                 \
                expect_refused(why);                                                               \
                (place) = before_;                                                                 \
                expect_fine();                                                                     \
        } while (0)

START_TEST(what_a_daemon_leaves_is_fine) {
        setup();
        expect_fine();
        teardown();
}
END_TEST

START_TEST(each_reference_must_lead_somewhere) {
        const RecordRef nowhere = { .index = 200, .generation = 1 }, outside = { .index = 1u << 30, .generation = 1 };
        const RecordRef former = { .index = 0, .generation = 9 }, none = { 0, 0 };

        setup();
        REFUSED(channel->process, nowhere, "CHANNEL 0");
        REFUSED(channel->process, outside, "CHANNEL 0");
        REFUSED(channel->process, none, "CHANNEL 0");
        REFUSED(bell->channel, former, "BELL 0");
        REFUSED(linked->client, former, "LINK 0");
        REFUSED(linked->client, none, "LINK 0");
        REFUSED(linked->server, nowhere, "LINK 0");
        REFUSED(extent->link, former, "EXTENT 0");
        REFUSED(lane->client, former, "LANE 0");
        REFUSED(lane->channel, former, "LANE 0");
        REFUSED(lane->bell, nowhere, "LANE 0");
        REFUSED(lane->link, none, "LANE 0");
        REFUSED(lifeline->channel, former, "LIFELINE 0");
        REFUSED(lifeline->creator, nowhere, "LIFELINE 0");
        REFUSED(connection->client, nowhere, "CONNECTION 0");
        REFUSED(connection->lane, former, "CONNECTION 0");
        REFUSED(connection->lane, none, "CONNECTION 0");
        REFUSED(connection->link, outside, "CONNECTION 0");
        REFUSED(connection->link, none, "CONNECTION 0");
        REFUSED(connection->lifeline, former, "CONNECTION 0");
        REFUSED(journal->process, former, "JOURNAL 0");
        teardown();
}
END_TEST

START_TEST(each_reference_must_lead_to_what_belongs_together) {
        setup();
        REFUSED(lane->client, ref(NOUN_PROCESS, server), "LANE 0");
        REFUSED(linked->client, ref(NOUN_PROCESS, server), "LANE 0");
        REFUSED(connection->client, ref(NOUN_PROCESS, server), "CONNECTION 0");
        REFUSED(lifeline->uid, 5, "LIFELINE 0");
        teardown();
}
END_TEST

START_TEST(each_number_must_be_in_its_range) {
        setup();
        REFUSED(server->pid, 0, "PROCESS 0");
        REFUSED(server->id, 0, "PROCESS 0");
        REFUSED(server->next_chid, 0, "PROCESS 0");
        REFUSED(server->next_scoid, SCOID_NUMBERS, "PROCESS 0");
        REFUSED(server->priority_max, 256, "PROCESS 0");
        REFUSED(channel->chid, -1, "CHANNEL 0");
        REFUSED(channel->flags, 1u << 31, "CHANNEL 0");
        REFUSED(linked->bytes, 4096, "LINK 0");
        REFUSED(extent->number, 0, "EXTENT 0");
        REFUSED(extent->number, EXTENTS_MAX, "EXTENT 0");
        REFUSED(extent->bytes, EXTENT_BULK_MIN + 1, "EXTENT 0");
        REFUSED(extent->kind, 7, "EXTENT 0");
        REFUSED(lane->leaf, BELL_LANES, "LANE 0");
        REFUSED(lane->scoid, 5, "LANE 0");
        REFUSED(lane->closed, 9, "LANE 0");
        REFUSED(lane->zombie, 1, "LANE 0");
        REFUSED(lane->told, 1, "LANE 0");
        REFUSED(lifeline->flags, 1u << 31, "LIFELINE 0");
        REFUSED(connection->index, LINK_CONNECTIONS, "CONNECTION 0");
        REFUSED(connection->coid, -7, "CONNECTION 0");
        REFUSED(connection->flags, 1u << 31, "CONNECTION 0");
        REFUSED(connection->told, 2, "CONNECTION 0");
        REFUSED(kernel->n_nouns, NOUN_N + 1, "KERNEL 0");
        REFUSED(kernel->layout_version, LAYOUT_VERSION + 1, "KERNEL 0");
        teardown();
}
END_TEST

START_TEST(nothing_comes_twice) {
        ProcessRecord *process;
        ConnectionRecord *second;
        LaneRecord *other;

        setup();
        REFUSED(client->id, 1, "id comes twice");
        REFUSED(client->pid, 1001, "pid comes twice");
        second = record_new(NOUN_CONNECTION);
        memcpy(&second->head + 1, &connection->head + 1, sizeof(*second) - sizeof(second->head));
        table_publish(second);
        expect_refused("id comes twice");
        second->id = 2;
        expect_refused("index comes twice");
        second->index = 2;
        expect_fine(); /* the journal gives the first another number */
        second->coid = 6;
        expect_refused("coid comes twice");
        table_drop(&tables[NOUN_CONNECTION], second);
        other = record_new(NOUN_LANE);
        memcpy(&other->head + 1, &lane->head + 1, sizeof(*other) - sizeof(other->head));
        table_publish(other);
        expect_refused("leaf comes twice");
        other->leaf = 1;
        expect_refused("scoid comes twice");
        other->scoid = SCOID_BIT + 1;
        expect_refused("shared lane comes twice");
        other->noshare = 1;
        expect_fine();
        process = process_record(3);
        table_publish(process);
        expect_fine();
        teardown();
}
END_TEST

START_TEST(a_journal_changes_only_what_it_may) {
        setup();
        REFUSED(journal->n_redo, JOURNAL_REDO_MAX + 1, "JOURNAL 0");
        REFUSED(journal->redo[0].noun, NOUN_N, "JOURNAL 0");
        REFUSED(journal->redo[0].noun, 1u << 31, "JOURNAL 0");
        REFUSED(journal->redo[0].offset, 4, "JOURNAL 0");
        REFUSED(journal->redo[0].offset, 1u << 31, "JOURNAL 0");
        REFUSED(journal->redo[0].record.index, 1u << 30, "JOURNAL 0");
        REFUSED(journal->redo[0].value, (uint32_t)-9, "JOURNAL 0");
        REFUSED(journal->reply.serial, 7, "JOURNAL 0");
        REFUSED(journal->reply.fds, 8, "JOURNAL 0");
        journal->fds[0].kind = STORED_N;
        REFUSED(journal->reply.fds, 1, "JOURNAL 0");
        teardown();
}
END_TEST

START_TEST(what_is_building_counts_only_with_a_committed_journal) {
        ConnectionRecord *building;

        setup();
        building = record_new(NOUN_CONNECTION);
        building->id = 0;
        expect_refused("CONNECTION 1");
        table_drop(&tables[NOUN_JOURNAL], journal);
        expect_fine();
        teardown();
}
END_TEST

START_TEST(a_channel_has_a_bell_until_it_dies) {
        setup();
        table_drop(&tables[NOUN_CONNECTION], connection);
        table_drop(&tables[NOUN_LANE], lane);
        table_drop(&tables[NOUN_BELL], bell);
        expect_refused("no bell");
        table_retire(channel);
        expect_fine();
        teardown();
}
END_TEST

START_TEST(a_link_without_a_client_is_only_still_to_be_told_of) {
        setup();
        table_drop(&tables[NOUN_CONNECTION], connection);
        table_drop(&tables[NOUN_LANE], lane);
        table_ref_clear(&linked->client);
        expect_refused("LINK 0");
        table_retire(linked);
        expect_refused("EXTENT 0");
        table_drop(&tables[NOUN_EXTENT], extent);
        expect_fine();
        teardown();
}
END_TEST

START_TEST(a_torn_table_is_refused) {
        TableHeader *header;

        setup();
        header = tables[NOUN_LANE].header;
        REFUSED(header->magic, 0, "LANE");
        REFUSED(header->version, TABLE_VERSION + 1, "LANE");
        REFUSED(header->record_bytes, 8, "LANE");
        REFUSED(header->record_bytes, 0, "LANE");
        REFUSED(header->record_bytes, 1u << 31, "LANE");
        REFUSED(header->name[14], 'X', "LANE");
        REFUSED(image.tables[NOUN_LANE].n, 4096, "LANE");
        REFUSED(image.tables[NOUN_LANE].n, 12, "LANE");
        REFUSED(image.tables[NOUN_LANE].n, image.tables[NOUN_LANE].n - 1, "LANE");
        REFUSED(image.tables[NOUN_LANE].bytes, NULL, "KERNEL 0");
        atomic_fetch_add(&header->capacity, 1);
        expect_refused("LANE");
        atomic_fetch_sub(&header->capacity, 1);
        atomic_store(&lane->head.state, 17);
        expect_refused("LANE");
        atomic_store(&lane->head.state, RECORD_LIVE);
        REFUSED(lane->head.generation, 0, "LANE");
        teardown();
}
END_TEST

/* Whatever the bytes are, the answer is yes or no. */
START_TEST(noise_crashes_nothing) {
        uint32_t random = 12345;
        unsigned n_refused = 0;

        setup();
        for (unsigned round = 0; round < 20000; round++) {
                unsigned noun = ((random = random * 1664525u + 1013904223u) >> 16) % NOUN_N;
                unsigned char *bytes = (void *)tables[noun].header;
                size_t at = (random = random * 1664525u + 1013904223u) >> 8;
                size_t n = image.tables[noun].n - 4096, near = 3 * tables[noun].record_bytes;
                unsigned char before;

                at = n == 0 || at % 4 == 0 ? at % 64 : 4096 + at % (n < near ? n : near);
                before = bytes[at];
                bytes[at] = (unsigned char)(random >> 24);
                n_refused += image_check(&image) != 0;
                if (round % 3)
                        bytes[at] = before;
                if (round % 100 == 99) {
                        teardown();
                        setup();
                }
        }
        ck_assert_uint_gt(n_refused, 1000);
        teardown();
}
END_TEST

SUITE_MAIN("image", what_a_daemon_leaves_is_fine, each_reference_must_lead_somewhere,
           each_reference_must_lead_to_what_belongs_together, each_number_must_be_in_its_range,
           nothing_comes_twice, a_journal_changes_only_what_it_may,
           what_is_building_counts_only_with_a_committed_journal, a_channel_has_a_bell_until_it_dies,
           a_link_without_a_client_is_only_still_to_be_told_of, a_torn_table_is_refused, noise_crashes_nothing)
