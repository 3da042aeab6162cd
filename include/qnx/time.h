/* SPDX-License-Identifier: MIT */
/*
 * The system's <time.h>, with QNX's timers in place of glibc's (bits/nuntius-posix-timer.h), and
 * timer_timeout().
 */
#pragma GCC system_header
#pragma push_macro("sigevent")
#define sigevent __libc_sigevent
#define timer_create __libc_timer_create
#define timer_delete __libc_timer_delete
#define timer_settime __libc_timer_settime
#define timer_gettime __libc_timer_gettime
#define timer_getoverrun __libc_timer_getoverrun
#include_next <time.h>
#undef timer_create
#undef timer_delete
#undef timer_settime
#undef timer_gettime
#undef timer_getoverrun
#pragma pop_macro("sigevent")
#include <bits/nuntius-timeout.h>
#include <bits/nuntius-posix-timer.h>
#include <bits/nuntius-timespec.h>
