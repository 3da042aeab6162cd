/* SPDX-License-Identifier: MIT */
/*
 * Pulse: a few bytes to a channel, without waiting.
 */
#include "neutrino/result.h"
#include "runtime/pulse.h"
#include "runtime/priority.h"
#include "runtime/receipt.h"
#include "runtime/thread.h"
#include "sys/neutrino.h"

#include <stdint.h>

/* QNX's rules for the priority: -1 is the caller's own, 0 becomes 1. 0 = out of range. */
static unsigned effective_priority(Thread *thread, int priority) {
        if (priority == -1)
                return priority_now(thread);
        if (priority < -1 || priority > UINT8_MAX)
                return 0;
        return priority ? (unsigned)priority : 1;
}

static int send_pulse(Thread *thread, int coid, int priority, int code, uint64_t value) {
        unsigned p = effective_priority(thread, priority);

        if (p == 0 || code < INT8_MIN || code > INT8_MAX)
                return EINVAL;
        return positive(pulse_send(coid, p, code, value));
}

static int pulse(int coid, int priority, int code, uint64_t value) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = send_pulse(thread, coid, priority, code, value);
        call_leave(thread);
        return r;
}

int MsgSendPulse_r(int coid, int priority, int code, int value) {
        return pulse(coid, priority, code, (uint64_t)(int64_t)value);
}

int MsgSendPulsePtr_r(int coid, int priority, int code, void *value) {
        return pulse(coid, priority, code, (uintptr_t)value);
}

int MsgSendPulse(int coid, int priority, int code, int value) {
        return plain_status(MsgSendPulse_r(coid, priority, code, value));
}

int MsgSendPulsePtr(int coid, int priority, int code, void *value) {
        return plain_status(MsgSendPulsePtr_r(coid, priority, code, value));
}

/* ---- MsgPause ---- */

/* Nothing here waits for memory of ours, so the server may go on at once: that is the pulse. */
static int pause_inside(Receipt *receipt, unsigned cookie) {
        Channel *channel;
        int r = ESRCH;

        if (!(receipt->channel_flags & _NTO_CHF_MSG_PAUSING))
                return ENOTSUP;
        server_lock();
        channel = channel_find_locked(receipt->chid);
        if (channel)
                r = positive(channel_pulse_locked(channel, _PULSE_CODE_RESTART, cookie, receipt->scoid,
                                                  receipt->priority));
        server_unlock();
        return r;
}

int MsgPause_r(int rcvid, unsigned cookie) {
        Thread *thread = call_enter();
        Receipt *receipt = receipt_use(rcvid);
        int r = ESRCH;

        call_take_timeout(thread);
        if (receipt) {
                r = pause_inside(receipt, cookie);
                receipt_done(receipt);
        }
        call_leave(thread);
        return r;
}

int MsgPause(int rcvid, unsigned cookie) {
        return plain_status(MsgPause_r(rcvid, cookie));
}
