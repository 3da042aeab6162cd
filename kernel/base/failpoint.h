/* SPDX-License-Identifier: MIT */
/*
 * Failpoint: a named place where a test may have the process die, as if killed between two stores.
 * Compiled in by -Dfailpoints=true only; nothing is left of them otherwise.
 *
 *   NUNTIUS_FAILPOINT=name[:N]     SIGKILL at the N-th time (default 1st) that @name is reached
 *   NUNTIUS_FAILPOINT_ONCE=path    of all processes with this variable one dies there: who can make this file
 *   NUNTIUS_FAILPOINT_LIST=path    append the name of each place that is reached, once for each process
 */
#pragma once

#ifdef NUNTIUS_FAILPOINTS
#define FAILPOINT(name) failpoint_hit(name)
#else
#define FAILPOINT(name) ((void)0)
#endif

/* @name lives for ever (a literal). Async-signal-safe after the first call in the process. */
void failpoint_hit(const char *name);
