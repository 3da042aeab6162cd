/* SPDX-License-Identifier: MIT */
#include "dispatch/select.h"

#include "dispatch/public.h"
#include "runtime/watch.h"

#include <poll.h>
#include <stdlib.h>

typedef int SelectFunction(select_context_t *ctp, int fd, unsigned flags, void *handle);

typedef struct Select {
        List link; /* in dispatch_t.selects */
        dispatch_t *dpp;
        int fd;
        unsigned flags;
        unsigned ready; /* SELECT_FLAG_... that are true */
        SelectFunction *function;
        void *handle;
        Watch *watch;
} Select;

static short events_of(unsigned flags) {
        return (short)((flags & SELECT_FLAG_READ ? POLLIN : 0) | (flags & SELECT_FLAG_WRITE ? POLLOUT : 0) |
                       (flags & SELECT_FLAG_EXCEPT ? POLLPRI : 0));
}

/* An end or an error is for whoever reads or writes to find out. */
static unsigned flags_of(short events, unsigned asked) {
        unsigned flags = 0;

        if (events & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
                flags |= SELECT_FLAG_READ;
        if (events & (POLLOUT | POLLERR | POLLHUP | POLLNVAL))
                flags |= SELECT_FLAG_WRITE;
        if (events & POLLPRI)
                flags |= SELECT_FLAG_EXCEPT;
        return flags & asked;
}

static Select *find_locked(dispatch_t *dpp, int fd) {
        Select *select;

        LIST_FOREACH(select, &dpp->selects, Select, link)
                if (select->fd == fd)
                        return select;
        return NULL;
}

/* In the watching thread. */
static void on_ready(void *data, short events) {
        Select *select = data;

        select->ready = flags_of(events, select->flags);
        MsgSendPulse_r(select->dpp->self_coid, -1, PULSE_SELECT, select->fd);
}

static int attach_locked(Select *select) {
        int r;

        if (find_locked(select->dpp, select->fd))
                return -EEXIST;
        r = dispatch_need_channel_locked(select->dpp);
        if (r == 0)
                r = dispatch_self_locked(select->dpp);
        if (r >= 0)
                r = watch_new(select->fd, events_of(select->flags), on_ready, select, &select->watch);
        if (r < 0)
                return r;
        list_append(&select->dpp->selects, &select->link);
        return 0;
}

PUBLIC int select_attach(dispatch_t *dpp, select_attr_t *attr, int fd, unsigned flags, SelectFunction *function,
                         void *handle) {
        Select *select;
        int r;

        (void)attr;
        if (!dpp || !function || events_of(flags) == 0)
                return fail(EINVAL);
        select = calloc(1, sizeof(*select));
        if (!select)
                return fail(ENOMEM);
        *select = (Select){ .dpp = dpp, .fd = fd, .flags = flags, .function = function, .handle = handle };
        dispatch_lock(dpp);
        r = attach_locked(select);
        dispatch_unlock(dpp);
        if (r == 0)
                return 0;
        free(select);
        return fail(-r);
}

static void end_locked(Select *select) {
        watch_free(select->watch); /* its function does not run any more afterwards */
        list_unlink(&select->link);
        free(select);
}

PUBLIC int select_detach(dispatch_t *dpp, int fd) {
        Select *select;

        if (!dpp)
                return fail(EINVAL);
        dispatch_lock(dpp);
        select = find_locked(dpp, fd);
        if (select)
                end_locked(select);
        dispatch_unlock(dpp);
        return select ? 0 : fail(EINVAL);
}

void select_detach_all(dispatch_t *dpp) {
        while (!list_is_empty(&dpp->selects))
                end_locked(LIST_FIRST(&dpp->selects, Select, link));
}

PUBLIC int select_rearm(dispatch_t *dpp, int fd) {
        Select *select;
        int r = -EINVAL;

        if (!dpp)
                return fail(EINVAL);
        dispatch_lock(dpp);
        select = find_locked(dpp, fd);
        if (select)
                r = watch_arm(select->watch);
        dispatch_unlock(dpp);
        return r < 0 ? fail(-r) : 0;
}

/* It may have been detached while the pulse was on its way. */
void select_deliver(resmgr_context_t *ctp, int fd) {
        dispatch_t *dpp = ctp->dpp;
        Select *select, found;

        dispatch_lock(dpp);
        select = find_locked(dpp, fd);
        if (select)
                found = *select;
        dispatch_unlock(dpp);
        if (!select)
                return;
        ctp->extra = &found;
        found.function(ctp, fd, found.ready, found.handle);
        ctp->extra = NULL;
        if (found.flags & SELECT_FLAG_REARM)
                select_rearm(dpp, fd);
}

PUBLIC int select_query(select_context_t *ctp, int *fd, unsigned *flags,
                        int (**function)(select_context_t *, int, unsigned, void *), void **handle) {
        const Select *select = ctp ? ctp->extra : NULL;

        if (!select)
                return fail(EINVAL);
        if (fd)
                *fd = select->fd;
        if (flags)
                *flags = select->flags;
        if (function)
                *function = select->function;
        if (handle)
                *handle = select->handle;
        return (int)select->ready;
}
