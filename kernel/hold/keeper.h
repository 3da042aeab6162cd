/* SPDX-License-Identifier: MIT */
/*
 * Keeper: runs one daemon after the other and keeps for the next what the last one gave it.
 *
 *   STARTING -> SERVING    the daemon says READY=1
 *   STARTING -> STARTING   it ends before: the next one is started
 *   SERVING  -> STARTING   it ends without a word, by whatever hand: the next one is started at once
 *   any      -> LEAVING    it says STOPPING=1, or we are told to end: its end is the last
 *   STARTING -> ended      none was ever ready and this one gives up by itself, or too many starts have failed
 *   LEAVING  -> ended      the daemon ends
 */
#pragma once

#include "hold/inbox.h"
#include "hold/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum KeeperState {
        KEEPER_STARTING,
        KEEPER_SERVING,
        KEEPER_LEAVING,
} KeeperState;

typedef struct Keeper {
        char *const *command;
        int ready_fd;    /* -1 = nobody waits */
        bool is_private; /* leaves its starter's terminal when the daemon is ready */

        KeeperState state;
        Store store;
        Inbox inbox;
        int signal_fd;
        pid_t pid;
        uint64_t ready_at;   /* ns, of this daemon */
        bool was_ready;      /* some daemon was */
        bool is_told_to_end; /* by a signal */
        unsigned failures;   /* in a row: starts that came to nothing */
        unsigned kills;      /* in a row: SIGKILL before it was ready */
} Keeper;

/* Blocks the signals that it waits for. 0 or -errno. */
int keeper_init(Keeper *keeper);
void keeper_deinit(Keeper *keeper);

/* Until the last daemon has ended. The exit code, which is that daemon's own. */
int keeper_run(Keeper *keeper);
