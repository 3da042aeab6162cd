/* SPDX-License-Identifier: MIT */
/*
 * Rlimit: RLIMIT_CHANNELS_NP, which the daemon keeps. Everything else is the kernel's.
 */
#undef _FILE_OFFSET_BITS /* it would make getrlimit() and getrlimit64() one name */
#include "posix/next.h"
#include "runtime/session.h"
#include "runtime/thread.h"
#include "sys/resource.h"

#include <errno.h>

#define PUBLIC __attribute__((visibility("default")))
/* Sanitizers call these while they start, before they can watch anybody. */
#define EARLY __attribute__((no_sanitize("address", "thread")))

static int channels(pid_t pid, const struct rlimit *wanted, struct rlimit *ret_old) {
        WireRequest request = { .op = WIRE_LIMIT, .limit.pid = pid };
        Thread *thread = call_enter();
        int fds[SESSION_FDS];
        WireReply reply;
        int r;

        r = session_ask(&request, -1, &reply, fds);
        if (!r && ret_old)
                *ret_old = (struct rlimit){ .rlim_cur = reply.limit.soft, .rlim_max = reply.limit.hard };
        if (!r && wanted) {
                request.limit = (WireLimit){ .pid = pid, .set = 1, .soft = wanted->rlim_cur,
                                             .hard = wanted->rlim_max };
                r = session_ask(&request, -1, &reply, fds);
        }
        call_leave(thread);
        if (!r)
                return 0;
        errno = -r;
        return -1;
}

static int copied(pid_t pid, const struct rlimit *wanted, struct rlimit *ret_old) {
        struct rlimit copy;

        if (wanted)
                copy = *wanted; /* both may be one */
        return channels(pid, wanted ? &copy : NULL, ret_old);
}

EARLY PUBLIC int getrlimit(__rlimit_resource_t resource, struct rlimit *limit) {
        if ((int)resource == RLIMIT_CHANNELS_NP)
                return copied(0, NULL, limit);
        return NEXT(getrlimit)(resource, limit);
}

EARLY PUBLIC int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
        if ((int)resource == RLIMIT_CHANNELS_NP)
                return copied(0, limit, NULL);
        return NEXT(setrlimit)(resource, limit);
}

PUBLIC int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *limit,
                   struct rlimit *old) {
        if ((int)resource == RLIMIT_CHANNELS_NP)
                return copied(pid, limit, old);
        return NEXT(prlimit)(pid, resource, limit, old);
}

#ifdef __LP64__
/* The same structure; programs built with 64-bit file offsets call these names. */
EARLY PUBLIC int getrlimit64(__rlimit_resource_t resource, struct rlimit64 *limit) {
        return getrlimit(resource, (struct rlimit *)limit);
}

EARLY PUBLIC int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit) {
        return setrlimit(resource, (const struct rlimit *)limit);
}

PUBLIC int prlimit64(pid_t pid, enum __rlimit_resource resource, const struct rlimit64 *limit,
                     struct rlimit64 *old) {
        return prlimit(pid, resource, (const struct rlimit *)limit, (struct rlimit *)old);
}
#endif
