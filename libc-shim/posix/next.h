/* SPDX-License-Identifier: MIT */
/*
 * Next: the C library's own version of a call that we stand in front of.
 */
#pragma once

#include "shm/word.h"

#include <dlfcn.h>

/* Threads may look for it at the same time, and all find the same. No function: some callers must call none. */
#define NEXT(name)                                                                                 \
        (__extension__({                                                                           \
                static WordPointer next_;                                                          \
                if (!next_)                                                                        \
                        next_ = dlsym(RTLD_NEXT, #name);                                           \
                (__typeof__(&name))next_;                                                          \
        }))
