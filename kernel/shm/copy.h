/* SPDX-License-Identifier: MIT */
/*
 * Copy: touching a caller's memory, with a bad address reported instead of died of.
 *
 * The library's SIGSEGV and SIGBUS handler calls copy_recover() first. If the thread is inside
 * copy_run(), that call does not return: copy_run() returns false. If it is inside copy_small(), copy_recover()
 * returns true, and when the handler returns, so does copy_small(): false.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Runs @body, which touches memory that may be bad and holds nothing. False: it was bad. */
bool copy_run(void (*body)(void *argument), void *argument);

bool copy_bytes(void *to, const void *from, size_t n);

/*
 * The same for at most COPY_SMALL_MAX bytes, which nearly every message is: no more instructions than a copy
 * without a net. Where that is not to be had, COPY_SMALL_MAX is 0.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COPY_SMALL_MAX 64u
#else
#define COPY_SMALL_MAX 0u
#endif
bool copy_small(void *to, const void *from, size_t n);

/* @context: the handler's third argument. True when the handler must simply return. */
bool copy_recover(void *context);
