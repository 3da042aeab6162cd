/* SPDX-License-Identifier: MIT */
#include "dispatch/io.h"

#include "dispatch/answer.h"
#include "dispatch/combine.h"

typedef int Handler(resmgr_context_t *ctp, void *msg, void *ocb);

/* ---- which handler ---- */

/* Type and member, of the table and of resmgr_iomsgs_t. */
#define IO_PLAIN_TYPES(X)                                                                          \
        X(_IO_STAT, stat) X(_IO_DEVCTL, devctl) X(_IO_PATHCONF, pathconf) X(_IO_LSEEK, lseek)      \
        X(_IO_CHMOD, chmod) X(_IO_CHOWN, chown) X(_IO_UTIME, utime) X(_IO_OPENFD, openfd)          \
        X(_IO_FDINFO, fdinfo) X(_IO_LOCK, lock) X(_IO_SPACE, space) X(_IO_SHUTDOWN, shutdown)      \
        X(_IO_MMAP, mmap) X(_IO_MSG, msg) X(_IO_DUP, dup) X(_IO_SYNC, sync) X(_IO_POWER, power)    \
        X(_IO_ACL, acl) X(_IO_UTIME64, utime64)
#define IO_TYPES(X)                                                                                \
        X(_IO_READ, read) X(_IO_WRITE, write) X(_IO_NOTIFY, notify) X(_IO_CLOSE, close_dup)        \
        X(_IO_READ64, read64) X(_IO_WRITE64, write64) X(_IO_NOTIFY64, notify64) IO_PLAIN_TYPES(X)

/* A manager may have been compiled when the table was shorter. */
static Handler *member(const resmgr_io_funcs_t *io, size_t at) {
        size_t place = (at - offsetof(resmgr_io_funcs_t, read)) / sizeof(void *);

        if (!io || place >= io->nfuncs)
                return NULL;
        return *(Handler *const *)((const char *)io + at);
}
#define MEMBER(io, name) member(io, offsetof(resmgr_io_funcs_t, name))

static Handler *handler_of(const resmgr_io_funcs_t *io, unsigned type) {
        switch (type) {
#define X(number, name)                                                                            \
        case number:                                                                               \
                return MEMBER(io, name);
                IO_TYPES(X)
#undef X
        default:
                return NULL;
        }
}

/* Either of a pair may be set: the other one's messages look the same. */
static Handler *handler_or_twin(const resmgr_io_funcs_t *io, unsigned type) {
        static const uint16_t twins[][2] = { { _IO_READ, _IO_READ64 },
                                             { _IO_WRITE, _IO_WRITE64 },
                                             { _IO_NOTIFY, _IO_NOTIFY64 } };
        Handler *handler = handler_of(io, type);

        for (size_t i = 0; !handler && i < sizeof(twins) / sizeof(twins[0]); i++) {
                if (type == twins[i][0])
                        return handler_of(io, twins[i][1]);
                if (type == twins[i][1])
                        return handler_of(io, twins[i][0]);
        }
        return handler;
}

/* Bytes that a message of this type has at least; its answer (o) may be longer than that. */
static size_t size_of(unsigned type) {
        switch (type) {
        case _IO_READ:
        case _IO_READ64:
                return sizeof(struct _io_read);
        case _IO_WRITE:
        case _IO_WRITE64:
                return sizeof(struct _io_write);
        case _IO_NOTIFY:
        case _IO_NOTIFY64:
                return offsetof(struct _io_notify, mgr);
#define X(number, name)                                                                            \
        case number:                                                                               \
                return sizeof(((resmgr_iomsgs_t *)NULL)->name.i);
                IO_PLAIN_TYPES(X)
#undef X
        default:
                return sizeof(struct _io_combine);
        }
}

/* ---- call ---- */

static int call_ocb(resmgr_context_t *ctp, Handler *handler, void *ocb) {
        return handler ? handler(ctp, NULL, ocb) : EOK;
}

/* What the library does with a command that no handler knows is ENOTTY, for all else ENOSYS. */
static int default_of(unsigned type, int r) {
        if (type == _IO_DEVCTL && (r == _RESMGR_DEFAULT || r == ENOSYS))
                return ENOTTY;
        return r == _RESMGR_DEFAULT ? ENOSYS : r;
}

