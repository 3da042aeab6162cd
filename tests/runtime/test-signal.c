/* SPDX-License-Identifier: MIT */
/*
 * Signal: a handler runs between calls and never inside one, with what the kernel had to say; what the
 * program asks of its handlers otherwise stays true.
 */
#include "runtime/signal.h"
#include "unit.h"

#include "runtime/thread.h"
#include "shm/bell.h"
#include "shm/copy.h"
#include "shm/slot.h"

#include <errno.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic unsigned n_handled;
static unsigned n_inside; /* handlers that found a call open */
static siginfo_t last_info;
static sigset_t mask_inside;
static int order[16];

static void note(int signo) {
        n_inside += call_is_open(&thread_this);
        pthread_sigmask(SIG_BLOCK, NULL, &mask_inside);
        order[atomic_load(&n_handled) % 16] = signo;
        atomic_fetch_add(&n_handled, 1);
}

static void plain(int signo) {
        note(signo);
}

static void with_info(int signo, siginfo_t *info, void *context) {
        (void)context;
        last_info = *info;
        note(signo);
}

static void catch(int signo, int flags) {
        struct sigaction action = { .sa_sigaction = with_info, .sa_flags = SA_SIGINFO | flags };

        ck_assert_int_eq(signal_action(signo, &action, NULL), 0);
}

static void handled(unsigned n) {
        ck_assert_uint_eq(atomic_load(&n_handled), n);
        ck_assert_uint_eq(n_inside, 0);
}

/* Aborts instead of eating the stack of the machine. */
static void limit_stack(void) {
        setrlimit(RLIMIT_STACK, &(struct rlimit){ 1 << 20, 1 << 20 });
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

START_TEST(outside_a_call_a_handler_runs_at_once) {
        catch(SIGUSR1, 0);
        raise(SIGUSR1);
        handled(1);
        call_leave(call_enter());
        raise(SIGUSR1);
        handled(2);
}
END_TEST

START_TEST(inside_a_call_a_handler_waits_until_it_is_left) {
        Thread *self;

        catch(SIGUSR1, 0);
        self = call_enter();
        raise(SIGUSR1);
        handled(0);
        ck_assert(self->interrupted);
        call_leave(self);
        handled(1);
        ck_assert(!self->interrupted);
        call_leave(call_enter());
        handled(1);
}
END_TEST

START_TEST(a_handler_without_info_waits_too) {
        struct sigaction action = { .sa_handler = plain };
        Thread *self;

        signal_action(SIGUSR1, &action, NULL);
        self = call_enter();
        raise(SIGUSR1);
        handled(0);
        call_leave(self);
        handled(1);
        ck_assert_int_eq(order[0], SIGUSR1);
}
END_TEST

START_TEST(what_the_sender_said_is_kept) {
        Thread *self;

        catch(SIGRTMIN, 0);
        self = call_enter();
        ck_assert_int_eq(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 12345 }), 0);
        handled(0);
        call_leave(self);
        handled(1);
        ck_assert_int_eq(last_info.si_signo, SIGRTMIN);
        ck_assert_int_eq(last_info.si_code, SI_QUEUE);
        ck_assert_int_eq(last_info.si_value.sival_int, 12345);
        ck_assert_int_eq(last_info.si_pid, getpid());
        ck_assert_uint_eq(last_info.si_uid, getuid());
}
END_TEST

START_TEST(what_a_child_says_by_dying_is_kept) {
        pid_t child;
        Thread *self;
        sigset_t pending;

        catch(SIGCHLD, 0);
        self = call_enter();
        child = fork();
        if (child == 0)
                _exit(7);
        do
                sigpending(&pending);
        while (!sigismember(&pending, SIGCHLD)); /* put off, so pending again */
        handled(0);
        call_leave(self);
        handled(1);
        ck_assert_int_eq(last_info.si_code, CLD_EXITED);
        ck_assert_int_eq(last_info.si_pid, child);
        ck_assert_int_eq(last_info.si_status, 7);
        waitpid(child, NULL, 0);
}
END_TEST

