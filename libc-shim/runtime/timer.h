/* SPDX-License-Identifier: MIT */
/*
 * Timer: a timer of this process, and how its event comes about.
 *
 *   CHANNEL  a pulse to a channel of our own. Nobody needs to act when it is due but who receives there:
 *            armed timers wait in the channel's list, a receiver sleeps no longer than to the first of
 *            them, and queues the pulses itself. While nobody receives, nothing happens at all; the next
 *            receiver finds what has become due meanwhile, each expiry a pulse.
 *   KERNEL   a signal to the process, or nothing: a timer of the kernel's does it alone.
 *   HELPER   everything else (other kinds of event, other processes' channels, absolute times on a clock
 *            that can be set, CPU clocks): a timer of the kernel's wakes the helper, which delivers.
 *
 * All of it is under the server lock.
 */
#pragma once

#include "runtime/channel.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct Timer Timer;

/* Time in nanoseconds; 0 = not armed. */
typedef struct TimerTimes {
        uint64_t first; /* from now, or absolute */
        uint64_t interval;
} TimerTimes;

/* What TimerInfo() tells. */
typedef struct TimerState {
        TimerTimes set;
        TimerTimes left;
        bool active;
        bool absolute;
        bool expired; /* at least once since it was set */
        uint32_t overruns;
        uint32_t tid;
        clockid_t clock;
        struct sigevent event;
} TimerState;

/* The rest inside a call, without the server lock. -EINVAL: no such timer. */

/* @event: NULL = SIGALRM. Its number, or -errno: -EINVAL (clock, event), -EAGAIN, -EBADF (no such connection). */
int timer_new(clockid_t clock, const struct sigevent *event);
int timer_end(int id);
/* @ret_before may be NULL. */
int timer_set(int id, const TimerTimes *times, bool absolute, TimerState *ret_before);
/* Timer @id, or the next one there is if @search. Its number. */
int timer_read(int id, bool search, bool reset_overruns, TimerState *ret_state);

/* For a receiver: queues the pulses of @channel that are due. */
void timers_run_locked(Channel *channel);
/* When the next one is due on CLOCK_MONOTONIC; UINT64_MAX = never. */
uint64_t timers_next_locked(const Channel *channel);
/* The channel goes: its timers go on, without effect. */
void timers_lose_channel_locked(Channel *channel);

/* For the helper: the timer with this key has expired 1 + @missed times. */
void timer_expired(uint64_t key, unsigned missed);

void timers_after_fork(void);
