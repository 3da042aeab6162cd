/* SPDX-License-Identifier: MIT */
#include "shm/copy.h"

#include "shm/word.h"

#include <setjmp.h>
#include <string.h>

typedef struct Recovery {
        volatile bool armed;
        sigjmp_buf where;
} Recovery;

static __thread Recovery recovery;

/*
 * The handler runs with its signal unblocked (SA_NODEFER), so no mask needs to be saved or restored.
 * sigsetjmp without a mask is a dozen stores.
 */
bool copy_bytes(void *to, const void *from, size_t n) {
        if (n == 0)
                return true;
        if (sigsetjmp(recovery.where, 0) != 0) {
                recovery.armed = false;
                return false;
        }
        recovery.armed = true;
        word_signal_fence();
        memcpy(to, from, n);
        word_signal_fence();
        recovery.armed = false;
        return true;
}

void copy_recover(void) {
        if (recovery.armed)
                siglongjmp(recovery.where, 1);
}
