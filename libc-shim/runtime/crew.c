/* SPDX-License-Identifier: MIT */
#include "runtime/crew.h"

#include "shm/bell.h"
#include "shm/crew.h"

static ShmBell *first_bell(const Channel *channel) {
        return channel->bells[0]->map;
}

static bool is_taken(const Channel *channel, unsigned i) {
        return channel->crew_taken[i / 64] >> (i % 64) & 1;
}

static uint32_t take_entry(Channel *channel) {
        for (unsigned i = 0; i < BELL_CREW; i++)
                if (!is_taken(channel, i)) {
                        channel->crew_taken[i / 64] |= 1ull << (i % 64);
                        return i;
                }
        channel->crowded = true;
        crew_set_crowded(first_bell(channel));
        return CREW_UNLISTED;
}

/* From our own records: other users' bells must not show what somebody wrote into the first one. */
static unsigned lowest_of(const Channel *channel) {
        unsigned lowest = 0;

        for (unsigned i = 0; i < BELL_CREW; i++)
                if (is_taken(channel, i) && (!lowest || channel->crew_priority[i] < lowest))
                        lowest = channel->crew_priority[i];
        return channel->crowded ? PRIORITY_MIN : lowest;
}

void crew_publish_locked(Channel *channel) {
        unsigned lowest = lowest_of(channel);

        for (unsigned i = 0; i < channel->n_bells; i++)
                crew_publish_lowest(channel->bells[i]->map, lowest);
}

static void show_channel(Thread *thread, int chid) {
        if (thread->page)
                word_store(&thread->page->channel, (uint32_t)chid);
}

/* What it has not looked at yet, it must look at after the change, too. */
static void watch_boosts(Thread *thread, ShmBell *bell) {
        bool is_stale = thread_boosts(thread) != word_load(&thread->boosts_seen);

        word_pointer_store(&thread->bell, bell);
        word_store(&thread->boosts_seen, thread_boosts(thread) - is_stale);
}

void crew_leave_locked(Thread *thread) {
        Channel *channel = thread->channel;
        uint32_t i = word_load(&thread->crew_index);

        if (!channel)
                return;
        watch_boosts(thread, NULL);
        thread->channel = NULL;
        word_store(&thread->crew_index, CREW_UNLISTED);
        show_channel(thread, 0);
        if (i == CREW_UNLISTED)
                return;
        channel->crew_taken[i / 64] &= ~(1ull << (i % 64));
        crew_leave(first_bell(channel), i);
        crew_publish_locked(channel);
}

void crew_join_locked(Thread *thread, Channel *channel) {
        uint32_t i;

        crew_leave_locked(thread);
        i = take_entry(channel);
        thread->channel = channel;
        word_store(&thread->crew_index, i);
        show_channel(thread, channel->chid);
        watch_boosts(thread, first_bell(channel));
        if (i != CREW_UNLISTED) {
                channel->crew_priority[i] = thread->applied;
                crew_enter(first_bell(channel), i, thread->linux_tid, thread->applied);
        }
        crew_publish_locked(channel);
}

void crew_dissolve_locked(Channel *channel) {
        threads_lock();
        for (Thread *thread = threads_first(); thread; thread = thread->next)
                if (thread->channel == channel)
                        crew_leave_locked(thread);
        threads_unlock();
}

void crew_show_priority(Thread *thread) {
        uint32_t i;

        server_lock();
        i = word_load(&thread->crew_index);
        if (thread->channel && i != CREW_UNLISTED) {
                thread->channel->crew_priority[i] = thread->applied;
                crew_set(first_bell(thread->channel), i, thread->applied);
                crew_publish_locked(thread->channel);
        }
        server_unlock();
}

/* What we collect here is news for those who sleep or watch. */
static void pass_on_locked(Channel *channel) {
        if (channel->queue.n == 0)
                return;
        word_store(&channel->queued_hint, 1);
        if (channel->sleepers > 0)
                bell_wake_one(first_bell(channel));
}

unsigned crew_most_urgent(Thread *thread) {
        const Entry *entry;
        unsigned priority = 0;

        server_lock();
        if (thread->channel && !(thread->channel->flags & CHANNEL_FIXED_PRIORITY)) {
                channel_collect_locked(thread->channel, false);
                pass_on_locked(thread->channel);
                entry = queue_first(&thread->channel->queue);
                priority = entry ? entry->priority : 0;
        }
        server_unlock();
        return priority;
}

void crew_thread_exit(Thread *thread) {
        server_lock();
        crew_leave_locked(thread);
        server_unlock();
}

/* The parent's channels are not ours, their bells are not mapped. */
void crew_after_fork(Thread *thread) {
        thread->channel = NULL;
        word_store(&thread->crew_index, CREW_UNLISTED);
        word_pointer_store(&thread->bell, NULL);
        word_store(&thread->boosts_seen, thread_boosts(thread));
}
