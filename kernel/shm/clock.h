/* SPDX-License-Identifier: MIT */
/*
 * Clock: stamps that order arrivals, and where a thread runs.
 *
 * A stamp costs a few nanoseconds where the processor has one counter for all cores (every x86-64 and
 * AArch64 machine whose kernel trusts it as clock source). Where cores disagree, messages of equal
 * priority that arrive within that error may change places; nothing else depends on a stamp.
 */
#pragma once

#include <sched.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define CLOCK_HAS_RSEQ 1
#endif

static inline uint64_t clock_now(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_stamp(void) {
#if defined(__x86_64__)
        return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
        uint64_t ticks;
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
#else
        return clock_now();
#endif
}

/* The processor this thread runs on right now: the kernel keeps it up to date in the thread's rseq area. */
static inline uint16_t clock_core(void) {
        int core;

#ifdef CLOCK_HAS_RSEQ
        const struct rseq *area = (const void *)((const char *)__builtin_thread_pointer() + __rseq_offset);

        core = (int)*(const volatile uint32_t *)&area->cpu_id; /* negative: glibc was told not to register */
        if (core < 0)
#endif
                core = sched_getcpu();
        return core < 0 ? 0 : (uint16_t)core;
}

static inline void clock_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield" ::: "memory");
#endif
}
