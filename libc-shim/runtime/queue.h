/* SPDX-License-Identifier: MIT */
/*
 * Queue: what waits for MsgReceive on one channel: messages and pulses together, highest priority
 * first, then arrival order. Private memory; under the server lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct InSlot InSlot;

typedef enum EntryKind {
        ENTRY_MESSAGE, /* a slot in SEND; may have been withdrawn, slot_receive() decides */
        ENTRY_PULSE,
} EntryKind;

typedef struct InLink InLink;

/* Embedded in an InSlot (message) or in a Pulse. */
typedef struct Entry {
        struct Entry *next;
        struct Entry *previous;
        EntryKind kind;
        uint8_t priority;
        bool queued;
        uint64_t stamp;
} Entry;

typedef struct Pulse {
        Entry entry;
        int8_t code;
        uint64_t value;
        int32_t scoid;
        uint64_t timer; /* timer.c: whose; 0 = no timer's */
        InLink *from; /* whose budget it counts against; NULL: the system's own */
} Pulse;

#define QUEUE_PRIORITIES 256

typedef struct Queue {
        uint64_t bits[QUEUE_PRIORITIES / 64];
        struct {
                Entry *first;
                Entry *last;
        } levels[QUEUE_PRIORITIES];
        Entry *only; /* an entry that is alone, as nearly always, stands here and in no level */
        size_t n;
        size_t n_pulses;
} Queue;

void queue_push(Queue *queue, Entry *entry);
void queue_remove(Queue *queue, Entry *entry);
/* The first entry, or the first pulse; NULL when there is none. It is out of the queue. */
Entry *queue_pop(Queue *queue, bool pulses_only);
Entry *queue_first(const Queue *queue);
/* The lowest priority at which a pulse of @scoid waits, if lower than @priority; else @priority. */
uint8_t queue_priority_behind(const Queue *queue, int32_t scoid, uint8_t priority);
