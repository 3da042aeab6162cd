/* SPDX-License-Identifier: MIT */
/* Log: a line is made in one buffer and written with one write, so lines never mix. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX 1024

static LogLevel log_level = LOG_LEVEL_INFO;
static bool log_prefix;

void log_init(LogLevel level) {
        log_level = level;
        log_prefix = getenv("JOURNAL_STREAM") != NULL;
}

bool log_level_parse(const char *word, LogLevel *ret_level) {
        static const struct {
                const char *word;
                LogLevel level;
        } levels[] = { { "error", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARNING },
                       { "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG } };

        for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
                if (strcmp(word, levels[i].word) != 0)
                        continue;
                *ret_level = levels[i].level;
                return true;
        }
        return false;
}

void log_line(LogLevel level, const char *format, ...) {
        char line[LOG_LINE_MAX];
        int saved = errno, at = 0, n;
        va_list arguments;

        if (level > log_level)
                return;
        if (log_prefix)
                at = snprintf(line, sizeof(line), "<%d>", (int)level);
        va_start(arguments, format);
        n = vsnprintf(line + at, sizeof(line) - (size_t)at - 1, format, arguments);
        va_end(arguments);
        if (n < 0)
                return;
        n += at;
        if (n > LOG_LINE_MAX - 2)
                n = LOG_LINE_MAX - 2;
        for (int i = at; i < n; i++)
                if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
                        line[i] = '?';
        line[n++] = '\n';
        while (write(STDERR_FILENO, line, (size_t)n) < 0 && errno == EINTR)
                continue;
        errno = saved;
}

bool log_rate_ok(LogRate *rate, unsigned burst) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        if (now.tv_sec != rate->second) {
                if (rate->suppressed > 0)
                        log_warning("event=log-suppressed lines=%u", rate->suppressed);
                *rate = (LogRate){ .second = now.tv_sec };
        }
        if (rate->n >= burst) {
                rate->suppressed++;
                return false;
        }
        rate->n++;
        return true;
}
