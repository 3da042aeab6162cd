/* SPDX-License-Identifier: MIT */
#include "daemon/channel.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/ability.h"
#include "daemon/flags.h"
#include "daemon/lane.h"
#include "daemon/lifeline.h"
#include "daemon/path.h"
#include "daemon/process.h"
#include "daemon/request.h"
#include "daemon/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

DEFINE_CLEANUP(Channel *, channel_free)
DEFINE_CLEANUP(Bell *, bell_free)

static uint64_t channel_key(const Process *process, int32_t chid) {
        return map_key(process->record->id, (uint32_t)chid);
}

Channel *channel_find(const Process *process, int32_t chid) {
        return map_get(&process->kernel->channels, channel_key(process, chid));
}

static int32_t chid_after(int32_t chid) {
        return chid >= CHID_MAX ? 1 : chid + 1;
}

/* Upward, so that an old number is long out of use before it means something else. */
static int32_t channel_next_chid(Process *process) {
        int32_t chid = process->record->next_chid;

        while (channel_find(process, chid))
                chid = chid_after(chid);
        return chid;
}

static int channel_add_bell(Channel *channel, uid_t uid, Bell **ret_bell) {
        _cleanup_(bell_freep) Bell *bell = NULL;
        Bell **bells;
        int r;

        bells = realloc(channel->bells, (channel->n_bells + 1) * sizeof(Bell *));
        if (!bells)
                return error_fold(-ENOMEM);
        channel->bells = bells;
        r = bell_new(channel, uid, &bell);
        if (r)
                return r;
        *ret_bell = channel->bells[channel->n_bells++] = TAKE(bell);
        return 0;
}

static Channel *channel_allocate(Process *process) {
        Channel *channel = calloc(1, sizeof(*channel));

        if (!channel)
                return NULL;
        channel->process = process;
        list_init(&channel->of_process);
        list_init(&channel->lanes);
        list_init(&channel->lifelines);
        list_init(&channel->paths);
        return channel;
}

static int channel_name(Channel *channel) {
        Process *process = channel->process;
        int r = map_add(&process->kernel->channels, channel_key(process, channel->record->chid), channel);

        if (r)
                return error_fold(r);
        list_append(&process->channels, &channel->of_process);
        return 0;
}

int channel_adopt(Process *process, ChannelRecord *record, Channel **ret_channel) {
        Channel *channel = channel_allocate(process);
        int r;

        if (!channel)
                return error_fold(-ENOMEM);
        channel->record = record;
        r = channel_name(channel);
        if (r) {
                free(channel);
                return error_fold(r);
        }
        user_charge_anyway(process->user, CHARGE_CHANNELS, 1);
        channel->is_charged = true;
        *ret_channel = channel;
        return 0;
}

int channel_adopt_bell(Channel *channel, BellRecord *record, int fd, void *map, Bell **ret_bell) {
        Bell **bells = realloc(channel->bells, (channel->n_bells + 1) * sizeof(Bell *));
        uint32_t at = channel->n_bells;
        int r;

        if (!bells)
                return error_fold(-ENOMEM);
        channel->bells = bells;
        r = bell_adopt(channel, record, fd, map, ret_bell);
        if (r)
                return error_fold(r);
        for (; at > 0 && bells[at - 1]->record->id > record->id; at--)
                bells[at] = bells[at - 1];
        bells[at] = *ret_bell;
        channel->n_bells++;
        return 0;
}

static int channel_new(Process *process, uint32_t flags, Channel **ret_channel) {
        Kernel *kernel = process->kernel;
        _cleanup_(channel_freep) Channel *channel = NULL;
        Bell *bell;
        int r;

        channel = channel_allocate(process);
        if (!channel)
                return error_fold(-ENOMEM);
        r = user_charge(process->user, CHARGE_CHANNELS, 1);
        if (r)
                return r;
        channel->is_charged = true;
        r = table_new(&kernel->tables[NOUN_CHANNEL], &channel->record);
        if (r)
                return error_fold(r);
        channel->record->process = table_ref(&kernel->tables[NOUN_PROCESS], process->record);
        channel->record->id = ++kernel->record->next_channel_id;
        channel->record->flags = flags;
        channel->record->chid = channel_next_chid(process);
        FAILPOINT("daemon-channel-built");
        r = channel_name(channel);
        if (r)
                return error_fold(r);
        r = channel_add_bell(channel, process->record->uid, &bell);
        if (r)
                return r;
        *ret_channel = TAKE(channel);
        return 0;
}

