/* SPDX-License-Identifier: MIT */
/* Programs with their own signal handlers: they run, they may use every call, they find things as they were. */
#include "harness.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int n_signals;
static volatile int last_value;

static void count(int signo) {
        n_signals++;
}

static void catch_with(int signo, void (*handler)(int), int flags) {
        struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

        ck_assert_int_eq(sigaction(signo, &action, NULL), 0);
}

static void *kill_when_receiving(void *arg) {
        wait_for_state(getpid(), "RECEIVE");
        ck_assert_int_eq(pthread_kill(*(pthread_t *)arg, SIGUSR1), 0);
        return NULL;
}

static void check_receive_interrupted(int flags) {
        int chid = channel_new(0);
        pthread_t self = pthread_self();
        struct _pulse pulse;
        Thread killer;
        int before = n_signals;

        catch_with(SIGUSR1, count, flags);
        killer = thread_start(kill_when_receiving, &self);
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), EINTR);
        ck_assert_int_eq(n_signals, before + 1);
        thread_end(killer);
        killer = thread_start(kill_when_receiving, &self);
        ck_assert_r(MsgReceivePulse_r(chid, &pulse, sizeof(pulse), NULL), -EINTR);
        ck_assert_int_eq(n_signals, before + 2);
        thread_end(killer);
        channel_free(chid);
}

START_TEST(msgreceive_is_interrupted_by_a_handled_signal) {
        check_receive_interrupted(0);
}
END_TEST

START_TEST(msgreceive_is_interrupted_with_sa_restart_too) {
        check_receive_interrupted(SA_RESTART);
}
END_TEST

/* In a program that asks for ISO C alone, signal() is this. */
START_TEST(msgreceive_is_interrupted_by_a_handler_of_iso_cs_signal) {
        int chid = channel_new(0);
        pthread_t self = pthread_self();
        struct _pulse pulse;
        Thread killer;

        ck_assert_ptr_eq(__sysv_signal(SIGUSR1, count), SIG_DFL);
        killer = thread_start(kill_when_receiving, &self);
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), EINTR);
        ck_assert_int_eq(n_signals, 1);
        thread_end(killer);
        ck_assert_ptr_eq(sysv_signal(SIGUSR1, count), SIG_DFL); /* it has gone with its signal */
        ck_assert_ptr_eq(__sysv_signal(SIGUSR1, SIG_ERR), SIG_ERR);
        channel_free(chid);
}
END_TEST

static void info_handler(int signo, siginfo_t *info, void *context) {
        n_signals++;
        last_value = info->si_value.sival_int;
        ck_assert_int_eq(info->si_code, SI_QUEUE);
        ck_assert_int_eq(info->si_pid, getpid());
        ck_assert_ptr_ne(context, NULL);
}

static void *queue_when_receiving(void *arg) {
        union sigval value = { .sival_int = 4242 };

        wait_for_state(getpid(), "RECEIVE");
        ck_assert_int_eq(sigqueue(getpid(), SIGRTMIN, value), 0);
        return NULL;
}

START_TEST(a_put_off_signal_keeps_what_it_carries) {
        struct sigaction action = { .sa_sigaction = info_handler, .sa_flags = SA_SIGINFO };
        int chid = channel_new(0);
        struct _pulse pulse;
        sigset_t set;
        Thread sender;

        ck_assert_int_eq(sigaction(SIGRTMIN, &action, NULL), 0);
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        pthread_sigmask(SIG_BLOCK, &set, NULL); /* the other thread shall not take it */
        sender = thread_start(queue_when_receiving, NULL);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), EINTR);
        ck_assert_int_eq(n_signals, 1);
        ck_assert_int_eq(last_value, 4242);
        thread_end(sender);
        channel_free(chid);
}
END_TEST

START_TEST(sigaction_reports_the_programs_own_handler) {
        struct sigaction old;
        int chid;

        catch_with(SIGUSR1, count, SA_RESTART);
        chid = channel_new(0);
        ck_assert_int_eq(sigaction(SIGUSR1, NULL, &old), 0);
        ck_assert_ptr_eq(old.sa_handler, count);
        ck_assert_int_eq(old.sa_flags & (SA_RESTART | SA_SIGINFO), SA_RESTART);
        ck_assert_ptr_eq(signal(SIGUSR1, SIG_IGN), count);
        ck_assert_ptr_eq(signal(SIGUSR1, SIG_DFL), SIG_IGN);
        ck_assert_int_eq(sigaction(SIGSEGV, NULL, &old), 0);
        ck_assert_int_eq(sigaction(SIGKILL, &old, NULL), -1);
        ck_assert_int_eq(sigaction(12345, NULL, &old), -1);
        channel_free(chid);
}
END_TEST

START_TEST(handlers_installed_before_the_first_call_work_too) {
        struct _pulse pulse;
        pthread_t self = pthread_self();
        Thread killer;
        int chid;

        catch_with(SIGUSR1, count, SA_RESETHAND);
        chid = channel_new(0);
        killer = thread_start(kill_when_receiving, &self);
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), EINTR);
        ck_assert_int_eq(n_signals, 1);
        thread_end(killer);
        ck_assert_ptr_eq(signal(SIGUSR1, count), SIG_DFL); /* it was reset */
        channel_free(chid);
}
END_TEST

/* ---- handlers that use the calls ---- */

static int handler_coid;
static volatile long handler_result;

static void send_from_handler(int signo) {
        int saved = errno;

        handler_result = MsgSend(handler_coid, "h", 1, NULL, 0);
        errno = saved;
}

