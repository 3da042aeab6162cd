/* SPDX-License-Identifier: MIT */
/*
 * The system's <pthread.h>, with QNX's priorities (<sched.h>) and without glibc's word that the place of a
 * new thread's id is never NULL.
 */
#pragma GCC system_header
#include <sched.h>
#pragma push_macro("__nonnull")
#undef __nonnull
#define __nonnull(parameters)
#include_next <pthread.h>
#pragma pop_macro("__nonnull")

#ifndef _NUNTIUS_PTHREAD_H
#define _NUNTIUS_PTHREAD_H

__BEGIN_DECLS
#pragma GCC visibility push(default)

int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param)
        __asm__("nuntius_pthread_setschedparam");
int pthread_getschedparam(pthread_t thread, int *policy, struct sched_param *param)
        __asm__("nuntius_pthread_getschedparam");
int pthread_setschedprio(pthread_t thread, int priority) __asm__("nuntius_pthread_setschedprio");
int pthread_attr_setschedparam(pthread_attr_t *attr, const struct sched_param *param)
        __asm__("nuntius_pthread_attr_setschedparam");
int pthread_attr_getschedparam(const pthread_attr_t *attr, struct sched_param *param)
        __asm__("nuntius_pthread_attr_getschedparam");
int pthread_attr_setschedpolicy(pthread_attr_t *attr, int policy)
        __asm__("nuntius_pthread_attr_setschedpolicy");

#pragma GCC visibility pop
__END_DECLS
#endif
