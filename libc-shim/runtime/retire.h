/* SPDX-License-Identifier: MIT */
/*
 * Retire: memory that other threads may still be reading is unmapped when they have all left their
 * calls.
 *
 * What is retired can no longer be found; a thread that found it before is inside a call (odd epoch)
 * and will leave it. membarrier(2) orders "cannot be found" before our reading of the epochs, so the
 * calls themselves need no fence. Without membarrier nothing is given back before the process ends.
 */
#pragma once

#include <stddef.h>

/* @release is called with @object (and @bytes) once no thread can hold it. */
void retire(void (*release)(void *object, size_t bytes), void *object, size_t bytes);

/* Gives back what has become free. Called from slow paths. */
void retire_collect(void);

void retire_after_fork(void);
