/* SPDX-License-Identifier: MIT */
#include "daemon/request.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/extent.h"
#include "daemon/journal.h"
#include "daemon/process.h"
#include "daemon/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LOG_LINES_A_SECOND 5u
#define SHORTAGE_TRIES     50 /* milliseconds that the kernel may have no memory for an answer */

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
        for (unsigned i = 0; i < ANSWER_FDS; i++) {
                answer->fds[i] = -1;
                answer->names[i].kind = STORED_N;
        }
}

static void answer_drop_fds(Kernel *kernel, Answer *answer) {
        for (unsigned i = 0; i < ANSWER_FDS; i++) {
                if (answer->given[i])
                        store_remove(&kernel->store, answer->names[i].kind, answer->names[i].index);
                if (answer->owned[i])
                        fd_close(answer->fds[i]);
                answer->fds[i] = -1;
                answer->owned[i] = answer->given[i] = false;
        }
        answer->reply.fds = 0;
}

static void answer_done(Kernel *kernel, Answer *answer) {
        answer_drop_fds(kernel, answer);
        if (!answer->extent)
                return;
        answer->extent->is_in_answer = false;
        extent_release(answer->extent);
}

void answer_fd(Answer *answer, uint32_t bit, int fd, Stored kind, uint32_t index) {
        unsigned at = (unsigned)__builtin_ctz(bit);

        answer->fds[at] = fd;
        answer->names[at] = (JournalFd){ .kind = kind, .index = index };
        answer->reply.fds |= bit;
}

void answer_fd_owned(Answer *answer, uint32_t bit, int fd, Stored kind, uint32_t index) {
        answer_fd(answer, bit, fd, kind, index);
        answer->owned[__builtin_ctz(bit)] = true;
}

void answer_give(Kernel *kernel, Answer *answer, uint32_t bit, int fd, Stored kind, uint32_t index) {
        answer_fd_owned(answer, bit, fd, kind, index);
        if (store_keep(&kernel->store, kind, index, fd) == 0)
                answer->given[__builtin_ctz(bit)] = store_is_on(&kernel->store);
}

int answer_fd_copy(Answer *answer, uint32_t bit, int fd, Stored kind, uint32_t index) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        if (copy < 0)
                return error_fold(-errno);
        answer_fd_owned(answer, bit, copy, kind, index);
        return 0;
}

/* What we are short of is for the peer to try again. */
static int answer_errno(int r) {
        switch (r) {
        case -ENOMEM:
        case -EMFILE:
        case -ENFILE:
        case -ENOBUFS:
        case -ENOSPC:
                return EAGAIN;
        default:
                return -r;
        }
}

static void answer_fail(Kernel *kernel, Answer *answer, int r) {
        uint32_t serial = answer->reply.serial;

        answer_drop_fds(kernel, answer);
        memset(&answer->reply, 0, sizeof(answer->reply));
        answer->reply.serial = serial;
        answer->reply.status = answer_errno(r);
}

int answer_send(Session *session, const WireReply *reply, const int by_bit[ANSWER_FDS]) {
        int fds[ANSWER_FDS], r;
        size_t n = 0;

        for (unsigned i = 0; i < ANSWER_FDS; i++)
                if (by_bit[i] >= 0)
                        fds[n++] = by_bit[i];
        r = fdmsg_send(session->fd, reply, sizeof(*reply), fds, n, MSG_DONTWAIT);
        for (int i = 0; i < SHORTAGE_TRIES && (r == -ENOBUFS || r == -ENOMEM); i++) {
                nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
                r = fdmsg_send(session->fd, reply, sizeof(*reply), fds, n, MSG_DONTWAIT);
        }
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
        if (request->n_fds > 0 && wire->op != WIRE_CONNECT_ADOPT && wire->op != WIRE_PATH_ATTACH)
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

static bool request_answers(const Request *request) {
        return request->wire.op >= WIRE_OPS_N || operations[request->wire.op].answers;
}

void request_commit(const Process *process, const Request *request, const Answer *answer) {
        FAILPOINT("daemon-request-commits");
        journal_commit(process->kernel, process->record, &request->wire, &answer->reply, answer->names,
                       request_answers(request));
        FAILPOINT("daemon-request-committed");
}

/*
 * What was refused must not be granted to whoever asks again for us: that answer would be the second. A
 * session without a process dies with us.
 */
static void request_commit_rest(const Session *session, const Request *request, const Answer *answer) {
        if (session->process && request_answers(request) && !session->kernel->journal.is_committed)
                request_commit(session->process, request, answer);
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
                answer_fail(session->kernel, &answer, r);
        }
        request_commit_rest(session, &request, &answer);
        if (request_answers(&request)) {
                r_send = answer_send(session, &answer.reply, answer.fds);
                *ret_answered = true;
        }
        FAILPOINT("daemon-request-answered");
        journal_sent(session->kernel);
        session_consume(session);
        FAILPOINT("daemon-request-consumed");
        journal_clear(session->kernel);
        answer_done(session->kernel, &answer);
        FAILPOINT("daemon-request-done");
        return r == -EPROTO ? -EPROTO : r_send;
}

int request_refuse(Session *session, const WireRequest *wire, int r, bool *ret_answered) {
        const WireReply reply = { .serial = wire->serial, .status = answer_errno(r) };
        const int none[ANSWER_FDS] = { -1, -1, -1 };

        if (wire->op != WIRE_CONNECT_ADOPT || !request_is_allowed(session, wire->op))
                return -EPROTO;
        request_log_refusal(session, wire->op, r);
        *ret_answered = true;
        r = answer_send(session, &reply, none);
        session_consume(session);
        return r;
}
