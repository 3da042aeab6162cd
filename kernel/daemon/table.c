/* SPDX-License-Identifier: MIT */
/*
 * Table: the only file of the daemon with atomics, since its reader may be a daemon that was started
 * after this one was killed between any two stores.
 */
#include "daemon/table.h"

#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADER_BYTES 4096u
#define GROW_RECORDS 256u

static size_t table_reach(const Table *table) {
        return HEADER_BYTES + (size_t)table->records_max * table->record_bytes;
}

static uint32_t table_capacity(const Table *table) {
        return atomic_load_explicit(&table->header->capacity, memory_order_relaxed);
}

static void *record_at(const Table *table, uint32_t index) {
        return (char *)table->header + HEADER_BYTES + (size_t)index * table->record_bytes;
}

static int table_map(Table *table, const char *name) {
        void *map;

        table->fd = memfd_create(name, MFD_CLOEXEC);
        if (table->fd < 0)
                return -errno;
        if (ftruncate(table->fd, HEADER_BYTES) < 0)
                return -errno;
        map = mmap(NULL, table_reach(table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                   table->fd, 0);
        if (map == MAP_FAILED)
                return -errno;
        table->header = map;
        return 0;
}

int table_init(Table *table, const char *name, size_t record_bytes, uint32_t records_max) {
        int r;

        *table = (Table){ .fd = -1,
                          .record_bytes = (uint32_t)(record_bytes + 7) & ~7u,
                          .records_max = records_max };
        r = table_map(table, name);
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

void table_deinit(Table *table) {
        assert(table->n == 0);
        if (table->header)
                munmap(table->header, table_reach(table));
        if (table->fd >= 0)
                close(table->fd);
        free(table->free);
        *table = (Table)TABLE_INIT;
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

void *table_resolve(const Table *table, RecordRef ref) {
        RecordHead *head = ref.generation ? table_at(table, ref.index) : NULL;

        if (!head || head->generation != ref.generation || table_record_state(head) == RECORD_FREE)
                return NULL;
        return head;
}
