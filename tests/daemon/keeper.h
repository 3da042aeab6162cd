/* SPDX-License-Identifier: MIT */
/*
 * Keeper: the service manager, played by the test: listens at $NOTIFY_SOCKET, keeps what is stored there,
 * hands it to the next daemon. A thread of its own, so that whoever stores never waits for the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void keeper_start(void);
/* Closes all of it. */
void keeper_stop(void);

const char *keeper_path(void);

/* Waits until all that was sent has been looked at. */
void keeper_settle(void);
/*
 * In the child that is about to execute the daemon: variables, and descriptors from 3 on. @spare moves out of
 * the way; returns its new number.
 */
int keeper_hand_over(int spare);
/* The next hand-over passes the names in a memfd. */
void keeper_use_names_fd(bool use);

/* Waits until these words were said (READY=1), and forgets them. */
void keeper_expect(const char *words);
/* How many descriptors are kept; under this name. */
size_t keeper_n(void);
size_t keeper_n_of(const char *name);
/* Waits until there are so many. */
void keeper_expect_n(size_t n);
/* A copy of what is kept under @name, -1 = nothing. */
int keeper_copy(const char *name);
/* What is kept under @name is another one now; -1 = nothing. Takes @fd over. */
void keeper_replace(const char *name, int fd);
/* The i-th name. */
const char *keeper_name(size_t i);
