/* SPDX-License-Identifier: MIT */
/*
 * Event: a struct sigevent delivered to this process itself.
 *
 * Timers, message queues, interrupts and process events end here, and so do the events that another
 * process delivers to us where only we can do what they ask (runtime/helper.c).
 *
 *   SIGEV_NONE                          nothing
 *   SIGEV_PULSE                         a pulse through one of our connections, to whomever it leads
 *   SIGEV_SIGNAL, SIGEV_SIGNAL_CODE     a signal to the process
 *   SIGEV_SIGNAL_THREAD                 a signal to one thread
 *   SIGEV_THREAD                        a new thread, detached, with no signal blocked
 *   SIGEV_MEMORY                        an atomic change of one word
 *   SIGEV_INTR                          Thread.interrupts of one thread counts up and wakes it
 *   SIGEV_UNBLOCK                       the blocked call of one thread fails with ETIMEDOUT
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct sigevent;

/* Is it something that can be delivered? 0, or -EINVAL: unknown kind, priority, code, signal, operation. */
int event_check(const struct sigevent *event);

/*
 * Delivers @event, which event_check() has passed. Inside a call; the server lock may be held.
 *
 * @si_code: of a SIGEV_SIGNAL (SI_TIMER, SI_MESGQ, SI_QUEUE ...); the other kinds bring their own.
 * @tid: our number of the thread that SIGNAL_THREAD, INTR and UNBLOCK mean; 0 = the calling thread.
 *
 * 0, or -errno: -EBADF, -EAGAIN (pulse_send(), no thread to be had, too many signals), -ESRCH (no such
 * thread any more), -EFAULT (SIGEV_MEMORY).
 */
int event_deliver_self(const struct sigevent *event, int si_code, uint32_t tid);

/* In place of the handle of a registered event, the event; SIGEV_NONE when it is gone. */
void event_resolve(struct sigevent *event);

/* The priority of a pulse: QNX's -1 is @own, 0 becomes 1. */
unsigned event_priority(const struct sigevent *event, unsigned own);
