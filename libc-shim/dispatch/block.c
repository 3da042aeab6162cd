/* SPDX-License-Identifier: MIT */
/* Block: waiting for the next message or pulse of a handle, with its persistent time-out. */
#include "dispatch/handle.h"
#include "dispatch/public.h"

#define NS_PER_S 1000000000ull

static void context_reset(Context *context) {
        resmgr_context_t *ctp = &context->public.resmgr_context;

        /* a part of a combine message may have moved it */
        ctp->msg = (resmgr_iomsgs_t *)((char *)ctp->msg - ctp->offset);
        ctp->offset = 0;
        ctp->size = 0;
        ctp->status = 0;
        ctp->id = -1;
        ctp->extra = NULL;
        context->temporary = NULL;
        context->opens_for_good = false;
}

static void arm_timeout(const dispatch_t *dpp) {
        uint64_t ns = dpp->timeout;

        TimerTimeout_r(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, &ns, NULL);
}

static dispatch_context_t *block_timed_out(Context *context) {
        context->public.resmgr_context.rcvid = -1;
        context->is_pulse = false;
        return &context->public;
}

PUBLIC dispatch_context_t *dispatch_block(dispatch_context_t *public) {
        Context *context = context_of(public);
        resmgr_context_t *ctp = &public->resmgr_context;
        dispatch_t *dpp = context->dpp;
        int rcvid;

        context_reset(context);
        if (dpp->has_timeout)
                arm_timeout(dpp);
        rcvid = MsgReceive_r(dpp->chid, ctp->msg, ctp->msg_max_size, &ctp->info);
        if (rcvid == -ETIMEDOUT && dpp->has_timeout)
                return block_timed_out(context);
        if (rcvid < 0)
                return fail_null(-rcvid);
        context->is_pulse = rcvid == 0;
        if (context->is_pulse && ctp->msg->pulse.code == PULSE_WAKE)
                return fail_null(EINTR);
        ctp->rcvid = context->rcvid = rcvid;
        ctp->size = context->is_pulse ? sizeof(struct _pulse) : (size_t)ctp->info.msglen;
        ((char *)ctp->msg)[ctp->size] = '\0';
        return public;
}

PUBLIC resmgr_context_t *resmgr_block(resmgr_context_t *ctp) {
        return (resmgr_context_t *)dispatch_block((dispatch_context_t *)ctp);
}

PUBLIC void dispatch_unblock(dispatch_context_t *ctp) {
        dispatch_t *dpp = context_of(ctp)->dpp;
        int coid;

        dispatch_lock(dpp);
        coid = dispatch_self_locked(dpp);
        dispatch_unlock(dpp);
        if (coid >= 0)
                MsgSendPulse_r(coid, -1, PULSE_WAKE, 0);
}

PUBLIC void resmgr_unblock(resmgr_context_t *ctp) {
        dispatch_unblock((dispatch_context_t *)ctp);
}

PUBLIC int dispatch_timeout(dispatch_t *dpp, struct timespec *reltime) {
        if (!dpp)
                return fail(EINVAL);
        if (reltime && (reltime->tv_sec < 0 || reltime->tv_nsec < 0 || reltime->tv_nsec >= (long)NS_PER_S))
                return fail(EINVAL);
        dpp->has_timeout = reltime != NULL;
        if (reltime)
                dpp->timeout = (uint64_t)reltime->tv_sec * NS_PER_S + (uint64_t)reltime->tv_nsec;
        return 0;
}
