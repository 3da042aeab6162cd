/* SPDX-License-Identifier: MIT */
/*
 * Takes the place of glibc's private header of this name: timer_t is a number, as on QNX, where
 * TimerCreate() returns one and timer_create() stores one. glibc's own calls, which take a pointer,
 * are not declared (<time.h>).
 */
#ifndef __timer_t_defined
#define __timer_t_defined 1

typedef int timer_t;

#endif
