/* SPDX-License-Identifier: MIT */
/*
 * Types of message between a client and a resource manager: the first 16 bits of a message. A program's own
 * types lie above _IO_MAX, so that its messages are told from these.
 */
#pragma once

#include <stdint.h>

#define _IO_BASE 0x100
#define _IO_MAX  0x1ff

#define _IO_CONNECT         (_IO_BASE + 0x00)
#define _IO_READ            (_IO_BASE + 0x01)
#define _IO_WRITE           (_IO_BASE + 0x02)
#define _IO_RSVD_CLOSE_OCB  (_IO_BASE + 0x03)
#define _IO_STAT            (_IO_BASE + 0x04)
#define _IO_NOTIFY          (_IO_BASE + 0x05)
#define _IO_DEVCTL          (_IO_BASE + 0x06)
#define _IO_RSVD_UNBLOCK    (_IO_BASE + 0x07)
#define _IO_PATHCONF        (_IO_BASE + 0x08)
#define _IO_LSEEK           (_IO_BASE + 0x09)
#define _IO_CHMOD           (_IO_BASE + 0x0a)
#define _IO_CHOWN           (_IO_BASE + 0x0b)
#define _IO_UTIME           (_IO_BASE + 0x0c)
#define _IO_OPENFD          (_IO_BASE + 0x0d)
#define _IO_FDINFO          (_IO_BASE + 0x0e)
#define _IO_LOCK            (_IO_BASE + 0x0f)
#define _IO_SPACE           (_IO_BASE + 0x10)
#define _IO_SHUTDOWN        (_IO_BASE + 0x11)
#define _IO_MMAP            (_IO_BASE + 0x12)
#define _IO_MSG             (_IO_BASE + 0x13)
#define _IO_DUP             (_IO_BASE + 0x15)
#define _IO_CLOSE           (_IO_BASE + 0x16)
#define _IO_RSVD_LOCK_OCB   (_IO_BASE + 0x17)
#define _IO_RSVD_UNLOCK_OCB (_IO_BASE + 0x18)
#define _IO_SYNC            (_IO_BASE + 0x19)
#define _IO_POWER           (_IO_BASE + 0x1a)
#define _IO_ACL             (_IO_BASE + 0x1b)
#define _IO_RSVD_PAUSE      (_IO_BASE + 0x1c)
#define _IO_RSVD_UNPAUSE    (_IO_BASE + 0x1d)
#define _IO_READ64          (_IO_BASE + 0x1e)
#define _IO_WRITE64         (_IO_BASE + 0x1f)
#define _IO_NOTIFY64        (_IO_BASE + 0x20)
#define _IO_UTIME64         (_IO_BASE + 0x21)
