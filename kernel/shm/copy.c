/* SPDX-License-Identifier: MIT */
#include "shm/copy.h"

#include "shm/word.h"

#include <setjmp.h>
#include <string.h>

/*
 * The handler runs with its signal unblocked (SA_NODEFER), so no mask needs to be saved or restored.
 * The compiler's own setjmp is three stores; sanitizers must see the jump, so they get libc's. The thread
 * sanitizer blocks all signals in every handler, so there the mask counts after all.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
typedef void *CopyPlace[5];
#define PLACE_SET(place)  __builtin_setjmp(place)
#define PLACE_JUMP(place) __builtin_longjmp(place, 1)
#else
typedef sigjmp_buf CopyPlace;
#ifdef __SANITIZE_THREAD__
#define PLACE_SET(place)  sigsetjmp(place, 1)
#else
#define PLACE_SET(place)  sigsetjmp(place, 0)
#endif
#define PLACE_JUMP(place) siglongjmp(place, 1)
#endif

typedef struct Recovery {
        volatile bool armed;
        CopyPlace place;
} Recovery;

static __thread Recovery recovery __attribute__((tls_model("initial-exec")));

__attribute__((noinline)) bool copy_run(void (*body)(void *), void *argument) {
        if (PLACE_SET(recovery.place) != 0) {
                recovery.armed = false;
                return false;
        }
        recovery.armed = true;
        word_signal_fence();
        body(argument);
        word_signal_fence();
        recovery.armed = false;
        return true;
}

typedef struct Bytes {
        void *to;
        const void *from;
        size_t n;
} Bytes;

/* NULL is a bad address like any other here: it faults, and is reported. */
__attribute__((no_sanitize("nonnull-attribute"))) static void copy_body(void *argument) {
        const Bytes *bytes = argument;

        memcpy(bytes->to, bytes->from, bytes->n);
}

bool copy_bytes(void *to, const void *from, size_t n) {
        Bytes bytes = { to, from, n };

        return n == 0 || copy_run(copy_body, &bytes);
}

__attribute__((noinline)) void copy_recover(void) {
        if (recovery.armed)
                PLACE_JUMP(recovery.place);
}
