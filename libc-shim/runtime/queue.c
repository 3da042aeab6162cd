/* SPDX-License-Identifier: MIT */
#include "runtime/queue.h"

static void mark(Queue *queue, unsigned priority) {
        queue->bits[priority / 64] |= 1ull << (priority % 64);
}

static void unmark(Queue *queue, unsigned priority) {
        queue->bits[priority / 64] &= ~(1ull << (priority % 64));
}

/* Nearly always the new entry is the latest; one that was stamped earlier walks back to its place. */
void queue_push(Queue *queue, Entry *entry) {
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
        entry->queued = true;
        mark(queue, p);
        queue->n++;
        queue->n_pulses += entry->kind == ENTRY_PULSE;
}

void queue_remove(Queue *queue, Entry *entry) {
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
        entry->queued = false;
        queue->n--;
        queue->n_pulses -= entry->kind == ENTRY_PULSE;
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
        int p = queue->n ? highest_from(queue, QUEUE_PRIORITIES - 1) : -1;

        return p < 0 ? NULL : queue->levels[p].first;
}

static Entry *first_pulse(const Queue *queue) {
        int p = queue->n_pulses ? QUEUE_PRIORITIES - 1 : -1;

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

static bool has_pulse_of(const Queue *queue, unsigned priority, int32_t scoid) {
        for (const Entry *entry = queue->levels[priority].first; entry; entry = entry->next)
                if (entry->kind == ENTRY_PULSE && ((const Pulse *)entry)->scoid == scoid)
                        return true;
        return false;
}

uint8_t queue_priority_behind(const Queue *queue, int32_t scoid, uint8_t priority) {
        for (uint8_t p = 1; p < priority; p++)
                if (has_pulse_of(queue, p, scoid))
                        return p;
        return priority;
}
