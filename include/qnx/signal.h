/* SPDX-License-Identifier: MIT */
/* The system's <signal.h>, with QNX's struct sigevent in place of glibc's. */
#pragma GCC system_header
#include_next <signal.h>
#include <bits/nuntius-sigevent.h>
