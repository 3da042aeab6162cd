/* SPDX-License-Identifier: MIT */
/*
 * Watch: descriptors of Linux that somebody wants to hear of. One thread of the library's waits for all of them, on
 * io_uring where the kernel allows it, else with poll(2).
 *
 *   IDLE  -> ARMED  watch_new, watch_arm   its owner
 *   ARMED -> IDLE   the thread             it is ready: the function is called, once
 *   any   -> GONE   watch_free             its owner; the function does not run any more when it returns
 */
#pragma once

typedef struct Watch Watch;

/* In the watching thread; must not block, and must not free the watch. */
typedef void WatchFunction(void *data, short events);

/* @events: POLLIN ... ; armed at once. 0; -EBADF; -ENOMEM; -EAGAIN: no thread. */
int watch_new(int fd, short events, WatchFunction *function, void *data, Watch **ret_watch);
/* 0; an armed one stays so. */
int watch_arm(Watch *watch);
void watch_free(Watch *watch);

void watch_after_fork(void);
