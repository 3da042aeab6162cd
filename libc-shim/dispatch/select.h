/* SPDX-License-Identifier: MIT */
/*
 * Select: descriptors that a loop watches. One thread of the library watches for all handles (runtime/watch.h)
 * and sends a pulse; the function runs in the loop's own thread.
 *
 *   IDLE    -> ARMED    select_attach, select_rearm
 *   ARMED   -> READY    the watching thread: the descriptor is ready, a pulse is on its way
 *   READY   -> IDLE     the loop: function called
 *   READY   -> ARMED    the loop, with SELECT_FLAG_REARM
 */
#pragma once

#include "dispatch/handle.h"

/* The pulse of descriptor @fd. */
void select_deliver(resmgr_context_t *ctp, int fd);

void select_detach_all(dispatch_t *dpp);
