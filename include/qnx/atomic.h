/* SPDX-License-Identifier: MIT */
/*
 * <atomic.h>: QNX's operations on an unsigned word that threads, processes and handlers share. Each is one step, and
 * orders memory as a lock does; the _value forms return what was there before. The names do not clash with C11's.
 */
#pragma once
#pragma GCC system_header

#include <sys/cdefs.h>

__BEGIN_DECLS

static inline unsigned atomic_add_value(volatile unsigned *word, unsigned n) {
        return __atomic_fetch_add(word, n, __ATOMIC_SEQ_CST);
}

static inline unsigned atomic_sub_value(volatile unsigned *word, unsigned n) {
        return __atomic_fetch_sub(word, n, __ATOMIC_SEQ_CST);
}

static inline unsigned atomic_set_value(volatile unsigned *word, unsigned bits) {
        return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

static inline unsigned atomic_clr_value(volatile unsigned *word, unsigned bits) {
        return __atomic_fetch_and(word, ~bits, __ATOMIC_SEQ_CST);
}

static inline unsigned atomic_toggle_value(volatile unsigned *word, unsigned bits) {
        return __atomic_fetch_xor(word, bits, __ATOMIC_SEQ_CST);
}

static inline void atomic_add(volatile unsigned *word, unsigned n) {
        (void)atomic_add_value(word, n);
}

static inline void atomic_sub(volatile unsigned *word, unsigned n) {
        (void)atomic_sub_value(word, n);
}

/* Sets bits, not a value. */
static inline void atomic_set(volatile unsigned *word, unsigned bits) {
        (void)atomic_set_value(word, bits);
}

static inline void atomic_clr(volatile unsigned *word, unsigned bits) {
        (void)atomic_clr_value(word, bits);
}

static inline void atomic_toggle(volatile unsigned *word, unsigned bits) {
        (void)atomic_toggle_value(word, bits);
}

__END_DECLS
