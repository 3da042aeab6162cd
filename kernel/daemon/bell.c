/* SPDX-License-Identifier: MIT */
#include "daemon/bell.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/channel.h"
#include "daemon/process.h"
#include "shm/region.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

DEFINE_CLEANUP(Bell *, bell_free)

static int bell_charge(Bell *bell, Channel *channel) {
        int r = process_charge_fds(channel->process, 1);

        if (r)
                return r;
        r = user_charge(channel->process->user, CHARGE_BYTES, BELL_BYTES);
        if (r) {
                process_discharge_fds(channel->process, 1);
                return r;
        }
        bell->channel = channel;
        return 0;
}

static int bell_make_region(Bell *bell) {
        struct stat st;
        void *map;
        int r;

        r = region_create("nuntius-bell", BELL_BYTES, &bell->fd);
        if (r)
                return error_fold(r);
        r = region_map(bell->fd, BELL_BYTES, true, &map);
        if (r)
                return error_fold(r);
        bell->map = map;
        if (fstat(bell->fd, &st) < 0)
                return error_fold(-errno);
        bell->record->inode = st.st_ino;
        return 0;
}

static Bell *bell_allocate(void) {
        Bell *bell = calloc(1, sizeof(*bell));

        if (!bell)
                return NULL;
        bell->fd = -1;
        list_init(&bell->holds);
        return bell;
}

int bell_adopt(Channel *channel, BellRecord *record, int fd, void *map, Bell **ret_bell) {
        Bell *bell = bell_allocate();

        if (!bell)
                return error_fold(-ENOMEM);
        bell->channel = channel;
        bell->record = record;
        bell->fd = fd;
        bell->map = map;
        process_charge_fds_anyway(channel->process, 1);
        user_charge_anyway(channel->process->user, CHARGE_BYTES, BELL_BYTES);
        *ret_bell = bell;
        return 0;
}

int bell_new(Channel *channel, uid_t uid, Bell **ret_bell) {
        Kernel *kernel = channel->process->kernel;
        _cleanup_(bell_freep) Bell *bell = NULL;
        int r;

        bell = bell_allocate();
        if (!bell)
                return error_fold(-ENOMEM);
        r = bell_charge(bell, channel);
        if (r)
                return r;
        r = table_new(&kernel->tables[NOUN_BELL], &bell->record);
        if (r)
                return error_fold(r);
        FAILPOINT("daemon-bell-charged");
        r = bell_make_region(bell);
        if (r)
                return error_fold(r);
        (void)store_keep(&kernel->store, STORED_BELL, table_index(&kernel->tables[NOUN_BELL], bell->record),
                         bell->fd);
        FAILPOINT("daemon-bell-made");
        bell->record->channel = table_ref(&kernel->tables[NOUN_CHANNEL], channel->record);
        bell->record->uid = uid;
        bell->record->id = ++kernel->record->next_bell_id;
        *ret_bell = TAKE(bell);
        return 0;
}

static void bell_drop_record(Bell *bell) {
        Kernel *kernel = bell->channel->process->kernel;
        uint32_t index = table_index(&kernel->tables[NOUN_BELL], bell->record);

        table_drop(&kernel->tables[NOUN_BELL], bell->record);
        FAILPOINT("daemon-bell-dropped");
        store_remove(&kernel->store, STORED_BELL, index);
}

Bell *bell_free(Bell *bell) {
        Process *owner;

        if (!bell)
                return NULL;
        assert(bell->n_lanes == 0);
        while (!list_is_empty(&bell->holds))
                bell_hold_free(LIST_FIRST(&bell->holds, BellHold, of_bell));
        region_unmap(bell->map, BELL_BYTES);
        fd_close(bell->fd);
        if (bell->channel) {
                owner = bell->channel->process;
                if (bell->record)
                        bell_drop_record(bell);
                user_discharge(owner->user, CHARGE_BYTES, BELL_BYTES);
                process_discharge_fds(owner, 1);
        }
        free(bell);
        return NULL;
}

int bell_take_leaf(Bell *bell, uint32_t *ret_leaf) {
        for (uint32_t i = 0; i < BELL_LANES / 64; i++) {
                if (bell->leaves[i] == UINT64_MAX)
                        continue;
                *ret_leaf = i * 64 + (uint32_t)__builtin_ctzll(~bell->leaves[i]);
                bell->leaves[i] |= 1ull << (*ret_leaf % 64);
                bell->n_lanes++;
                return 0;
        }
        user_log_refusal(bell->channel->process->user, "lanes-of-one-bell", BELL_LANES);
        return -EAGAIN;
}

void bell_claim_leaf(Bell *bell, uint32_t leaf) {
        bell->leaves[leaf / 64] |= 1ull << (leaf % 64);
        bell->n_lanes++;
}

void bell_give_leaf(Bell *bell, uint32_t leaf) {
        bell->leaves[leaf / 64] &= ~(1ull << (leaf % 64));
        bell->n_lanes--;
}

static uint64_t hold_key(const Bell *bell, const Process *process) {
        return map_key(process->record->id, bell->record->id);
}

bool bell_is_held(const Bell *bell, const Process *process) {
        return map_get(&process->kernel->bell_holds, hold_key(bell, process)) != NULL;
}

int bell_hold(Bell *bell, Process *process, BellHold **ret_hold) {
        BellHold *hold;
        int r;

        hold = calloc(1, sizeof(*hold));
        if (!hold)
                return error_fold(-ENOMEM);
        hold->kernel = process->kernel;
        hold->key = hold_key(bell, process);
        r = map_add(&hold->kernel->bell_holds, hold->key, hold);
        if (r) {
                free(hold);
                return error_fold(r);
        }
        list_append(&bell->holds, &hold->of_bell);
        list_append(&process->bell_holds, &hold->of_process);
        *ret_hold = hold;
        return 0;
}

BellHold *bell_hold_free(BellHold *hold) {
        if (!hold)
                return NULL;
        map_remove(&hold->kernel->bell_holds, hold->key);
        list_unlink(&hold->of_bell);
        list_unlink(&hold->of_process);
        free(hold);
        return NULL;
}
