/* SPDX-License-Identifier: MIT */
/*
 * Next: the C library's own version of a call that we stand in front of.
 */
#pragma once

#include <dlfcn.h>

#define NEXT(name)                                                                                 \
        (__extension__({                                                                           \
                static __typeof__(&name) next_;                                                    \
                if (!next_)                                                                        \
                        next_ = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                        \
                next_;                                                                             \
        }))
