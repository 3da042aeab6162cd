/* SPDX-License-Identifier: MIT */
#include "dispatch/combine.h"

#include "dispatch/public.h"

#include <string.h>

/* Where the next part begins, from the one at hand; 0: there is none. */
static size_t step_of(const resmgr_context_t *ctp) {
        unsigned length;

        if (ctp->size < sizeof(struct _io_combine) || ctp->msg->type == _IO_CONNECT)
                return 0;
        length = ctp->msg->combine.i.combine_len;
        if (!(length & _IO_COMBINE_FLAG))
                return 0;
        length &= ~_IO_COMBINE_FLAG & 0xffffu;
        /* a part that overlaps itself would go round for ever */
        return length >= sizeof(struct _io_combine) && length + sizeof(struct _io_combine) <= ctp->size ? length : 0;
}

void combine_begin(resmgr_context_t *ctp) {
        ctp->rcvid = step_of(ctp) ? 0 : context_of(ctp)->rcvid;
}

bool combine_next(resmgr_context_t *ctp) {
        size_t step = step_of(ctp);

        if (step == 0)
                return false;
        ctp->msg = (resmgr_iomsgs_t *)((char *)ctp->msg + step);
        ctp->offset += step;
        ctp->size -= step;
        combine_begin(ctp);
        return true;
}

int parts_add(Parts *parts, const resmgr_context_t *ctp, int r) {
        unsigned n = r == EOK ? 0 : (unsigned)-r;

        if (n > ctp->dpp->nparts_max || parts->n + n > PARTS_MAX)
                return EMSGSIZE;
        memcpy(parts->iov + parts->n, ctp->iov, n * sizeof(iov_t));
        parts->n += n;
        return EOK;
}

int parts_answer(const Parts *parts, resmgr_context_t *ctp) {
        if (parts->n > ctp->dpp->nparts_max)
                return EMSGSIZE;
        memcpy(ctp->iov, parts->iov, parts->n * sizeof(iov_t));
        return _RESMGR_NPARTS((int)parts->n);
}
