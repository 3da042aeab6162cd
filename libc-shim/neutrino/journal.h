/* SPDX-License-Identifier: MIT */
/*
 * Journal: where slogf() and slog2f() write.
 *
 * systemd's journal by its own protocol, one datagram an entry, to NUNTIUS_JOURNAL or /run/systemd/journal/socket;
 * a line on standard error where nobody listens there.
 */
#pragma once

/* @severity: QNX's, 0 to 7. @set, @buffer: names, or NULL. 0 or -EIO. */
int journal_write(int severity, unsigned code, const char *set, const char *buffer, const char *text);