START_TEST(queued_signals_all_come_in_order) {
        Thread *self;

        catch(SIGRTMIN, 0);
        self = call_enter();
        for (int i = 0; i < 5; i++)
                sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
        handled(0);
        call_leave(self);
        handled(5);
        ck_assert_int_eq(last_info.si_value.sival_int, 4);
}
END_TEST

START_TEST(different_signals_each_come_once) {
        static const int signals[] = { SIGUSR1, SIGUSR2, SIGHUP, SIGTERM };
        Thread *self;
        unsigned seen = 0;

        for (unsigned i = 0; i < 4; i++)
                catch(signals[i], 0);
        self = call_enter();
        for (unsigned i = 0; i < 4; i++)
                raise(signals[i]);
        handled(0);
        call_leave(self);
        handled(4);
        for (unsigned i = 0; i < 4; i++)
                for (unsigned k = 0; k < 4; k++)
                        seen += order[i] == signals[k];
        ck_assert_uint_eq(seen, 4);
}
END_TEST

START_TEST(the_mask_is_as_it_was_after_a_delay) {
        sigset_t before, after;
        Thread *self;

        catch(SIGUSR1, 0);
        pthread_sigmask(SIG_BLOCK, NULL, &before);
        self = call_enter();
        raise(SIGUSR1);
        call_leave(self);
        pthread_sigmask(SIG_BLOCK, NULL, &after);
        for (int signo = 1; signo < SIGRTMAX; signo++)
                ck_assert_int_eq(sigismember(&before, signo), sigismember(&after, signo));
}
END_TEST

START_TEST(what_the_program_blocks_stays_blocked) {
        sigset_t set;
        Thread *self;

        catch(SIGUSR1, 0);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        self = call_enter();
        raise(SIGUSR1);
        ck_assert(!self->interrupted);
        call_leave(self);
        handled(0);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        handled(1);
}
END_TEST

/* ---- waking ---- */

START_TEST(a_handler_that_waits_wakes_the_call) {
        static ShmSlot slot;
        static ShmBell bell;
        uint32_t word = slot_send(&slot) | SLOT_SEND;
        uint32_t ring;
        Thread *self;

        catch(SIGUSR1, SA_RESTART);
        self = call_enter();
        self->asleep_on = &slot;
        self->listens_to = &bell;
        ck_assert(slot_prepare_sleep(&slot, word));
        ring = bell_prepare_sleep(&bell);
        raise(SIGUSR1);
        ck_assert_uint_eq(slot_peek(&slot), word);
        ck_assert_uint_ne(word_load(&bell.ring), ring);
        self->asleep_on = NULL;
        self->listens_to = NULL;
        call_leave(self);
        handled(1);
}
END_TEST

/* ---- handlers that make calls themselves ---- */

static void calls(int signo) {
        Thread *self = call_enter();

        raise(SIGUSR2);
        ck_assert(call_is_open(self));
        call_leave(self);
        note(signo);
}

START_TEST(a_handler_may_make_calls) {
        struct sigaction action = { .sa_handler = calls };
        Thread *self;

        catch(SIGUSR2, 0);
        signal_action(SIGUSR1, &action, NULL);
        self = call_enter();
        raise(SIGUSR1);
        handled(0);
        call_leave(self);
        handled(2);
        ck_assert_int_eq(order[0], SIGUSR2);
        ck_assert_int_eq(order[1], SIGUSR1);
        ck_assert(!call_is_open(self));
}
END_TEST

static void spoils_errno(int signo) {
        errno = EIO;
        note(signo);
}

START_TEST(a_handler_does_not_change_errno_of_the_call) {
        struct sigaction action = { .sa_handler = spoils_errno };
        Thread *self;

        signal_action(SIGUSR1, &action, NULL);
        errno = 4711;
        self = call_enter();
        raise(SIGUSR1);
        call_leave(self);
        ck_assert_int_eq(errno, 4711);
        handled(1);
}
END_TEST

/* ---- flags ---- */

START_TEST(a_signal_is_blocked_in_its_own_handler) {
        catch(SIGUSR1, 0);
        raise(SIGUSR1);
        ck_assert(sigismember(&mask_inside, SIGUSR1));
        ck_assert(!sigismember(&mask_inside, SIGUSR2));
}
END_TEST

