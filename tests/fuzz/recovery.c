/* SPDX-License-Identifier: MIT */
/*
 * Recovery: tables that another daemon left behind, torn, of other versions, or made up.
 *
 * The input is a list of changes to an image that is right: words of headers and records, places copied over others,
 * tables cut off or missing. Whatever it says, the check comes to an end, reads nothing beyond the bytes that it
 * was given, and either names a fault or leaves an image in which every reference leads to something.
 */
#include "input.h"

#include "base/log.h"
#include "daemon/flags.h"
#include "daemon/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define CHANGES_MAX 64u
#define PAGE        4096u
#define CAPACITY    8u /* records that a table has room for here: what the check costs grows with it */

static Table tables[NOUN_N];

typedef struct Copy {
        uint8_t *bytes; /* NULL = the table is missing */
        size_t n;
} Copy;

static Copy right[NOUN_N];

/* ---- an image that is right ---- */

static void *record_new(Noun noun) {
        void *record;

        if (table_new(&tables[noun], &record) < 0)
                abort();
        return record;
}

static RecordRef ref(Noun noun, const void *record) {
        return table_ref(&tables[noun], record);
}

static ProcessRecord *make_process(uint32_t id) {
        ProcessRecord *process = record_new(NOUN_PROCESS);

        process->id = id;
        process->pid = 1000 + (int32_t)id;
        process->next_chid = 2;
        process->priority_max = 63;
        return process;
}

static ChannelRecord *make_channel(const ProcessRecord *server, BellRecord **ret_bell) {
        ChannelRecord *channel = record_new(NOUN_CHANNEL);
        BellRecord *bell = record_new(NOUN_BELL);

        channel->process = ref(NOUN_PROCESS, server);
        channel->id = channel->chid = 1;
        bell->channel = ref(NOUN_CHANNEL, channel);
        bell->id = 1;
        *ret_bell = bell;
        return channel;
}

static LinkRecord *make_link(const ProcessRecord *client, const ProcessRecord *server) {
        LinkRecord *link = record_new(NOUN_LINK);
        ExtentRecord *extent = record_new(NOUN_EXTENT);

        link->client = ref(NOUN_PROCESS, client);
        link->server = ref(NOUN_PROCESS, server);
        link->bytes = LINK_BYTES;
        link->id = 1;
        extent->link = ref(NOUN_LINK, link);
        extent->kind = WIRE_EXTENT_BULK;
        extent->bytes = EXTENT_BULK_MIN;
        extent->number = 1;
        return link;
}

static void make_connection(const ProcessRecord *client, const ChannelRecord *channel, const LaneRecord *lane,
                            uint32_t id) {
        ConnectionRecord *connection = record_new(NOUN_CONNECTION);
        LifelineRecord *lifeline = record_new(NOUN_LIFELINE);

        lifeline->channel = ref(NOUN_CHANNEL, channel);
        lifeline->creator = ref(NOUN_PROCESS, client);
        lifeline->cookie = 70 + id;
        connection->client = ref(NOUN_PROCESS, client);
        connection->lane = ref(NOUN_LANE, lane);
        connection->link = lane->link;
        connection->lifeline = ref(NOUN_LIFELINE, lifeline);
        connection->id = connection->index = id;
        connection->coid = (int32_t)id + 4;
}

static void make_journal(const ProcessRecord *client) {
        JournalRecord *journal = record_new(NOUN_JOURNAL);

        journal->process = ref(NOUN_PROCESS, client);
        journal->answers = 1;
        journal->n_redo = 1;
        journal->redo[0] = (JournalRedo){ .noun = NOUN_CONNECTION,
                                          .record = { .index = 0, .generation = 1 },
                                          .offset = offsetof(ConnectionRecord, coid),
                                          .value = 9 };
}

static void make_records(void) {
        ProcessRecord *server = make_process(1), *client = make_process(2);
        KernelRecord *kernel = record_new(NOUN_KERNEL);
        BellRecord *bell;
        ChannelRecord *channel = make_channel(server, &bell);
        LinkRecord *link = make_link(client, server);
        LaneRecord *lane = record_new(NOUN_LANE);

        kernel->n_nouns = NOUN_N;
        kernel->wire_version = WIRE_VERSION;
        kernel->layout_version = LAYOUT_VERSION;
        lane->client = ref(NOUN_PROCESS, client);
        lane->channel = ref(NOUN_CHANNEL, channel);
        lane->bell = ref(NOUN_BELL, bell);
        lane->link = ref(NOUN_LINK, link);
        lane->scoid = SCOID_BIT;
        make_connection(client, channel, lane, 1);
        make_connection(client, channel, lane, 2);
        make_journal(client);
        for (unsigned i = 0; i < NOUN_N; i++)
                for (uint32_t k = 0; table_at(&tables[i], k); k++)
                        table_publish(table_at(&tables[i], k));
}

/* Few places are enough, and make a quick check. */
static void keep_image(void) {
        for (unsigned i = 0; i < NOUN_N; i++) {
                uint32_t capacity = table_capacity(&tables[i]);
                TableHeader *header;

                if (capacity > CAPACITY)
                        capacity = CAPACITY;
                right[i].n = PAGE + (size_t)capacity * tables[i].record_bytes;
                right[i].bytes = malloc(right[i].n);
                memcpy(right[i].bytes, tables[i].header, right[i].n);
                header = (TableHeader *)right[i].bytes;
                memcpy((void *)&header->capacity, &capacity, sizeof(capacity));
        }
}

