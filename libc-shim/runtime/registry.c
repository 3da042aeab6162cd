/* SPDX-License-Identifier: MIT */
#include "runtime/registry.h"

#include "runtime/thread.h"
#include "sys/neutrino.h"

#include <errno.h>
#include <string.h>

/* Handles look like small positive numbers, and a generation takes long to come again. */
#define GENERATIONS (1u << (31 - EVENT_INDEX_BITS))

static uint32_t generation;

static ShmEvent *entry_of(ShmProcess *page, uint32_t handle) {
        return page && handle ? &page->events[handle % PROCESS_EVENTS] : NULL;
}

static ShmEvent *free_entry(ShmProcess *page) {
        for (unsigned i = 0; page && i < PROCESS_EVENTS; i++)
                if (!word_load(&page->events[i].handle))
                        return &page->events[i];
        return NULL;
}

static uint32_t next_handle(const ShmProcess *page, const ShmEvent *entry) {
        generation = generation % (GENERATIONS - 1) + 1;
        return generation << EVENT_INDEX_BITS | (uint32_t)(entry - page->events);
}

int registry_add(const struct sigevent *event, int server_pid) {
        ShmProcess *page;
        ShmEvent *entry;
        int r = -EAGAIN;

        threads_lock();
        page = threads_page_locked();
        entry = free_entry(page);
        if (entry) {
                uint32_t handle = next_handle(page, entry);

                memcpy(entry->event, event, sizeof(entry->event));
                entry->server_pid = server_pid;
                word_store(&entry->handle, handle);
                r = (int)handle;
        }
        threads_unlock();
        return r;
}

int registry_remove(uint32_t handle) {
        ShmEvent *entry;
        int r = -ESRCH;

        threads_lock();
        entry = entry_of(threads_page_locked(), handle);
        if (entry && word_load(&entry->handle) == handle) {
                word_store(&entry->handle, 0);
                r = 0;
        }
        threads_unlock();
        return r;
}

int registry_find(uint32_t handle, struct sigevent *ret_event) {
        const ShmEvent *entry;
        int r = -EINVAL;

        threads_lock();
        entry = entry_of(threads_page_locked(), handle);
        if (entry && word_load(&entry->handle) == handle) {
                memcpy(ret_event, entry->event, sizeof(*ret_event));
                r = 0;
        }
        threads_unlock();
        return r;
}
