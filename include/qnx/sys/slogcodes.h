/* SPDX-License-Identifier: MIT */
/*
 * <sys/slogcodes.h>: who logs. A code is a major number, for a kind of program, and a minor one of its own;
 * _SLOG_SETCODE() makes it. The numbers of our choice: only their names are public.
 */
#pragma once

#define _SLOG_SETCODE(major, minor) (((major) << 8) | ((minor)&0xff))
#define _SLOG_GETMAJOR(code)        (((code) >> 8) & 0xfff)
#define _SLOG_GETMINOR(code)        ((code)&0xff)

#define _SLOGC_TEST         1
#define _SLOGC_KERNEL       2
#define _SLOGC_PROC         3
#define _SLOGC_CHAR         4
#define _SLOGC_BLOCK        5
#define _SLOGC_FSYS         6
#define _SLOGC_AUDIO        7
#define _SLOGC_GRAPHICS     8
#define _SLOGC_INPUT        9
#define _SLOGC_NETWORK      10
#define _SLOGC_NPM          11
#define _SLOGC_PCI          12
#define _SLOGC_USB          13
#define _SLOGC_CONSOLE      14
#define _SLOGC_PRINT        15
#define _SLOGC_MEDIA        16
#define _SLOGC_PRIVATE_START 500 /* programs' own: from here */
#define _SLOGC_PRIVATE_END   999 /* to here */
