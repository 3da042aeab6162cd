/* SPDX-License-Identifier: MIT */
/*
 * Session: this process's two sockets to the daemon.
 *
 * Made by the first call that needs them, made anew by a child after fork (a child is a new process
 * to the daemon). One request is on its way at a time.
 *
 * A daemon that is killed and started again is not noticed: the request waits in its socket. One that has
 * ended for good is said once on stderr; from then on whatever needs it fails with EPIPE.
 */
#pragma once

#include "abi/layout.h"
#include "abi/wire.h"

#include <stdbool.h>
#include <stddef.h>

/* Makes the session if there is none. 0 or -errno; says once on stderr why there is no daemon. */
int session_open(void);

/*
 * Sends @request (with descriptor @fd if >= 0) and waits for the answer. Descriptors of the answer are
 * stored at @fds in the order of the reply's bits. 0, or -errno as the daemon or the socket says.
 */
#define SESSION_FDS 3
int session_ask(WireRequest *request, int fd, WireReply *ret_reply, int fds[SESSION_FDS]);

/* Sends @request, which has no answer. */
int session_tell(WireRequest *request);

/* Asks the daemon to raise a server's threads. Never waits: what it cannot take now is lost. */
void session_tell_boost(const WireBoost *boost);

/* News: has anything come since @seen? The counter is memory that only the daemon writes. */
bool session_has_news(uint32_t seen);
uint32_t session_news(void);

/*
 * The next piece of news, without waiting. It stays the next one until it is dropped: whoever has no memory or no
 * descriptor for what it brings comes back later. 1, 0 when there is none, or -errno of a shortage.
 */
int session_peek_news(WireNews *ret_news, int fds[2], size_t *ret_n_fds);
void session_drop_news(void);

/* From now on news that arrive send @signo to the thread @linux_tid. 0 or -errno. */
int session_signal_news(int linux_tid, int signo);

/* Who we are to the daemon. */
int session_pid(void);
unsigned session_priority_max(void);
void session_use_priority_max(unsigned priority);

/* May this process do it? @about: as WireAble.lo has it. 0, -EPERM, or why there is no answer. */
int session_ask_able(uint32_t ability, uint64_t about);

/* Moves a descriptor of the library's own away from the low numbers, which belong to the program. */
int session_move_fd(int fd);
bool session_is_own_fd(int fd);

/* As close(2), but not a cancellation point: the library's own descriptors are closed with locks held. */
void session_close(int fd);

/*
 * Orders requests with what the caller records about them; recursive for its owner, who cannot be
 * cancelled meanwhile (sockets are cancellation points).
 */
void session_lock(void);
void session_unlock(void);

void session_after_fork(void);
