/* SPDX-License-Identifier: MIT */
/*
 * Recover: how a daemon goes on after another: tables are checked, the request that was being carried out
 * is finished or forgotten, objects are made anew around their records and descriptors, teardown that had
 * begun is ended, and who has something to be told is told. docs/design/restart.md says why that is enough.
 */
#pragma once

#include "daemon/kernel.h"

/* There is nothing to go on with, or it is not to be trusted, which is logged: begin from nothing. */
#define RECOVER_E_NOTHING 1

/*
 * 0, RECOVER_E_NOTHING, or -errno: then the kernel is worth nothing, and all that there was is still in the
 * store for another try.
 */
int recover(Kernel *kernel, Legacy *legacy);
