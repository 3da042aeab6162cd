/* SPDX-License-Identifier: MIT */
/*
 * Event: MsgDeliverEvent and its relatives. What is for ourselves is done here, the rest is the daemon's to
 * check: it alone knows the client's connections.
 */
#include "neutrino/result.h"
#include "runtime/channel.h"
#include "runtime/connection.h"
#include "runtime/event.h"
#include "runtime/helper.h"
#include "runtime/origin.h"
#include "runtime/priority.h"
#include "runtime/registry.h"
#include "runtime/session.h"
#include "runtime/thread.h"
#include "sys/neutrino.h"

#include <string.h>

static Thread *enter(void) {
        Thread *thread = call_enter();

        call_take_timeout(thread);
        return thread;
}

/* ---- to a client ---- */

static int ask(Thread *thread, const Origin *origin, const struct sigevent *event, bool verify) {
        WireRequest request = {
                .op = WIRE_EVENT_DELIVER,
                .event_deliver = {
                        .scoid = origin->scoid,
                        .coid = origin->coid,
                        .tid = (uint32_t)origin->tid,
                        .priority = (uint8_t)priority_now(thread),
                        .verify = verify,
                },
        };
        WireReply reply;
        int fds[SESSION_FDS];

        memcpy(&request.event_deliver.event, event, sizeof(*event));
        return session_ask(&request, -1, &reply, fds);
}

static int to_client(Thread *thread, int rcvid, const struct sigevent *event, bool verify) {
        Origin origin;
        bool known;

        server_lock();
        known = origin_find_locked(rcvid, &origin);
        server_unlock();
        return known ? ask(thread, &origin, event, verify) : -ESRCH;
}

/* ---- to ourselves ---- */

static int verify_self(const struct sigevent *event) {
        const Connection *connection;
        int r = event_check(event);

        if (r < 0 || SIGEV_GET_TYPE(event) != SIGEV_PULSE || (event->sigev_notify & SIGEV_FLAG_HANDLE))
                return r;
        connection = connection_find(event->sigev_coid);
        if (!connection)
                return -ESRCH;
        return connection_is_live(connection) ? 0 : -EBADF;
}

static int deliver_self(const struct sigevent *event) {
        int r = event_check(event);

        return r < 0 ? r : event_deliver_self(event, SI_QUEUE, 0);
}

int MsgDeliverEvent_r(int rcvid, const struct sigevent *event) {
        Thread *thread = enter();
        int r = -EFAULT;

        if (event)
                r = rcvid == 0 ? deliver_self(event) : to_client(thread, rcvid, event, false);
        call_leave(thread);
        return positive(r);
}

int MsgDeliverEvent(int rcvid, const struct sigevent *event) {
        return plain_status(MsgDeliverEvent_r(rcvid, event));
}

int MsgVerifyEvent_r(int rcvid, const struct sigevent *event) {
        Thread *thread = enter();
        int r = -EFAULT;

        if (event)
                r = rcvid == 0 ? verify_self(event) : to_client(thread, rcvid, event, true);
        call_leave(thread);
        return positive(r);
}

int MsgVerifyEvent(int rcvid, const struct sigevent *event) {
        return plain_status(MsgVerifyEvent_r(rcvid, event));
}

/* ---- registered events ---- */

/* Who may deliver it: 0, or -EBADF. */
static int server_of(int coid, int *ret_pid) {
        const Connection *connection;

        if (coid == _NTO_REGEVENT_ALLOW_ANY_SERVER)
                *ret_pid = EVENT_ANY_SERVER;
        else if (coid == SYSMGR_COID)
                *ret_pid = 0;
        else if (coid == _NTO_REGEVENT_ALLOW_SELF)
                *ret_pid = session_pid();
        else if ((connection = connection_find(coid)))
                *ret_pid = connection->server_pid;
        else
                return -EBADF;
        return 0;
}

/* What nobody else can do for us needs somebody who listens. */
static int prepare(const struct sigevent *event) {
        switch (SIGEV_GET_TYPE(event)) {
        case SIGEV_THREAD:
        case SIGEV_MEMORY:
        case SIGEV_INTR:
        case SIGEV_UNBLOCK:
                return helper_serve_events();
        }
        return 0;
}

static void make_handle(struct sigevent *event, int handle) {
        event->sigev_notify |= SIGEV_FLAG_HANDLE;
        event->sigev_handle = NULL;
        event->sigev_id = handle;
}

static int register_event(struct sigevent *event, int coid) {
        int pid, r;

        if (!event)
                return -EFAULT;
        if (event->sigev_notify & SIGEV_FLAG_HANDLE)
                return -EINVAL;
        r = event_check(event);
        if (r == 0)
                r = session_open();
        if (r == 0)
                r = server_of(coid, &pid);
        if (r == 0)
                r = prepare(event);
        if (r == 0)
                r = registry_add(event, pid);
        if (r < 0)
                return r;
        make_handle(event, r);
        return 0;
}

int MsgRegisterEvent_r(struct sigevent *event, int coid) {
        Thread *thread = enter();
        int r = register_event(event, coid);

        call_leave(thread);
        return positive(r);
}

int MsgRegisterEvent(struct sigevent *event, int coid) {
        return plain_status(MsgRegisterEvent_r(event, coid));
}

static int unregister_event(const struct sigevent *event) {
        if (!event)
                return -EFAULT;
        if (!(event->sigev_notify & SIGEV_FLAG_HANDLE))
                return -ESRCH;
        return registry_remove((uint32_t)event->sigev_id);
}

int MsgUnregisterEvent_r(const struct sigevent *event) {
        Thread *thread = enter();
        int r = unregister_event(event);

        call_leave(thread);
        return positive(r);
}

int MsgUnregisterEvent(const struct sigevent *event) {
        return plain_status(MsgUnregisterEvent_r(event));
}
