/* SPDX-License-Identifier: MIT */
/*
 * Rig: a stage for processes that die and processes that lie.
 *
 * The director of a test never uses the library: it starts players (forked processes), watches the clock
 * for them, looks at the daemon over the wire, and clears the stage at the end, whatever happened. After
 * each test the daemon must hold nothing that belongs to anybody.
 */
#pragma once

#include "abi/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define RIG_PATIENCE 10 /* seconds after which a call counts as hung */

typedef struct RigTest {
        const char *name;
        void (*run)(void);
        unsigned seconds; /* it may take; 0 = 60 */
} RigTest;

/* Runs the tests, each in a process and a process group of its own. Returns main()'s status. */
int rig_main(const char *suite, const RigTest *tests, size_t n, int argc, char **argv);

/* The same, for tests that each start a daemon of their own. */
int rig_main_without_daemon(const char *suite, const RigTest *tests, size_t n, int argc, char **argv);

/* The same in pieces, for tests that need a daemon of another kind. */
void rig_open(void);
int rig_run(const RigTest *test);
void rig_close(void);

/* ---- the daemon ---- */

/* Starts it; @name = @value is put into its environment (NULL: nothing). */
void rig_daemon_start(const char *name, const char *value);
void rig_daemon_stop(void);
pid_t rig_daemon_pid(void);
bool rig_daemon_is_alive(void);
const char *rig_directory(void);
unsigned rig_daemon_fds(void);
long rig_daemon_kib(void); /* resident memory */

/* Fails unless the daemon holds nothing of anybody within RIG_PATIENCE. @why names the case. */
void rig_need_empty(const char *why);

/* ---- players ---- */

/* Users to play as; all are the caller's own when it is not root. */
typedef enum RigUser { RIG_SELF, RIG_SERVER, RIG_HOSTILE, RIG_OTHER } RigUser;

bool rig_has_users(void);
pid_t rig_play(void (*run)(void *argument), void *argument, RigUser user);
/* Wait status; fails when it has not ended after @seconds. */
int rig_wait(pid_t pid, unsigned seconds, const char *who);
void rig_need_good_end(pid_t pid, unsigned seconds, const char *who);
void rig_need_killed(pid_t pid, unsigned seconds, const char *who);
bool rig_has_ended(pid_t pid, int *ret_status);
void rig_kill(pid_t pid);

/* Zeroed memory that players share with the director. */
void *rig_shared(size_t bytes);

uint64_t rig_now(void); /* ns */
void rig_pause(unsigned milliseconds);

/* True as soon as *@word >= @value, false after @seconds. */
bool rig_await(const _Atomic uint32_t *word, uint32_t value, unsigned seconds);

/* ---- chance: seeded by --seed, which is printed ---- */

uint64_t rig_seed(void);
uint64_t chance_next(uint64_t *state);
uint32_t chance_below(uint64_t *state, uint32_t n);

/* ---- the wire ---- */

int wire_connect(void); /* descriptor or -errno */
/* 0, the daemon's errno as -errno, or what went wrong with the socket. Missing descriptors are -1. */
int wire_ask(int socket, WireRequest *request, int fd, WireReply *ret_reply, int fds[3]);
int wire_greet(int socket, uint32_t flags, WireReply *ret_reply, int fds[3]);
/* As `nuntius status --json`; free() it. NULL when the daemon does not answer. */
char *wire_status(void);

/* ---- verdicts ---- */

void rig_fail(const char *file, int line, const char *format, ...)
        __attribute__((noreturn, format(printf, 3, 4)));

/* Ends the process, and with it the test, unless @condition. */
#define need(condition, ...)                                                                       \
        do                                                                                         \
                if (!(condition))                                                                  \
                        rig_fail(__FILE__, __LINE__, __VA_ARGS__);                                 \
        while (0)
