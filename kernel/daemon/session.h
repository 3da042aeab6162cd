/* SPDX-License-Identifier: MIT */
/*
 * Session: one request socket.
 *
 *   NEW      -> PROCESS   GREET
 *   NEW      -> OBSERVER  GREET with WIRE_GREET_OBSERVER: may ask for STATUS only
 *   any      -> ended     end of file, a broken protocol, replies that nobody reads, a death
 */
#pragma once

#include "daemon/kernel.h"

typedef enum SessionState {
        SESSION_NEW,
        SESSION_OBSERVER,
        SESSION_PROCESS,
} SessionState;

struct Session {
        Kernel *kernel;
        User *user;
        Process *process; /* in SESSION_PROCESS */
        SessionState state;
        int fd;
        pid_t pid;
        uid_t uid;
        bool has_peeked; /* the request that is being carried out is still in the socket */
        ev_io io;   /* stopped while others of its user are served first */
        Turn turn;
        List all;
        List doomed;
        LogRate rate;
};

/* Before the first session. */
void session_init_turns(Kernel *kernel);

/* Takes @fd over, also when it fails. */
int session_new(Kernel *kernel, int fd);
/* One that a predecessor had, of a process. Reads nothing until session_start(). */
int session_adopt(Kernel *kernel, int fd, const ProcessRecord *record, Session **ret_session);
void session_start(Session *session);
/* Ends it, and the process that it stands for. Returns NULL. */
Session *session_free(Session *session);

/* The request that was looked at last has been dealt with: takes it out of the socket. */
void session_consume(Session *session);

/* It greeted as a process or an observer: what it is charged as changes. */
void session_become(Session *session, SessionState state);

/* Ends it as soon as nothing else is going on; @why goes to the log, NULL is not worth it. */
void session_doom(Session *session, const char *why);
