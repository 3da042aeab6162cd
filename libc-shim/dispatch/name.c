/* SPDX-License-Identifier: MIT */
/* Name: a server's channel under a name of /dev/name. The daemon keeps it as it keeps all paths. */
#include "dispatch/handle.h"
#include "dispatch/public.h"
#include "runtime/pathname.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL  "/dev/name/local/"
#define GLOBAL "/dev/name/global/"

static bool has_dotdot(const char *path) {
        for (const char *at = path; (at = strstr(at, "..")); at += 2)
                if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
                        return true;
        return false;
}

/* 0 or -errno. */
static int whole_path(char whole[PATH_MAX], const char *name, const char *space) {
        int n;

        if (!name || name[0] == '\0' || name[0] == '/' || has_dotdot(name))
                return -EINVAL;
        n = snprintf(whole, PATH_MAX, "%s%s", space, name);
        return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static dispatch_t *handle_for_name(void) {
        dispatch_t *dpp = dispatch_create_channel(-1, DISPATCH_CHANNEL_COIDDEATH);

        return dpp;
}

static int attach_name(name_attach_t *attach, const char *whole) {
        uint32_t id;
        int r;

        dispatch_lock(attach->dpp);
        r = dispatch_need_channel_locked(attach->dpp);
        dispatch_unlock(attach->dpp);
        if (r < 0)
                return r;
        attach->chid = attach->dpp->chid;
        r = pathname_attach(whole, attach->chid, 0, _FTYPE_NAME, PATHNAME_UNIQUE, &id);
        if (r == 0)
                attach->mntid = (int)id;
        return r;
}

PUBLIC name_attach_t *name_attach(dispatch_t *dpp, const char *path, unsigned flags) {
        name_attach_t *attach;
        char whole[PATH_MAX];
        int r;

        r = whole_path(whole, path, flags & NAME_FLAG_ATTACH_GLOBAL ? GLOBAL : LOCAL);
        if (r < 0)
                return fail_null(-r);
        attach = calloc(1, sizeof(*attach));
        if (!attach)
                return fail_null(ENOMEM);
        attach->dpp = dpp ? dpp : handle_for_name();
        r = attach->dpp ? attach_name(attach, whole) : -ENOMEM;
        if (r == 0)
                return attach;
        if (!dpp && attach->dpp)
                dispatch_destroy(attach->dpp);
        free(attach);
        return fail_null(-r);
}

PUBLIC int name_detach(name_attach_t *attach, unsigned flags) {
        if (!attach || flags & ~(unsigned)NAME_FLAG_DETACH_SAVEDPP)
                return fail(EINVAL);
        pathname_detach((uint32_t)attach->mntid);
        if (!(flags & NAME_FLAG_DETACH_SAVEDPP))
                dispatch_destroy(attach->dpp);
        free(attach);
        return 0;
}

/* Local names come before global ones. */
static int find(const char *name, PathnameHit *ret_hit) {
        static const char *const spaces[] = { LOCAL, GLOBAL };
        char whole[PATH_MAX];
        int r = -ENOENT;

        for (int i = 0; i < 2 && r == -ENOENT; i++) {
                r = whole_path(whole, name, spaces[i]);
                if (r == 0)
                        r = pathname_find_name(whole, ret_hit);
        }
        return r;
}

/* The path itself may be given too: /dev/name/local/NAME. */
static const char *strip_space(const char *name) {
        if (name && strncmp(name, LOCAL, strlen(LOCAL)) == 0)
                return name + strlen(LOCAL);
        if (name && strncmp(name, GLOBAL, strlen(GLOBAL)) == 0)
                return name + strlen(GLOBAL);
        return name;
}

PUBLIC int name_open(const char *name, int flags) {
        PathnameHit hit;
        int coid, r;

        r = find(strip_space(name), &hit);
        if (r < 0)
                return fail(-r);
        coid = ConnectAttach_r(ND_LOCAL_NODE, hit.pid, hit.chid, _NTO_SIDE_CHANNEL,
                               (flags >> _NAME_FLAG_COF_SHIFT) & _NTO_COF_CLOEXEC);
        if (coid == -ESRCH) /* it died just now */
                coid = -ENOENT;
        return coid < 0 ? fail(-coid) : coid;
}

PUBLIC int name_close(int coid) {
        int r = ConnectDetach_r(coid);

        return r == EOK ? 0 : fail(r < 0 ? -r : r);
}
