/* SPDX-License-Identifier: MIT */
/*
 * Copy: touching a caller's memory, with a bad address reported instead of died of.
 *
 * The library's SIGSEGV and SIGBUS handler calls copy_recover() first. If the thread is inside
 * copy_run(), that call does not return: copy_run() returns false.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Runs @body, which touches memory that may be bad and holds nothing. False: it was bad. */
bool copy_run(void (*body)(void *argument), void *argument);

bool copy_bytes(void *to, const void *from, size_t n);

void copy_recover(void);
