/* SPDX-License-Identifier: MIT */
/*
 * Word: atomic operations by name, for code outside this folder.
 *
 * Two orders are enough for this project, and each call site picks one by its name: `_relaxed` counts
 * or hints, everything else is sequentially consistent (on the processors we run on a load costs
 * the same, and every store that matters is a read-modify-write anyway).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* In builds for the fuzzer memory may change just before it is looked at; see tests/fuzz/server.c. */
#ifdef NUNTIUS_SHM_HOOKS
extern void (*shm_load_hook)(const volatile void *at);
#define SHM_BEFORE_LOAD(at) (shm_load_hook ? shm_load_hook(at) : (void)0)
#undef atomic_load
#undef atomic_load_explicit
#define atomic_load(object) (SHM_BEFORE_LOAD(object), __c11_atomic_load(object, __ATOMIC_SEQ_CST))
#define atomic_load_explicit(object, order) (SHM_BEFORE_LOAD(object), __c11_atomic_load(object, order))
#else
#define SHM_BEFORE_LOAD(at) ((void)0)
#endif

/* A field that the other side may change meanwhile: read once, whatever the compiler would like. */
#define SHM_LOAD(field) (SHM_BEFORE_LOAD(&(field)), *(const volatile __typeof__(field) *)&(field))

typedef _Atomic uint32_t Word;
typedef _Atomic uint64_t Word64;
typedef void *_Atomic WordPointer;

static inline uint32_t word_load(const Word *word) {
        return atomic_load(word);
}

static inline uint32_t word_load_relaxed(const Word *word) {
        return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void word_store(Word *word, uint32_t value) {
        atomic_store(word, value);
}

/* A store that later loads of this thread may overtake; pairs with a barrier on the reader's side. */
static inline void word_store_release(Word *word, uint32_t value) {
        atomic_store_explicit(word, value, memory_order_release);
}

static inline void word_store_relaxed(Word *word, uint32_t value) {
        atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline bool word_swap_if(Word *word, uint32_t *expected, uint32_t desired) {
        return atomic_compare_exchange_strong(word, expected, desired);
}

static inline uint32_t word_swap(Word *word, uint32_t desired) {
        return atomic_exchange(word, desired);
}

static inline uint32_t word_add(Word *word, uint32_t n) {
        return atomic_fetch_add(word, n);
}

static inline uint32_t word_sub(Word *word, uint32_t n) {
        return atomic_fetch_sub(word, n);
}

static inline uint32_t word_and(Word *word, uint32_t mask) {
        return atomic_fetch_and(word, mask);
}

static inline uint32_t word_or(Word *word, uint32_t bits) {
        return atomic_fetch_or(word, bits);
}

static inline uint32_t word_xor(Word *word, uint32_t bits) {
        return atomic_fetch_xor(word, bits);
}

static inline uint64_t word64_load(const Word64 *word) {
        return atomic_load(word);
}

static inline void word64_store(Word64 *word, uint64_t value) {
        atomic_store(word, value);
}

static inline void *word_pointer_load(const WordPointer *word) {
        return atomic_load_explicit(word, memory_order_acquire);
}

static inline void *word_pointer_swap(WordPointer *word, void *value) {
        return atomic_exchange(word, value);
}

static inline bool word_pointer_swap_if(WordPointer *word, void **expected, void *desired) {
        return atomic_compare_exchange_strong(word, expected, desired);
}

static inline void word_pointer_store(WordPointer *word, void *value) {
        atomic_store_explicit(word, value, memory_order_release);
}

/* Keeps the compiler from moving memory accesses across; orders a thread with its own signal handler. */
static inline void word_signal_fence(void) {
        atomic_signal_fence(memory_order_seq_cst);
}

static inline void word_fence(void) {
        atomic_thread_fence(memory_order_seq_cst);
}
