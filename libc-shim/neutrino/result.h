/* SPDX-License-Identifier: MIT */
/*
 * Result: from the library's own "value or -errno" to what each family of calls promises.
 *
 * The _r forms are the implementation. Families with a meaningful success value return -errno, the
 * others the positive errno; the plain forms return -1 and set errno, here and nowhere else.
 */
#pragma once

#include <errno.h>

/* Plain form of a call whose _r form returns a value or -errno. */
static inline long plain_value(long r) {
        if (r >= 0)
                return r;
        errno = (int)-(unsigned long)r; /* a lying server may have chosen any number */
        return -1;
}

/* Plain form of a call whose _r form returns EOK or a positive errno. */
static inline int plain_status(int r) {
        if (r == 0)
                return 0;
        errno = r;
        return -1;
}

/* "0 or -errno" of the library to the _r form of such a call. */
static inline int positive(int r) {
        return r < 0 ? -r : 0;
}
