/* SPDX-License-Identifier: MIT */
/* Message: a program's own message types and pulse codes. */
#pragma once

#include "dispatch/handle.h"

/* Calls what is attached for the message or pulse in @ctp. False: nothing is. */
bool message_deliver(message_context_t *ctp);
bool message_deliver_fallback(message_context_t *ctp);
bool pulse_deliver(message_context_t *ctp);

void message_detach_all(dispatch_t *dpp);