/* ---- changes ---- */

static uint64_t some_value(Input *input) {
        uint8_t choice = input_u8(input);

        if (choice < 64)
                return choice;
        if (choice < 128)
                return 1ull << (choice - 64);
        return choice < 160 ? (uint64_t)0 - choice + 127 : input_u64(input);
}

static void change_word(Copy *copy, size_t at, Input *input) {
        uint64_t value = some_value(input);
        size_t n = input_u8(input) % 2 ? 8 : 4;

        if (at + n <= copy->n)
                memcpy(copy->bytes + at, &value, n);
}

static void cut(Copy *copy, Input *input) {
        size_t n = input_u32(input) % (copy->n + 1);
        uint8_t *bytes = malloc(n ? n : 1);

        memcpy(bytes, copy->bytes, n);
        free(copy->bytes);
        *copy = (Copy){ bytes, n };
}

static void change(Copy copies[NOUN_N], Input *input) {
        uint8_t choice = input_u8(input);
        unsigned noun = choice / 8 % NOUN_N;
        Copy *copy = &copies[noun];
        size_t record = tables[noun].record_bytes, from = input_u8(input) % CAPACITY, to;

        if (!copy->bytes)
                return;
        switch (choice % 8) {
        case 0:
                change_word(copy, input_u8(input) % sizeof(TableHeader) / 4 * 4, input);
                return;
        case 1:
                to = input_u8(input) % CAPACITY;
                if (PAGE + (from + 1) * record <= copy->n && PAGE + (to + 1) * record <= copy->n)
                        memmove(copy->bytes + PAGE + to * record, copy->bytes + PAGE + from * record, record);
                return;
        case 2:
                cut(copy, input);
                return;
        case 3:
                free(copy->bytes);
                *copy = (Copy){ NULL, 0 };
                return;
        default:
                change_word(copy, PAGE + from * record + input_u8(input) % (record / 4) * 4, input);
                return;
        }
}

/* ---- one input ---- */

/* As the daemon does: each table by itself first. True when the image may be looked at. */
static bool tables_are_fine(const Copy copies[NOUN_N], Image *image) {
        for (unsigned i = 0; i < NOUN_N; i++) {
                const NounShape *shape = noun_shape(i);

                if (!copies[i].bytes)
                        continue;
                if (table_check(copies[i].bytes, copies[i].n, shape->name, shape->record_bytes,
                                shape->records_max) != TABLE_FINE)
                        return false;
                image->tables[i] = (ImageTable){ .bytes = copies[i].bytes, .n = copies[i].n };
        }
        return true;
}

static void must_lead_somewhere(const Image *image, Noun noun, RecordRef ref) {
        const RecordHead *head = ref.generation ? image_at(image, noun, ref.index) : NULL;

        if (ref.generation && (!head || head->generation != ref.generation))
                abort();
}

/* What was found right is what recovery goes by: it does not look a second time. */
static void walk(const Image *image) {
        for (uint32_t i = 0; i < image_capacity(image, NOUN_CONNECTION); i++) {
                const ConnectionRecord *connection = image_at(image, NOUN_CONNECTION, i);

                if (!connection)
                        continue;
                must_lead_somewhere(image, NOUN_PROCESS, connection->client);
                must_lead_somewhere(image, NOUN_LINK, connection->link);
                must_lead_somewhere(image, NOUN_LIFELINE, connection->lifeline);
        }
        for (uint32_t i = 0; i < image_capacity(image, NOUN_LANE); i++) {
                const LaneRecord *lane = image_at(image, NOUN_LANE, i);

                if (!lane)
                        continue;
                must_lead_somewhere(image, NOUN_CHANNEL, lane->channel);
                must_lead_somewhere(image, NOUN_BELL, lane->bell);
                if (!lane->closed)
                        must_lead_somewhere(image, NOUN_PROCESS, lane->client);
        }
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        Image image = { 0 };

        (void)argc;
        (void)argv;
        log_init(LOG_LEVEL_ERROR);
        for (unsigned i = 0; i < NOUN_N; i++) {
                const NounShape *shape = noun_shape(i);

                if (table_init(&tables[i], shape->name, shape->record_bytes, shape->records_max) < 0)
                        abort();
        }
        make_records();
        keep_image();
        if (!tables_are_fine(right, &image) || image_check(&image) != 0) {
                fprintf(stderr, "what is right is not: %s\n", image.why);
                abort();
        }
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        Input input = { bytes, n };
        Copy copies[NOUN_N];
        Image image = { 0 };

        for (unsigned i = 0; i < NOUN_N; i++) {
                copies[i] = (Copy){ malloc(right[i].n), right[i].n };
                memcpy(copies[i].bytes, right[i].bytes, right[i].n);
        }
        for (unsigned i = 0; i < CHANGES_MAX && !input_is_over(&input); i++)
                change(copies, &input);
        if (tables_are_fine(copies, &image)) {
                if (image_check(&image) == 0)
                        walk(&image);
                else if (!image.why[0])
                        abort();
        }
        for (unsigned i = 0; i < NOUN_N; i++)
                free(copies[i].bytes);
        return 0;
}
