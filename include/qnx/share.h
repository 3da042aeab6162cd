/* SPDX-License-Identifier: MIT */
/* <share.h>: sharing modes of sopen(); sflag of a connect message. */
#pragma once

#define SH_COMPAT 0x0000
#define SH_DENYRW 0x0010
#define SH_DENYWR 0x0020
#define SH_DENYRD 0x0030
#define SH_DENYNO 0x0040
#define SH_MASK   0x0070

#ifdef __cplusplus
extern "C" {
#endif

/* open() with a sharing mode (SH_...), which managers keep to (EACCES) and Linux's own files do not know. */
int sopen(const char *path, int oflag, int share, ...);

#ifdef __cplusplus
}
#endif
