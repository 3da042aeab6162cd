/* SPDX-License-Identifier: MIT */
#include "neutrino/info.h"

#include "neutrino/result.h"
#include "runtime/priority.h"
#include "runtime/thread.h"
#include "shm/copy.h"
#include "shm/slot.h"

#include <string.h>

/* The client asks in the slot; the pulse that says so may still wait to be collected. */
static bool wants_out(const Receipt *receipt) {
        uint32_t word = slot_peek(receipt->shm);

        return receipt->unblock ||
               ((word & SLOT_UNBLOCK) && slot_generation(word) == receipt->generation);
}

void info_fill(struct _msg_info *info, const Receipt *receipt, ssize_t copied) {
        *info = (struct _msg_info){
                .nd = ND_LOCAL_NODE,
                .srcnd = ND_LOCAL_NODE,
                .pid = receipt->link->client.pid,
                .tid = receipt->tid,
                .chid = receipt->chid,
                .scoid = receipt->scoid,
                .coid = receipt->coid,
                .priority = receipt->priority,
                .flags = (int16_t)(_NTO_MI_BITS_64 | (wants_out(receipt) ? _NTO_MI_UNBLOCK_REQ : 0)),
                .msglen = copied,
                .srcmsglen = (ssize_t)receipt->message_bytes,
                .dstmsglen = (ssize_t)receipt->reply_room,
        };
}

static int info_inside(int rcvid, struct _msg_info *info) {
        Receipt *receipt = receipt_use(rcvid);
        struct _msg_info copy;

        if (!receipt)
                return ESRCH;
        info_fill(&copy, receipt, (ssize_t)receipt->received_bytes);
        receipt_done(receipt);
        return copy_bytes(info, &copy, sizeof(copy)) ? EOK : EFAULT;
}

int MsgInfo_r(int rcvid, struct _msg_info *info) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = info_inside(rcvid, info);
        call_leave(thread);
        return r;
}

int MsgInfo(int rcvid, struct _msg_info *info) {
        return plain_status(MsgInfo_r(rcvid, info));
}

/* Priorities are not inherited yet; a live rcvid is all that there is to say. */
int MsgCurrent_r(int rcvid) {
        Thread *thread = call_enter();
        Receipt *receipt = receipt_use(rcvid);

        call_take_timeout(thread);
        if (receipt) {
                priority_take(thread, receipt->priority);
                receipt_done(receipt);
        }
        call_leave(thread);
        return receipt ? EOK : ESRCH;
}

int MsgCurrent(int rcvid) {
        return plain_status(MsgCurrent_r(rcvid));
}