static void *answer_until_pulse(void *arg) {
        for (;;) {
                struct _pulse pulse;
                int rcvid = MsgReceive(*(int *)arg, &pulse, sizeof(pulse), NULL);

                if (rcvid == 0 && pulse.code == 1)
                        return NULL;
                if (rcvid > 0)
                        ck_assert_ok(MsgReply(rcvid, 55, NULL, 0));
        }
}

/* One more receiver than in kill_when_receiving(): the server's thread. */
static void *kill_when_both_receive(void *arg) {
        wait_for_states(getpid(), "RECEIVE", 2);
        ck_assert_int_eq(pthread_kill(*(pthread_t *)arg, SIGUSR1), 0);
        return NULL;
}

/* The calling thread is interrupted in MsgReceive on one channel and sends on another from the handler. */
START_TEST(a_handler_may_send_messages) {
        int chid = channel_new(0), served = channel_new(0);
        Thread server, killer;
        pthread_t self = pthread_self();
        struct _pulse pulse;

        handler_coid = connect_side(0, served);
        catch_with(SIGUSR1, send_from_handler, 0);
        server = thread_start(answer_until_pulse, &served);
        wait_for_states(getpid(), "RECEIVE", 1);
        pthread_kill(self, SIGUSR1);
        ck_assert_int_eq(handler_result, 55);
        handler_result = 0;
        killer = thread_start(kill_when_both_receive, &self);
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), EINTR);
        thread_end(killer);
        ck_assert_int_eq(handler_result, 55);
        ck_assert_ok(MsgSendPulse(handler_coid, 1, 1, 0));
        thread_end(server);
        connect_free(handler_coid);
        channel_free(chid);
        channel_free(served);
}
END_TEST

/* ---- masks ---- */

START_TEST(the_mask_is_as_it_was_after_a_put_off_signal) {
        int chid = channel_new(0);
        pthread_t self = pthread_self();
        struct _pulse pulse;
        sigset_t before, after;
        Thread killer;

        catch_with(SIGUSR1, count, 0);
        pthread_sigmask(SIG_BLOCK, NULL, &before);
        killer = thread_start(kill_when_receiving, &self);
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), EINTR);
        thread_end(killer);
        pthread_sigmask(SIG_BLOCK, NULL, &after);
        for (int i = 1; i < 65; i++)
                ck_assert_int_eq(sigismember(&before, i), sigismember(&after, i));
        channel_free(chid);
}
END_TEST

/* ---- the program's own faults ---- */

static sigjmp_buf escape;

static void on_fault(int signo) {
        n_signals++;
        siglongjmp(escape, 1);
}

START_TEST(the_programs_own_fault_handler_still_gets_its_faults) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);

        catch_with(SIGSEGV, on_fault, 0);
        if (sigsetjmp(escape, 1) == 0)
                *(volatile char *)memory_bad() = 1;
        ck_assert_int_eq(n_signals, 1);
        /* a bad buffer of a call is the call's business, not the handler's */
        ck_assert_fails(MsgSend(coid, memory_bad(), 100, NULL, 0), EFAULT);
        ck_assert_int_eq(n_signals, 1);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void peer_that_crashes(Peer *me) {
        channel_free(channel_new(0));
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)memory_bad() = 1;
}

START_TEST(a_crash_is_still_a_crash) {
        Peer peer = peer_start(peer_that_crashes, 0, 0);
        int status = peer_wait(&peer);

        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
}
END_TEST

/* ---- other system calls are as they were ---- */

static void *signal_when_asleep(void *arg) {
        wait_for_word((volatile int *)arg, 1);
        for (int i = 0; i < 3; i++) {
                struct timespec pause = { .tv_nsec = 2000000 };

                kill(getpid(), SIGUSR1);
                nanosleep(&pause, NULL);
        }
        return NULL;
}

static void *write_later(void *arg) {
        struct timespec pause = { .tv_nsec = 30000000 };

        nanosleep(&pause, NULL);
        ck_assert_int_eq(write(*(int *)arg, "x", 1), 1);
        return NULL;
}

/* SA_RESTART still means what it says outside of our calls. */
START_TEST(sa_restart_still_restarts_a_read) {
        int chid = channel_new(0);
        int wire[2];
        volatile int asleep = 1;
        Thread killer, writer;
        sigset_t set;
        char byte;

        catch_with(SIGUSR1, count, SA_RESTART);
        ck_assert_int_eq(pipe(wire), 0);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        killer = thread_start(signal_when_asleep, (void *)&asleep);
        writer = thread_start(write_later, &wire[1]);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        ck_assert_int_eq(read(wire[0], &byte, 1), 1);
        thread_end(killer);
        thread_end(writer);
        ck_assert_int_gt(n_signals, 0);
        close(wire[0]);
        close(wire[1]);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("signal", msgreceive_is_interrupted_by_a_handler_of_iso_cs_signal,
             msgreceive_is_interrupted_by_a_handled_signal,
             msgreceive_is_interrupted_with_sa_restart_too, a_put_off_signal_keeps_what_it_carries,
             sigaction_reports_the_programs_own_handler,
             handlers_installed_before_the_first_call_work_too, a_handler_may_send_messages,
             the_mask_is_as_it_was_after_a_put_off_signal,
             the_programs_own_fault_handler_still_gets_its_faults, a_crash_is_still_a_crash,
             sa_restart_still_restarts_a_read)
