/* SPDX-License-Identifier: MIT */
/*
 * Table: the only file of the daemon with atomics, since its reader may be a daemon that was started
 * after this one was killed between any two stores.
 */
#include "daemon/table.h"

#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADER_BYTES 4096u
#define GROW_RECORDS 256u

static size_t table_reach(const Table *table) {
        return HEADER_BYTES + (size_t)table->records_max * table->record_bytes;
}

uint32_t table_header_capacity(const TableHeader *header) {
        return atomic_load_explicit(&header->capacity, memory_order_relaxed);
}

uint32_t table_capacity(const Table *table) {
        return table_header_capacity(table->header);
}

static void *record_at(const Table *table, uint32_t index) {
        return (char *)table->header + HEADER_BYTES + (size_t)index * table->record_bytes;
}

static int table_create(Table *table, const char *name) {
        table->fd = memfd_create(name, MFD_CLOEXEC);
        if (table->fd < 0)
                return -errno;
        return ftruncate(table->fd, HEADER_BYTES) < 0 ? -errno : 0;
}

static int table_map(Table *table) {
        void *map;

        map = mmap(NULL, table_reach(table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                   table->fd, 0);
        if (map == MAP_FAILED)
                return -errno;
        table->header = map;
        return 0;
}

static void table_reset(Table *table, size_t record_bytes, uint32_t records_max) {
        *table = (Table){ .fd = -1,
                          .record_bytes = (uint32_t)(record_bytes + 7) & ~7u,
                          .records_max = records_max };
}

int table_init(Table *table, const char *name, size_t record_bytes, uint32_t records_max) {
        int r;

        table_reset(table, record_bytes, records_max);
        r = table_create(table, name);
        if (!r)
                r = table_map(table);
        if (r) {
                table_deinit(table);
                return error_fold(r);
        }
        table->header->version = TABLE_VERSION;
        table->header->record_bytes = table->record_bytes;
        strncpy(table->header->name, name, sizeof(table->header->name) - 1);
        table->header->magic = TABLE_MAGIC;
        return 0;
}

static void table_unmap(Table *table) {
        if (table->header)
                munmap(table->header, table_reach(table));
        if (table->fd >= 0)
                close(table->fd);
        free(table->free);
        *table = (Table)TABLE_INIT;
}

void table_deinit(Table *table) {
        assert(table->n == 0);
        table_unmap(table);
}

void table_leave(Table *table) {
        table_unmap(table);
}

static int table_grow(Table *table) {
        uint32_t old = table_capacity(table), capacity = old + GROW_RECORDS;
        uint32_t *places;

        if (old >= table->records_max)
                return -EAGAIN;
        if (old > GROW_RECORDS)
                capacity = old + old / 2;
        if (capacity > table->records_max)
                capacity = table->records_max;
        places = realloc(table->free, capacity * sizeof(*places));
        if (!places)
                return -ENOMEM;
        table->free = places;
        if (ftruncate(table->fd, HEADER_BYTES + (off_t)capacity * table->record_bytes) < 0)
                return -errno;
        /* pairs with the reader's load: what capacity promises is there */
        atomic_store_explicit(&table->header->capacity, capacity, memory_order_release);
        for (uint32_t i = capacity; i > old; i--)
                table->free[table->n_free++] = i - 1;
        return 0;
}

int table_new(Table *table, void *ret_record) {
        RecordHead *head;
        int r;

        if (table->n_free == 0) {
                r = table_grow(table);
                if (r)
                        return error_fold(r);
        }
        head = record_at(table, table->free[--table->n_free]);
        assert(table_record_state(head) == RECORD_FREE);
        table->n++;
        /* BUILDING before the first field changes */
        atomic_store_explicit(&head->state, RECORD_BUILDING, memory_order_seq_cst);
        memset(head + 1, 0, table->record_bytes - sizeof(*head));
        if (++head->generation == 0)
                head->generation = 1;
        *(void **)ret_record = head;
        return 0;
}

void table_publish(void *record) {
        RecordHead *head = record;

        assert(table_record_state(head) == RECORD_BUILDING);
        /* pairs with the reader's load: every field is there */
        atomic_store_explicit(&head->state, RECORD_LIVE, memory_order_release);
}

void table_retire(void *record) {
        RecordHead *head = record;

        if (table_record_state(head) == RECORD_BUILDING)
                return;
        /* DYING before the first step of teardown */
        atomic_store_explicit(&head->state, RECORD_DYING, memory_order_seq_cst);
}

void table_drop(Table *table, void *record) {
        RecordHead *head = record;

        assert(table_record_state(head) != RECORD_FREE);
        /* FREE after the last step of teardown */
        atomic_store_explicit(&head->state, RECORD_FREE, memory_order_release);
        table->free[table->n_free++] = table_index(table, record);
        table->n--;
}

void table_store(uint32_t *at, uint32_t value) {
        __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
}

uint32_t table_record_state(const void *record) {
        const RecordHead *head = record;

        return atomic_load_explicit(&head->state, memory_order_acquire);
}

uint32_t table_index(const Table *table, const void *record) {
        size_t at = (size_t)((const char *)record - (const char *)table->header) - HEADER_BYTES;

        assert(at % table->record_bytes == 0);
        return (uint32_t)(at / table->record_bytes);
}

void *table_at(const Table *table, uint32_t index) {
        RecordHead *head;

        if (index >= table_capacity(table))
                return NULL;
        head = record_at(table, index);
        return head->generation ? head : NULL;
}

RecordRef table_ref(const Table *table, const void *record) {
        const RecordHead *head = record;

        if (!head)
                return (RecordRef){ 0, 0 };
        return (RecordRef){ .index = table_index(table, record), .generation = head->generation };
}

void table_ref_clear(RecordRef *ref) {
        table_store(&ref->generation, 0);
}

void *table_resolve(const Table *table, RecordRef ref) {
        RecordHead *head = ref.generation ? table_at(table, ref.index) : NULL;

        if (!head || head->generation != ref.generation || table_record_state(head) == RECORD_FREE)
                return NULL;
        return head;
}

/* ---- going on with a table ---- */

static bool record_is_whole(const RecordHead *head) {
        uint32_t state = table_record_state(head);

        return state <= RECORD_DYING && (state == RECORD_FREE || head->generation != 0);
}

TableFault table_check(const void *bytes, size_t n, const char *name, size_t record_bytes,
                       uint32_t records_max) {
        uint32_t rounded = (uint32_t)(record_bytes + 7) & ~7u, capacity;
        const TableHeader *header = bytes;

        if (n < HEADER_BYTES || header->magic != TABLE_MAGIC)
                return TABLE_TORN;
        if (header->version > TABLE_VERSION || header->record_bytes > rounded)
                return TABLE_NEWER;
        if (strncmp(header->name, name, sizeof(header->name)) != 0)
                return TABLE_TORN;
        if (header->version == 0 || header->record_bytes < sizeof(RecordHead) || header->record_bytes % 8)
                return TABLE_TORN;
        capacity = table_header_capacity(header);
        if (capacity > records_max || (n - HEADER_BYTES) / header->record_bytes < capacity)
                return TABLE_TORN;
        for (uint32_t i = 0; i < capacity; i++)
                if (!record_is_whole((const void *)((const char *)bytes + HEADER_BYTES +
                                                    (size_t)i * header->record_bytes)))
                        return TABLE_TORN;
        return header->record_bytes < rounded ? TABLE_OLDER : TABLE_FINE;
}

/* Lowest places first, as in a table that has just grown. */
static int table_collect_free(Table *table) {
        uint32_t capacity = table_capacity(table);

        table->free = capacity ? calloc(capacity, sizeof(*table->free)) : NULL;
        if (capacity && !table->free)
                return -ENOMEM;
        for (uint32_t i = capacity; i-- > 0;) {
                if (table_record_state(record_at(table, i)) == RECORD_FREE)
                        table->free[table->n_free++] = i;
                else
                        table->n++;
        }
        return 0;
}

int table_adopt(Table *table, int fd, size_t record_bytes, uint32_t records_max) {
        int r;

        table_reset(table, record_bytes, records_max);
        table->fd = fd;
        r = table_map(table);
        if (!r)
                r = table_collect_free(table);
        if (r) {
                table->fd = -1; /* stays the caller's */
                table_unmap(table);
        }
        return error_fold(r);
}

int table_carry_over(Table *table, const void *bytes, const char *name, size_t record_bytes,
                     uint32_t records_max) {
        const TableHeader *old = bytes;
        uint32_t capacity = table_header_capacity(old);
        int r;

        r = table_init(table, name, record_bytes, records_max);
        if (r)
                return error_fold(r);
        if (ftruncate(table->fd, HEADER_BYTES + (off_t)capacity * table->record_bytes) < 0)
                r = -errno;
        for (uint32_t i = 0; !r && i < capacity; i++)
                memcpy(record_at(table, i), (const char *)bytes + HEADER_BYTES + (size_t)i * old->record_bytes,
                       old->record_bytes);
        if (!r) {
                atomic_store_explicit(&table->header->capacity, capacity, memory_order_release);
                r = table_collect_free(table);
        }
        if (r)
                table_unmap(table);
        return error_fold(r);
}
