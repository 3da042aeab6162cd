/* SPDX-License-Identifier: MIT */
/*
 * The system's <stdlib.h>, and QNX's min() and max(). Not in C++, where they would break std::min.
 * Both evaluate an argument twice, as on QNX.
 */
#pragma GCC system_header
#include_next <stdlib.h>

#ifndef __cplusplus
#ifndef min
#define min(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) ((a) > (b) ? (a) : (b))
#endif
#ifndef __min
#define __min(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef __max
#define __max(a, b) ((a) > (b) ? (a) : (b))
#endif
#endif
