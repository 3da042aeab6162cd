/* SPDX-License-Identifier: MIT */
#include "runtime/signal.h"

#include "shm/bell.h"
#include "shm/copy.h"
#include "shm/slot.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef NSIG
#define NSIG 65
#endif

typedef int (*SigactionCall)(int, const struct sigaction *, struct sigaction *);

/* What the program asked for. `known` is set before the trampoline is installed. */
typedef struct UserAction {
        struct sigaction action;
        volatile bool known;
} UserAction;

static UserAction user_actions[NSIG];
static pthread_mutex_t actions_mutex = PTHREAD_MUTEX_INITIALIZER;
static SigactionCall next_sigaction;

static SigactionCall real_sigaction(void) {
        if (!next_sigaction)
                next_sigaction = (SigactionCall)dlsym(RTLD_NEXT, "sigaction");
        return next_sigaction;
}

static bool has_handler(const struct sigaction *action) {
        return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* The instruction itself raised it: it would come again at once, so it is never put off. */
static bool is_fault(int signo, const siginfo_t *info) {
        if (info->si_code <= 0)
                return false;
        return signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE || signo == SIGILL ||
               signo == SIGTRAP || signo == SIGSYS;
}

/* Blocked here and now as well: with SA_NODEFER it would come back at once, again and again. */
static void put_off(Thread *thread, int signo, siginfo_t *info, ucontext_t *context) {
        ShmSlot *slot = thread->asleep_on;
        ShmBell *bell = thread->listens_to;
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, signo);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        sigaddset(&context->uc_sigmask, signo);
        sigaddset(&thread->deferred_set, signo);
        thread->deferred = 1;
        thread->interrupted = EINTR;
        syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), signo, info);
        if (slot)
                slot_nudge(slot);
        if (bell)
                bell_nudge(bell);
        word_or(&thread->interrupts, INTERRUPTS_NUDGED);
}

static void call_user(const struct sigaction *user, int signo, siginfo_t *info, void *context) {
        if (user->sa_flags & SA_SIGINFO)
                user->sa_sigaction(signo, info, context);
        else
                user->sa_handler(signo);
}

/* Those whose handler in the kernel is always ours. */
static bool is_fault_signal(int signo) {
        return signo == SIGSEGV || signo == SIGBUS;
}

/* SA_RESETHAND is ours to do: the kernel would reset when the trampoline runs, which may be too early. */
static struct sigaction take_action(int signo) {
        struct sigaction user = user_actions[signo].action;

        if (user.sa_flags & SA_RESETHAND) {
                struct sigaction reset = { .sa_handler = SIG_DFL };

                if (!is_fault_signal(signo))
                        real_sigaction()(signo, &reset, NULL);
                user_actions[signo].action.sa_handler = SIG_DFL;
        }
        return user;
}

static void trampoline(int signo, siginfo_t *info, void *context) {
        Thread *thread = &thread_this;
        int saved = errno;
        struct sigaction user;

        if (thread->registered && call_is_open(thread) && !is_fault(signo, info)) {
                put_off(thread, signo, info, context);
        } else {
                user = take_action(signo);
                if (has_handler(&user))
                        call_user(&user, signo, info, context);
        }
        errno = saved;
}

/* Runs the program's handler with the mask that the kernel would have given it. */
static void call_user_masked(const struct sigaction *user, int signo, siginfo_t *info, void *context) {
        sigset_t masked = user->sa_mask;
        sigset_t old;

        if (!(user->sa_flags & SA_NODEFER))
                sigaddset(&masked, signo);
        pthread_sigmask(SIG_BLOCK, &masked, &old);
        call_user(user, signo, info, context);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* No handler of the program's: what the kernel does then. */
static void die_of(int signo, const siginfo_t *info) {
        struct sigaction default_action = { .sa_handler = SIG_DFL };

        real_sigaction()(signo, &default_action, NULL);
        if (!is_fault(signo, info))
                raise(signo);
        /* else the instruction faults again, now for good */
}

/*
 * SIGSEGV and SIGBUS: a bad message buffer first, then the program's own business. Not even one that was
 * sent waits: while it was blocked, the next bad buffer would be deadly.
 */
static void on_fault(int signo, siginfo_t *info, void *context) {
        const struct sigaction *known = &user_actions[signo].action;
        int saved = errno;
        struct sigaction user;

        if (is_fault(signo, info) && copy_recover(context))
                return;
        if (known->sa_handler == SIG_IGN && !is_fault(signo, info))
                return;
        if (!has_handler(known)) {
                die_of(signo, info);
        } else {
                user = take_action(signo);
                call_user_masked(&user, signo, info, context);
        }
        errno = saved;
}

/* What the kernel is told in place of the program's action. */
static struct sigaction kernel_action(const struct sigaction *user) {
        struct sigaction action = *user;

        if (!has_handler(user))
                return action;
        action.sa_sigaction = trampoline;
        action.sa_flags = (user->sa_flags & ~SA_RESETHAND) | SA_SIGINFO;
        return action;
}

static int install(int signo, const struct sigaction *act) {
        struct sigaction action = kernel_action(act);

        user_actions[signo].action = *act;
        user_actions[signo].known = true;
        if (is_fault_signal(signo))
                return 0;
        return real_sigaction()(signo, &action, NULL);
}

static int current_action(int signo, struct sigaction *ret_old) {
        if (user_actions[signo].known) {
                *ret_old = user_actions[signo].action;
                return 0;
        }
        return real_sigaction()(signo, NULL, ret_old);
}

/* No handler comes between, which may install one itself and would wait for us for ever. */
static int exchange_action(int signo, const struct sigaction *act, struct sigaction *ret_old) {
        sigset_t all, mask;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &mask);
        pthread_mutex_lock(&actions_mutex);
        r = current_action(signo, ret_old);
        if (r == 0 && act)
                r = install(signo, act);
        pthread_mutex_unlock(&actions_mutex);
        pthread_sigmask(SIG_SETMASK, &mask, NULL);
        return r;
}

int signal_action(int signo, const struct sigaction *act, struct sigaction *old) {
        struct sigaction previous, wanted;
        int r;

        if (signo <= 0 || signo >= NSIG || (act && (signo == SIGKILL || signo == SIGSTOP))) {
                errno = EINVAL;
                return -1;
        }
        if (act)
                wanted = *act; /* act and old may be one */
        r = exchange_action(signo, act ? &wanted : NULL, &previous);
        if (r == 0 && old)
                *old = previous;
        return r;
}

/* SA_NODEFER: copy_recover() leaves the handler by a jump, the signal must not stay blocked. */
void signal_init(void) {
        static const int signals[] = { SIGSEGV, SIGBUS };
        struct sigaction fault = {
                .sa_sigaction = on_fault,
                .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK,
        };

        for (unsigned i = 0; i < 2; i++) {
                struct sigaction old;

                if (real_sigaction()(signals[i], &fault, &old) != 0)
                        continue;
                user_actions[signals[i]].action = old;
                user_actions[signals[i]].known = true;
        }
}

void signal_run_deferred(Thread *thread) {
        sigset_t set;

        thread->deferred = 0;
        set = thread->deferred_set;
        sigemptyset(&thread->deferred_set);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Another thread of the parent may have held it. */
void signal_after_fork(void) {
        pthread_mutex_init(&actions_mutex, NULL);
}
