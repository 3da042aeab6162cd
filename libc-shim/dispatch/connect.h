/* SPDX-License-Identifier: MIT */
/* Connect: messages on names: open, unlink, rename, mknod, readlink, link, mount. */
#pragma once

#include "dispatch/handle.h"

void connect_handle(resmgr_context_t *ctp);
