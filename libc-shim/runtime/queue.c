/* SPDX-License-Identifier: MIT */
#include "runtime/queue.h"

static void mark(Queue *queue, unsigned priority) {
        queue->bits[priority / 64] |= 1ull << (priority % 64);
}

static void unmark(Queue *queue, unsigned priority) {
        queue->bits[priority / 64] &= ~(1ull << (priority % 64));
}

static void count(Queue *queue, const Entry *entry, bool in) {
        queue->n += in ? 1 : (size_t)-1;
        if (entry->kind == ENTRY_PULSE)
                queue->n_pulses += in ? 1 : (size_t)-1;
}

/* Nearly always the new entry is the latest; one that was stamped earlier walks back to its place. */
static void enter_level(Queue *queue, Entry *entry) {
        unsigned p = entry->priority;
        Entry *before = queue->levels[p].last;

        while (before && before->stamp > entry->stamp)
                before = before->previous;
        entry->previous = before;
        entry->next = before ? before->next : queue->levels[p].first;
        if (before)
                before->next = entry;
        else
                queue->levels[p].first = entry;
        if (entry->next)
                entry->next->previous = entry;
        else
                queue->levels[p].last = entry;
        mark(queue, p);
}

static void leave_level(Queue *queue, Entry *entry) {
        unsigned p = entry->priority;

        if (entry->previous)
                entry->previous->next = entry->next;
        else
                queue->levels[p].first = entry->next;
        if (entry->next)
                entry->next->previous = entry->previous;
        else
                queue->levels[p].last = entry->previous;
        if (!queue->levels[p].first)
                unmark(queue, p);
}

void queue_push(Queue *queue, Entry *entry) {
        entry->queued = true;
        count(queue, entry, true);
        if (queue->n == 1) {
                queue->only = entry;
                return;
        }
        if (queue->only)
                enter_level(queue, queue->only);
        queue->only = NULL;
        enter_level(queue, entry);
}

void queue_remove(Queue *queue, Entry *entry) {
        if (queue->only)
                queue->only = NULL;
        else
                leave_level(queue, entry);
        entry->queued = false;
        count(queue, entry, false);
}

static int highest_from(const Queue *queue, int priority) {
        for (int word = priority / 64; word >= 0; word--) {
                uint64_t bits = queue->bits[word];

                if (word == priority / 64 && priority % 64 != 63)
                        bits &= (1ull << (priority % 64 + 1)) - 1;
                if (bits)
                        return word * 64 + 63 - __builtin_clzll(bits);
        }
        return -1;
}

Entry *queue_first(const Queue *queue) {
        int p;

        if (queue->only)
                return queue->only;
        p = queue->n ? highest_from(queue, QUEUE_PRIORITIES - 1) : -1;

        return p < 0 ? NULL : queue->levels[p].first;
}

static Entry *first_pulse(const Queue *queue) {
        int p = queue->n_pulses ? QUEUE_PRIORITIES - 1 : -1;

        if (queue->only)
                return queue->n_pulses ? queue->only : NULL;
        for (; p >= 0 && (p = highest_from(queue, p)) >= 0; p--)
                for (Entry *entry = queue->levels[p].first; entry; entry = entry->next)
                        if (entry->kind == ENTRY_PULSE)
                                return entry;
        return NULL;
}

Entry *queue_pop(Queue *queue, bool pulses_only) {
        Entry *entry = pulses_only ? first_pulse(queue) : queue_first(queue);

        if (entry)
                queue_remove(queue, entry);
        return entry;
}

static bool is_pulse_of(const Entry *entry, int32_t scoid) {
        return entry->kind == ENTRY_PULSE && ((const Pulse *)entry)->scoid == scoid;
}

static bool has_pulse_of(const Queue *queue, unsigned priority, int32_t scoid) {
        for (const Entry *entry = queue->levels[priority].first; entry; entry = entry->next)
                if (is_pulse_of(entry, scoid))
                        return true;
        return false;
}

uint8_t queue_priority_behind(const Queue *queue, int32_t scoid, uint8_t priority) {
        const Entry *only = queue->only;

        if (only)
                return only->priority < priority && is_pulse_of(only, scoid) ? only->priority : priority;
        for (uint8_t p = 1; p < priority; p++)
                if (has_pulse_of(queue, p, scoid))
                        return p;
        return priority;
}
