/* SPDX-License-Identifier: MIT */
/*
 * <dirent.h>: the system's, with QNX's struct dirent: servers fill it in, clients get it from readdir().
 *
 * It has a length of the name, and d_offset beside d_off. Programs that are not compiled against
 * this header (cat, ls) get
 * Linux's structure from the very same files. In what a server sends, entries lie one behind the other, d_reclen
 * bytes each, a multiple of eight; d_type of what comes from a server is not believed: DT_UNKNOWN.
 */
#pragma once
#pragma GCC system_header

#define dirent    nuntius_linux_dirent
#define dirent64  nuntius_linux_dirent64
#define readdir   nuntius_linux_readdir
#define readdir64 nuntius_linux_readdir64
#define readdir_r nuntius_linux_readdir_r
#define readdir64_r nuntius_linux_readdir64_r
#define scandir   nuntius_linux_scandir
#define scandir64 nuntius_linux_scandir64
#define scandirat nuntius_linux_scandirat
#define scandirat64 nuntius_linux_scandirat64
#define alphasort nuntius_linux_alphasort
#define alphasort64 nuntius_linux_alphasort64
#define versionsort nuntius_linux_versionsort
#define versionsort64 nuntius_linux_versionsort64
#include_next <dirent.h>
#undef dirent
#undef dirent64
#undef readdir
#undef readdir64
#undef readdir_r
#undef readdir64_r
#undef scandir
#undef scandir64
#undef scandirat
#undef scandirat64
#undef alphasort
#undef alphasort64
#undef versionsort
#undef versionsort64

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dirent {
        ino_t d_ino;
        union {
                off_t d_offset;
                off_t d_off;
        };
        int16_t d_reclen;
        int16_t d_namelen; /* without the 0 */
        unsigned char d_type;
        char d_name[1];
};

/* NULL: the end, or an error (errno). The entry is good until the next call on @dir. */
struct dirent *readdir(DIR *dir) __asm__("nuntius_readdir");
int readdir_r(DIR *dir, struct dirent *entry, struct dirent **result) __asm__("nuntius_readdir_r");
/* Sorted by @compare, what @select says, in memory of malloc(3). The number, or -1. */
int scandir(const char *path, struct dirent ***list, int (*select)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **)) __asm__("nuntius_scandir");
int alphasort(const struct dirent **a, const struct dirent **b) __asm__("nuntius_alphasort");

#ifdef __cplusplus
}
#endif
