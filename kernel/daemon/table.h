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

/* What can be wrong with the bytes of a table, found before anything else is believed of them. */
typedef enum TableFault {
        TABLE_FINE,
        TABLE_OLDER,  /* fine, but its records are shorter: table_carry_over() */
        TABLE_TORN,   /* sizes, magic, name, states, generations */
        TABLE_NEWER,  /* a later version's, which we do not know */
} TableFault;

/* Looks at @bytes of @n, which need be no table at all; writes nothing, and reads nothing else. */
TableFault table_check(const void *bytes, size_t n, const char *name, size_t record_bytes,
                       uint32_t records_max);

int table_init(Table *table, const char *name, size_t record_bytes, uint32_t records_max);
/* Goes on with the table in @fd, which table_check() has found fine; takes @fd over if it succeeds. */
int table_adopt(Table *table, int fd, size_t record_bytes, uint32_t records_max);
/* The same from a table of an older version: a new one with the same contents, and zero where it had nothing. */
int table_carry_over(Table *table, const void *bytes, const char *name, size_t record_bytes,
                     uint32_t records_max);
/* The table is somebody else's from here on: nothing in it changes. */
void table_leave(Table *table);
/* All records must be FREE. Fine on a table that was never initialised but is TABLE_INIT. */
void table_deinit(Table *table);

/* A zeroed record in state BUILDING. 0, -EAGAIN when the table is full, or -errno. */
int table_new(Table *table, void *ret_record);
void table_publish(void *record);
void table_retire(void *record); /* one that is BUILDING is worth nothing and stays so */
void table_drop(Table *table, void *record);

/* One aligned store of four bytes, after all before it. */
void table_store(uint32_t *at, uint32_t value);

uint32_t table_capacity(const Table *table);
uint32_t table_header_capacity(const TableHeader *header);
/* Records that are not FREE. */
static inline uint32_t table_count(const Table *table) {
        return table->n;
}

uint32_t table_record_state(const void *record);
uint32_t table_index(const Table *table, const void *record);
/* NULL when @index was never used. */
void *table_at(const Table *table, uint32_t index);
/* Of @record, or none for NULL. */
RecordRef table_ref(const Table *table, const void *record);
/* It names none from here on. */
void table_ref_clear(RecordRef *ref);
/* NULL when the place has been used again since. */
void *table_resolve(const Table *table, RecordRef ref);
