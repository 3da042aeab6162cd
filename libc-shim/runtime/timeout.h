/* SPDX-License-Identifier: MIT */
/*
 * Timeout: what TimerTimeout() has armed for the next call, when its time has come.
 */
#pragma once

#include "runtime/thread.h"

/*
 * The deadline of @timeout has passed: must the call end with ETIMEDOUT? With another event than
 * SIGEV_UNBLOCK the event is delivered instead, once, and the call goes on without a deadline.
 */
bool timeout_ends(Timeout *timeout);

/* For calls that are not the library's own: is one armed for them? */
static inline bool timeout_is_armed(void) {
        const Thread *thread = &thread_this;

        return __builtin_expect(thread->timeout.flags != 0, 0) && !call_is_open(thread);
}
