/* SPDX-License-Identifier: MIT */
#include "dispatch/connect.h"

#include "dispatch/answer.h"
#include "dispatch/attach.h"
#include "dispatch/combine.h"
#include "dispatch/io.h"

#include <string.h>

#define PATH_AT offsetof(struct _io_connect, path)

static size_t align8(size_t n) {
        return (n + 7) & ~(size_t)7;
}

/* ---- decode ---- */

/* The path ends in a 0 inside the message; extra data, where there is any, is all there. */
static int check(const resmgr_context_t *ctp, void **ret_extra, size_t *ret_bytes) {
        struct _io_connect *connect = &ctp->msg->connect;
        size_t end;

        if (ctp->size < PATH_AT + 1)
                return EBADMSG;
        end = PATH_AT + connect->path_len;
        if (connect->path_len == 0 || end > ctp->size || connect->path[connect->path_len - 1] != '\0')
                return EBADMSG;
        *ret_extra = NULL;
        if (connect->extra_len > 0) {
                *ret_extra = (char *)connect + align8(end);
                end = align8(end) + connect->extra_len;
        }
        *ret_bytes = align8(end);
        return end > ctp->size ? EBADMSG : EOK;
}

/* A second path must end too. */
static int check_extra(const struct _io_connect *connect, const char *extra) {
        switch (connect->extra_type) {
        case _IO_CONNECT_EXTRA_RENAME:
        case _IO_CONNECT_EXTRA_SYMLINK:
                return extra && extra[connect->extra_len - 1] == '\0' ? EOK : EBADMSG;
        case _IO_CONNECT_EXTRA_LINK:
                return extra && connect->extra_len >= sizeof(struct _msg_info) ? EOK : EBADMSG;
        default:
                return EOK;
        }
}

/* ---- which handler ---- */

#define HAS(table, name)                                                                           \
        ((table) && (table)->nfuncs > (offsetof(resmgr_connect_funcs_t, name) / sizeof(void *) - 1) &&   \
         (table)->name)

/*
 * A link names its file by a descriptor of the client's; the library gives the handler the OCB itself, as QNX does.
 */
static int call_link(resmgr_context_t *ctp, const Attach *attach, io_link_extra_t *extra) {
        if (!HAS(attach->connect, link))
                return ENOSYS;
        return attach->connect->link(ctp, &ctp->msg->link, attach->handle, extra);
}

static int call(resmgr_context_t *ctp, const Attach *attach, void *extra) {
        const resmgr_connect_funcs_t *table = attach->connect;
        resmgr_iomsgs_t *msg = ctp->msg;

        switch (msg->connect.subtype) {
        case _IO_CONNECT_COMBINE:
        case _IO_CONNECT_COMBINE_CLOSE:
        case _IO_CONNECT_OPEN:
                return HAS(table, open) ? table->open(ctp, &msg->open, attach->handle, extra) : ENOSYS;
        case _IO_CONNECT_UNLINK:
                return HAS(table, unlink) ? table->unlink(ctp, &msg->unlink, attach->handle, extra) : ENOSYS;
        case _IO_CONNECT_RENAME:
                return HAS(table, rename) ? table->rename(ctp, &msg->rename, attach->handle, extra) : ENOSYS;
        case _IO_CONNECT_MKNOD:
                return HAS(table, mknod) ? table->mknod(ctp, &msg->mknod, attach->handle, extra) : ENOSYS;
        case _IO_CONNECT_READLINK:
                return HAS(table, readlink) ? table->readlink(ctp, &msg->readlink, attach->handle, extra)
                                            : ENOSYS;
        case _IO_CONNECT_LINK:
                return call_link(ctp, attach, extra);
        case _IO_CONNECT_MOUNT:
                return HAS(table, mount) ? table->mount(ctp, &msg->mount, attach->handle, extra) : ENOSYS;
        default:
                return ENOSYS;
        }
}

/* ---- whole messages ---- */

/* The parts behind the connect message work on what it has opened. */
static int go_on(resmgr_context_t *ctp, size_t bytes) {
        Binding *binding;
        int r;

        if (ctp->size < bytes + sizeof(struct _io_combine))
                return EOK;
        ctp->msg = (resmgr_iomsgs_t *)((char *)ctp->msg + bytes);
        ctp->offset += bytes;
        ctp->size -= bytes;
        binding = binding_get(ctp);
        if (!binding)
                return EBADF;
        combine_begin(ctp);
        r = io_handle_rest(ctp, binding);
        binding_put(ctp, binding);
        return r;
}

static void close_temporary(resmgr_context_t *ctp) {
        Context *context = context_of(ctp);
        Binding *binding = context->temporary;

        context->temporary = NULL;
        if (binding)
                binding_put(ctp, binding);
}

static int handle_attached(resmgr_context_t *ctp, const Attach *attach, void *extra, size_t bytes) {
        unsigned subtype = ctp->msg->connect.subtype;
        bool is_combine = subtype == _IO_CONNECT_COMBINE || subtype == _IO_CONNECT_COMBINE_CLOSE;
        int r;

        ctp->id = attach->id;
        context_of(ctp)->opens_for_good = subtype == _IO_CONNECT_OPEN || subtype == _IO_CONNECT_COMBINE;
        if (is_combine && ctp->size > bytes)
                ctp->rcvid = 0;
        r = call(ctp, attach, extra);
        if (r == EOK && is_combine)
                r = go_on(ctp, bytes);
        return r;
}

void connect_handle(resmgr_context_t *ctp) {
        Attach *attach = NULL;
        void *extra = NULL;
        size_t bytes;
        int r;

        r = check(ctp, &extra, &bytes);
        if (r == EOK)
                r = check_extra(&ctp->msg->connect, extra);
        if (r == EOK) {
                attach = attach_get(ctp->dpp, (int)ctp->msg->connect.handle);
                r = attach ? handle_attached(ctp, attach, extra, bytes) : ENOENT;
        }
        /* what answers a stat() may lie in the OCB: answer first, close then */
        answer(ctp, r);
        close_temporary(ctp);
        if (attach)
                attach_put(attach);
}
