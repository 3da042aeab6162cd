/* SPDX-License-Identifier: MIT */
/* Session: reads requests when it is its turn, a few at a time, so that no peer keeps the others waiting. */
#include "daemon/session.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdmsg.h"
#include "daemon/cred.h"
#include "daemon/goodbye.h"
#include "daemon/process.h"
#include "daemon/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REQUESTS_AT_ONCE   8
#define LOG_LINES_A_SECOND 5u

static void session_log_end(Session *session, const char *why) {
        log_warning("event=session-ended pid=%d uid=%u why=\"%s\"", (int)session->pid, session->uid, why);
}

/* Only for descriptors that the request is allowed to bring; request_handle() takes them over. */
static int session_read_one(Session *session, bool *ret_answered) {
        bool peeks = store_is_on(&session->kernel->store); /* whoever comes after us must find it */
        WireRequest request = { .op = WIRE_OPS_N };
        int fds[FDMSG_FDS_MAX];
        size_t n_fds;
        ssize_t n;

        n = fdmsg_receive(session->fd, &request, sizeof(request), fds, FDMSG_FDS_MAX, &n_fds,
                          peeks ? MSG_DONTWAIT | MSG_PEEK : MSG_DONTWAIT);
        if (n == -EMFILE) {
                session->has_peeked = peeks;
                return request_refuse(session, &request, (int)n, ret_answered);
        }
        if (n < 0)
                return n == -ENOMEM || n == -ENOBUFS ? -EAGAIN : (int)n; /* it will still be there */
        if (n == 0 && n_fds == 0)
                return -ESHUTDOWN;
        if (n != sizeof(request)) {
                for (size_t i = 0; i < n_fds; i++)
                        fd_close(fds[i]);
                return -EBADMSG;
        }
        session->has_peeked = peeks;
        return request_handle(session, &request, fds, n_fds, ret_answered);
}

/* The descriptors that are still in there go with it. */
void session_consume(Session *session) {
        char byte;

        if (!session->has_peeked)
                return;
        session->has_peeked = false;
        (void)recv(session->fd, &byte, sizeof(byte), MSG_DONTWAIT);
}

static void session_serve(Session *session, int n_most) {
        bool answered = false;
        int r = 0;

        /* who waits for an answer has nothing more to say until it has it */
        for (int i = 0; i < n_most && r == 0 && !answered; i++)
                r = session_read_one(session, &answered);
        if (r == 0 || r == -EAGAIN)
                return;
        if (r == -EBADMSG)
                session_log_end(session, "a record of the wrong size");
        else if (r == -EPROTO)
                session_log_end(session, "broke the protocol");
        else if (r == -ENOBUFS)
                session_log_end(session, "does not read its replies");
        session_free(session);
}

/* ---- turns ---- */

/* One that is not next would only be reported again and again. */
static void session_on_readable(struct ev_loop *loop, ev_io *io, int events) {
        Session *session = io->data;

        (void)events;
        if (!turn_enter(&session->kernel->turns, &session->turn))
                ev_io_stop(loop, io);
}

/*
 * Each user that waits now has one turn, of one request if it is not the only one; then the loop polls again,
 * so that nobody who comes meanwhile waits for more.
 */
static void sessions_take_turns(struct ev_loop *loop, ev_check *check, int events) {
        Kernel *kernel = check->data;
        size_t n = turns_count(&kernel->turns);
        int n_most = n > 1 ? 1 : REQUESTS_AT_ONCE;

        (void)events;
        for (Turn *turn; n > 0 && (turn = turns_next(&kernel->turns)); n--) {
                Session *session = LIST_ENTRY(turn, Session, turn);

                ev_io_start(loop, &session->io);
                session_serve(session, n_most);
        }
        if (turns_count(&kernel->turns) > 0)
                ev_idle_start(loop, &kernel->turn_again);
        else
                ev_idle_stop(loop, &kernel->turn_again);
}

static void sessions_go_on(struct ev_loop *loop, ev_idle *idle, int events) {
        (void)loop;
        (void)idle;
        (void)events;
}

void session_init_turns(Kernel *kernel) {
        turns_init(&kernel->turns);
        ev_check_init(&kernel->turn, sessions_take_turns);
        ev_set_priority(&kernel->turn, EV_MINPRI); /* when all that are readable have entered */
        kernel->turn.data = kernel;
        ev_check_start(kernel->loop, &kernel->turn);
        ev_idle_init(&kernel->turn_again, sessions_go_on);
}

static int session_charge(Session *session) {
        int r = user_charge(session->user, CHARGE_SESSIONS, 1);

        if (r)
                return r;
        r = user_charge(session->user, CHARGE_FDS, 1);
        if (r)
                user_discharge(session->user, CHARGE_SESSIONS, 1);
        return r;
}

static Session *session_allocate(Kernel *kernel) {
        Session *session = calloc(1, sizeof(*session));

        if (!session)
                return NULL;
        session->kernel = kernel;
        session->fd = -1;
        list_init(&session->all);
        list_init(&session->doomed);
        turn_init(&session->turn, NULL);
        return session;
}

/* Takes @fd over. */
static void session_open(Session *session, int fd) {
        session->fd = fd;
        turn_init(&session->turn, &session->user->turns);
        ev_io_init(&session->io, session_on_readable, session->fd, EV_READ);
        session->io.data = session;
        kernel_session_opened(session->kernel, session);
}

void session_start(Session *session) {
        ev_io_start(session->kernel->loop, &session->io);
}

int session_new(Kernel *kernel, int fd) {
        _cleanup_close_ int owned = fd;
        Session *session;
        int r;

        session = session_allocate(kernel);
        if (!session)
                return error_fold(-ENOMEM);
        r = cred_peer(fd, &session->pid, &session->uid);
        if (!r)
                r = user_get(&kernel->users, session->uid, &session->user);
        if (!r)
                r = session_charge(session);
        if (r) {
                user_unref(session->user);
                free(session);
                return error_fold(r);
        }
        session_open(session, TAKE_FD(owned));
        session_start(session);
        return 0;
}

int session_adopt(Kernel *kernel, int fd, const ProcessRecord *record, Session **ret_session) {
        Session *session = session_allocate(kernel);
        int r;

        if (!session)
                return error_fold(-ENOMEM);
        session->pid = record->pid;
        session->uid = record->uid;
        session->state = SESSION_PROCESS;
        r = user_get(&kernel->users, session->uid, &session->user);
        if (r) {
                free(session);
                return error_fold(r);
        }
        user_charge_anyway(session->user, CHARGE_FDS, 1);
        session_open(session, fd);
        *ret_session = session;
        return 0;
}

void session_become(Session *session, SessionState state) {
        session->state = state;
        if (state == SESSION_PROCESS) /* charged as a process from here on */
                user_discharge(session->user, CHARGE_SESSIONS, 1);
}

Session *session_free(Session *session) {
        if (!session)
                return NULL;
        if (session->process)
                session->process = goodbye(session->process);
        if (session->state != SESSION_PROCESS)
                user_discharge(session->user, CHARGE_SESSIONS, 1);
        ev_io_stop(session->kernel->loop, &session->io);
        list_unlink(&session->doomed);
        turn_leave(&session->turn);
        session->fd = fd_close(session->fd);
        user_discharge(session->user, CHARGE_FDS, 1);
        kernel_session_closed(session->kernel, session);
        user_unref(session->user);
        free(session);
        return NULL;
}

void session_doom(Session *session, const char *why) {
        if (!list_is_empty(&session->doomed))
                return;
        if (why)
                session_log_end(session, why);
        list_append(&session->kernel->doomed, &session->doomed);
}
