/* SPDX-License-Identifier: MIT */
/*
 * Slog: slogf() and its relatives.
 */
#include "sys/slog.h"

#include "neutrino/journal.h"
#include "neutrino/result.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#define ARGUMENTS_MAX 32

static int write_entry(int opcode, int severity, const char *text, int n) {
        int r;

        if (severity < _SLOG_SHUTDOWN || severity > _SLOG_DEBUG2)
                return -EINVAL;
        r = journal_write(severity, (unsigned)opcode, NULL, NULL, text);
        return r ? r : n;
}

int vslogf(int opcode, int severity, const char *format, va_list arguments) {
        char text[_SLOG_MAXSIZE];
        int n = vsnprintf(text, sizeof(text), format, arguments);

        if (n >= (int)sizeof(text))
                n = (int)sizeof(text) - 1;
        return (int)plain_value(n < 0 ? -EINVAL : write_entry(opcode, severity, text, n));
}

int slogf(int opcode, int severity, const char *format, ...) {
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vslogf(opcode, severity, format, arguments);
        va_end(arguments);
        return r;
}

int slogb(int opcode, int severity, const void *data, int size) {
        char text[_SLOG_MAXSIZE] = "";
        const uint8_t *bytes = data;
        int most = (int)sizeof(text) / 3, used = 0;

        if (size < 0 || !data)
                return (int)plain_value(-EINVAL);
        for (int i = 0; i < size && i < most; i++)
                used += snprintf(text + used, sizeof(text) - (size_t)used, i ? " %02x" : "%02x", bytes[i]);
        return (int)plain_value(write_entry(opcode, severity, text, size < most ? size : most));
}

int slogi(int opcode, int severity, int nargs, ...) {
        char text[ARGUMENTS_MAX * 12] = "";
        int used = 0;
        va_list arguments;

        if (nargs < 0 || nargs > ARGUMENTS_MAX)
                return (int)plain_value(-EINVAL);
        va_start(arguments, nargs);
        for (int i = 0; i < nargs; i++)
                used += snprintf(text + used, sizeof(text) - (size_t)used, "%s0x%x", i ? " " : "",
                                 va_arg(arguments, unsigned));
        va_end(arguments);
        return (int)plain_value(write_entry(opcode, severity, text, nargs * (int)sizeof(int)));
}
