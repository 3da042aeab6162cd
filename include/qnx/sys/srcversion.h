/* SPDX-License-Identifier: MIT */
/* <sys/srcversion.h>: QNX sources stamp themselves with this; here the stamp leaves no trace. */
#pragma once

#define __SRCVERSION(id)
