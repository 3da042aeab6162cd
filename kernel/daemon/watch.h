/* SPDX-License-Identifier: MIT */
/*
 * Watch: processes that asked to be told of what happens to the system (procmgr_event_notify()).
 *
 * Each has a socket of its own for that, so that nothing waits behind these records, nor they behind anything.
 * It hangs up when the daemon dies; then the library asks the next daemon again. A process that does not
 * read loses the newest.
 */
#pragma once

#include "daemon/kernel.h"

/* Numbers of <sys/procmgr.h>, those that the daemon itself makes. */
#define WATCH_PATHSPACE      0x00000002u
#define WATCH_TIME_OF_DAY    0x00000004u
#define WATCH_DAEMON_DEATH   0x00040000u
#define WATCH_PROCESS_DEATH  0x00100000u
#define WATCH_PROCESS_CREATE 0x00400000u

typedef struct Watch Watch;

void watch_tell(Kernel *kernel, uint32_t event, int32_t pid);
void watch_tell_death(Kernel *kernel, int32_t pid, bool is_daemon);
/* Or births, which are told from executed programs by the same means. */
bool watch_wants_deaths(const Kernel *kernel);

/* NULL is fine. Returns NULL. */
Watch *watch_free(Watch *watch);
