/* SPDX-License-Identifier: MIT */
/* The system's <sys/stat.h>, and QNX's file type for names that are no files. */
#pragma GCC system_header
#include_next <sys/stat.h>

#ifndef S_IFNAM
#define _S_IFNAM 0x5000
#define S_IFNAM _S_IFNAM
#define S_ISNAM(mode) (((mode) & S_IFMT) == S_IFNAM)
#endif
