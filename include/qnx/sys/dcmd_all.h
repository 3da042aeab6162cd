/* SPDX-License-Identifier: MIT */
/* <sys/dcmd_all.h>: devctl() commands that every manager understands. */
#pragma once

#include <devctl.h>

#define DCMD_ALL_GETFLAGS      __DIOF(_DCMD_ALL, 1, int) /* O_... of the open file */
#define DCMD_ALL_SETFLAGS      __DIOT(_DCMD_ALL, 2, int) /* EINVAL: O_SYNC and kin where the mount cannot */
#define DCMD_ALL_GETMOUNTFLAGS __DIOF(_DCMD_ALL, 3, int)
#define DCMD_ALL_GETOWN        __DIOF(_DCMD_ALL, 4, pid_t)
#define DCMD_ALL_SETOWN        __DIOT(_DCMD_ALL, 5, pid_t)
#define DCMD_ALL_FADVISE       __DIOTF(_DCMD_ALL, 6, struct _fadvise)

struct _fadvise {
        int result;
        int advice;
        int64_t offset;
        int64_t len;
        int32_t spare[2];
};
