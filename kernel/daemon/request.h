/* SPDX-License-Identifier: MIT */
/*
 * Request: from a WireRequest to its answer. Each handler checks everything, passes the line
 * "point of no return", then applies what cannot fail any more. Handlers stand with their noun.
 */
#pragma once

#include "abi/wire.h"
#include "base/fdmsg.h"
#include "daemon/kernel.h"

#define ANSWER_FDS 3u /* one for each bit of WireReply.fds */

typedef struct Request {
        WireRequest wire; /* our copy */
        int fds[FDMSG_FDS_MAX];
        size_t n_fds;
} Request;

typedef struct Answer {
        WireReply reply;
        int fds[ANSWER_FDS];   /* by bit number; -1 = none */
        bool owned[ANSWER_FDS]; /* closed when the answer is sent */
} Answer;

/* @bit: WIRE_FD_... */
void answer_fd(Answer *answer, uint32_t bit, int fd);
void answer_fd_owned(Answer *answer, uint32_t bit, int fd);
int answer_fd_copy(Answer *answer, uint32_t bit, int fd);

/*
 * Takes @fds over. @ret_answered: the peer has got a reply. 0, or why the session must end: -EPROTO,
 * -ENOBUFS when it does not read its replies, or what the socket said.
 */
int request_handle(Session *session, const WireRequest *wire, const int *fds, size_t n_fds,
                   bool *ret_answered);

const char *request_name(uint32_t op);

/* 0 or -errno for the reply; -EPROTO also ends the session. */
#define X(name, member, answers) int request_##member(Session *session, Request *request, Answer *answer);
WIRE_OPS(X)
#undef X
