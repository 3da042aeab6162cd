/* SPDX-License-Identifier: MIT */
/*
 * The system's <string.h>, strlcpy() and strlcat(), which QNX has there and glibc only from 2.38 on, and the old
 * names stricmp() and strnicmp().
 */
#pragma GCC system_header
#include_next <string.h>
#include <strings.h>

#ifndef NUNTIUS_QNX_STRING_H
#define NUNTIUS_QNX_STRING_H

#if defined(__GLIBC__) && !__GLIBC_PREREQ(2, 38) && defined(__USE_MISC)
__BEGIN_DECLS

/* Copies at most `size` - 1 bytes and a zero byte. Returns the length of `from`. */
static inline size_t strlcpy(char *to, const char *from, size_t size) {
        size_t length = strlen(from);

        if (size > 0) {
                size_t n = length < size ? length : size - 1;

                memcpy(to, from, n);
                to[n] = '\0';
        }
        return length;
}

/* Appends as far as `size` bytes in all go. Returns the length that it tried to make. */
static inline size_t strlcat(char *to, const char *from, size_t size) {
        size_t used = strnlen(to, size);

        return used == size ? size + strlen(from) : used + strlcpy(to + used, from, size - used);
}

__END_DECLS
#endif

#ifdef __USE_MISC
#define stricmp(a, b)     strcasecmp(a, b)
#define strnicmp(a, b, n) strncasecmp(a, b, n)
#define strcmpi(a, b)     strcasecmp(a, b)
#endif
#endif
