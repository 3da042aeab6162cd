/* SPDX-License-Identifier: MIT */
/*
 * Takes the place of glibc's private header of this name: struct sched_param gains QNX's members. glibc's
 * own functions read and write its first member only; those that fill in the others are the library's,
 * which a program reaches by compiling with <sched.h> or <pthread.h> of these headers.
 */
#ifndef _BITS_TYPES_STRUCT_SCHED_PARAM
#define _BITS_TYPES_STRUCT_SCHED_PARAM 1

#include <bits/types/struct_timespec.h>

struct sched_param {
        int sched_priority;    /* the thread's own, 1 to 255 */
        int sched_curpriority; /* filled in: the one in force */
        union {
                int reserved[8];
                struct {
                        int __ss_low_priority;
                        int __ss_max_repl;
                        struct timespec __ss_repl_period;
                        struct timespec __ss_init_budget;
                } __ss;
        } __ss_un;
};
#define sched_ss_low_priority __ss_un.__ss.__ss_low_priority
#define sched_ss_max_repl     __ss_un.__ss.__ss_max_repl
#define sched_ss_repl_period  __ss_un.__ss.__ss_repl_period
#define sched_ss_init_budget  __ss_un.__ss.__ss_init_budget

#endif
