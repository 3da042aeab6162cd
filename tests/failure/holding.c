/* SPDX-License-Identifier: MIT */
#include "holding.h"

#include "abi/wire.h"
#include "json.h"
#include "runtime/session.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FDS_LOOKED_AT 2048

static long count_fds(void) {
        long n = 0;

        for (int fd = 0; fd < FDS_LOOKED_AT; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static long count_maps(void) {
        FILE *maps = fopen("/proc/self/maps", "r");
        char line[512];
        long n = 0;

        while (maps && fgets(line, sizeof(line), maps))
                n += strstr(line, "memfd:nuntius") != NULL;
        if (maps)
                fclose(maps);
        return n;
}

/* The sanitizers have heaps of their own. */
static long count_heap(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        return 0;
#else
        return (long)mallinfo2().uordblks;
#endif
}

static char *status_text(void) {
        WireRequest request = { .op = WIRE_STATUS, .status = { .json = 1 } };
        WireReply reply;
        int fds[SESSION_FDS];
        char *text;

        if (session_ask(&request, -1, &reply, fds) < 0)
                return NULL;
        text = calloc(1, reply.status_text.bytes + 1);
        if (pread(fds[0], text, reply.status_text.bytes, 0) < 0)
                text[0] = 0;
        close(fds[0]);
        return text;
}

/* The rows of @section that have our pid as @pid_is. */
static long rows(const char *text, const char *section, const char *pid_is) {
        const char *row = json_first(json_member(text, section));
        long n = 0;

        for (; row; row = json_next(row))
                if (json_number(json_member(row, pid_is), -1) == getpid())
                        n++;
        return n;
}

Holding holding_now(void) {
        char *text = status_text();
        Holding now = {
                .objects = rows(text, "channels", "pid") + rows(text, "connections", "client_pid") +
                           rows(text, "lanes", "client_pid") + rows(text, "lanes", "server_pid"),
        };

        free(text);
        now.fds = count_fds();
        now.maps = count_maps();
        now.heap = count_heap();
        return now;
}

const char *holding_excess(const Holding *before, const Holding *after) {
        static char text[160];
        const struct {
                const char *name;
                long before, after;
        } things[] = {
                { "descriptors", before->fds, after->fds },
                { "mappings", before->maps, after->maps },
                { "bytes of heap", before->heap, after->heap },
                { "objects of the daemon", before->objects, after->objects },
        };

        for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++)
                if (things[i].after > things[i].before) {
                        snprintf(text, sizeof(text), "%ld %s instead of %ld", things[i].after, things[i].name,
                                 things[i].before);
                        return text;
                }
        return NULL;
}
