/* SPDX-License-Identifier: MIT */
/* Hook: part of builds for the fuzzer only. */
#include "shm/word.h"

void (*shm_load_hook)(const volatile void *at);
