/* SPDX-License-Identifier: MIT */
/* What every exported function of this folder needs: visibility, and errors in errno. */
#pragma once

#include <errno.h>
#include <stddef.h>

#define PUBLIC __attribute__((visibility("default")))

static inline int fail(int error) {
        errno = error;
        return -1;
}

static inline void *fail_null(int error) {
        errno = error;
        return NULL;
}
