/* SPDX-License-Identifier: MIT */
/*
 * Signal: the C library's calls that install a handler, with ours in front (runtime/signal.c).
 */
#include "runtime/signal.h"

#include <errno.h>
#include <signal.h>

#define PUBLIC __attribute__((visibility("default")))

PUBLIC int sigaction(int signo, const struct sigaction *act, struct sigaction *old) {
        return signal_action(signo, act, old);
}

/* As glibc's: BSD semantics, the handler stays and interrupted system calls go on. */
PUBLIC sighandler_t signal(int signo, sighandler_t handler) {
        struct sigaction act = { .sa_handler = handler, .sa_flags = SA_RESTART };
        struct sigaction old;

        sigaddset(&act.sa_mask, signo);
        if (handler == SIG_ERR) {
                errno = EINVAL;
                return SIG_ERR;
        }
        return signal_action(signo, &act, &old) < 0 ? SIG_ERR : old.sa_handler;
}
