/* SPDX-License-Identifier: MIT */
/*
 * Signal: handlers wait until the library is left.
 *
 * The kernel calls our trampoline in place of the program's handler. Outside a call it simply calls
 * the handler. Inside a call it keeps the signal pending (blocked for this thread and queued again,
 * so the kernel keeps its siginfo), marks the thread interrupted and nudges the word it sleeps on;
 * call_leave() unblocks it and the handler runs then. This gives what QNX promises: on a channel with
 * _NTO_CHF_UNBLOCK the handler of a REPLY-blocked client runs after the server has answered.
 */
#pragma once

#include "runtime/thread.h"

#include <signal.h>

/* What sigaction(2) means to the program. 0 or -1 with errno, as the call it stands for. */
int signal_action(int signo, const struct sigaction *act, struct sigaction *old);

/* At load: faults of bad message buffers come to us first. */
void signal_init(void);

void signal_run_deferred(Thread *thread);

void signal_after_fork(void);
