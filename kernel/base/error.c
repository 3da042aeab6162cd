/* SPDX-License-Identifier: MIT */
/* Error: tracing, off unless the environment asks for it. */
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int error_tracing(void) {
        static int tracing = -1;

        if (tracing < 0)
                tracing = getenv("NUNTIUS_TRACE_ERRORS") != NULL;
        return tracing;
}

int error_trace(int r, const char *file, int line) {
        if (r && error_tracing())
                fprintf(stderr, "%s:%d: %s\n", file, line, strerrordesc_np(r < 0 ? -r : r));
        return r;
}
