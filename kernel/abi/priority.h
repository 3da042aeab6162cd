/* SPDX-License-Identifier: MIT */
/*
 * Priority: QNX's numbers, and what each is on Linux.
 *
 *   QNX         Linux
 *   1 .. 9      ordinary thread, nice value 18 .. 2
 *   10          ordinary thread, nice value 0 (or what the program was started with)
 *   11 .. 98    real-time priority of the same number
 *   99 .. 255   real-time priority 99, Linux's highest; among each other they only order queues
 */
#pragma once

#include <stdint.h>

#define PRIORITY_MIN      1
#define PRIORITY_DEFAULT  10
#define PRIORITY_MAX      255
#define PRIORITY_REALTIME 11 /* the lowest that is real-time on Linux */
#define PRIORITY_LINUX    99 /* the highest that differs from its neighbours there */

/* 0 = it is an ordinary thread's. */
static inline int priority_realtime(int priority) {
        if (priority < PRIORITY_REALTIME)
                return 0;
        return priority < PRIORITY_LINUX ? priority : PRIORITY_LINUX;
}

static inline int priority_nice(int priority) {
        return priority < PRIORITY_DEFAULT ? (PRIORITY_DEFAULT - priority) * 2 : 0;
}
