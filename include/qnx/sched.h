/* SPDX-License-Identifier: MIT */
/*
 * The system's <sched.h>, with QNX's priorities: 1 to 255, 10 for a thread that asked for none.
 *
 * The functions that take a priority are the library's own, under glibc's names, for programs that are
 * compiled with this header; other parts of the same program go on with glibc's.
 */
#pragma GCC system_header
#include_next <sched.h>

#ifndef _NUNTIUS_SCHED_H
#define _NUNTIUS_SCHED_H

#include <bits/nuntius-sched.h>
#include <sys/cdefs.h>
#include <sys/types.h>

/* Policies that Linux has no number for. SCHED_OTHER is Linux's; on QNX it is another word for RR. */
#define SCHED_NOCHANGE  0x100 /* keep the policy */
#define SCHED_SPORADIC  0x101 /* refused */
#define SCHED_ADJTOHEAD 0x102 /* refused */
#define SCHED_ADJTOTAIL 0x103 /* refused */

__BEGIN_DECLS
#pragma GCC visibility push(default)

int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
        __asm__("nuntius_sched_setscheduler");
int sched_getscheduler(pid_t pid) __asm__("nuntius_sched_getscheduler");
int sched_setparam(pid_t pid, const struct sched_param *param) __asm__("nuntius_sched_setparam");
int sched_getparam(pid_t pid, struct sched_param *param) __asm__("nuntius_sched_getparam");
int sched_get_priority_max(int policy) __asm__("nuntius_sched_get_priority_max");
int sched_get_priority_min(int policy) __asm__("nuntius_sched_get_priority_min");

#pragma GCC visibility pop
__END_DECLS
#endif
