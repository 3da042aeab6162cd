/* SPDX-License-Identifier: MIT */
/* Node descriptors. There is one node here, the local one. */
#pragma once

#include <stdint.h>

#define ND_LOCAL_NODE 0

/* 0 when both name one node, else the sign of the order, as strcmp() has it. */
#define ND_NODE_CMP(a, b) (((uint32_t)(a) > (uint32_t)(b)) - ((uint32_t)(a) < (uint32_t)(b)))
