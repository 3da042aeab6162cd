/* SPDX-License-Identifier: MIT */
/*
 * Flags: those bits of channel and connection flags that the daemon acts on. Their public names
 * stand in sys/neutrino.h, which this layer does not see; tests/headers/flags.c compares the two.
 */
#pragma once

#define CHANNEL_FIXED_PRIORITY  0x0001u
#define CHANNEL_DISCONNECT      0x0008u
#define CHANNEL_COID_DISCONNECT 0x0040u
#define CHANNEL_PRIVATE         0x1000u
#define CHANNEL_FLAGS           0xffffu

#define CONNECT_DEAD    0x0002u
#define CONNECT_NOSHARE 0x0040u
#define CONNECT_FLAGS   0xffffu

#define CONNECT_NOEVENT      0x0800u
#define CONNECT_INSECURE     0x1000u
#define CONNECT_REG_EVENTS   0x2000u
#define CONNECT_UNREG_EVENTS 0x4000u

/* Kinds and bits of an event. */
#define EVENT_TYPE_MASK       0x0ff
#define EVENT_NONE            0
#define EVENT_SIGNAL          0x81
#define EVENT_SIGNAL_CODE     0x82
#define EVENT_SIGNAL_THREAD   0x83
#define EVENT_PULSE           0x84
#define EVENT_UNBLOCK         0x85
#define EVENT_INTR            0x86
#define EVENT_THREAD          0x87
#define EVENT_MEMORY          0x88
#define EVENT_FLAG_UPDATEABLE 0x200
#define EVENT_FLAG_HANDLE     0x400

#define PATH_BEFORE     0x00000001u
#define PATH_AFTER      0x00000002u
#define PATH_FLAGS      0x8000031fu

#define COID_SIDE_FIRST 0x40000001
#define COID_NONE       (-1)

#define SCOID_BIT       0x00010000
#define SCOID_NUMBERS   (1u << 29)

#define CHID_MAX        (1 << 30)
