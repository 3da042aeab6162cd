/* SPDX-License-Identifier: MIT */
/* <process.h>: on QNX the home of getpid() and its relatives, and of the old way to start a program. */
#pragma once

#include <spawn.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <unistd.h>

#define P_WAIT    0 /* wait for its end: returns its wait status */
#define P_NOWAIT  1 /* returns its pid */
#define P_OVERLAY 2 /* in place of the caller: returns only when it fails */
#define P_NOWAITO 3 /* nobody waits for it: returns 0 */

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * spawnl: start a program
 *
 * `mode` is P_... above. The l forms take the arguments one by one, ended by NULL, the v forms as an array. The p
 * forms look for the program in PATH. The e forms give it another environment, in the l forms after
 * the NULL.
 *
 * Returns: what `mode` says; -1 and errno.
 * Errors:
 *   E2BIG   there are more than 1024 arguments (l forms).
 *   EINVAL  `mode` is none.
 *   ENOENT  there is no such program; and the other errors of posix_spawn() and execve().
 * Blocks: with P_WAIT until the program ends. A cancellation point then.
 * Rule: QNX 7.1 documentation. Our choice: E2BIG; P_NOWAITO returns 0, since the pid may be gone.
 * See: procmgr_daemon
 */
int spawnl(int mode, const char *path, const char *arg0, ...);
int spawnle(int mode, const char *path, const char *arg0, ...);
int spawnlp(int mode, const char *file, const char *arg0, ...);
int spawnlpe(int mode, const char *file, const char *arg0, ...);
int spawnv(int mode, const char *path, char *const argv[]);
int spawnve(int mode, const char *path, char *const argv[], char *const envp[]);
int spawnvp(int mode, const char *file, char *const argv[]);
int spawnvpe(int mode, const char *file, char *const argv[], char *const envp[]);

#pragma GCC visibility pop
__END_DECLS
