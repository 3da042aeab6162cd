/* SPDX-License-Identifier: MIT */
/* Cwd: the current directory as text, and umask, which a path in a message needs. Both are asked for once and kept. */
#pragma once

#include <limits.h>
#include <sys/types.h>

/* 0 or -errno. */
int cwd_get(char whole[PATH_MAX]);
/* The process has gone elsewhere. */
void cwd_changed(void);

/* @mode without what umask takes away. */
mode_t cwd_mode(mode_t mode);
