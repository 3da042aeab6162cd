/* SPDX-License-Identifier: MIT */
/*
 * Listener: the socket that everybody connects to, and the lock beside it that makes sure that there
 * is one daemon for it. The lock file stays; the socket goes with the daemon.
 */
#pragma once

#include "daemon/kernel.h"

/* Where another daemon listens already (listener_open). */
#define LISTENER_E_BUSY 1

typedef enum ListenerKind {
        LISTENER_SYSTEM,  /* everybody may connect */
        LISTENER_USER,    /* one user's, in a directory that only this user can enter */
        LISTENER_AT_PATH, /* one user's, where somebody said */
} ListenerKind;

/* $XDG_RUNTIME_DIR/nuntius/nuntiusd.sock, or the same under /tmp. */
int listener_user_path(char *path, size_t n);

/* 0, LISTENER_E_BUSY, or -errno after a sentence on stderr. */
int listener_open(const char *path, ListenerKind kind, Listener **ret_listener);
/*
 * The socket that the service manager has opened for us, or that a predecessor left to us, if there is
 * one: takes it and its lock out of @legacy.
 */
int listener_adopt(Legacy *legacy, Listener **ret_listener);
Listener *listener_free(Listener *listener);

/* Puts the socket and its lock into the store. */
void listener_keep(Listener *listener);

/* Where it listens, without a 0-length or abstract name: those are -ENOTSUP. */
int listener_path(const Listener *listener, char *path, size_t n);

void listener_start(Listener *listener, Kernel *kernel);
/* Accepts whoever is waiting now. */
void listener_accept(Listener *listener);
/* A descriptor has become free: try again, if we had to stop. */
void listener_resume(Listener *listener);
