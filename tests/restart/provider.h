/* SPDX-License-Identifier: MIT */
/*
 * Provider: who keeps the daemon's descriptors and starts it again: nuntius-hold, which the test starts; or systemd, in
 * whose namespaces the test was started (tests/restart/systemd.sh), with the units of this tree.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Reads NUNTIUS_PROVIDER: "hold" (default) or "systemd". */
void provider_init(void);
bool provider_is_systemd(void);
const char *provider_name(void);

/* Starts nuntius-hold with a daemon, and waits until it serves; systemd's is there. @names: NAME, VALUE, ..., NULL. */
void provider_start(const char *const *names);

/* Everything that it holds ends with it. */
void provider_stop(void);

pid_t provider_pid(void);

/* The daemon that runs now; 0 = none at this moment. */
pid_t provider_daemon(void);

/* kill -9; waits for one to kill. Its pid. */
pid_t provider_kill_daemon(void);

/* Until another one than @than runs. */
pid_t provider_await_daemon_after(pid_t than);

/* One version takes over from another: SIGHUP, or systemctl restart. */
void provider_upgrade(void);

/* How many descriptors it has, when it has not changed for a while. */
unsigned provider_fds(void);
