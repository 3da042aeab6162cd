/* SPDX-License-Identifier: MIT */
/*
 * <sys/slog2.h>: the system logger's second interface. Buffers have names and a verbosity here; what is logged goes
 * where slogf() writes (<sys/slog.h>), with the buffer's name as SLOG_BUFFER.
 */
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <sys/cdefs.h>

#define SLOG2_SHUTDOWN 0
#define SLOG2_CRITICAL 1
#define SLOG2_ERROR    2
#define SLOG2_WARNING  3
#define SLOG2_NOTICE   4
#define SLOG2_INFO     5
#define SLOG2_DEBUG1   6
#define SLOG2_DEBUG2   7

#define SLOG2_MAX_BUFFERS 4

/* slog2_register(): kept, without effect */
#define SLOG2_ALLOC_MMAP           0x00000000
#define SLOG2_ALLOC_MALLOC         0x00000001
#define SLOG2_LIMITED_ACCESS       0x00000002
#define SLOG2_DISCARD_NEW          0x00000004
#define SLOG2_TRY_REUSE_BUFFER_SET 0x00000008

typedef struct _slog2_buffer *slog2_buffer_t;

typedef struct {
        const char *buffer_name;
        int num_pages; /* kept, without effect */
} slog2_buffer_config_t;

typedef struct {
        int num_buffers;
        const char *buffer_set_name; /* the program's name in the log */
        uint8_t verbosity_level;     /* what is more verbose is dropped */
        slog2_buffer_config_t buffer_config[SLOG2_MAX_BUFFERS];
        uint32_t max_retries; /* kept, without effect */
} slog2_buffer_set_config_t;

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * slog2_register: make buffers to log to
 *
 * Stores a handle for each buffer of `config` at `handles`. A process registers once, until slog2_reset().
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EBUSY   the process has registered already.
 *   EFAULT  `config` or `handles` is NULL.
 *   EINVAL  the number of buffers is not in 1 to SLOG2_MAX_BUFFERS, a name is NULL, or `flags` has an unknown
 *           bit.
 *   ENOMEM  there is no memory.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: sizes and allocation flags have no effect, there is no buffer.
 * See: slog2f, slog2_set_verbosity, slog2_set_default_buffer
 */
int slog2_register(slog2_buffer_set_config_t *config, slog2_buffer_t *handles, uint32_t flags);

/*
 * slog2_reset: forget what slog2_register() made
 *
 * The handles are no longer good.
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EPERM  the process has not registered.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: slog2_register
 */
int slog2_reset(void);

/*
 * slog2_set_default_buffer: log to this buffer where no buffer is named
 *
 * Returns: the default buffer before, NULL if there was none.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: slog2f, slog2_register
 */
slog2_buffer_t slog2_set_default_buffer(slog2_buffer_t buffer);

/*
 * slog2_set_verbosity: choose what is logged
 *
 * Entries of `buffer` whose severity is a greater number than `verbosity` are dropped.
 * slog2_get_verbosity() returns it.
 *
 * Returns: slog2_set_verbosity(): 0. slog2_get_verbosity(): the severity. -1 and errno.
 * Errors:
 *   EINVAL  `buffer` is none of the process's, or `verbosity` is above SLOG2_DEBUG2.
 *   EPERM   the process has not registered.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: slog2_register
 */
int slog2_set_verbosity(slog2_buffer_t buffer, uint8_t verbosity);
int slog2_get_verbosity(slog2_buffer_t buffer);

/*
 * slog2f: write to the system log
 *
 * slog2f() and vslog2f() format as printf() does, slog2c() takes the text as it is. `buffer` NULL is the
 * default one. `code` is the program's own.
 *
 * Returns: 0, also when the buffer's verbosity drops the entry; -1 and errno.
 * Errors:
 *   EFAULT  the text is NULL, or there is no default buffer.
 *   EINVAL  `buffer` is none of the process's, or `severity` is none.
 *   EIO     neither the journal nor standard error took it.
 *   EPERM   the process has not registered.
 * Blocks: no, unless standard error does. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: slog2_register, slog2_set_default_buffer, slogf
 */
int slog2f(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
int vslog2f(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *format,
            va_list arguments);
int slog2c(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *text);

#pragma GCC visibility pop
__END_DECLS
