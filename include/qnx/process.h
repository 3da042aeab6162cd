/* SPDX-License-Identifier: MIT */
/* <process.h>: on QNX the home of getpid() and its relatives. */
#pragma once

#include <spawn.h>
#include <sys/types.h>
#include <unistd.h>
