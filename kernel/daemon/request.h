/* SPDX-License-Identifier: MIT */
/*
 * Request: from a WireRequest to its answer. Handlers stand with their noun, and each has this shape, so
 * that a daemon that is killed anywhere in it is followed by one that has either not begun or finishes:
 *
 *   1. Check everything. Make new objects: their records stay BUILDING, their descriptors go to the store
 *      as they are made (store_keep), and each is freed again if the request fails.
 *   2. Complete the answer: reply fields, and descriptors by the name that they are stored under
 *      (answer_fd). An end that only the answer holds is given with answer_give().
 *   3. Say what changes in records that are LIVE: journal_set() for a member (listed as REDOABLE in
 *      journal.h), journal_retire() for an object that is to be torn down.
 *   4. request_commit(): the point of no return. It also does the stores of 3.
 *   5. Apply what cannot fail any more: table_publish() for each new record, lists, shared memory, news,
 *      teardown. All of it must be such that the next daemon can do it again from the records alone.
 *
 * A request that changes nothing, or is refused, needs none of this. A LIVE record changes in no other way
 * except by what is true whether or not the request is carried out (counters that only grow, "announced").
 */
#pragma once

#include "abi/wire.h"
#include "base/fdmsg.h"
#include "daemon/kernel.h"

typedef struct Extent Extent;

typedef struct Request {
        WireRequest wire; /* our copy */
        int fds[FDMSG_FDS_MAX];
        size_t n_fds;
} Request;

typedef struct Answer {
        WireReply reply;
        int fds[ANSWER_FDS];    /* by bit number; -1 = none */
        bool owned[ANSWER_FDS]; /* closed when the answer is sent */
        bool given[ANSWER_FDS]; /* then leaves the store, too */
        JournalFd names[ANSWER_FDS];
        Extent *extent; /* whose descriptor is needed no longer than this answer; or NULL */
} Answer;

/* @bit: WIRE_FD_... ; @kind, @index: what it is stored as, STORED_N = not at all. */
void answer_fd(Answer *answer, uint32_t bit, int fd, Stored kind, uint32_t index);
/* Takes @fd over. */
void answer_fd_owned(Answer *answer, uint32_t bit, int fd, Stored kind, uint32_t index);
int answer_fd_copy(Answer *answer, uint32_t bit, int fd, Stored kind, uint32_t index);
/* Takes @fd over and stores it until the peer has it. */
void answer_give(Kernel *kernel, Answer *answer, uint32_t bit, int fd, Stored kind, uint32_t index);

/* The point of no return; see above. @process: who asks. */
void request_commit(const Process *process, const Request *request, const Answer *answer);

/* @by_bit: the descriptors, -1 = none. -ENOBUFS when the peer does not read its replies. */
int answer_send(Session *session, const WireReply *reply, const int by_bit[ANSWER_FDS]);

/*
 * Takes @fds over, and the request out of the session's socket. @ret_answered: the peer has got a reply.
 * 0, or why the session must end: -EPROTO, -ENOBUFS when it does not read its replies, or what the socket
 * said.
 */
int request_handle(Session *session, const WireRequest *wire, const int *fds, size_t n_fds,
                   bool *ret_answered);

/* Answers one whose descriptors we had no room for: @r, for the peer to try again. As request_handle(). */
int request_refuse(Session *session, const WireRequest *wire, int r, bool *ret_answered);

const char *request_name(uint32_t op);

/* 0 or -errno for the reply; -EPROTO also ends the session. */
#define X(name, member, answers) int request_##member(Session *session, Request *request, Answer *answer);
WIRE_OPS(X)
#undef X
