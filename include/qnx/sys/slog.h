/* SPDX-License-Identifier: MIT */
/*
 * <sys/slog.h>: the system logger. Here it is systemd's journal where there is one (journalctl shows the entries,
 * with the code as SLOG_CODE), else standard error.
 */
#pragma once

#include <stdarg.h>
#include <sys/cdefs.h>
#include <sys/slogcodes.h>

/* Severities, and what the journal takes them for. */
#define _SLOG_SHUTDOWN 0 /* alert: "emergency" would be written on every terminal */
#define _SLOG_CRITICAL 1 /* critical */
#define _SLOG_ERROR    2 /* error */
#define _SLOG_WARNING  3 /* warning */
#define _SLOG_NOTICE   4 /* notice */
#define _SLOG_INFO     5 /* info */
#define _SLOG_DEBUG1   6 /* debug */
#define _SLOG_DEBUG2   7 /* debug */

#define _SLOG_MAXSIZE 4096 /* bytes of text; the rest is cut */

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * slogf: write to the system log
 *
 * slogf() and vslogf() format as printf() does; slogb() writes `size` bytes at `data` in hexadecimal; slogi()
 * writes `nargs` further arguments, all int, likewise. `opcode` is _SLOG_SETCODE(major, minor),
 * `severity` _SLOG_SHUTDOWN to _SLOG_DEBUG2.
 *
 * Returns: how many bytes of text or data the entry has; -1 and errno.
 * Errors:
 *   EINVAL  `severity` is none, or `nargs` is not in 0 to 32, or the format is broken.
 *   EIO     neither the journal nor standard error took it.
 * Blocks: no, unless standard error does. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: where it goes.
 * See: slog2f
 */
int slogf(int opcode, int severity, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
int vslogf(int opcode, int severity, const char *format, va_list arguments);
int slogb(int opcode, int severity, const void *data, int size);
int slogi(int opcode, int severity, int nargs, ...);

#pragma GCC visibility pop
__END_DECLS
