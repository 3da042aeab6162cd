/* SPDX-License-Identifier: MIT */
/*
 * Autostart: find the daemon's socket, and start a private daemon for this user when none runs.
 *
 *   NUNTIUS_SOCKET       the socket; else the system's, else this user's own
 *   NUNTIUS_AUTOSTART=0  never start one
 *   NUNTIUSD             the daemon's program, for trees that are not installed
 */
#pragma once

/* A connected SOCK_SEQPACKET descriptor (close-on-exec), or -errno after one sentence on stderr. */
int autostart_connect(void);