START_TEST(a_handlers_mask_holds_while_it_runs) {
        struct sigaction action = { .sa_handler = plain };
        Thread *self;

        sigaddset(&action.sa_mask, SIGUSR2);
        signal_action(SIGUSR1, &action, NULL);
        self = call_enter();
        raise(SIGUSR1);
        call_leave(self);
        handled(1);
        ck_assert(sigismember(&mask_inside, SIGUSR1));
        ck_assert(sigismember(&mask_inside, SIGUSR2));
}
END_TEST

START_TEST(a_signal_that_is_not_blocked_in_its_handler_waits_as_well) {
        Thread *self;

        limit_stack();
        catch(SIGUSR1, SA_NODEFER);
        self = call_enter();
        raise(SIGUSR1);
        handled(0);
        call_leave(self);
        handled(1);
        ck_assert(!sigismember(&mask_inside, SIGUSR1));
}
END_TEST

static void is_default(int signo) {
        struct sigaction now;

        ck_assert_int_eq(signal_action(signo, NULL, &now), 0);
        ck_assert(now.sa_handler == SIG_DFL);
}

START_TEST(a_handler_for_one_time_runs_one_time) {
        catch(SIGCHLD, SA_RESETHAND);
        raise(SIGCHLD);
        handled(1);
        is_default(SIGCHLD);
        raise(SIGCHLD);
        handled(1);
}
END_TEST

START_TEST(a_handler_for_one_time_is_not_used_up_by_waiting) {
        struct sigaction now;
        Thread *self;

        catch(SIGCHLD, SA_RESETHAND);
        self = call_enter();
        raise(SIGCHLD);
        signal_action(SIGCHLD, NULL, &now);
        ck_assert(now.sa_sigaction == with_info);
        call_leave(self);
        handled(1);
        is_default(SIGCHLD);
}
END_TEST

/* ---- what sigaction says ---- */

START_TEST(the_program_sees_its_own_action) {
        struct sigaction first = { .sa_handler = plain, .sa_flags = SA_RESTART };
        struct sigaction both = { .sa_sigaction = with_info, .sa_flags = SA_SIGINFO };
        struct sigaction old;

        ck_assert_int_eq(signal_action(SIGUSR1, NULL, &old), 0);
        ck_assert(old.sa_handler == SIG_DFL);
        ck_assert_int_eq(signal_action(SIGUSR1, &first, &old), 0);
        ck_assert(old.sa_handler == SIG_DFL);
        ck_assert_int_eq(signal_action(SIGUSR1, &both, &both), 0);
        ck_assert(both.sa_handler == plain);
        ck_assert_int_eq(both.sa_flags, SA_RESTART);
        ck_assert_int_eq(signal_action(SIGUSR1, NULL, &old), 0);
        ck_assert(old.sa_sigaction == with_info);
}
END_TEST

START_TEST(what_cannot_be_caught_is_refused) {
        static const int wrong[] = { 0, -1, SIGKILL, SIGSTOP, 65, 1000 };
        struct sigaction action = { .sa_handler = plain };

        for (unsigned i = 0; i < 6; i++) {
                errno = 0;
                ck_assert_int_eq(signal_action(wrong[i], &action, NULL), -1);
                ck_assert_int_eq(errno, EINVAL);
        }
}
END_TEST

START_TEST(ignored_means_ignored) {
        struct sigaction ignore = { .sa_handler = SIG_IGN };
        Thread *self;

        catch(SIGUSR1, 0);
        signal_action(SIGUSR1, &ignore, NULL);
        self = call_enter();
        raise(SIGUSR1);
        ck_assert(!self->interrupted);
        call_leave(self);
        handled(0);
}
END_TEST

/* ---- faults ---- */

static uint8_t *forbidden;

static void permit(int signo, siginfo_t *info, void *context) {
        (void)context;
        last_info = *info;
        mprotect(forbidden, 4096, PROT_READ | PROT_WRITE);
        atomic_fetch_add(&n_handled, 1);
        order[0] = signo;
}

static void forbid(void) {
        forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(forbidden, MAP_FAILED);
}

