/* SPDX-License-Identifier: MIT */
/*
 * Stands before glibc's private header of this name: glibc's struct sigevent becomes
 * struct __libc_sigevent, because QNX's (<signal.h>) has other members. What takes glibc's,
 * such as mq_notify(), thereby refuses QNX's when it is compiled instead of misreading it when it runs.
 */
#pragma once
#pragma GCC system_header

#pragma push_macro("sigevent")
#pragma push_macro("sigevent_t")
#undef sigevent
#undef sigevent_t
#define sigevent __libc_sigevent
#define sigevent_t __libc_sigevent_t
#include_next <bits/types/sigevent_t.h>
#pragma pop_macro("sigevent_t")
#pragma pop_macro("sigevent")

#undef sigev_notify_function
#undef sigev_notify_attributes
