/* SPDX-License-Identifier: MIT */
/*
 * Log: one line for one event, as key=value words, to stderr. Under the journal each line carries its
 * level in front (<3>), where a person reads stderr it does not.
 */
#pragma once

#include <stdbool.h>

typedef enum LogLevel {
        LOG_LEVEL_ERROR = 3,
        LOG_LEVEL_WARNING = 4,
        LOG_LEVEL_INFO = 6,
        LOG_LEVEL_DEBUG = 7,
} LogLevel;

void log_init(LogLevel level);
/* "error", "warning", "info" or "debug"; false for any other word. */
bool log_level_parse(const char *word, LogLevel *ret_level);

/* @format makes the words, e.g. "event=quota uid=%u what=%s". Non-printing bytes become '?'. */
void log_line(LogLevel level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Lets @burst lines through in each second, says once how many it held back. Zero-initialise. */
typedef struct LogRate {
        long second;
        unsigned n;
        unsigned suppressed;
} LogRate;
bool log_rate_ok(LogRate *rate, unsigned burst);
