/* SPDX-License-Identifier: MIT */
/*
 * Helper: the one thread that the library may start for itself, for what must happen while no thread of
 * the program is in the library: a timer that is not a pulse to a channel of our own, and events that
 * other processes deliver to us. A program that needs neither never has it.
 *
 * It sleeps in sigwaitinfo(2) and wakes for one signal that only it can get (HELPER_SIGNAL, directed at
 * it by the kernel): from timers with their key as the value, and from the news socket. It has every signal
 * blocked, so it never runs a handler of the program.
 */
#pragma once

#include <signal.h>

#define HELPER_SIGNAL (SIGRTMAX - 1) /* the last one is valgrind's */

/* Starts it unless it runs. Its Linux thread id, or -EAGAIN. */
int helper_start(void);

/* From now on it also carries out events that other processes deliver to us. 0 or -errno. */
int helper_serve_events(void);

void helper_after_fork(void);
