/* SPDX-License-Identifier: MIT */
/*
 * Netmgr: names of nodes, of which there is one.
 */
#include "sys/netmgr.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NET "/net/"

static int fail(int error) {
        errno = error;
        return -1;
}

static void node_name(char *name, size_t size, bool with_domain) {
        if (gethostname(name, size) < 0)
                snprintf(name, size, "localhost");
        name[size - 1] = 0;
        if (!with_domain)
                name[strcspn(name, ".")] = 0;
}

/* How much of @text names this machine; 0 = nothing does. */
static size_t own_name(const char *text, bool with_domain) {
        size_t length = strcspn(text, "/~");
        char name[256];

        node_name(name, sizeof(name), with_domain);
        return strlen(name) == length && memcmp(name, text, length) == 0 ? length : 0;
}

int netmgr_strtond(const char *name, char **endstr) {
        const char *at = name;
        size_t length;

        if (!name)
                return fail(EFAULT);
        if (strncmp(at, NET, strlen(NET)) == 0)
                at += strlen(NET);
        length = own_name(at, true);
        if (!length)
                length = own_name(at, false);
        if (!length && *at)
                return fail(ENOTSUP);
        if (endstr)
                *endstr = (char *)at + length;
        return ND_LOCAL_NODE;
}

int netmgr_ndtostr(unsigned flags, int nd, char *buf, size_t maxbuf) {
        char name[256] = "";
        int n;

        if (nd != ND_LOCAL_NODE)
                return fail(EINVAL);
        if (!(flags & ND2S_NAME_HIDE))
                node_name(name, sizeof(name), !(flags & ND2S_DOMAIN_HIDE));
        n = snprintf(buf, maxbuf, "%s%s%s", flags & ND2S_DIR_SHOW ? NET : "", name,
                     flags & ND2S_SEP_FORCE ? "/" : "");
        return (size_t)n < maxbuf ? n + 1 : fail(ENOSPC);
}

int netmgr_remote_nd(int remote_nd, int local_nd) {
        return remote_nd == ND_LOCAL_NODE && local_nd == ND_LOCAL_NODE ? ND_LOCAL_NODE : fail(ENOTSUP);
}
