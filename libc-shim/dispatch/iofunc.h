/* SPDX-License-Identifier: MIT */
/* Iofunc: what the files iofunc-*.c of this folder share. */
#pragma once

#include "dispatch/handle.h"

#include <sys/iofunc.h>

#define S_RIGHTS (S_ISUID | S_ISGID | S_ISVTX | S_IRWXU | S_IRWXG | S_IRWXO)

/* Marks times as due: IOFUNC_ATTR_... */
static inline void attr_touch(iofunc_attr_t *attr, uint32_t times) {
        attr->flags |= times | IOFUNC_ATTR_DIRTY_TIME;
}

static inline bool attr_is_read_only(const iofunc_attr_t *attr) {
        return attr->mount && attr->mount->flags & 1u; /* MS_RDONLY */
}

/* Who sends the message at hand. EOK or an errno. */
int client_read(resmgr_context_t *ctp, struct _client_info *info);
bool client_owns(const struct _client_info *info, const iofunc_attr_t *attr);
bool client_is_of_group(const struct _client_info *info, gid_t gid);

/* Locks made through the open file, or by the process that closes it, end with it. */
void locks_drop(resmgr_context_t *ctp, iofunc_attr_t *attr, const iofunc_ocb_t *ocb);
