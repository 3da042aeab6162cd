/* SPDX-License-Identifier: MIT */
/*
 * <nuntius.h>: what QNX does not have.
 *
 * The environment of a program that uses Nuntius (nuntius(7)):
 *   NUNTIUS_SOCKET     where the daemon listens
 *   NUNTIUS_AUTOSTART  0 = do not start a daemon for this user when there is none
 *   NUNTIUS_SPIN       longest busy wait before a thread sleeps, in microseconds; 0 = sleep at once
 */
#pragma once

#include <sys/cdefs.h>

#define NUNTIUS_VERSION_MAJOR 0
#define NUNTIUS_VERSION_MINOR 1
#define NUNTIUS_VERSION_MICRO 0
/* For comparisons: 0.1.0 is 100. */
#define NUNTIUS_VERSION_NUMBER \
        (NUNTIUS_VERSION_MAJOR * 10000 + NUNTIUS_VERSION_MINOR * 100 + NUNTIUS_VERSION_MICRO)

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * nuntius_spin: limit the busy wait of a channel's receivers
 *
 * A thread that finds nothing to receive looks for a while before it sleeps, because waking a
 * thread can cost far more than the message. `microseconds` limits that for channel `chid`: 0
 * sleeps at once, -1 is the default, which adapts itself and never exceeds NUNTIUS_SPIN.
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EINVAL  `microseconds` is below -1 or above 1000000.
 *   ESRCH   the process has no channel `chid`.
 * Blocks: no. Not a cancellation point.
 * Rule: Nuntius's own call; QNX has nothing like it.
 * See: MsgReceive
 */
int nuntius_spin(int chid, long microseconds);

#pragma GCC visibility pop
__END_DECLS
