/* SPDX-License-Identifier: MIT */
/* Signal calls: codes and values arrive, waits end, what is another's stays so. */
#include "../harness.h"

#include <errno.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t SOON = 20000000; /* 20 ms */

static volatile int seen_code, seen_value, seen_count;
static volatile pthread_t seen_thread;

static void note(int signo, siginfo_t *info, void *context) {
        seen_code = info->si_code;
        seen_value = info->si_value.sival_int;
        seen_thread = pthread_self();
        seen_count++;
}

static void catch_signal(int signo) {
        struct sigaction act = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

        ck_assert_ok(SignalAction(0, NULL, signo, &act, NULL));
}

static sigset_t only(int signo) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, signo);
        return set;
}

static void block(int signo) {
        sigset_t set = only(signo);

        ck_assert_ok(SignalProcmask(0, 0, SIG_BLOCK, &set, NULL));
}

/* ---- SignalKill ---- */

START_TEST(code_and_value_arrive) {
        catch_signal(SIGUSR1);
        ck_assert_ok(SignalKill(ND_LOCAL_NODE, getpid(), 0, SIGUSR1, SI_MINAVAIL, 4711));
        ck_assert_int_eq(seen_count, 1);
        ck_assert_int_eq(seen_code, SI_MINAVAIL);
        ck_assert_int_eq(seen_value, 4711);
}
END_TEST

START_TEST(a_pointer_arrives) {
        union sigval value = { .sival_ptr = (void *)&seen_count };
        sigset_t set = only(SIGUSR1);
        siginfo_t info;

        block(SIGUSR1);
        ck_assert_r(SignalKillSigval_r(0, getpid(), 0, SIGUSR1, SI_QUEUE, &value), EOK);
        ck_assert_int_eq(SignalWaitinfo(&set, &info), SIGUSR1);
        ck_assert_ptr_eq(info.si_value.sival_ptr, (void *)&seen_count);
        ck_assert_fails(SignalKillSigval(0, getpid(), 0, SIGUSR1, SI_QUEUE, NULL), EFAULT);
}
END_TEST

static void *be_signalled(void *arg) {
        int chid = channel_new(0);
        struct _pulse pulse;

        *(volatile int *)arg = ThreadCreate_r(-1, NULL, NULL, NULL); /* any call: it has a number now */
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), EINTR);
        channel_free(chid);
        return (void *)pthread_self();
}

START_TEST(one_thread_is_meant) {
        volatile int ready = 0;
        Thread thread;

        catch_signal(SIGUSR1);
        channel_free(channel_new(0)); /* we are thread 1, it is 2 */
        thread = thread_start(be_signalled, (void *)&ready);
        wait_for_state(getpid(), "RECEIVE");
        ck_assert_ok(SignalKill(0, getpid(), 2, SIGUSR1, SI_QUEUE, 5));
        ck_assert_ptr_eq(thread_end(thread), (void *)seen_thread);
        ck_assert_int_eq(seen_value, 5);
        ck_assert_fails(SignalKill(0, getpid(), 2, SIGUSR1, SI_QUEUE, 5), ESRCH);
}
END_TEST

