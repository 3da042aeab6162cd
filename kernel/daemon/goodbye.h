/* SPDX-License-Identifier: MIT */
/*
 * Goodbye: the death of a process, the mirror of its life.
 */
#pragma once

#include "daemon/process.h"

/* Everything the process was and had is gone afterwards, and all whom it concerns know. Returns NULL. */
Process *goodbye(Process *process);
