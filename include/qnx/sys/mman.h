/* SPDX-License-Identifier: MIT */
/* The system's <sys/mman.h>, and QNX's device memory and shared memory handles. */
#pragma GCC system_header
#include_next <sys/mman.h>
#include <bits/nuntius-device.h>
