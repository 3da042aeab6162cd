/* SPDX-License-Identifier: MIT */
/*
 * Copy: memcpy that reports a bad address instead of dying of it.
 *
 * The library's SIGSEGV and SIGBUS handler calls copy_recover() first. If the thread is inside
 * copy_bytes(), that call does not return: copy_bytes() returns false.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool copy_bytes(void *to, const void *from, size_t n);

void copy_recover(void);
