/* SPDX-License-Identifier: MIT */
/*
 * News: what the daemon tells this process, turned into lanes, links and system pulses. A daemon that takes
 * over from a killed one may say the last things again; whatever comes twice counts once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Is there something to read, that is worth trying? One load. */
bool news_pending(void);

/* Is there something that we have not read yet, tried or not? */
bool news_unread(void);

/*
 * When to try again, in nanoseconds of CLOCK_MONOTONIC, what there was no memory or no descriptor for;
 * UINT64_MAX = there is no such thing.
 */
uint64_t news_retry_at(void);

/* Reads everything there is, without waiting. Under the server lock. */
void news_read_locked(void);

void news_after_fork(void);
