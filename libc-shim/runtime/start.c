/* SPDX-License-Identifier: MIT */
/*
 * Start: what happens when the library is loaded, and in the child of a fork.
 *
 * A child is a new process to the daemon. It has none of its parent's links (their mappings are not
 * inherited), keeps its descriptors, and greets the daemon with its first call.
 */
#include "runtime/channel.h"
#include "runtime/connection.h"
#include "runtime/file.h"
#include "runtime/helper.h"
#include "runtime/inlink.h"
#include "runtime/lane.h"
#include "runtime/news.h"
#include "runtime/origin.h"
#include "runtime/outlink.h"
#include "runtime/receipt.h"
#include "runtime/retire.h"
#include "runtime/session.h"
#include "runtime/signal.h"
#include "runtime/thread.h"
#include "runtime/timer.h"
#include "runtime/watch.h"

#include <pthread.h>
#include <stdlib.h>

static void after_fork(void) {
        connection_after_fork();
        files_after_fork();
        watch_after_fork();
        outlink_after_fork();
        helper_after_fork();
        timers_after_fork();
        channels_after_fork();
        lanes_after_fork();
        inlinks_after_fork();
        receipts_after_fork();
        origins_after_fork();
        news_after_fork();
        retire_after_fork();
        session_after_fork();
        threads_after_fork();
        signal_after_fork();
}

/* NUNTIUS_SPIN: microseconds a waiter may watch before it sleeps; 0 = never. */
static long spin_wanted(void) {
        const char *text = secure_getenv("NUNTIUS_SPIN");
        char *end;
        long value;

        if (!text || !text[0])
                return -1;
        value = strtol(text, &end, 10);
        return *end || value < 0 || value > 1000000 ? -1 : value;
}

__attribute__((constructor(60000))) static void start(void) {
        spin_configure(spin_wanted());
        signal_init();
        pthread_atfork(NULL, NULL, after_fork);
}
