/* SPDX-License-Identifier: MIT */
/* The system's <unistd.h>, and delay(). */
#pragma GCC system_header
#include_next <unistd.h>
#include <bits/nuntius-delay.h>
