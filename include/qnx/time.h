/* SPDX-License-Identifier: MIT */
/*
 * The system's <time.h>, and timer_timeout(). glibc's timer_create() keeps glibc's event
 * structure under its other name (see bits/types/sigevent_t.h).
 */
#pragma GCC system_header
#pragma push_macro("sigevent")
#define sigevent __libc_sigevent
#include_next <time.h>
#pragma pop_macro("sigevent")
#include <bits/nuntius-timeout.h>
