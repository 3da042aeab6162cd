/* SPDX-License-Identifier: MIT */
/*
 * Cleanup: what a function holds is given back when it leaves scope, whichever return it takes.
 * The last line before success hands the thing over with TAKE() or TAKE_FD().
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((__cleanup__(fn)))

/* Hands a pointer over: its value, and the variable owns nothing any more. */
#define TAKE(pointer)                                                                              \
        (__extension__({                                                                           \
                __typeof__(&(pointer)) take_at_ = &(pointer);                                      \
                __typeof__(pointer) take_value_ = *take_at_;                                       \
                *take_at_ = NULL;                                                                  \
                take_value_;                                                                       \
        }))

#define TAKE_FD(fd)                                                                                \
        (__extension__({                                                                           \
                int *take_at_ = &(fd);                                                             \
                int take_value_ = *take_at_;                                                       \
                *take_at_ = -1;                                                                    \
                take_value_;                                                                       \
        }))

/* Closes @fd if it is one, keeps errno, returns -1 to be stored back. */
static inline int fd_close(int fd) {
        if (fd >= 0) {
                int saved = errno;

                (void)close(fd);
                errno = saved;
        }
        return -1;
}

static inline void cleanup_close_(int *fd) {
        (void)fd_close(*fd);
}

static inline void cleanup_free_(void *pointer_at) {
        free(*(void **)pointer_at);
}

#define _cleanup_close_ _cleanup_(cleanup_close_)
#define _cleanup_free_  _cleanup_(cleanup_free_)

/* Makes thing_freep() of a thing_free() for use with _cleanup_(). */
#define DEFINE_CLEANUP(type, function)                                                             \
        __attribute__((unused)) static inline void function##p(type *at) {                         \
                if (*at)                                                                           \
                        function(*at);                                                             \
        }
