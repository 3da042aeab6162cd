/* SPDX-License-Identifier: MIT */
/* Io: messages on open files. */
#pragma once

#include "dispatch/binding.h"

/*
 * Runs the handler of the message at ctp->msg on @binding (and its lock_ocb and unlock_ocb). What the handler returned.
 */
int io_call(resmgr_context_t *ctp, Binding *binding);

/* The whole message: finds the binding, runs all parts from the one at hand on, answers. */
void io_handle(resmgr_context_t *ctp);

/* Parts behind a connect message that opened the file. What is to be answered. */
int io_handle_rest(resmgr_context_t *ctp, Binding *binding);

void io_close_ocb(resmgr_context_t *ctp, Binding *binding);

/* The pulse _PULSE_CODE_UNBLOCK, for a message on a file. */
void io_unblock(resmgr_context_t *ctp);
/* The last descriptor of a file was closed. */
void io_file_closed(resmgr_context_t *ctp, uint64_t file);