START_TEST(a_fault_does_not_wait) {
        struct sigaction action = { .sa_sigaction = permit, .sa_flags = SA_SIGINFO };
        Thread *self;

        signal_init();
        forbid();
        signal_action(SIGSEGV, &action, NULL);
        self = call_enter();
        *(volatile uint8_t *)forbidden = 3;
        ck_assert_uint_eq(atomic_load(&n_handled), 1);
        call_leave(self);
        ck_assert_ptr_eq(last_info.si_addr, forbidden);
        ck_assert_int_eq(last_info.si_code, SEGV_ACCERR);
        ck_assert_uint_eq(forbidden[0], 3);
}
END_TEST

static sigjmp_buf way_out;

static void jump(int signo) {
        siglongjmp(way_out, signo);
}

START_TEST(a_fault_of_an_instruction_does_not_wait) {
        struct sigaction action = { .sa_handler = jump };
        Thread *self;

        signal_action(SIGILL, &action, NULL);
        signal_action(SIGTRAP, &action, NULL); /* __builtin_trap() is either */
        self = call_enter();
        if (sigsetjmp(way_out, 1) == 0)
                __builtin_trap();
        ck_assert(call_is_open(self));
        call_leave(self);
}
END_TEST

START_TEST(a_bad_buffer_is_not_the_programs_business) {
        struct sigaction action = { .sa_sigaction = permit, .sa_flags = SA_SIGINFO };
        uint8_t byte = 0;
        Thread *self;

        signal_init();
        forbid();
        signal_action(SIGSEGV, &action, NULL);
        self = call_enter();
        ck_assert(!copy_bytes(&byte, forbidden, 1));
        ck_assert(!copy_bytes(forbidden, &byte, 1));
        call_leave(self);
        handled(0);
        ck_assert(copy_bytes(&byte, &byte, 1));
}
END_TEST

/* Blocked until the call is left, it would make the next bad buffer deadly. */
START_TEST(a_fault_sent_by_somebody_does_not_wait_either) {
        uint8_t byte;
        Thread *self;

        signal_init();
        forbid();
        catch(SIGSEGV, 0);
        self = call_enter();
        raise(SIGSEGV);
        ck_assert_uint_eq(atomic_load(&n_handled), 1);
        ck_assert_int_le(last_info.si_code, 0);
        ck_assert(sigismember(&mask_inside, SIGSEGV));
        ck_assert(!copy_bytes(&byte, forbidden, 1));
        call_leave(self);
        ck_assert_uint_eq(atomic_load(&n_handled), 1);
}
END_TEST

START_TEST(a_used_up_handler_leaves_bad_buffers_to_us) {
        uint8_t byte;

        signal_init();
        forbid();
        catch(SIGSEGV, SA_RESETHAND);
        raise(SIGSEGV);
        handled(1);
        ck_assert(!copy_bytes(&byte, forbidden, 1));
}
END_TEST

typedef void (*Deed)(void);

/* A sanitizer has its own. */
static void have_no_handlers(void) {
        struct sigaction none = { .sa_handler = SIG_DFL };

        signal_action(SIGSEGV, &none, NULL);
        signal_action(SIGBUS, &none, NULL);
}

