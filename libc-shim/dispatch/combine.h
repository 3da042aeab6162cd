/* SPDX-License-Identifier: MIT */
/*
 * Combine: several messages in one.
 *
 * Each part begins with type and combine_len. The context is moved from part to part: msg, offset, size; rcvid is 0
 * in all parts but the last, so that only the last can be held back. The parts of the answers are collected.
 */
#pragma once

#include "dispatch/handle.h"

#define PARTS_MAX 64

typedef struct Parts {
        iov_t iov[PARTS_MAX];
        unsigned n;
} Parts;

/* For the first part: hides the rcvid if more follow. */
void combine_begin(resmgr_context_t *ctp);
/* Moves on. False: that was the last one, or what follows is not there. */
bool combine_next(resmgr_context_t *ctp);

/* A handler's answer. EOK or an errno. */
int parts_add(Parts *parts, const resmgr_context_t *ctp, int r);
/* All of them, put into ctp->iov as far as they are of one message; what answer() takes. */
int parts_answer(const Parts *parts, resmgr_context_t *ctp);
