/* SPDX-License-Identifier: MIT */
/*
 * Signal: the C library's calls that install a handler, with ours in front (runtime/signal.c).
 */
#include "runtime/signal.h"

#include <errno.h>
#include <signal.h>

#define PUBLIC __attribute__((visibility("default")))

static sighandler_t install(int signo, sighandler_t handler, int flags) {
        struct sigaction act = { .sa_handler = handler, .sa_flags = flags };
        struct sigaction old;

        if (!(flags & SA_NODEFER))
                sigaddset(&act.sa_mask, signo);
        if (handler == SIG_ERR) {
                errno = EINVAL;
                return SIG_ERR;
        }
        return signal_action(signo, &act, &old) < 0 ? SIG_ERR : old.sa_handler;
}

PUBLIC int sigaction(int signo, const struct sigaction *act, struct sigaction *old) {
        return signal_action(signo, act, old);
}

/* What signal() is in a program that asks for ISO C alone: the handler goes when it runs. */
PUBLIC sighandler_t __sysv_signal(int signo, sighandler_t handler) {
        return install(signo, handler, SA_RESETHAND | SA_NODEFER);
}

PUBLIC sighandler_t sysv_signal(int signo, sighandler_t handler) {
        return __sysv_signal(signo, handler);
}

/* As glibc's: BSD semantics, the handler stays and interrupted system calls go on. */
PUBLIC sighandler_t signal(int signo, sighandler_t handler) {
        return install(signo, handler, SA_RESTART);
}
