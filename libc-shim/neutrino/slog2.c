/* SPDX-License-Identifier: MIT */
/*
 * Slog2: named buffers with a verbosity, in front of the journal.
 *
 * Handles are checked against the four places that there are, so a stale one is EINVAL. A verbosity changes while
 * others log: it is one word.
 */
#include "sys/slog2.h"

#include "neutrino/journal.h"
#include "neutrino/result.h"
#include "shm/word.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define NAME_ROOM  64
#define TEXT_ROOM  4096
#define FLAGS_KNOWN                                                                                \
        (SLOG2_ALLOC_MALLOC | SLOG2_LIMITED_ACCESS | SLOG2_DISCARD_NEW | SLOG2_TRY_REUSE_BUFFER_SET)

struct _slog2_buffer {
        char name[NAME_ROOM];
        Word verbosity;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct _slog2_buffer buffers[SLOG2_MAX_BUFFERS];
static Word n_buffers; /* 0 = not registered */
static char set_name[NAME_ROOM];
static WordPointer default_buffer;

/* ---- registration ---- */

static int config_check(const slog2_buffer_set_config_t *config, uint32_t flags) {
        if (config->num_buffers < 1 || config->num_buffers > SLOG2_MAX_BUFFERS || !config->buffer_set_name)
                return -EINVAL;
        if (flags & ~(uint32_t)FLAGS_KNOWN || config->verbosity_level > SLOG2_DEBUG2)
                return -EINVAL;
        for (int i = 0; i < config->num_buffers; i++)
                if (!config->buffer_config[i].buffer_name)
                        return -EINVAL;
        return 0;
}

static int register_locked(const slog2_buffer_set_config_t *config, slog2_buffer_t *handles) {
        if (word_load(&n_buffers))
                return -EBUSY;
        snprintf(set_name, sizeof(set_name), "%s", config->buffer_set_name);
        for (int i = 0; i < config->num_buffers; i++) {
                snprintf(buffers[i].name, sizeof(buffers[i].name), "%s",
                         config->buffer_config[i].buffer_name);
                word_store(&buffers[i].verbosity, config->verbosity_level);
                handles[i] = &buffers[i];
        }
        word_store(&n_buffers, (uint32_t)config->num_buffers);
        return 0;
}

int slog2_register(slog2_buffer_set_config_t *config, slog2_buffer_t *handles, uint32_t flags) {
        int r = config && handles ? config_check(config, flags) : -EFAULT;

        if (!r) {
                pthread_mutex_lock(&mutex);
                r = register_locked(config, handles);
                pthread_mutex_unlock(&mutex);
        }
        return (int)plain_value(r);
}

int slog2_reset(void) {
        if (!word_swap(&n_buffers, 0))
                return plain_status(EPERM);
        word_pointer_store(&default_buffer, NULL);
        return 0;
}

slog2_buffer_t slog2_set_default_buffer(slog2_buffer_t buffer) {
        return word_pointer_swap(&default_buffer, buffer);
}

/* ---- verbosity ---- */

/* 0, -EPERM, -EINVAL, -EFAULT; @ret_buffer: what is meant. */
static int find(slog2_buffer_t wanted, slog2_buffer_t *ret_buffer) {
        uint32_t n = word_load(&n_buffers);

        if (!n)
                return -EPERM;
        if (!wanted)
                wanted = word_pointer_load(&default_buffer);
        if (!wanted)
                return -EFAULT;
        for (uint32_t i = 0; i < n; i++)
                if (wanted == &buffers[i]) {
                        *ret_buffer = wanted;
                        return 0;
                }
        return -EINVAL;
}

int slog2_set_verbosity(slog2_buffer_t buffer, uint8_t verbosity) {
        int r = find(buffer, &buffer);

        if (!r && verbosity > SLOG2_DEBUG2)
                r = -EINVAL;
        if (!r)
                word_store(&buffer->verbosity, verbosity);
        return (int)plain_value(r);
}

int slog2_get_verbosity(slog2_buffer_t buffer) {
        int r = find(buffer, &buffer);

        return (int)plain_value(r ? r : (int)word_load(&buffer->verbosity));
}

/* ---- entries ---- */

int slog2c(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *text) {
        int r = find(buffer, &buffer);

        if (!r && severity > SLOG2_DEBUG2)
                r = -EINVAL;
        if (!r && !text)
                r = -EFAULT;
        if (!r && severity <= word_load(&buffer->verbosity))
                r = journal_write(severity, code, set_name, buffer->name, text);
        return (int)plain_value(r);
}

int vslog2f(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *format,
            va_list arguments) {
        char text[TEXT_ROOM];

        if (!format)
                return slog2c(buffer, code, severity, NULL);
        if (vsnprintf(text, sizeof(text), format, arguments) < 0)
                return plain_status(EINVAL);
        return slog2c(buffer, code, severity, text);
}

int slog2f(slog2_buffer_t buffer, uint16_t code, uint8_t severity, const char *format, ...) {
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vslog2f(buffer, code, severity, format, arguments);
        va_end(arguments);
        return r;
}
