/* SPDX-License-Identifier: MIT */
/*
 * delay(). Programs get it from <unistd.h>.
 */
#pragma once
#pragma GCC system_header

#include <sys/cdefs.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * delay: sleep for some milliseconds
 *
 * Returns: 0; the milliseconds that were left when a signal handler ended the sleep.
 * Blocks: in STATE_NANOSLEEP. A cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: nanospin
 */
unsigned int delay(unsigned int duration);

#pragma GCC visibility pop
__END_DECLS
