/* SPDX-License-Identifier: MIT */
/*
 * Table: fixed-size records of one noun in a memfd of their own, from which a later daemon can go on.
 *
 * A record is consistent after every single store:
 *
 *   FREE     -> BUILDING  table_new      being filled; worth nothing
 *   BUILDING -> LIVE      table_publish  all of it is true
 *   LIVE     -> DYING     table_retire   teardown has begun: finish it
 *   any      -> FREE      table_drop     teardown is over
 *
 * A field of a LIVE record changes by one aligned store of at most eight bytes.
 * The memory never moves: the whole reach of a table is reserved, the file grows under it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_MAGIC   0x4e544142u /* "NTAB" */
#define TABLE_VERSION 1u

enum {
        RECORD_FREE = 0,
        RECORD_BUILDING = 1,
        RECORD_LIVE = 2,
        RECORD_DYING = 3,
};

typedef struct RecordHead {
        _Atomic uint32_t state;
        uint32_t generation; /* counts the uses of this place; 0 = never used */
} RecordHead;

/* Names a record in another record. Generation 0 = none. */
typedef struct RecordRef {
        uint32_t index;
        uint32_t generation;
} RecordRef;

typedef struct TableHeader {
        uint32_t magic;
        uint32_t version;
        uint32_t record_bytes;
        _Atomic uint32_t capacity; /* records that the file has room for */
        char name[32];
} TableHeader;

typedef struct Table {
        TableHeader *header; /* start of the mapping */
        uint32_t record_bytes;
        uint32_t records_max;
        uint32_t n;     /* records that are not FREE */
        uint32_t *free; /* stack of free places, room for `capacity` */
        uint32_t n_free;
        int fd;
} Table;

#define TABLE_INIT { .fd = -1 }

int table_init(Table *table, const char *name, size_t record_bytes, uint32_t records_max);
/* All records must be FREE. Fine on a table that was never initialised but is TABLE_INIT. */
void table_deinit(Table *table);

/* A zeroed record in state BUILDING. 0, -EAGAIN when the table is full, or -errno. */
int table_new(Table *table, void *ret_record);
void table_publish(void *record);
void table_retire(void *record);
void table_drop(Table *table, void *record);

uint32_t table_record_state(const void *record);
uint32_t table_index(const Table *table, const void *record);
/* NULL when @index was never used. */
void *table_at(const Table *table, uint32_t index);
/* Of @record, or none for NULL. */
RecordRef table_ref(const Table *table, const void *record);
/* NULL when the place has been used again since. */
void *table_resolve(const Table *table, RecordRef ref);
