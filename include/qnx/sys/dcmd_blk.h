/* SPDX-License-Identifier: MIT */
/*
 * <sys/dcmd_blk.h>: devctl() commands of file systems and block devices. The numbers of commands are our choice where
 * they are not public; only names are written in programs.
 */
#pragma once

#include <devctl.h>
#include <stdint.h>
#include <sys/statvfs.h>

#define DCMD_FSYS_STATVFS        __DIOTF(_DCMD_FSYS, 13, struct statvfs)
#define DCMD_FSYS_FORCE_RELEARN  __DION(_DCMD_FSYS, 14)
#define DCMD_FSYS_PREGROW_FILE   __DIOT(_DCMD_FSYS, 24, off_t)
#define DCMD_FSYS_CACHE_SET      __DIOT(_DCMD_FSYS, 16, uint32_t)
#define DCMD_FSYS_MOUNTED_ON     __DIOF(_DCMD_FSYS, 17, char[256])
#define DCMD_FSYS_MOUNTED_AT     __DIOF(_DCMD_FSYS, 18, char[256])
#define DCMD_FSYS_MOUNTED_BY     __DIOF(_DCMD_FSYS, 19, char[256])
