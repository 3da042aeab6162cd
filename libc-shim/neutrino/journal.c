/* SPDX-License-Identifier: MIT */
#include "neutrino/journal.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET "/run/systemd/journal/socket"

/* By QNX's severity: syslog's priority, and a word for people. */
static const struct {
        int priority;
        const char *word;
} severities[8] = {
        { 1, "shutdown" }, { 2, "critical" }, { 3, "error" }, { 4, "warning" },
        { 5, "notice" },   { 6, "info" },     { 7, "debug" }, { 7, "debug" },
};

/* The journal's socket, for as long as this entry takes: a program may close or replace descriptors. */
static int journal_connect(struct sockaddr_un *ret_address) {
        const char *path = secure_getenv("NUNTIUS_JOURNAL");

        *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (!path)
                path = SOCKET;
        if (strlen(path) >= sizeof(ret_address->sun_path))
                return -1;
        strcpy(ret_address->sun_path, path);
        if (access(path, W_OK) < 0)
                return -1;
        return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/*
 * Fields of one line as NAME=value; the text, which may have lines, as its length in eight bytes, little
 * endian, and itself.
 */
static int journal_send(int fd, const struct sockaddr_un *address, const char *fields, const char *text) {
        size_t n = strlen(text);
        uint8_t length[8];
        struct iovec parts[] = { { .iov_base = (void *)fields, .iov_len = strlen(fields) },
                                 { .iov_base = (void *)"MESSAGE\n", .iov_len = 8 },
                                 { .iov_base = length, .iov_len = 8 },
                                 { .iov_base = (void *)text, .iov_len = n },
                                 { .iov_base = (void *)"\n", .iov_len = 1 } };
        struct msghdr message = { .msg_name = (void *)address, .msg_namelen = sizeof(*address),
                                  .msg_iov = parts, .msg_iovlen = 5 };

        for (int i = 0; i < 8; i++)
                length[i] = (uint8_t)(n >> (8 * i));
        return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -EIO : 0;
}

static void field(char *fields, size_t room, const char *name, const char *value) {
        size_t used = strlen(fields);

        if (value && !strchr(value, '\n'))
                snprintf(fields + used, room - used, "%s=%s\n", name, value);
}

static int to_journal(int severity, unsigned code, const char *set, const char *buffer, const char *text) {
        struct sockaddr_un address;
        char fields[512];
        int fd, r;

        fd = journal_connect(&address);
        if (fd < 0)
                return -EIO;
        snprintf(fields, sizeof(fields), "PRIORITY=%d\nSLOG_CODE=%u\nSLOG_SEVERITY=%d\n",
                 severities[severity].priority, code, severity);
        field(fields, sizeof(fields), "SYSLOG_IDENTIFIER", set ? set : program_invocation_short_name);
        field(fields, sizeof(fields), "SLOG_BUFFER", buffer);
        r = journal_send(fd, &address, fields, text);
        close(fd);
        return r;
}

static int to_stderr(int severity, unsigned code, const char *set, const char *text) {
        size_t n = strlen(text);
        const char *end = n > 0 && text[n - 1] == '\n' ? "" : "\n";

        return dprintf(STDERR_FILENO, "%s[%d]: %s: %s%s", set ? set : program_invocation_short_name,
                       (int)getpid(), severities[severity].word, text, end) < 0
                       ? -EIO
                       : 0;
}

int journal_write(int severity, unsigned code, const char *set, const char *buffer, const char *text) {
        int saved = errno;
        int cancel_state, r;

        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
        r = to_journal(severity, code, set, buffer, text);
        if (r)
                r = to_stderr(severity, code, set, text);
        pthread_setcancelstate(cancel_state, &cancel_state);
        errno = saved;
        return r;
}
