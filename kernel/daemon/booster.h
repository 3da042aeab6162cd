/* SPDX-License-Identifier: MIT */
/*
 * Booster: the thread that reads WireBoosts, at the highest real-time priority, so that no program which
 * keeps the processors from the daemon keeps it from raising others above that program.
 *
 * It holds the kernel's lock while it works; the main loop holds it whenever it does not sleep. The lock
 * inherits priority: where the booster waits for the main loop, that runs at the booster's.
 *
 * Each process has a budget for each tenth of a second; past it, nobody listens to it until that is over.
 */
#pragma once

#include "base/list.h"
#include "daemon/kernel.h"

/* Made with the kernel; the thread runs while the loop does, if the daemon has the right. */
int booster_new(Kernel *kernel, Booster **ret_booster);
Booster *booster_free(Booster *booster);
void booster_start(Booster *booster);
void booster_stop(Booster *booster);

/* A process's news socket is there; it goes. */
void booster_listen(Process *process);
void booster_forget(Process *process);
