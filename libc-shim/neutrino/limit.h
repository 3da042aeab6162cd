/* SPDX-License-Identifier: MIT */
/*
 * Limit: the time-out of a call that blocks in the C library, not in ours.
 *
 * Such a call takes its time-out inside a call of ours and leaves it before it blocks, so that handlers run
 * at once. A signal that comes between the two has its handler run before the wait, as on any kernel.
 */
#pragma once

#include "runtime/thread.h"
#include "shm/clock.h"
#include "sys/neutrino.h"

/* Not set when no time-out is armed for @state, a _NTO_TIMEOUT_... bit. */
static inline Deadline limit_take(uint32_t state) {
        Thread *thread = call_enter();
        Timeout timeout = call_take_timeout(thread);

        call_leave(thread);
        if (!(timeout.flags & state))
                return (Deadline){ .set = false };
        timeout.deadline.set = true;
        return timeout.deadline;
}

/* For calls that do not block: the time-out is forgotten all the same. */
static inline void limit_drop(void) {
        (void)limit_take(0);
}