static void dies_of(Deed deed, int signo) {
        pid_t child = fork();
        int status;

        if (child == 0) {
                limit_stack();
                signal_init();
                have_no_handlers();
                forbid();
                deed();
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(signo ? WIFSIGNALED(status) && WTERMSIG(status) == signo : status == 0,
                      "status %#x, not signal %d", status, signo);
}

static void touch(void) {
        *(volatile uint8_t *)forbidden = 3;
}

static void touch_inside(void) {
        call_enter();
        touch();
}

static void touch_ignored(void) {
        struct sigaction ignore = { .sa_handler = SIG_IGN };

        signal_action(SIGSEGV, &ignore, NULL);
        raise(SIGSEGV); /* this one is ignored */
        touch();
}

static void raise_bus(void) {
        raise(SIGBUS);
}

static void raise_ignored(void) {
        struct sigaction ignore = { .sa_handler = SIG_IGN };

        signal_action(SIGBUS, &ignore, NULL);
        raise(SIGBUS);
}

static void handle_once(void) {
        catch(SIGSEGV, SA_RESETHAND);
        touch(); /* handled, again, deadly */
        _exit(1);
}

static void end_inside(void) {
        Thread *self = call_enter();

        raise(SIGPROF);
        call_leave(self);
}

START_TEST(what_was_deadly_stays_deadly) {
        dies_of(touch, SIGSEGV);
        dies_of(touch_inside, SIGSEGV);
        dies_of(touch_ignored, SIGSEGV);
        dies_of(raise_bus, SIGBUS);
        dies_of(raise_ignored, 0);
        dies_of(handle_once, SIGSEGV);
        dies_of(end_inside, SIGPROF);
}
END_TEST

/* ---- storms ---- */

typedef struct Storm {
        pthread_t target;
        _Atomic unsigned stop;
        unsigned n;
} Storm;

static void *blow(void *argument) {
        Storm *storm = argument;

        while (!atomic_load(&storm->stop)) {
                unsigned before = atomic_load(&n_handled);

                pthread_kill(storm->target, SIGUSR1);
                while (atomic_load(&n_handled) == before && !atomic_load(&storm->stop))
                        sched_yield();
        }
        return NULL;
}

static void storm_over(Storm *storm, Deed calm) {
        pthread_t thread;

        storm->target = pthread_self();
        ck_assert_int_eq(pthread_create(&thread, NULL, blow, storm), 0);
        while (atomic_load(&n_handled) < unit_rounds(2000))
                calm();
        atomic_store(&storm->stop, 1);
        pthread_join(thread, NULL);
}

static void count_only(int signo) {
        (void)signo;
        n_inside += call_is_open(&thread_this);
        atomic_fetch_add(&n_handled, 1);
}

static void catch_storm(void) {
        struct sigaction action = { .sa_handler = count_only };

        signal_action(SIGUSR1, &action, NULL);
}

/* What came in one call must not end the next one. */
static void enter_and_leave(void) {
        Thread *self = call_enter();

        call_leave(self);
        ck_assert_int_eq(self->interrupted, 0);
}

START_TEST(no_interruption_is_left_over_for_the_next_call) {
        Storm storm = { 0 };

        catch_storm();
        storm_over(&storm, enter_and_leave);
        ck_assert_uint_eq(n_inside, 0);
}
END_TEST

static void reinstalls(int signo) {
        struct sigaction action = { .sa_handler = reinstalls };

        signal_action(signo, &action, NULL);
        atomic_fetch_add(&n_handled, 1);
}

static void install(void) {
        struct sigaction action = { .sa_handler = reinstalls };

        signal_action(SIGUSR1, &action, NULL);
}

START_TEST(a_handler_may_install_itself_again_at_any_moment) {
        Storm storm = { 0 };

        install();
        storm_over(&storm, install);
}
END_TEST

UNIT_MAIN("signal", outside_a_call_a_handler_runs_at_once, inside_a_call_a_handler_waits_until_it_is_left,
          a_handler_without_info_waits_too, what_the_sender_said_is_kept,
          what_a_child_says_by_dying_is_kept, queued_signals_all_come_in_order,
          different_signals_each_come_once, the_mask_is_as_it_was_after_a_delay,
          what_the_program_blocks_stays_blocked, a_handler_that_waits_wakes_the_call,
          a_handler_may_make_calls, a_handler_does_not_change_errno_of_the_call,
          a_signal_is_blocked_in_its_own_handler, a_handlers_mask_holds_while_it_runs,
          a_signal_that_is_not_blocked_in_its_handler_waits_as_well,
          a_handler_for_one_time_runs_one_time, a_handler_for_one_time_is_not_used_up_by_waiting,
          the_program_sees_its_own_action, what_cannot_be_caught_is_refused, ignored_means_ignored,
          a_fault_does_not_wait, a_fault_of_an_instruction_does_not_wait,
          a_bad_buffer_is_not_the_programs_business, a_fault_sent_by_somebody_does_not_wait_either,
          a_used_up_handler_leaves_bad_buffers_to_us,
          what_was_deadly_stays_deadly, no_interruption_is_left_over_for_the_next_call,
          a_handler_may_install_itself_again_at_any_moment)
