/* SPDX-License-Identifier: MIT */
/*
 * Trace: events of the program's, one line each in ftrace's trace_marker. NUNTIUS_TRACING names another directory
 * than /sys/kernel/tracing.
 */
#include "sys/trace.h"

#include "neutrino/limit.h"
#include "neutrino/result.h"
#include "runtime/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY "/sys/kernel/tracing"
#define TEXT_ROOM 1024 /* more than that the kernel cuts */

static int write_file(const char *name, const char *text, size_t n) {
        const char *directory = secure_getenv("NUNTIUS_TRACING");
        char path[256];
        ssize_t written;
        int fd;

        snprintf(path, sizeof(path), "%s/%s", directory ? directory : DIRECTORY, name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == EACCES || errno == EPERM ? -EPERM : -ENOTSUP;
        written = write(fd, text, n);
        session_close(fd);
        return written == (ssize_t)n ? 0 : -ENOTSUP;
}

static int mark(int event, const char *text) {
        char line[TEXT_ROOM];
        int n;

        if (event < _NTO_TRACE_USERFIRST || event > _NTO_TRACE_USERLAST)
                return -EINVAL;
        n = snprintf(line, sizeof(line), "event=%d %s\n", event, text);
        if (n >= (int)sizeof(line)) {
                n = (int)sizeof(line) - 1;
                line[n - 1] = '\n';
        }
        return write_file("trace_marker", line, (size_t)n);
}

static int mark_numbers(int event, unsigned data0, unsigned data1) {
        char text[64];

        snprintf(text, sizeof(text), "data0=0x%x data1=0x%x", data0, data1);
        return mark(event, text);
}

static int mark_bytes(int event, const void *buffer, size_t n) {
        const uint8_t *bytes = buffer;
        char text[TEXT_ROOM] = "";
        int used = 0;

        if (!buffer)
                return -EFAULT;
        for (size_t i = 0; i < n && used + 3 < (int)sizeof(text); i++)
                used += snprintf(text + used, sizeof(text) - (size_t)used, i ? " %02x" : "%02x", bytes[i]);
        return mark(event, text);
}

static int mark_head(uint32_t head, uint32_t stamp, uint32_t data0, uint32_t data1) {
        char text[96];

        snprintf(text, sizeof(text), "head=0x%x stamp=0x%x data0=0x%x data1=0x%x", head, stamp, data0, data1);
        return mark((int)(head & _NTO_TRACE_USERLAST), text);
}

static int mark_text(int event, const char *text) {
        return text ? mark(event, text) : -EFAULT;
}

static int run(int command, va_list *more) {
        uint32_t word[4];

        for (int i = 0; command == _NTO_TRACE_INSERTEVENT && i < 4; i++)
                word[i] = va_arg(*more, uint32_t);
        for (int i = 0; command == _NTO_TRACE_INSERTSUSEREVENT && i < 3; i++)
                word[i] = va_arg(*more, uint32_t);
        switch (command) {
        case _NTO_TRACE_START:
        case _NTO_TRACE_STARTNOSTATE:
                return write_file("tracing_on", "1", 1);
        case _NTO_TRACE_STOP:
                return write_file("tracing_on", "0", 1);
        case _NTO_TRACE_FLUSHBUFFER:
                return 0;
        case _NTO_TRACE_INSERTEVENT:
                return mark_head(word[0], word[1], word[2], word[3]);
        case _NTO_TRACE_INSERTSUSEREVENT:
                return mark_numbers((int)word[0], word[1], word[2]);
        case _NTO_TRACE_INSERTCUSEREVENT: {
                int event = va_arg(*more, int);
                const void *buffer = va_arg(*more, const void *);

                return mark_bytes(event, buffer, va_arg(*more, unsigned));
        }
        case _NTO_TRACE_INSERTUSRSTREVENT: {
                int event = va_arg(*more, int);

                return mark_text(event, va_arg(*more, const char *));
        }
        }
        return command > _NTO_TRACE_INSERTUSRSTREVENT && command <= _NTO_TRACE_SETLINEARMODE ? -ENOTSUP
                                                                                            : -EINVAL;
}

static int run_quietly(int command, va_list *more) {
        int saved = errno;
        int r;

        limit_drop();
        r = run(command, more);
        errno = saved;
        return r;
}

int TraceEvent_r(int command, ...) {
        va_list more;
        int r;

        va_start(more, command);
        r = run_quietly(command, &more);
        va_end(more);
        return r;
}

int TraceEvent(int command, ...) {
        va_list more;
        int r;

        va_start(more, command);
        r = run_quietly(command, &more);
        va_end(more);
        return (int)plain_value(r);
}

int trace_vnlogf(int event, int max, const char *format, va_list arguments) {
        char text[TEXT_ROOM];
        size_t room = max >= 0 && max < TEXT_ROOM ? (size_t)max + 1 : sizeof(text);

        if (!format)
                return (int)plain_value(-EFAULT);
        if (vsnprintf(text, room, format, arguments) < 0)
                return (int)plain_value(-EINVAL);
        return (int)plain_value(mark(event, text));
}

int trace_logf(int event, const char *format, ...) {
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = trace_vnlogf(event, -1, format, arguments);
        va_end(arguments);
        return r;
}

int trace_logi(int event, unsigned data0, unsigned data1) {
        return (int)plain_value(mark_numbers(event, data0, data1));
}

int trace_logb(int event, const void *buffer, size_t bytes) {
        return (int)plain_value(mark_bytes(event, buffer, bytes));
}
