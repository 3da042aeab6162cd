/* SPDX-License-Identifier: MIT */
/*
 * The system's <sys/resource.h>, and QNX's limit of channels: getrlimit(), setrlimit() and prlimit() take
 * RLIMIT_CHANNELS_NP. A process that has as many gets EAGAIN from ChannelCreate(). Our choice of value: one that
 * Linux will not use.
 */
#pragma GCC system_header
#include_next <sys/resource.h>

#ifndef RLIMIT_CHANNELS_NP
#define RLIMIT_CHANNELS_NP 0x4e01
#endif
