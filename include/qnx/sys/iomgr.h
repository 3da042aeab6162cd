/* SPDX-License-Identifier: MIT */
/* <sys/iomgr.h>: who is meant by an _IO_MSG message (io_msg_t.i.mgrid). */
#pragma once

#define _IOMGR_FSYS     0x0002
#define _IOMGR_TCPIP    0x0006
#define _IOMGR_PHOTON   0x000b
#define _IOMGR_CAM      0x000c
#define _IOMGR_PCI      0x000d
#define _IOMGR_NETMGR   0x000e
#define _IOMGR_REGISTRY 0x0010

/* A manager's own numbers */
#define _IOMGR_PRIVATE_BASE 0xf000
#define _IOMGR_PRIVATE_MAX  0xffff
