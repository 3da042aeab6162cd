/* SPDX-License-Identifier: MIT */
/*
 * mq_notify() on QNX's struct sigevent. Programs get it from <mqueue.h>.
 */
#pragma once
#pragma GCC system_header

#include <bits/nuntius-sigevent.h>
#include <sys/cdefs.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * mq_notify: be told when a message comes into an empty queue
 *
 * `event` happens once, when a message arrives in the empty queue `queue` and no thread waits to
 * receive it; then it must be asked for again. It may be of every kind. NULL takes the request back.
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EAGAIN  what the event needs of the system cannot be had.
 *   EBADF   `queue` is no message queue.
 *   EBUSY   a process has asked already.
 *   EINVAL  `event` is none that can be delivered.
 * Blocks: no. Not a cancellation point.
 * Rule: POSIX; QNX 7.1 documentation for the kinds of event.
 * See: TimerCreate, MsgDeliverEvent
 */
int mq_notify(int queue, const struct sigevent *event) __asm__("nuntius_mq_notify");

#pragma GCC visibility pop
__END_DECLS
