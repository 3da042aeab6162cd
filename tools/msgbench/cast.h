/* SPDX-License-Identifier: MIT */
/*
 * Cast: who plays in a priority inversion, all on one core: a low one that occupies something, a hog in the
 * middle that wants nothing but the processor, a high one that wants what the low one has.
 *
 * What is occupied is a server (or a chain of servers that wait for each other), or, for the baseline, a mutex
 * of the kernel's that inherits priority (or a chain of those).
 */
#pragma once

#include "duet.h"

#include <pthread.h>

#define CAST_CHAIN 8u

#define PRIORITY_LOW  11
#define PRIORITY_HOG  30
#define PRIORITY_HIGH 50

typedef enum Prize {
        PRIZE_SERVER,
        PRIZE_MUTEX,
        PRIZE_FUTEX, /* idle only: a thread that waits at the high one's priority */
} Prize;

/* Shared by all; words that count up and are slept on. */
typedef struct Scene {
        Prize prize;
        unsigned depth;         /* servers or mutexes in a row */
        unsigned channel_flags;
        uint64_t hog_ns;        /* how long the hog goes on, if nobody stops it */
        volatile uint32_t go_low, go_hog, hog_runs, hog_stop, low_done, go_chain[CAST_CHAIN], chained;
        volatile uint32_t ping, pong;
        volatile uint32_t left; /* units of work that the low one still has to do */
        double unit_ns;
        pthread_mutex_t mutexes[CAST_CHAIN];
        Address servers[CAST_CHAIN];
        double delay_ns, over_ns; /* of the last trial */
} Scene;

#define CAST_MEMBERS (CAST_CHAIN + 4u)

typedef struct Cast {
        Scene *scene;
        int core;
        pid_t members[CAST_MEMBERS];
        unsigned n_members;
} Cast;

/* Everybody but the high one is there and asleep. 0 or -errno; -EPERM without the right to real-time. */
int cast_begin(Cast *cast, Scene *scene, int core);
void cast_end(Cast *cast);

/* The high one: begins its part; then any number of trials. In a process of its own, on the core. */
int high_begin(Scene *scene, int *ret_coid);
/* The prize is occupied and the hog runs. */
int high_trial_busy(Scene *scene, int coid);
/* The prize is idle and the hog runs. */
int high_trial_idle(Scene *scene, int coid);
