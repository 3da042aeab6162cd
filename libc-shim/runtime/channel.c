/* SPDX-License-Identifier: MIT */
#include "runtime/channel.h"

#include "abi/wire.h"
#include "runtime/crew.h"
#include "runtime/lane.h"
#include "runtime/retire.h"
#include "runtime/session.h"
#include "runtime/timer.h"
#include "shm/bell.h"
#include "shm/region.h"
#include "sys/neutrino.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PULSE_PRIORITY  10
#define PULSES_RESERVED 64u

static pthread_mutex_t server_mutex = PTHREAD_MUTEX_INITIALIZER;
static Channel *channels;
static Pulse *free_pulses;
static Pulse reserve[PULSES_RESERVED]; /* what the system has to say needs no memory */
static bool reserve_used[PULSES_RESERVED];

void server_lock(void) {
        pthread_mutex_lock(&server_mutex);
}

void server_unlock(void) {
        pthread_mutex_unlock(&server_mutex);
}

/* ---- life ---- */

Channel *channels_first(void) {
        return channels;
}

Channel *channel_find_locked(int chid) {
        for (Channel *channel = channels; channel; channel = channel->next)
                if (channel->chid == chid && !channel->destroyed)
                        return channel;
        return NULL;
}

Channel *channel_find_even_destroyed_locked(int chid) {
        for (Channel *channel = channels; channel; channel = channel->next)
                if (channel->chid == chid)
                        return channel;
        return NULL;
}

InBell *channel_bell_locked(Channel *channel, uint32_t id) {
        for (unsigned i = 0; i < channel->n_bells; i++)
                if (channel->bells[i]->id == id)
                        return channel->bells[i];
        return NULL;
}

int channel_add_bell_locked(Channel *channel, uint32_t id, int fd, InBell **ret_bell) {
        InBell *bell;
        void *map;
        int r;

        if (channel->n_bells == CHANNEL_BELLS)
                return -EAGAIN;
        bell = calloc(1, sizeof(*bell));
        if (!bell)
                return -ENOMEM;
        r = region_map_private_to_process(fd, BELL_BYTES, true, &map);
        if (r < 0) {
                free(bell);
                return r;
        }
        bell->id = id;
        bell->map = map;
        channel->bells[channel->n_bells++] = bell;
        crew_publish_locked(channel);
        /* Receivers that sleep must wait on the new bell as well. */
        if (channel->n_bells > 1)
                channel_wake_all_locked(channel);
        *ret_bell = bell;
        return 0;
}

static void free_record(void *record, size_t bytes) {
        (void)bytes;
        free(record);
}

static void bell_free(InBell *bell) {
        for (unsigned i = 0; i < BELL_LANES / BELL_GROUP; i++) {
                free(bell->groups[i]);
                free(bell->early[i]);
        }
        retire(region_unmap, bell->map, BELL_BYTES);
        retire(free_record, bell, 0);
}

static void channel_free(Channel *channel) {
        Entry *entry;

        crew_dissolve_locked(channel);
        while ((entry = queue_pop(&channel->queue, true)))
                pulse_free_locked((Pulse *)entry);
        for (unsigned i = 0; i < channel->n_bells; i++)
                bell_free(channel->bells[i]);
        retire(free_record, channel, 0);
        retire_collect();
}

static void unlink_locked(Channel *channel) {
        for (Channel **at = &channels; *at; at = &(*at)->next)
                if (*at == channel) {
                        *at = channel->next;
                        return;
                }
}

void channel_put_locked(Channel *channel) {
        if (--channel->waiting > 0 || !channel->destroyed)
                return;
        channel_free(channel);
}

static int make_channel(const WireReplyChannel *answer, int fd, unsigned flags) {
        Channel *channel = calloc(1, sizeof(*channel));
        InBell *bell;
        int r;

        if (!channel)
                return -ENOMEM;
        r = channel_add_bell_locked(channel, answer->bell, fd, &bell);
        if (r < 0) {
                free(channel);
                return r;
        }
        channel->chid = answer->chid;
        channel->owner_pid = session_pid();
        channel->flags = flags;
        channel->spin_ns = -1;
        channel->next = channels;
        channels = channel;
        return channel->chid;
}

static void tell_destroyed(int chid) {
        WireRequest request = { .op = WIRE_CHANNEL_DESTROY, .channel_destroy = { .chid = chid } };
        WireReply reply;
        int fds[SESSION_FDS];

        session_ask(&request, -1, &reply, fds);
}

