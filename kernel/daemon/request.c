/* SPDX-License-Identifier: MIT */
#include "daemon/request.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define LOG_LINES_A_SECOND 5u

typedef struct Operation {
        const char *name;
        int (*handle)(Session *session, Request *request, Answer *answer);
        bool answers;
} Operation;

static const Operation operations[WIRE_OPS_N] = {
#define X(name, member, answers) [WIRE_##name] = { #name, request_##member, answers },
        WIRE_OPS(X)
#undef X
};

const char *request_name(uint32_t op) {
        return op < WIRE_OPS_N ? operations[op].name : "UNKNOWN";
}

/* ---- answer ---- */

static void answer_init(Answer *answer, uint32_t serial) {
        memset(answer, 0, sizeof(*answer));
        answer->reply.serial = serial;
        for (unsigned i = 0; i < ANSWER_FDS; i++)
                answer->fds[i] = -1;
}

static void answer_drop_fds(Answer *answer) {
        for (unsigned i = 0; i < ANSWER_FDS; i++) {
                if (answer->owned[i])
                        fd_close(answer->fds[i]);
                answer->fds[i] = -1;
                answer->owned[i] = false;
        }
        answer->reply.fds = 0;
}

void answer_fd(Answer *answer, uint32_t bit, int fd) {
        answer->fds[__builtin_ctz(bit)] = fd;
        answer->reply.fds |= bit;
}

void answer_fd_owned(Answer *answer, uint32_t bit, int fd) {
        answer_fd(answer, bit, fd);
        answer->owned[__builtin_ctz(bit)] = true;
}

int answer_fd_copy(Answer *answer, uint32_t bit, int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        if (copy < 0)
                return error_fold(-errno);
        answer_fd_owned(answer, bit, copy);
        return 0;
}

/* What we are short of is for the peer to try again. */
static int answer_errno(int r) {
        switch (r) {
        case -ENOMEM:
        case -EMFILE:
        case -ENFILE:
        case -ENOSPC:
                return EAGAIN;
        default:
                return -r;
        }
}

static void answer_fail(Answer *answer, int r) {
        uint32_t serial = answer->reply.serial;

        answer_drop_fds(answer);
        memset(&answer->reply, 0, sizeof(answer->reply));
        answer->reply.serial = serial;
        answer->reply.status = answer_errno(r);
}

static int answer_send(Session *session, Answer *answer) {
        int fds[ANSWER_FDS], r;
        size_t n = 0;

        for (unsigned i = 0; i < ANSWER_FDS; i++)
                if (answer->fds[i] >= 0)
                        fds[n++] = answer->fds[i];
        r = fdmsg_send(session->fd, &answer->reply, sizeof(answer->reply), fds, n, MSG_DONTWAIT);
        return r == -EAGAIN ? -ENOBUFS : r;
}

/* ---- request ---- */

static bool request_is_allowed(const Session *session, uint32_t op) {
        switch (session->state) {
        case SESSION_NEW:
                return op == WIRE_GREET;
        case SESSION_OBSERVER:
                return op == WIRE_STATUS;
        case SESSION_PROCESS:
                return op != WIRE_GREET;
        }
        return false;
}

static int request_check(const Session *session, const Request *request) {
        const WireRequest *wire = &request->wire;

        if (wire->op >= WIRE_OPS_N || wire->pad != 0)
                return -EPROTO;
        if ((size_t)__builtin_popcount(wire->fds) != request->n_fds)
                return -EPROTO;
        if (request->n_fds > 0 && wire->op != WIRE_CONNECT_ADOPT)
                return -EPROTO;
        return request_is_allowed(session, wire->op) ? 0 : -EPROTO;
}

static void request_deinit(Request *request) {
        for (size_t i = 0; i < request->n_fds; i++)
                fd_close(request->fds[i]);
}

/*
 * No decision against anybody: the end of an iteration, a question whose answer is no, and a detach that
 * crosses with the death of what it names.
 */
static bool request_may_miss(uint32_t op) {
        return op == WIRE_SERVER_INFO || op == WIRE_CLIENT_INFO || op == WIRE_CONNECT_DETACH ||
               op == WIRE_CONNECT_NUMBER || op == WIRE_ABLE || op == WIRE_ABILITY_NAME;
}

static void request_log_refusal(Session *session, uint32_t op, int r) {
        if (request_may_miss(op) && r != -EPROTO)
                return;
        if (log_rate_ok(&session->rate, LOG_LINES_A_SECOND))
                log_info("event=refused pid=%d uid=%u request=%s answer=%s", (int)session->pid,
                         session->uid, request_name(op), strerrorname_np(answer_errno(r)));
}

int request_handle(Session *session, const WireRequest *wire, const int *fds, size_t n_fds,
                   bool *ret_answered) {
        _cleanup_(request_deinit) Request request = { .wire = *wire, .n_fds = n_fds };
        Answer answer;
        int r, r_send = 0;

        if (n_fds > 0)
                memcpy(request.fds, fds, n_fds * sizeof(*fds));
        answer_init(&answer, wire->serial);
        r = request_check(session, &request);
        FAILPOINT("daemon-request-read");
        if (!r)
                r = operations[wire->op].handle(session, &request, &answer);
        FAILPOINT("daemon-request-applied");
        if (r) {
                request_log_refusal(session, wire->op, r);
                answer_fail(&answer, r);
        }
        if (wire->op >= WIRE_OPS_N || operations[wire->op].answers) {
                r_send = answer_send(session, &answer);
                *ret_answered = true;
        }
        FAILPOINT("daemon-request-answered");
        answer_drop_fds(&answer);
        return r == -EPROTO ? -EPROTO : r_send;
}
