/* SPDX-License-Identifier: MIT */
/* Answer: what a handler returned becomes MsgReply or MsgError. */
#pragma once

#include "dispatch/handle.h"

void answer(resmgr_context_t *ctp, int r);
