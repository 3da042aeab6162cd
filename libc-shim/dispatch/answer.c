/* SPDX-License-Identifier: MIT */
#include "dispatch/answer.h"

static void answer_error(int rcvid, int error) {
        MsgError_r(rcvid, error);
}

void answer(resmgr_context_t *ctp, int r) {
        int rcvid = context_of(ctp)->rcvid;

        if (r == _RESMGR_NOREPLY || rcvid <= 0)
                return;
        if (r == _RESMGR_DELAY_CLOSE)
                r = EOK;
        if (r == _RESMGR_DEFAULT)
                r = ENOSYS;
        if (r > 0)
                answer_error(rcvid, r);
        else if (-r > (int)ctp->dpp->nparts_max)
                answer_error(rcvid, EMSGSIZE);
        else
                MsgReplyv_r(rcvid, ctp->status, ctp->iov, -r);
}
