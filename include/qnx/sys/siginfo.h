/* SPDX-License-Identifier: MIT */
/* <sys/siginfo.h>: struct sigevent, union sigval and siginfo_t. */
#pragma once

#include <signal.h>
