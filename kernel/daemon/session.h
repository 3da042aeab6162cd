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
        ev_io io;
        List all;
        List doomed;
        LogRate rate;
};

/* Takes @fd over, also when it fails. */
int session_new(Kernel *kernel, int fd);
/* Ends it, and the process that it stands for. Returns NULL. */
Session *session_free(Session *session);

/* It greeted as a process or an observer: what it is charged as changes. */
void session_become(Session *session, SessionState state);

/* Ends it as soon as nothing else is going on; @why goes to the log, NULL is not worth it. */
void session_doom(Session *session, const char *why);
