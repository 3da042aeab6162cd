/* SPDX-License-Identifier: MIT */
/*
 * Timeout: points in time for TimerTimeout().
 */
#pragma once

#include "runtime/thread.h"

#include <stdint.h>

/* @ns from now on CLOCK_MONOTONIC. */
Deadline timeout_after(uint64_t ns);
