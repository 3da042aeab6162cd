/* SPDX-License-Identifier: MIT */
/* What every call of this folder needs: visibility, and errors in errno. */
#pragma once

#include <errno.h>

#define PUBLIC __attribute__((visibility("default")))

/* "Value or -errno" as the C library has it. */
static inline long plain(long r) {
        if (r >= 0)
                return r;
        errno = (int)-r;
        return -1;
}

/* A 64-bit name for the very same call: off_t has 64 bits here. */
#define SAME(name, as) extern __typeof__(name) as __attribute__((alias(#name), visibility("default")))
