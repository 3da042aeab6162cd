/* SPDX-License-Identifier: MIT */
/*
 * <sys/dcmd_chr.h>: devctl() commands of character devices. The numbers of commands are our choice where they are
 * not public; only names are written in programs.
 */
#pragma once

#include <devctl.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

#define DCMD_CHR_TTYINFO      __DIOF(_DCMD_CHR, 10, struct _ttyinfo)
#define DCMD_CHR_TCSETSID     __DIOT(_DCMD_CHR, 7, pid_t)
#define DCMD_CHR_TCSETPGRP    __DIOT(_DCMD_CHR, 8, pid_t)
#define DCMD_CHR_TCGETATTR    __DIOF(_DCMD_CHR, 19, struct termios)
#define DCMD_CHR_TCSETATTR    __DIOT(_DCMD_CHR, 20, struct termios)
#define DCMD_CHR_TCSETATTRD   __DIOT(_DCMD_CHR, 21, struct termios)
#define DCMD_CHR_TCSETATTRF   __DIOT(_DCMD_CHR, 22, struct termios)
#define DCMD_CHR_ISATTY       __DION(_DCMD_CHR, 51)
#define DCMD_CHR_ISCHARS      __DIOF(_DCMD_CHR, 52, uint32_t)
#define DCMD_CHR_ISSIZE       __DIOF(_DCMD_CHR, 53, uint32_t)
#define DCMD_CHR_OSCHARS      __DIOF(_DCMD_CHR, 54, uint32_t)
#define DCMD_CHR_OSSIZE       __DIOF(_DCMD_CHR, 55, uint32_t)
#define DCMD_CHR_LINESTATUS   __DIOF(_DCMD_CHR, 56, uint32_t)
#define DCMD_CHR_TCFLUSH      __DIOT(_DCMD_CHR, 57, int)
#define DCMD_CHR_TCFLOW       __DIOT(_DCMD_CHR, 58, int)
#define DCMD_CHR_SERCTL       __DIOT(_DCMD_CHR, 59, struct _serctl)

struct _ttyinfo {
        int32_t opencount;
        char ttyname[32];
};
struct _serctl {
        uint32_t flags;
        uint32_t mask;
        uint32_t brk_duration;
};