int io_call(resmgr_context_t *ctp, Binding *binding) {
        unsigned type = ctp->msg->type;
        Handler *handler = handler_or_twin(binding->io, type);
        int r;

        if (ctp->size < size_of(type))
                return EBADMSG;
        ctp->id = binding->id;
        if (!handler)
                return type == _IO_CLOSE || type == _IO_DUP ? EOK : default_of(type, _RESMGR_DEFAULT);
        r = call_ocb(ctp, MEMBER(binding->io, lock_ocb), binding->ocb);
        if (r != EOK && r != _RESMGR_DEFAULT)
                return r;
        r = handler(ctp, ctp->msg, binding->ocb);
        call_ocb(ctp, MEMBER(binding->io, unlock_ocb), binding->ocb);
        return default_of(type, r);
}

/* It comes with the message that is being handled, which may be anybody's: the context is lent out. */
void io_close_ocb(resmgr_context_t *ctp, Binding *binding) {
        struct _msg_info info = ctp->info;
        int rcvid = ctp->rcvid, id = ctp->id;
        long status = ctp->status;

        ctp->rcvid = 0; /* whoever waits for an answer waits for the message's, not for this */
        ctp->id = binding->id;
        ctp->info = binding->info;
        call_ocb(ctp, MEMBER(binding->io, close_ocb), binding->ocb);
        ctp->rcvid = rcvid;
        ctp->id = id;
        ctp->info = info;
        ctp->status = status;
}

/* ---- whole messages ---- */

int io_handle_rest(resmgr_context_t *ctp, Binding *binding) {
        Parts parts = { .n = 0 };
        int r;

        do {
                r = io_call(ctp, binding);
                if (r == _RESMGR_NOREPLY || r > EOK)
                        return r;
                r = parts_add(&parts, ctp, r);
        } while (r == EOK && combine_next(ctp));
        return r == EOK ? parts_answer(&parts, ctp) : r;
}

void io_handle(resmgr_context_t *ctp) {
        Binding *binding = binding_get(ctp);
        bool closes = ctp->msg->type == _IO_CLOSE;
        int r;

        if (!binding) { /* a close of a file that is closed by now is none to complain of */
                answer(ctp, closes ? EOK : EBADF);
                return;
        }
        combine_begin(ctp);
        r = io_handle_rest(ctp, binding);
        if (closes) /* before the answer: who has closed may open again at once */
                binding_end(binding);
        if (closes) {
                binding_put(ctp, binding);
                answer(ctp, r);
                return;
        }
        answer(ctp, r);
        binding_put(ctp, binding);
}

/* ---- what comes as a pulse ---- */

/* The message may have been answered since; then nobody waits. */
void io_unblock(resmgr_context_t *ctp) {
        int rcvid = ctp->msg->pulse.value.sival_int;
        Context *context = context_of(ctp);
        struct _msg_info info;
        Handler *unblock;
        Binding *binding;
        int r;

        if (MsgInfo_r(rcvid, &info) < 0 || !(info.flags & _NTO_MI_UNBLOCK_REQ))
                return;
        context->rcvid = ctp->rcvid = rcvid;
        ctp->info = info;
        binding = binding_get(ctp);
        unblock = binding ? MEMBER(binding->io, unblock) : NULL;
        if (unblock) {
                ctp->id = binding->id;
                call_ocb(ctp, MEMBER(binding->io, lock_ocb), binding->ocb);
                r = unblock(ctp, ctp->msg, binding->ocb);
                call_ocb(ctp, MEMBER(binding->io, unlock_ocb), binding->ocb);
                if (r != _RESMGR_DEFAULT)
                        answer(ctp, r);
        }
        if (binding)
                binding_put(ctp, binding);
        context->rcvid = ctp->rcvid = 0;
}

void io_file_closed(resmgr_context_t *ctp, uint64_t file) {
        Binding *binding = binding_get_file(ctp->dpp, file);

        if (!binding)
                return;
        binding_end(binding);
        binding_put(ctp, binding);
}
