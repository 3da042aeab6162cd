/* SPDX-License-Identifier: MIT */
/* The system's <errno.h>, and QNX's further error numbers. */
#pragma GCC system_header
#include_next <errno.h>
#include <bits/nuntius-errno.h>
