/* SPDX-License-Identifier: MIT */
#include "dispatch/message.h"

#include "dispatch/public.h"

#include <stdlib.h>

typedef struct Range {
        List link; /* in dispatch_t.ranges */
        int low, high;
        MessageFunction *function;
        void *handle;
} Range;

/* ---- messages ---- */

static Range *range_that_meets_locked(dispatch_t *dpp, int low, int high) {
        Range *range;

        LIST_FOREACH(range, &dpp->ranges, Range, link)
                if (range->low <= high && low <= range->high)
                        return range;
        return NULL;
}

static int attach_locked(dispatch_t *dpp, const message_attr_t *attr, Range *range) {
        int r;

        if (range_that_meets_locked(dpp, range->low, range->high))
                return -EINVAL;
        r = attr ? dispatch_fit_locked(dpp, attr->msg_max_size, attr->nparts_max) : 0;
        if (r == 0)
                r = dispatch_need_channel_locked(dpp);
        if (r == 0)
                list_append(&dpp->ranges, &range->link);
        return r;
}

static int attach_fallback(dispatch_t *dpp, MessageFunction *function, void *handle) {
        int r;

        dispatch_lock(dpp);
        r = dispatch_need_channel_locked(dpp);
        if (r == 0) {
                dpp->fallback = function;
                dpp->fallback_handle = handle;
        }
        dispatch_unlock(dpp);
        return r < 0 ? fail(-r) : 0;
}

PUBLIC int message_attach(dispatch_t *dpp, message_attr_t *attr, int low, int high, MessageFunction *function,
                          void *handle) {
        Range *range;
        int r;

        if (dpp && function && attr && attr->flags & MSG_FLAG_DEFAULT_FUNC)
                return attach_fallback(dpp, function, handle);
        if (!dpp || !function || low < 0 || high > UINT16_MAX || low > high)
                return fail(EINVAL);
        range = calloc(1, sizeof(*range));
        if (!range)
                return fail(ENOMEM);
        *range = (Range){ .low = low, .high = high, .function = function, .handle = handle };
        dispatch_lock(dpp);
        r = attach_locked(dpp, attr, range);
        dispatch_unlock(dpp);
        if (r == 0)
                return 0;
        free(range);
        return fail(-r);
}

PUBLIC int message_detach(dispatch_t *dpp, int low, int high, unsigned flags) {
        Range *range;

        (void)flags;
        if (!dpp)
                return fail(EINVAL);
        dispatch_lock(dpp);
        range = range_that_meets_locked(dpp, low, high);
        if (range && (range->low != low || range->high != high))
                range = NULL;
        if (range)
                list_unlink(&range->link);
        dispatch_unlock(dpp);
        if (!range)
                return fail(EINVAL);
        free(range);
        return 0;
}

void message_detach_all(dispatch_t *dpp) {
        while (!list_is_empty(&dpp->ranges)) {
                Range *range = LIST_FIRST(&dpp->ranges, Range, link);

                list_unlink(&range->link);
                free(range);
        }
}

bool message_deliver(message_context_t *ctp) {
        Range found = { .function = NULL }, *range;
        int type;

        if (ctp->size < sizeof(ctp->msg->type))
                return false;
        type = ctp->msg->type;
        dispatch_lock(ctp->dpp);
        range = range_that_meets_locked(ctp->dpp, type, type);
        if (range)
                found = *range;
        dispatch_unlock(ctp->dpp);
        if (!found.function)
                return false;
        found.function(ctp, type, 0, found.handle);
        return true;
}

bool message_deliver_fallback(message_context_t *ctp) {
        int type = ctp->size < sizeof(ctp->msg->type) ? 0 : ctp->msg->type;

        if (!ctp->dpp->fallback)
                return false;
        ctp->dpp->fallback(ctp, type, MSG_FLAG_DEFAULT_FUNC, ctp->dpp->fallback_handle);
        return true;
}

PUBLIC int message_connect(dispatch_t *dpp, int flags) {
        int coid;

        if (!dpp || dpp->chid < 0)
                return fail(EINVAL);
        coid = ConnectAttach_r(ND_LOCAL_NODE, 0, dpp->chid, flags & MSG_FLAG_SIDE_CHANNEL ? _NTO_SIDE_CHANNEL : 0,
                               _NTO_COF_CLOEXEC);
        return coid < 0 ? fail(-coid) : coid;
}

/* ---- pulses ---- */

static int free_code_locked(const dispatch_t *dpp) {
        for (int code = _PULSE_CODE_MAXAVAIL; code >= _PULSE_CODE_MINAVAIL; code--)
                if (!dpp->pulses[code - PULSE_CODE_FIRST].function)
                        return code;
        return -EAGAIN;
}

static PulseEntry *entry_of(dispatch_t *dpp, int code) {
        unsigned place = (unsigned)(code - PULSE_CODE_FIRST);

        return place < PULSE_CODES ? &dpp->pulses[place] : NULL;
}

static int pulse_attach_locked(dispatch_t *dpp, int flags, int code, MessageFunction *function, void *handle) {
        PulseEntry *entry;
        int r;

        if (flags & MSG_FLAG_ALLOC_PULSE)
                code = free_code_locked(dpp);
        if (code < 0 && flags & MSG_FLAG_ALLOC_PULSE)
                return code;
        entry = entry_of(dpp, code);
        if (!entry || entry->function)
                return -EINVAL;
        r = dispatch_need_channel_locked(dpp);
        if (r < 0)
                return r;
        *entry = (PulseEntry){ .function = function, .handle = handle, .flags = flags };
        return code;
}

PUBLIC int pulse_attach(dispatch_t *dpp, int flags, int code, MessageFunction *function, void *handle) {
        int r;

        if (!dpp || !function)
                return fail(EINVAL);
        dispatch_lock(dpp);
        r = pulse_attach_locked(dpp, flags, code, function, handle);
        dispatch_unlock(dpp);
        return r < 0 ? fail(-r) : r;
}

PUBLIC int pulse_detach(dispatch_t *dpp, int code, int flags) {
        PulseEntry *entry = dpp ? entry_of(dpp, code) : NULL;
        bool was_attached;

        (void)flags;
        if (!entry)
                return fail(EINVAL);
        dispatch_lock(dpp);
        was_attached = entry->function != NULL;
        *entry = (PulseEntry){ .function = NULL };
        dispatch_unlock(dpp);
        return was_attached ? 0 : fail(EINVAL);
}

bool pulse_deliver(message_context_t *ctp) {
        int code = ctp->msg->pulse.code;
        PulseEntry *entry = entry_of(ctp->dpp, code), found;

        if (!entry)
                return false;
        dispatch_lock(ctp->dpp);
        found = *entry;
        dispatch_unlock(ctp->dpp);
        if (!found.function)
                return false;
        found.function(ctp, code, (unsigned)found.flags, found.handle);
        return true;
}
