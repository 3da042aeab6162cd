/* SPDX-License-Identifier: MIT */
/*
 * Wire: a daemon of the test's own, and processes that talk to it record by record.
 *
 * A Client is a real process, so that the daemon sees its pid and user; its sockets are held by the test,
 * which speaks for it. Killing the process is its death; client_hang_up() closes its socket, as exec does.
 */
#pragma once

#include "abi/layout.h"
#include "abi/wire.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/types.h>

#define WIRE_WAIT_MS 10000 /* for what must come */
#define UID_OTHER    65533 /* some user that is not ours; tests of it need root */

typedef struct Client {
        pid_t pid;
        int socket;
        int news;
        ShmNotice *notice;
        ShmProcess *page;
        WireReplyGreet greet;
        uint32_t serial;
} Client;

/* What came along with a reply or with news; -1 where nothing did. */
typedef struct Fds {
        int fd[3]; /* by bit */
} Fds;

/* ---- daemon ---- */

/*
 * From now on each daemon has a store, which the test keeps: what it stores is there when it starts again.
 * Before daemon_start(); ends with daemon_stop().
 */
void daemon_use_store(void);
/* Those that start from now on die at this fail-point; NULL = nowhere. Needs a build with fail-points. */
void daemon_fail_at(const char *point);
/* The next that starts after one that died by itself dies there. */
void daemon_fail_again_at(const char *point);
/* From now on each is killed some time after it has begun. Ends with daemon_spare(). */
void daemon_snipe(void);
void daemon_spare(void);
/* How many died by themselves and were followed by another, while somebody waited for something. */
unsigned daemon_revivals(void);
/* So many tables are stored when there is nothing in them. */
#define NOUNS_STORED 12u
/* Of its starts so far, @n went on with what was there. */
void daemon_expect_no_clean_start(unsigned n);
/* With further arguments, NULL at the end of them. Ends with daemon_stop(). */
void daemon_start(const char *const *arguments);
const char *daemon_socket(void);
/* Those that start later get no more descriptors than this. */
void daemon_limit_fds(const struct rlimit *limit);
/* Kills it; daemon_start_again() makes another on the same socket. */
void daemon_kill(void);
void daemon_start_again(const char *const *arguments);
/* It does nothing until it is let go on. */
void daemon_freeze(bool freeze);
/* Asks it to stop; it must find nothing that belongs to nobody. */
void daemon_stop(void);
/* It leaves all to daemon_start_again(). */
void daemon_leave(void);
void daemon_expect_n_processes(unsigned n);
/* Waits until the daemon holds no process, channel, link, lane, lifeline and connection. */
void daemon_expect_empty(void);
/* Waits until this section of its status is empty. */
void daemon_expect_none(const char *section);
/* Its status as JSON; free it. */
char *daemon_status(void);

/* ---- clients ---- */

/* A process of this user (0 stays what we are) with a connected socket; then one that has greeted too. */
Client client_connect(uid_t uid);
Client client_start(uid_t uid, uint32_t greet_flags);
/* A bare connected socket of the test's own process. */
int wire_connect(void);
/* Waits until the daemon admits anybody at all. */
void daemon_expect_room(void);
void client_kill(Client *client);
void client_hang_up(Client *client);
/* The daemon must have closed the session. */
void client_expect_ended(Client *client);

/* Sends and gets the reply; descriptors that are not asked for are closed. Returns the reply's status. */
int ask(Client *client, WireRequest request, WireReply *reply, Fds *fds);
int ask_with_fd(Client *client, WireRequest request, int fd, WireReply *reply, Fds *fds);
void tell(Client *client, WireRequest request); /* one that is not answered */
int greet(Client *client, uint32_t flags);

/* ---- shorthand ---- */

int32_t channel_create(Client *client, uint32_t flags);
/* Returns the status. @coid 0 = descriptor. */
int attach(Client *client, const Client *server, int32_t chid, uint32_t flags, int32_t coid,
           WireReplyConnect *ret_connect, Fds *ret_fds);
void detach(Client *client, uint32_t connection);

/* ---- news, memory ---- */

/* The next news of this kind; fails when none or another comes. */
WireNews news_expect(Client *client, WireNewsKind kind, Fds *ret_fds);
/* Waits a little, so that what the daemon still keeps can come. */
bool news_is_there(Client *client);
WireNews news_any(Client *client);
/* Waits for it, however often the daemon dies meanwhile. */
WireNews news_next(Client *client);
void fds_close(Fds *fds);

/* Maps a region that came along and closes its descriptor. */
void *map_fd(int *fd, size_t bytes);

/* Waits until @word holds @value. */
void word_expect(const _Atomic uint32_t *word, uint32_t value);
