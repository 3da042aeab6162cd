/* SPDX-License-Identifier: MIT */
/*
 * Autostart: find the daemon's socket, and start a private daemon for this user when none runs.
 *
 *   NUNTIUS_SOCKET       the socket; else the system's, else this user's own
 *   NUNTIUS_AUTOSTART=0  never start one
 *   NUNTIUSD             the daemon's program, for trees that are not installed
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A connected SOCK_SEQPACKET descriptor (close-on-exec), or -errno after one sentence on stderr. */
int autostart_connect(void);

/*
 * The path space's summary, beside each socket that a daemon may have, in the order in which they are tried.
 * *ret_only_own: it lies where others could put a file: believe only what this user or root owns. False: no more.
 */
bool autostart_paths_file(unsigned i, char *path, size_t n, bool *ret_only_own);