int channel_create(unsigned flags) {
        WireRequest request = { .op = WIRE_CHANNEL_CREATE, .channel_create = { .flags = flags } };
        WireReply reply;
        int fds[SESSION_FDS];
        int r;

        r = session_ask(&request, -1, &reply, fds);
        if (r < 0)
                return r;
        server_lock();
        r = make_channel(&reply.channel, fds[0], flags);
        server_unlock();
        session_close(fds[0]);
        if (r < 0)
                tell_destroyed(reply.channel.chid);
        return r;
}

void channel_wake_all_locked(Channel *channel) {
        for (unsigned i = 0; i < channel->n_bells; i++)
                bell_wake_all(channel->bells[i]->map);
        word_store(&channel->queued_hint, 1);
}

/*
 * The daemon first makes the connections dead, so that no new message can arrive; then every sender
 * that is blocked here leaves with ESRCH, and every receiver too.
 */
int channel_destroy(int chid) {
        Channel *channel;

        server_lock();
        channel = channel_find_locked(chid);
        if (channel) {
                channel->destroyed = true;
                timers_lose_channel_locked(channel); /* nobody finds them by its number any more */
        }
        server_unlock();
        if (!channel)
                return -EINVAL;
        tell_destroyed(chid);
        server_lock();
        channel_collect_locked(channel, false);
        lanes_fail_locked(channel);
        unlink_locked(channel);
        channel_wake_all_locked(channel);
        channel->waiting++;
        channel_put_locked(channel);
        server_unlock();
        return 0;
}

/* ---- pulses of the system itself ---- */

bool pulse_stock_locked(void) {
        if (!free_pulses)
                free_pulses = calloc(1, sizeof(*free_pulses));
        return free_pulses != NULL;
}

Pulse *pulse_new_locked(void) {
        Pulse *pulse;

        if (!pulse_stock_locked())
                return NULL;
        pulse = free_pulses;
        free_pulses = (Pulse *)pulse->entry.next;
        memset(pulse, 0, sizeof(*pulse));
        return pulse;
}

static Pulse *system_pulse_locked(void) {
        Pulse *pulse = pulse_new_locked();

        for (unsigned i = 0; !pulse && i < PULSES_RESERVED; i++)
                if (!reserve_used[i]) {
                        reserve_used[i] = true;
                        pulse = memset(&reserve[i], 0, sizeof(reserve[i]));
                }
        return pulse;
}

static void put_away(Pulse *pulse) {
        if (pulse >= reserve && pulse < reserve + PULSES_RESERVED) {
                reserve_used[pulse - reserve] = false;
                return;
        }
        pulse->entry.next = (Entry *)free_pulses;
        free_pulses = pulse;
}

void pulse_free_locked(Pulse *pulse) {
        InLink *from = pulse->from;

        put_away(pulse);
        if (from)
                inlink_put_pulse_locked(from);
}

void channel_queue_pulse_locked(Channel *channel, Pulse *pulse) {
        pulse->entry.stamp = clock_stamp();
        queue_push(&channel->queue, &pulse->entry);
        word_store(&channel->queued_hint, 1);
        if (channel->sleepers > 0)
                bell_wake_one(channel->bells[0]->map);
}

int channel_pulse_locked(Channel *channel, int code, uint64_t value, int32_t scoid, uint8_t priority) {
        Pulse *pulse = system_pulse_locked();

        if (!pulse)
                return -ENOMEM;
        pulse->entry.kind = ENTRY_PULSE;
        pulse->entry.priority = priority;
        pulse->code = (int8_t)code;
        pulse->value = value;
        pulse->scoid = scoid;
        channel_queue_pulse_locked(channel, pulse);
        return 0;
}

void channel_thread_death(uint32_t tid) {
        server_lock();
        for (Channel *channel = channels; channel; channel = channel->next)
                if ((channel->flags & _NTO_CHF_THREAD_DEATH) && !channel->destroyed)
                        channel_pulse_locked(channel, _PULSE_CODE_THREADDEATH, tid, -1, PULSE_PRIORITY);
        server_unlock();
}

void channels_after_fork(void) {
        pthread_mutex_init(&server_mutex, NULL);
        channels = NULL;
        free_pulses = NULL;
        memset(reserve_used, 0, sizeof(reserve_used));
}
