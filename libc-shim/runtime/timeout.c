/* SPDX-License-Identifier: MIT */
#include "runtime/timeout.h"

#include "runtime/event.h"

/* Inside one of the library's calls, or where one of libc's was stood in front of. */
static void deliver(const struct sigevent *event) {
        bool is_open = call_is_open(&thread_this);

        if (!is_open)
                call_enter();
        (void)event_deliver_self(event, SI_TIMER, 0);
        if (!is_open)
                call_leave(&thread_this);
}

bool timeout_ends(Timeout *timeout) {
        struct sigevent event = thread_this.timeout_event;

        if (!timeout->delivers)
                return true;
        *timeout = (Timeout){ .flags = 0 };
        deliver(&event);
        return false;
}
