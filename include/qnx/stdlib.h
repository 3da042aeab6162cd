/* SPDX-License-Identifier: MIT */
/*
 * The system's <stdlib.h>, and QNX's min() and max(). Not in C++, where they would break std::min.
 * Both evaluate an argument twice, as on QNX. And itoa() with its relatives.
 */
#pragma GCC system_header
#include_next <stdlib.h>

#ifndef __cplusplus
#ifndef min
#define min(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) ((a) > (b) ? (a) : (b))
#endif
#ifndef __min
#define __min(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef __max
#define __max(a, b) ((a) > (b) ? (a) : (b))
#endif
#endif

#ifndef NUNTIUS_QNX_STDLIB_H
#define NUNTIUS_QNX_STDLIB_H

#include <sys/cdefs.h>

__BEGIN_DECLS

/* Each writes a number in a base from 2 to 36, and returns the text; 65 bytes are always room enough. */
static inline char *ulltoa(unsigned long long value, char *text, int base) {
        char digits[64];
        int n = 0, at = 0;

        do {
                digits[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % (unsigned)base];
                value /= (unsigned)base;
        } while (value);
        while (n > 0)
                text[at++] = digits[--n];
        text[at] = '\0';
        return text;
}

static inline char *ultoa(unsigned long value, char *text, int base) {
        return ulltoa(value, text, base);
}

static inline char *utoa(unsigned value, char *text, int base) {
        return ulltoa(value, text, base);
}

/* A sign in base 10 only; else the bits of the number. */
static inline char *lltoa(long long value, char *text, int base) {
        if (base != 10 || value >= 0)
                return ulltoa((unsigned long long)value, text, base);
        text[0] = '-';
        ulltoa(0ull - (unsigned long long)value, text + 1, base);
        return text;
}

static inline char *ltoa(long value, char *text, int base) {
        return base == 10 ? lltoa(value, text, base) : ultoa((unsigned long)value, text, base);
}

static inline char *itoa(int value, char *text, int base) {
        return base == 10 ? lltoa(value, text, base) : utoa((unsigned)value, text, base);
}

__END_DECLS
#endif
