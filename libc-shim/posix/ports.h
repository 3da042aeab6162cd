/* SPDX-License-Identifier: MIT */
/* Ports: may this thread use the processor's ports? */
#pragma once

#include <stdbool.h>

bool ports_are_allowed(void);