Channel *channel_free(Channel *channel) {
        Kernel *kernel;
        Path *path;

        if (!channel)
                return NULL;
        kernel = channel->process->kernel;
        assert(list_is_empty(&channel->lanes) && list_is_empty(&channel->lifelines));
        LIST_FOREACH(path, &channel->paths, Path, of_channel)
                path_free(path);
        for (uint32_t i = 0; i < channel->n_bells; i++) {
                table_retire(channel->bells[i]->record);
                bell_free(channel->bells[i]);
        }
        free(channel->bells);
        list_unlink(&channel->of_process);
        if (channel->record) {
                if (channel_find(channel->process, channel->record->chid) == channel)
                        map_remove(&kernel->channels,
                                   channel_key(channel->process, channel->record->chid));
                table_drop(&kernel->tables[NOUN_CHANNEL], channel->record);
        }
        if (channel->is_charged)
                user_discharge(channel->process->user, CHARGE_CHANNELS, 1);
        free(channel);
        return NULL;
}

int channel_bell(Channel *channel, uid_t uid, Bell **ret_bell) {
        bool is_one = channel->process->record->greet_flags & WIRE_GREET_ONE_BELL;
        int r;

        *ret_bell = channel->bells[0];
        if (is_one || uid == 0)
                return 0;
        for (uint32_t i = 0; i < channel->n_bells; i++) {
                *ret_bell = channel->bells[i];
                if (channel->bells[i]->record->uid == uid)
                        return 0;
        }
        if (channel->n_bells == CHANNEL_BELLS_MAX)
                return 0;
        r = channel_add_bell(channel, uid, ret_bell);
        if (r)
                return r;
        table_publish((*ret_bell)->record); /* the channel's from here on, whoever it was made for */
        return 0;
}

void channel_close(Channel *channel) {
        Lane *lane;
        Lifeline *lifeline;

        table_retire(channel->record);
        FAILPOINT("daemon-channel-retired");
        LIST_FOREACH(lane, &channel->lanes, Lane, of_channel) {
                lane_kill_connections(lane);
                lane_free(lane);
        }
        FAILPOINT("daemon-channel-lanes-gone");
        LIST_FOREACH(lifeline, &channel->lifelines, Lifeline, of_channel)
                lifeline_lose_channel(lifeline);
        channel_free(channel);
        FAILPOINT("daemon-channel-gone");
}

int request_channel_create(Session *session, Request *request, Answer *answer) {
        uint32_t flags = request->wire.channel_create.flags;
        Process *process = session->process;
        Channel *channel = NULL;
        Bell *bell;
        int r;

        if (flags & ~CHANNEL_FLAGS)
                return -EINVAL;
        r = ability_check_channel(session->process, flags & CHANNEL_PRIVATE);
        if (r)
                return r;
        r = channel_new(session->process, flags, &channel);
        if (r)
                return r;

        bell = channel->bells[0];
        bell->record->announced = 1;
        answer->reply.channel = (WireReplyChannel){ .chid = channel->record->chid,
                                                    .bell = bell->record->id };
        answer_fd(answer, WIRE_FD_BELL, bell->fd, STORED_BELL,
                  table_index(&session->kernel->tables[NOUN_BELL], bell->record));
        journal_set(session->kernel, NOUN_PROCESS, process->record, &process->record->next_chid,
                    (uint32_t)chid_after(channel->record->chid));

        request_commit(session->process, request, answer);
        table_publish(channel->record);
        FAILPOINT("daemon-channel-published");
        table_publish(bell->record);
        return 0;
}

int request_channel_destroy(Session *session, Request *request, Answer *answer) {
        Channel *channel = channel_find(session->process, request->wire.channel_destroy.chid);

        if (!channel)
                return -EINVAL;

        journal_retire(session->kernel, NOUN_CHANNEL, channel->record);

        request_commit(session->process, request, answer);
        channel_close(channel);
        return 0;
}
