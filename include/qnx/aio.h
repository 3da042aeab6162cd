/* SPDX-License-Identifier: MIT */
/*
 * The system's <aio.h>, whose functions keep glibc's event structure under its other name
 * (see bits/types/sigevent_t.h).
 */
#pragma GCC system_header
#include <signal.h>
#include <time.h>
#pragma push_macro("sigevent")
#define sigevent __libc_sigevent
#include_next <aio.h>
#pragma pop_macro("sigevent")