START_TEST(another_process_gets_code_and_value) {
        sigset_t set = only(SIGUSR2);
        siginfo_t info;
        pid_t child;
        int status;

        block(SIGUSR2);
        child = fork();
        if (child == 0) {
                int signo = SignalWaitinfo(&set, &info);

                _exit(signo == SIGUSR2 && info.si_code == SI_MAXAVAIL && info.si_value.sival_int == 9 ? 0 : 1);
        }
        ck_assert_ok(SignalKill(0, child, 0, SIGUSR2, SI_MAXAVAIL, 9));
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(nonsense_is_refused) {
        ck_assert_fails(SignalKill(0, getpid(), 0, 65, 0, 0), EINVAL);
        ck_assert_fails(SignalKill(0, getpid(), 0, -1, 0, 0), EINVAL);
        ck_assert_fails(SignalKill(0, getpid(), 0, SIGUSR1, 200, 0), EINVAL);
        ck_assert_fails(SignalKill(0, 0, 3, SIGUSR1, 0, 0), EINVAL);
        ck_assert_fails(SignalKill(0, getpid(), 77, SIGUSR1, 0, 0), ESRCH);
        ck_assert_fails(SignalKill(5, getpid(), 0, SIGUSR1, 0, 0), ESRCH);
        ck_assert_r(SignalKill_r(0, getppid(), 3, 0, 0, 0), ENOTSUP);
}
END_TEST

START_TEST(signal_0_only_looks) {
        pid_t child = fork();

        if (child == 0)
                _exit(0);
        ck_assert_ok(SignalKill(0, child, 0, 0, 0, 0));
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        ck_assert_fails(SignalKill(0, child, 0, 0, 0, 0), ESRCH);
        ck_assert_ok(SignalKill(0, getpid(), 0, 0, 0, 0));
}
END_TEST

/* ---- SignalAction, SignalProcmask ---- */

START_TEST(an_action_is_given_back) {
        struct sigaction old;

        catch_signal(SIGUSR1);
        ck_assert_r(SignalAction_r(getpid(), NULL, SIGUSR1, NULL, &old), EOK);
        ck_assert(old.sa_sigaction == note);
        ck_assert_fails(SignalAction(0, NULL, SIGKILL, &old, NULL), EINVAL);
        ck_assert_fails(SignalAction(getppid(), NULL, SIGUSR1, NULL, &old), EPERM);
}
END_TEST

START_TEST(a_mask_blocks_and_shows_what_is_pending) {
        sigset_t set = only(SIGUSR1), old, waiting;

        catch_signal(SIGUSR1);
        ck_assert_ok(SignalProcmask(getpid(), 0, SIG_BLOCK, &set, &old));
        ck_assert_int_eq(sigismember(&old, SIGUSR1), 0);
        ck_assert_ok(SignalKill(0, getpid(), 0, SIGUSR1, SI_QUEUE, 1));
        ck_assert_int_eq(seen_count, 0);
        ck_assert_ok(SignalProcmask(0, 0, SIG_PENDING, NULL, &waiting));
        ck_assert_int_eq(sigismember(&waiting, SIGUSR1), 1);
        ck_assert_ok(SignalProcmask(0, 0, SIG_UNBLOCK, &set, NULL));
        ck_assert_int_eq(seen_count, 1);
}
END_TEST

START_TEST(the_masks_of_others_are_theirs) {
        ck_assert_fails(SignalProcmask(0, 0, 99, &(sigset_t){ 0 }, NULL), EINVAL);
        ck_assert_fails(SignalProcmask(0, 0, SIG_PENDING, NULL, NULL), EFAULT);
        ck_assert_fails(SignalProcmask(0, 77, SIG_BLOCK, NULL, NULL), ESRCH);
        ck_assert_r(SignalProcmask_r(getppid(), 0, SIG_BLOCK, NULL, NULL), EPERM);
}
END_TEST

/* ---- waiting ---- */

START_TEST(suspend_ends_with_a_handler) {
        sigset_t none;

        sigemptyset(&none);
        catch_signal(SIGUSR1);
        block(SIGUSR1);
        ck_assert_ok(SignalKill(0, getpid(), 0, SIGUSR1, SI_QUEUE, 3));
        ck_assert_int_eq(seen_count, 0);
        ck_assert_fails(SignalSuspend(&none), EINTR);
        ck_assert_int_eq(seen_value, 3);
        ck_assert_r(SignalSuspend_r(NULL), EFAULT);
}
END_TEST

START_TEST(a_timeout_ends_suspend) {
        sigset_t none;

        sigemptyset(&none);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SIGSUSPEND, NULL, &SOON, NULL));
        ck_assert_fails(SignalSuspend(&none), ETIMEDOUT);
}
END_TEST

START_TEST(a_timeout_ends_waitinfo) {
        sigset_t set = only(SIGUSR1);

        block(SIGUSR1);
        ck_assert_ok(TimerTimeout(CLOCK_REALTIME, _NTO_TIMEOUT_SIGWAITINFO, NULL, &SOON, NULL));
        ck_assert_fails(SignalWaitinfo(&set, NULL), ETIMEDOUT);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_SIGWAITINFO, NULL, NULL, NULL));
        ck_assert_r(SignalWaitinfo_r(&set, NULL), -ETIMEDOUT);
        ck_assert_r(SignalWaitinfo_r(NULL, NULL), -EFAULT);
}
END_TEST

START_TEST(waitinfo_waits_with_the_mask_it_is_given) {
        sigset_t set = only(SIGUSR1), mask = only(SIGUSR1), after;

        block(SIGUSR2);
        catch_signal(SIGUSR2);
        block(SIGUSR1);
        ck_assert_ok(SignalKill(0, getpid(), 0, SIGUSR2, SI_QUEUE, 2));
        ck_assert_ok(SignalKill(0, getpid(), 0, SIGUSR1, SI_QUEUE, 1));
        ck_assert_int_eq(SignalWaitinfoMask(&set, NULL, &mask), SIGUSR1);
        ck_assert_int_eq(seen_value, 2);
        ck_assert_ok(SignalProcmask(0, 0, SIG_BLOCK, NULL, &after));
        ck_assert_int_eq(sigismember(&after, SIGUSR2), 1);
}
END_TEST

START_TEST(what_serves_qnx_s_own_library_is_refused) {
        ck_assert_fails(SignalReturn(NULL), ENOTSUP);
        ck_assert_fails(SignalFault(0, NULL, 0), ENOTSUP);
}
END_TEST

HARNESS_MAIN("signalcall", code_and_value_arrive, a_pointer_arrives, one_thread_is_meant,
             another_process_gets_code_and_value, nonsense_is_refused, signal_0_only_looks,
             an_action_is_given_back, a_mask_blocks_and_shows_what_is_pending,
             the_masks_of_others_are_theirs, suspend_ends_with_a_handler, a_timeout_ends_suspend,
             a_timeout_ends_waitinfo, waitinfo_waits_with_the_mask_it_is_given,
             what_serves_qnx_s_own_library_is_refused)
