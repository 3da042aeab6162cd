/* SPDX-License-Identifier: MIT */
/*
 * Error: the path that a failure took. Functions return negative errno for what their caller does
 * not handle; error_fold() passes it up unchanged and, when tracing is on, says where it went by.
 */
#pragma once

#define error_fold(r) error_trace((r), __FILE__, __LINE__)

/* Returns @r. Writes a line to stderr for each step when NUNTIUS_TRACE_ERRORS is set. */
int error_trace(int r, const char *file, int line);
