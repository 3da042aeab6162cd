/* SPDX-License-Identifier: MIT */
/* <unix.h>: what old programs from other systems expect to find together. */
#pragma once

#include <fcntl.h>
#include <process.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <unistd.h>
