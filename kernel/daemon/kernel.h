/* SPDX-License-Identifier: MIT */
/*
 * Kernel: the root of all objects: registries, tables, users, the loop.
 */
#pragma once

#include "abi/ability.h"
#include "base/list.h"
#include "base/map.h"
#include "daemon/journal.h"
#include "daemon/legacy.h"
#include "daemon/record.h"
#include "daemon/store.h"
#include "daemon/turn.h"
#include "daemon/user.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Booster Booster;
#include "abi/paths.h"

typedef struct Kernel Kernel;
typedef struct Listener Listener;
typedef struct Process Process;
typedef struct Session Session;

typedef struct KernelOptions {
        bool is_private; /* one user's own daemon, that ends by itself */
        double linger;   /* seconds that a private daemon stays without sessions */
        uint64_t limits[CHARGE_N]; /* 0 = default */
        uint64_t store_max; /* descriptors that the store takes; 0 = default */
} KernelOptions;

struct Kernel {
        KernelOptions options;
        struct ev_loop *loop;
        uid_t uid;
        Table tables[NOUN_N];
        uint32_t table_names[NOUN_N]; /* what they are stored as */
        KernelRecord *record;
        Journal journal;
        UserRegistry users;
        Store store;
        Listener *listener;
        bool is_leaving; /* a successor goes on with all of it */

        List sessions; /* Session.all */
        size_t n_sessions;
        Turns turns;        /* Session.turn: who has a request waiting */
        ev_check turn;      /* serves one of each user when the loop has polled */
        ev_idle turn_again; /* while there are more, the loop does not sleep */

        List processes;     /* Process.all */
        Map by_pid;         /* pid -> Process */
        Map channels;       /* process id, chid -> Channel */
        Map links;          /* link id -> Link */
        Map links_by_pair;  /* client id, server id -> Link */
        Map scoids;         /* server id, scoid -> Lane */
        Map shared_lanes;   /* client id, channel id -> Lane */
        Map bell_holds;     /* process id, bell id -> BellHold */
        Map lifelines;      /* socket cookie -> Lifeline */
        Map connections;    /* connection id -> Connection */

        List paths;                 /* Path.all, in their order */
        ShmPaths *paths_map;        /* NULL: no path space */
        ShmPath *paths_draft;
        char *paths_file;
        uint64_t paths_inode;
        bool paths_changed;

        List remnants; /* Remnant.link */
        List watches;  /* Watch.link */
        ev_io clock;   /* tells that somebody has set it; runs while somebody wants to know */
        bool abilities_changed; /* of any process, ever */
        bool is_closing;
        char *ability_names[ABILITIES_N - ABILITY_CUSTOM];

        /* Sessions whose end was found out in the middle of something else; ended before the loop sleeps. */
        List doomed; /* Session.doomed */
        ev_prepare reaper;

        Booster *booster;
        uint64_t boosts; /* stamp of the last one */

        int lifeline_epoll; /* all lifelines, for EPOLLHUP alone */
        ev_io lifeline_io;
        ev_timer linger;
        ev_signal signals[2];
};

/* @legacy: what a predecessor left, or NULL; what is of use is taken. */
int kernel_new(const KernelOptions *options, Legacy *legacy, Kernel **ret_kernel);
Kernel *kernel_free(Kernel *kernel);

/*
 * Takes the listening socket over and serves until told to stop: for good by SIGINT, or where there is no
 * store; else SIGTERM means that a successor takes over (is_leaving).
 */
void kernel_run(Kernel *kernel, Listener *listener);

/* An empty table of @noun, in the store. */
int kernel_make_table(Kernel *kernel, Noun noun);

/* Counts sessions for the linger of a private daemon. */
void kernel_session_opened(Kernel *kernel, Session *session);
void kernel_session_closed(Kernel *kernel, Session *session);

/* Root and the daemon's own user may see and change what belongs to others. */
bool kernel_is_trusted(const Kernel *kernel, uid_t uid);
