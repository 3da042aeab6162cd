/* SPDX-License-Identifier: MIT */
/*
 * The system's <mqueue.h>, with mq_notify() on QNX's struct sigevent. It has a link name of its own, so
 * glibc's stays as it is for code that was compiled without these headers.
 */
#pragma GCC system_header
#include <signal.h>
#include <time.h>
#pragma push_macro("sigevent")
#define sigevent __libc_sigevent
#define mq_notify __libc_mq_notify
#include_next <mqueue.h>
#undef mq_notify
#pragma pop_macro("sigevent")
#include <bits/nuntius-mqueue.h>
