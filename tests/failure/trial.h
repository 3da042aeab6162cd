/* SPDX-License-Identifier: MIT */
/*
 * Trial: a call of the public interface while whatever it needs fails, once, at each place.
 *
 * A trial is a process of its own that makes a call with the N-th malloc (mmap, sendmsg ...) failing. The call
 * must do its work or say a documented errno; then the same call must work, be undone, and leave no more behind
 * than in a trial where nothing failed. N goes up until nothing fails any more.
 */
#pragma once

#include "harness.h"
#include "inject.h"

/* Check wants memory for each assertion: only for one that fails, and then it gets it. */
#undef ck_assert_msg
#define ck_assert_msg(expression, ...) ((expression) ? (void)0 : (inject_pause(), ck_abort_msg(__VA_ARGS__)))

/* What is tried. Each step runs in the trial's process. */
typedef struct Scenario {
        void (*prepare)(Peer *me);
        int (*call)(Peer *me);  /* EOK or an errno */
        void (*undo)(Peer *me); /* of a call that worked */
        int errors[6];          /* what may be said, besides EOK */
        void (*finish)(Peer *me);
        bool needs_nothing; /* there is nothing that could fail */
        long kept;          /* bytes of heap that a call may keep for the next that needs them */
} Scenario;

/* @server: for the trials to talk to; NULL where they need none. */
void try_all(const Scenario *scenario, const Peer *server);

/* Bytes that a trial sends, receives, and gets back. */
#define TRIAL_BYTES 300000
extern char trial_bytes[TRIAL_BYTES], trial_back[TRIAL_BYTES];
