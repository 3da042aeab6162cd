/* SPDX-License-Identifier: MIT */
/* Handler: who gets what dispatch_block() returned. */
#include "dispatch/answer.h"
#include "dispatch/attach.h"
#include "dispatch/connect.h"
#include "dispatch/handle.h"
#include "dispatch/io.h"
#include "dispatch/message.h"
#include "dispatch/public.h"
#include "dispatch/select.h"
#include "runtime/file.h"

/* ---- pulses ---- */

/* A client process has gone, or has detached all its connections; its files end by themselves. */
static void disconnect(resmgr_context_t *ctp) {
        ConnectDetach_r(ctp->msg->pulse.scoid);
}

static bool handle_system_pulse(resmgr_context_t *ctp) {
        const struct _pulse *pulse = &ctp->msg->pulse;

        switch (pulse->code) {
        case PULSE_SELECT:
                select_deliver(ctp, pulse->value.sival_int);
                return true;
        case FILE_PULSE_CLOSED: /* done before any pulse or message is looked at */
                return true;
        case _PULSE_CODE_UNBLOCK:
                io_unblock(ctp);
                return ctp->dpp->serves_files;
        case _PULSE_CODE_DISCONNECT:
                disconnect(ctp);
                return true;
        default:
                return false;
        }
}

static bool handle_pulse(resmgr_context_t *ctp) {
        return pulse_deliver(ctp) || handle_system_pulse(ctp) || message_deliver_fallback(ctp);
}

/* ---- messages ---- */

/* What a manager's other_func takes for itself it answers as a handler does. */
static bool deliver_other(resmgr_context_t *ctp) {
        Attach *attach;
        bool has_other;

        for (int id = 0; (attach = attach_get_next(ctp->dpp, &id)); id++) {
                has_other = attach->attr && attach->attr->other_func &&
                            attach->attr->flags & RESMGR_FLAG_ATTACH_OTHERFUNC;
                if (has_other) {
                        ctp->id = attach->id;
                        answer(ctp, attach->attr->other_func(ctp, ctp->msg));
                }
                attach_put(attach);
                if (has_other)
                        return true;
        }
        return false;
}

static bool deliver_io(resmgr_context_t *ctp) {
        unsigned type = ctp->msg->type;

        if (!ctp->dpp->serves_files || type < _IO_BASE || type > _IO_MAX)
                return false;
        if (type == _IO_CONNECT)
                connect_handle(ctp);
        else
                io_handle(ctp);
        return true;
}

static int handle_message(resmgr_context_t *ctp) {
        if (ctp->size >= sizeof(uint16_t) && (message_deliver(ctp) || deliver_io(ctp) || deliver_other(ctp)))
                return 0;
        if (message_deliver_fallback(ctp))
                return 0;
        answer(ctp, ENOSYS);
        return -1;
}

/* What a client has closed is closed before anything that it does afterwards. */
static void close_files(resmgr_context_t *ctp) {
        uint64_t file;

        while (file_take_closed(ctp->dpp->chid, &file))
                io_file_closed(ctp, file);
}

PUBLIC int dispatch_handler(dispatch_context_t *public) {
        resmgr_context_t *ctp = &public->resmgr_context;

        if (ctp->rcvid < 0)
                return 0; /* a time-out */
        if (ctp->dpp->serves_files)
                close_files(ctp);
        if (context_of(public)->is_pulse)
                return handle_pulse(ctp) ? 0 : -1;
        return handle_message(ctp);
}

PUBLIC int resmgr_handler(resmgr_context_t *ctp) {
        return dispatch_handler((dispatch_context_t *)ctp);
}
