/* SPDX-License-Identifier: MIT */
#include "dispatch/handle.h"

#include "dispatch/message.h"
#include "dispatch/public.h"
#include "dispatch/select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NPARTS_MIN 8
#define FLAGS_KNOWN ((unsigned)DISPATCH_FLAG_NOLOCK | (unsigned)DISPATCH_CHANNEL_COIDDEATH)

void dispatch_lock(dispatch_t *dpp) {
        if (!(dpp->flags & DISPATCH_FLAG_NOLOCK))
                pthread_mutex_lock(&dpp->mutex);
}

void dispatch_unlock(dispatch_t *dpp) {
        if (!(dpp->flags & DISPATCH_FLAG_NOLOCK))
                pthread_mutex_unlock(&dpp->mutex);
}

/* ---- handle ---- */

PUBLIC dispatch_t *dispatch_create_channel(int chid, unsigned flags) {
        dispatch_t *dpp;

        if (flags & ~FLAGS_KNOWN || chid < -1)
                return fail_null(EINVAL);
        dpp = calloc(1, sizeof(*dpp));
        if (!dpp)
                return fail_null(ENOMEM);
        pthread_mutex_init(&dpp->mutex, NULL);
        dpp->flags = flags;
        dpp->chid = chid;
        dpp->self_coid = -1;
        dpp->msg_max_size = MSG_SIZE_MIN;
        dpp->nparts_max = NPARTS_MIN;
        list_init(&dpp->ranges);
        list_init(&dpp->selects);
        return dpp;
}

PUBLIC dispatch_t *dispatch_create(void) {
        return dispatch_create_channel(-1, 0);
}

int dispatch_need_channel_locked(dispatch_t *dpp) {
        unsigned flags = _NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT;
        int chid;

        if (dpp->chid >= 0)
                return 0;
        if (dpp->flags & DISPATCH_CHANNEL_COIDDEATH)
                flags |= _NTO_CHF_COID_DISCONNECT;
        chid = ChannelCreate_r(flags);
        if (chid < 0)
                return chid;
        dpp->chid = chid;
        dpp->owns_channel = true;
        return 0;
}

int dispatch_self_locked(dispatch_t *dpp) {
        if (dpp->chid < 0)
                return -EINVAL;
        if (dpp->self_coid < 0)
                dpp->self_coid = ConnectAttach_r(ND_LOCAL_NODE, 0, dpp->chid, _NTO_SIDE_CHANNEL, 0);
        return dpp->self_coid;
}

int dispatch_fit_locked(dispatch_t *dpp, size_t msg_max_size, unsigned nparts_max) {
        if (dpp->has_contexts && (msg_max_size > dpp->msg_max_size || nparts_max > dpp->nparts_max))
                return -EINVAL;
        if (msg_max_size > dpp->msg_max_size)
                dpp->msg_max_size = msg_max_size;
        if (nparts_max > dpp->nparts_max)
                dpp->nparts_max = nparts_max;
        return 0;
}

PUBLIC int dispatch_destroy(dispatch_t *dpp) {
        if (!dpp)
                return fail(EINVAL);
        select_detach_all(dpp);
        message_detach_all(dpp);
        if (dpp->self_coid >= 0)
                ConnectDetach_r(dpp->self_coid);
        if (dpp->owns_channel)
                ChannelDestroy_r(dpp->chid);
        pthread_mutex_destroy(&dpp->mutex);
        free(dpp);
        return 0;
}

PUBLIC int dispatch_set_hash_size(dispatch_t *dpp, unsigned nbuckets) {
        return dpp && nbuckets > 0 ? 0 : fail(EINVAL);
}

/* ---- context ---- */

PUBLIC dispatch_context_t *dispatch_context_alloc(dispatch_t *dpp) {
        Context *context;
        size_t head;

        if (!dpp || dpp->chid < 0)
                return fail_null(EINVAL);
        dispatch_lock(dpp);
        dpp->has_contexts = true;
        dispatch_unlock(dpp);
        head = sizeof(*context) + dpp->nparts_max * sizeof(iov_t);
        head = (head + 15) & ~(size_t)15;
        /*
         * An answer (o) may be longer than the request in whose place it is built; and programs call
         * strlen() on what was written to them.
         */
        context = calloc(1, head + dpp->msg_max_size + sizeof(resmgr_iomsgs_t) + 1);
        if (!context)
                return fail_null(ENOMEM);
        context->dpp = dpp;
        context->public.resmgr_context = (resmgr_context_t){
                .rcvid = -1,
                .msg = (resmgr_iomsgs_t *)((char *)context + head),
                .dpp = dpp,
                .id = -1,
                .msg_max_size = dpp->msg_max_size,
        };
        return &context->public;
}

PUBLIC void dispatch_context_free(dispatch_context_t *ctp) {
        if (ctp)
                free(context_of(ctp));
}

PUBLIC resmgr_context_t *resmgr_context_alloc(dispatch_t *dpp) {
        return (resmgr_context_t *)dispatch_context_alloc(dpp);
}

PUBLIC void resmgr_context_free(resmgr_context_t *ctp) {
        dispatch_context_free((dispatch_context_t *)ctp);
}
