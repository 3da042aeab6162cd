/* SPDX-License-Identifier: MIT */
/*
 * Flags: those bits of channel and connection flags that the daemon acts on. Their public names
 * stand in sys/neutrino.h, which this layer does not see; an API test compares the two.
 */
#pragma once

#define CHANNEL_DISCONNECT      0x0008u
#define CHANNEL_COID_DISCONNECT 0x0040u
#define CHANNEL_PRIVATE         0x1000u
#define CHANNEL_FLAGS           0xffffu

#define CONNECT_DEAD    0x0002u
#define CONNECT_NOSHARE 0x0040u
#define CONNECT_FLAGS   0xffffu

#define COID_SIDE_FIRST 0x40000001
#define COID_NONE       (-1)

#define SCOID_BIT       0x00010000
#define SCOID_NUMBERS   (1u << 29)

#define CHID_MAX        (1 << 30)
