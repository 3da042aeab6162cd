/* SPDX-License-Identifier: MIT */
/*
 * News: what the daemon tells this process, turned into lanes, links and system pulses. A daemon that takes
 * over from a killed one may say the last things again; whatever comes twice counts once.
 */
#pragma once

#include <stdbool.h>

/* Has the daemon counted up since the last reading? One load. */
bool news_pending(void);

/* Reads everything there is, without waiting. Under the server lock. */
void news_read_locked(void);

/* Are we inside news_read_locked()? What we know of lanes may then be older than what has rung. */
bool news_is_being_read(void);

void news_after_fork(void);
