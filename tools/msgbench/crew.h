/* SPDX-License-Identifier: MIT */
/*
 * Crew: the processes that a measurement is made with.
 *
 * Every member dies with msgbench, ends by itself after a time limit, and is reaped by whoever made
 * it, so that neither a bug in what is measured nor a ^C leaves anything behind.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define CREW_ANYWHERE (-1) /* no pinning */

/* The processor number of the n-th core that msgbench may use; -ENODEV when there are fewer. */
int crew_core(unsigned n);

/* As fork(): 0 in the child, which is pinned to core and is killed after `seconds`; or -errno. */
pid_t crew_fork(int core, unsigned seconds);

/* Waits for the member's own end: 0, the -errno that it passed to crew_exit(), -ETIMEDOUT. */
int crew_join(pid_t pid);

/* Ends a member that would not end by itself. No pid (<= 0) is fine. */
void crew_end(pid_t pid);

_Noreturn void crew_exit(int r);

/* Memory that crew made after this shares; NULL when there is none. */
void *crew_memory(size_t bytes);

/*
 * Gates: pipes by which one says that it is there, or lets the others go. Reading gives up the process's
 * own writing end first, so that it ends with -EPIPE when all who could write have died.
 */
int gate_new(int gate[2]);
void gate_free(int gate[2]);
int gate_write(int gate[2], const void *bytes, size_t n);
int gate_read(int gate[2], void *bytes, size_t n);

/*
 * Reads what a member says when it is ready. When it dies instead, the result is what it died with,
 * and *pid is 0.
 */
int crew_ready(pid_t *pid, int gate[2], void *bytes, size_t n);

/* Until everybody else has closed the gate. */
void gate_wait(int gate[2]);
