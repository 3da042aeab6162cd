/* SPDX-License-Identifier: MIT */
/* Bytes: reading and writing a client's message from a handler; offsets count from the part at hand. */
#include "dispatch/handle.h"
#include "dispatch/public.h"

#include <string.h>

static ssize_t plain(ssize_t r) {
        return r < 0 ? fail((int)-r) : r;
}

static int rcvid_of(resmgr_context_t *ctp) {
        return context_of(ctp)->rcvid;
}

PUBLIC ssize_t resmgr_msgread(resmgr_context_t *ctp, void *msg, size_t nbytes, size_t offset) {
        return plain(MsgRead_r(rcvid_of(ctp), msg, nbytes, offset + ctp->offset));
}

PUBLIC ssize_t resmgr_msgreadv(resmgr_context_t *ctp, iov_t *rmsg, int rparts, size_t offset) {
        return plain(MsgReadv_r(rcvid_of(ctp), rmsg, (size_t)rparts, offset + ctp->offset));
}

PUBLIC ssize_t resmgr_msgwrite(resmgr_context_t *ctp, const void *msg, size_t nbytes, size_t offset) {
        return plain(MsgWrite_r(rcvid_of(ctp), msg, nbytes, offset));
}

PUBLIC ssize_t resmgr_msgwritev(resmgr_context_t *ctp, const iov_t *smsg, int sparts, size_t offset) {
        return plain(MsgWritev_r(rcvid_of(ctp), smsg, (size_t)sparts, offset));
}

/* Copies what the receive buffer has of [offset, ...) into the parts; bytes copied. */
static size_t take_buffered(const resmgr_context_t *ctp, const iov_t *parts, int n, size_t offset) {
        size_t left = offset < ctp->size ? ctp->size - offset : 0, taken = 0;
        const char *from = (const char *)ctp->msg + offset;

        for (int i = 0; i < n && left > 0; i++) {
                size_t bytes = parts[i].iov_len < left ? parts[i].iov_len : left;

                memcpy(parts[i].iov_base, from + taken, bytes);
                taken += bytes;
                left -= bytes;
        }
        return taken;
}

/* What is left of the parts after @done bytes. The number of them. */
static int parts_behind(const iov_t *parts, int n, size_t done, iov_t *rest) {
        int kept = 0;

        for (int i = 0; i < n; i++) {
                size_t skip = parts[i].iov_len < done ? parts[i].iov_len : done;

                done -= skip;
                if (parts[i].iov_len > skip)
                        SETIOV(&rest[kept++], (char *)parts[i].iov_base + skip, parts[i].iov_len - skip);
        }
        return kept;
}

PUBLIC ssize_t resmgr_msggetv(resmgr_context_t *ctp, iov_t *rmsg, int rparts, size_t offset) {
        size_t taken;
        ssize_t more;
        int n;

        if (rparts < 0)
                return fail(EINVAL);
        taken = take_buffered(ctp, rmsg, rparts, offset);
        {
                iov_t rest[rparts > 0 ? rparts : 1];

                n = parts_behind(rmsg, rparts, taken, rest);
                if (n == 0 || context_of(ctp)->is_pulse)
                        return (ssize_t)taken;
                more = MsgReadv_r(rcvid_of(ctp), rest, (size_t)n, offset + taken + ctp->offset);
        }
        return more < 0 ? plain(more) : (ssize_t)taken + more;
}

PUBLIC ssize_t resmgr_msgget(resmgr_context_t *ctp, void *msg, size_t nbytes, size_t offset) {
        iov_t part;

        SETIOV(&part, msg, nbytes);
        return resmgr_msggetv(ctp, &part, 1, offset);
}

/* Bytes of the part at hand and all behind it. */
PUBLIC size_t resmgr_msggetsize(resmgr_context_t *ctp) {
        return (size_t)ctp->info.srcmsglen - ctp->offset;
}

PUBLIC int resmgr_msgreply(resmgr_context_t *ctp, const void *msg, size_t nbytes) {
        return (int)plain(MsgReply_r(rcvid_of(ctp), ctp->status, msg, nbytes));
}

PUBLIC int resmgr_msgreplyv(resmgr_context_t *ctp, const iov_t *smsg, int sparts) {
        return (int)plain(MsgReplyv_r(rcvid_of(ctp), ctp->status, smsg, sparts));
}

/* A held message is read again, as if it had just come. */
PUBLIC int resmgr_msg_again(resmgr_context_t *ctp, int rcvid) {
        Context *context = context_of(ctp);
        ssize_t n;
        int r;

        r = MsgInfo_r(rcvid, &ctp->info);
        if (r < 0)
                return fail(-r);
        ctp->msg = (resmgr_iomsgs_t *)((char *)ctp->msg - ctp->offset);
        n = MsgRead_r(rcvid, ctp->msg, ctp->msg_max_size, 0);
        if (n < 0)
                return fail((int)-n);
        ctp->offset = 0;
        ctp->status = 0;
        ctp->size = (size_t)n;
        ctp->info.msglen = n;
        ((char *)ctp->msg)[n] = '\0';
        context->rcvid = ctp->rcvid = rcvid;
        context->is_pulse = false;
        context->temporary = NULL;
        return dispatch_handler(&context->public);
}

PUBLIC int resmgr_endian(resmgr_context_t *ctp, void *msg) {
        (void)ctp;
        (void)msg;
        return 0;
}
