/* SPDX-License-Identifier: MIT */
/*
 * Takes the place of glibc's private header of this name, so that its SIGEV_* values, which clash with
 * QNX's, are never defined.
 */
#ifndef _BITS_SIGEVENT_CONSTS_H
#define _BITS_SIGEVENT_CONSTS_H 1

#include <bits/nuntius-sigevent.h>

#endif
