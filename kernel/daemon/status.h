/* SPDX-License-Identifier: MIT */
/*
 * Status: every object that the daemon holds, whose it is, and what each user is charged.
 * The handler, request_status(), is declared with the others.
 */
#pragma once

#include "daemon/kernel.h"

#include <stdio.h>

/* What @viewer may see: root and the daemon's user everything, others what is theirs. */
void status_write(Kernel *kernel, uid_t viewer, bool json, FILE *out);
