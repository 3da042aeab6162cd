/* SPDX-License-Identifier: MIT */
/*
 * Priorities: who sets them, who inherits them, and for how long. What the numbers say holds everywhere;
 * what the kernel does with them is looked at where this process may have real-time priorities.
 */
#include "harness.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- what the kernel says, past this library's <sched.h> ---- */

typedef struct KernelParam {
        int priority;
} KernelParam;

static int kernel_priority(pid_t tid) {
        KernelParam param;

        ck_assert_int_eq(syscall(SYS_sched_getparam, tid, &param), 0);
        return param.priority;
}

static int kernel_policy(pid_t tid) {
        return (int)syscall(SYS_sched_getscheduler, tid);
}

static bool may_be_realtime(void) {
        KernelParam realtime = { 20 }, ordinary = { 0 };

        if (syscall(SYS_sched_setscheduler, 0, SCHED_RR, &realtime) < 0)
                return false;
        ck_assert_int_eq(syscall(SYS_sched_setscheduler, 0, 0 /* SCHED_OTHER */, &ordinary), 0);
        return true;
}

static bool lacks_realtime(void) {
        if (may_be_realtime())
                return false;
        harness_leave_out("no right to real-time priorities (RLIMIT_RTPRIO, CAP_SYS_NICE)");
        return true;
}

/* ---- this thread ---- */

static int own(void) {
        struct sched_param param;

        ck_assert_int_ge(SchedGet(0, 0, &param), 0);
        return param.sched_priority;
}

static int current(void) {
        struct sched_param param;

        ck_assert_int_ge(SchedGet(0, 0, &param), 0);
        return param.sched_curpriority;
}

static void become(int priority) {
        struct sched_param param = { .sched_priority = priority };

        ck_assert_ok(SchedSet(0, 0, SCHED_NOCHANGE, &param));
}

/* ---- set and get ---- */

START_TEST(a_thread_begins_at_10) {
        ck_assert_int_eq(own(), 10);
        ck_assert_int_eq(current(), 10);
        ck_assert_int_eq(getprio(0), 10);
}
END_TEST

START_TEST(SchedSet_sets_what_SchedGet_gets) {
        static const int priorities[] = { 1, 9, 10, 11, 50, 63 };

        for (unsigned i = 0; i < sizeof(priorities) / sizeof(*priorities); i++) {
                struct sched_param param = { .sched_priority = priorities[i] }, got;

                ck_assert_r(SchedSet_r(0, 0, SCHED_FIFO, &param), EOK);
                ck_assert_r(SchedGet_r(0, 0, &got), SCHED_FIFO);
                ck_assert_int_eq(got.sched_priority, priorities[i]);
                ck_assert_int_eq(got.sched_curpriority, priorities[i]);
        }
        become(10);
}
END_TEST

START_TEST(SchedSet_refuses_what_is_no_priority) {
        struct sched_param param = { .sched_priority = 0 };

        ck_assert_fails(SchedSet(0, 0, SCHED_RR, &param), EINVAL);
        param.sched_priority = 256;
        ck_assert_fails(SchedSet(0, 0, SCHED_RR, &param), EINVAL);
        ck_assert_r(SchedSet_r(0, 0, SCHED_RR, &param), EINVAL);
        param.sched_priority = 20;
        ck_assert_fails(SchedSet(0, 0, SCHED_SPORADIC, &param), EINVAL);
        ck_assert_fails(SchedSet(0, 0, SCHED_RR, NULL), EFAULT);
        ck_assert_fails(SchedGet(0, 0, NULL), EFAULT);
        ck_assert_r(SchedGet_r(0, 4711, &param), -ESRCH);
        ck_assert_fails(SchedSet(0, 4711, SCHED_RR, &(struct sched_param){ .sched_priority = 20 }), ESRCH);
        ck_assert_int_eq(own(), 10);
}
END_TEST

START_TEST(above_63_is_for_root) {
        struct sched_param param = { .sched_priority = 64 };

        if (geteuid() == 0) {
                ck_assert_ok(SchedSet(0, 0, SCHED_RR, &param));
                ck_assert_int_eq(current(), 64);
                ck_assert_int_eq(sched_get_priority_max(SCHED_RR), 255);
        } else {
                ck_assert_fails(SchedSet(0, 0, SCHED_RR, &param), EPERM);
                ck_assert_int_eq(sched_get_priority_max(SCHED_RR), 63);
        }
        ck_assert_int_eq(sched_get_priority_min(SCHED_RR), 1);
        become(10);
}
END_TEST

START_TEST(setprio_returns_the_one_before) {
        ck_assert_int_eq(setprio(0, 21), 10);
        ck_assert_int_eq(getprio(getpid()), 21);
        ck_assert_int_eq(setprio(0, 10), 21);
        ck_assert_fails(setprio(0, 300), EINVAL);
        ck_assert_fails(getprio(-3), ESRCH);
}
END_TEST

START_TEST(SchedInfo_tells_the_range) {
        struct _sched_info info;

        ck_assert_ok(SchedInfo(0, SCHED_RR, &info));
        ck_assert_int_eq(info.priority_min, 1);
        ck_assert_int_eq(info.priority_max, 255);
        ck_assert_int_eq(info.priority_priv, 64);
        ck_assert_fails(SchedInfo(0, SCHED_SPORADIC, &info), EINVAL);
        ck_assert_r(SchedInfo_r(0, SCHED_RR, NULL), EFAULT);
        ck_assert_ok(SchedYield());
        ck_assert_r(SchedYield_r(), EOK);
}
END_TEST

static void *tells_priority(void *unused) {
        (void)unused;
        return (void *)(intptr_t)(own() * 1000 + current());
}

START_TEST(posix_calls_speak_of_the_same_priority) {
        struct sched_param param = { .sched_priority = 30 };
        int policy;

        ck_assert_int_eq(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param), 0);
        ck_assert_int_eq(current(), 30);
        ck_assert_int_eq(pthread_getschedparam(pthread_self(), &policy, &param), 0);
        ck_assert_int_eq(policy, SCHED_FIFO);
        ck_assert_int_eq(param.sched_curpriority, 30);
        ck_assert_int_eq(pthread_setschedprio(pthread_self(), 31), 0);
        ck_assert_int_eq(sched_getparam(0, &param), 0);
        ck_assert_int_eq(param.sched_priority, 31);
        ck_assert_int_eq(sched_getscheduler(0), SCHED_FIFO);
        param.sched_priority = 32;
        ck_assert_int_eq(sched_setparam(0, &param), 0);
        param.sched_priority = 10;
        ck_assert_int_eq(sched_setscheduler(0, SCHED_OTHER, &param), SCHED_FIFO);
        ck_assert_int_eq(pthread_setschedparam(pthread_self(), SCHED_SPORADIC, &param), ENOTSUP);
        ck_assert_int_eq(current(), 10);
}
END_TEST

START_TEST(a_new_thread_has_its_makers_own_priority) {
        Thread thread;

        become(23);
        thread = thread_start(tells_priority, NULL);
        ck_assert_int_eq((intptr_t)thread_end(thread), 23023);
        become(10);
}
END_TEST

START_TEST(attributes_give_a_new_thread_a_priority) {
        struct sched_param param = { .sched_priority = 40 }, got;
        pthread_attr_t attr;
        pthread_t id;
        void *told;

        pthread_attr_init(&attr);
        ck_assert_int_eq(pthread_attr_setschedparam(&attr, &param), 0);
        ck_assert_int_eq(pthread_attr_setschedpolicy(&attr, SCHED_RR), 0);
        ck_assert_int_eq(pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED), 0);
        ck_assert_int_eq(pthread_attr_getschedparam(&attr, &got), 0);
        ck_assert_int_eq(got.sched_priority, 40);
        ck_assert_int_eq(pthread_create(&id, &attr, tells_priority, NULL), 0);
        ck_assert_int_eq(pthread_join(id, &told), 0);
        ck_assert_int_eq((intptr_t)told, 40040);
        param.sched_priority = 256;
        ck_assert_int_eq(pthread_attr_setschedparam(&attr, &param), EINVAL);
        pthread_attr_destroy(&attr);
}
END_TEST

typedef struct Watched {
        int chid;
        volatile int tid;
        volatile int leave;
} Watched;

static void *waits_to_leave(void *argument) {
        Watched *watched = argument;

        watched->tid = (int)syscall(SYS_gettid);
        wait_for_word(&watched->leave, 1);
        return NULL;
}

START_TEST(another_thread_can_be_set) {
        Watched watched = { 0 };
        struct sched_param param = { .sched_priority = 17 };
        Thread thread = thread_start(waits_to_leave, &watched);
        int policy;

        ck_assert_int_eq(pthread_setschedparam(thread.id, SCHED_RR, &param), 0);
        ck_assert_int_eq(pthread_getschedparam(thread.id, &policy, &param), 0);
        ck_assert_int_eq(param.sched_priority, 17);
        ck_assert_int_eq(own(), 10);
        watched.leave = 1;
        thread_end(thread);
}
END_TEST

/* ---- on the kernel ---- */

START_TEST(the_kernel_knows_the_number) {
        if (lacks_realtime())
                return;
        become(20);
        ck_assert_int_eq(kernel_policy(0), SCHED_RR);
        ck_assert_int_eq(kernel_priority(0), 20);
        ck_assert_int_eq(SchedSet(0, 0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 21 }), EOK);
        ck_assert_int_eq(kernel_policy(0), SCHED_FIFO);
        ck_assert_int_eq(kernel_priority(0), 21);
        become(10);
        ck_assert_int_eq(kernel_priority(0), 0);
}
END_TEST

/* Standard error of @peer goes here. */
static char *said;
#define SAID_ROOM 4096

static void client_without_rights(Peer *me) {
        int fds[2];
        ssize_t n;

        ck_assert_int_eq(pipe(fds), 0);
        dup2(fds[1], 2);
        close(fds[1]);
        for (int priority = 20; priority < 60; priority++)
                become(priority);
        close(2);
        n = read(fds[0], said, SAID_ROOM - 1);
        ck_assert_int_ge(n, 0);
        close(fds[0]);
        ck_assert_int_eq(current(), 59);
        ck_assert_int_eq(kernel_priority(0), 0);
        peer_say(me, 0);
}

#define NOBODY 65534

START_TEST(without_the_right_it_is_said_once) {
        Peer peer;

        if (geteuid() != 0 && may_be_realtime()) {
                harness_leave_out("this user may have real-time priorities");
                return;
        }
        said = memory_shared(SAID_ROOM);
        peer = geteuid() == 0 ? peer_start_as(NOBODY, client_without_rights, 0, 0, 0)
                              : peer_start(client_without_rights, 0, 0);
        peer_hear(&peer);
        peer_end(&peer);
        ck_assert_ptr_nonnull(strstr(said, "no right to real-time scheduling"));
        ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}
END_TEST

/* ---- inheritance ---- */

static void client_at(Peer *me) {
        int coid = peer_connect(me);

        become((int)me->number);
        ck_assert_int_eq(MsgSend(coid, "hello", 5, NULL, 0), 0);
        connect_free(coid);
}

static int receive(int chid, struct _msg_info *info) {
        char message[64];

        return MsgReceive(chid, message, sizeof(message), info);
}

START_TEST(the_receiver_takes_the_senders_priority) {
        int chid = channel_new(0);
        Peer client = peer_start(client_at, chid, 30);
        struct _msg_info info;
        int rcvid = receive(chid, &info);

        ck_assert_int_eq(info.priority, 30);
        ck_assert_int_eq(current(), 30);
        ck_assert_int_eq(own(), 10);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        ck_assert_int_eq(current(), 30); /* kept by MsgReply() */
        peer_end(&client);
        client = peer_start(client_at, chid, 15);
        rcvid = receive(chid, NULL);
        ck_assert_int_eq(current(), 15); /* until the next receive */
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(a_lower_sender_lowers_the_receiver) {
        int chid = channel_new(0);
        Peer client = peer_start(client_at, chid, 12);
        int rcvid;

        become(25);
        rcvid = receive(chid, NULL);
        ck_assert_int_eq(current(), 12);
        ck_assert_int_eq(own(), 25);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        become(10);
        channel_free(chid);
}
END_TEST

START_TEST(a_receiver_of_fixed_priority_keeps_its_own) {
        int chid = channel_new(_NTO_CHF_FIXED_PRIORITY);
        Peer client = peer_start(client_at, chid, 30);
        struct _msg_info info;
        int rcvid = receive(chid, &info);

        ck_assert_int_eq(info.priority, 30);
        ck_assert_int_eq(current(), 10);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(a_pulse_carries_its_own_priority) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;

        become(14);
        ck_assert_ok(MsgSendPulse(coid, 22, 1, 0));
        ck_assert_int_eq(current(), 14);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(current(), 22);
        become(14);
        ck_assert_int_eq(current(), 22); /* it works for the pulse still */
        ck_assert_int_eq(MsgReceive(-1, NULL, 0, NULL), 0);
        ck_assert_int_eq(current(), 14);
        ck_assert_ok(MsgSendPulse(coid, -1, 1, 0)); /* the sender's */
        ck_assert_int_eq(MsgReceivePulse(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(current(), 14);
        connect_free(coid);
        become(10);
        channel_free(chid);
}
END_TEST

START_TEST(a_receiver_that_leaves_its_channel_is_itself_again) {
        int chid = channel_new(0);
        Peer client = peer_start(client_at, chid, 30);
        int rcvid = receive(chid, NULL);

        ck_assert_int_eq(current(), 30);
        ck_assert_int_eq(MsgReceive(-1, NULL, 0, NULL), 0);
        ck_assert_int_eq(current(), 10);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(MsgCurrent_changes_over_to_another_client) {
        int chid = channel_new(0);
        Peer first = peer_start(client_at, chid, 30), second;
        int rcvids[2];

        rcvids[0] = receive(chid, NULL);
        second = peer_start(client_at, chid, 20);
        rcvids[1] = receive(chid, NULL);
        ck_assert_int_eq(current(), 20);
        ck_assert_ok(MsgCurrent(rcvids[0]));
        ck_assert_int_eq(current(), 30);
        ck_assert_r(MsgCurrent_r(rcvids[1]), EOK);
        ck_assert_int_eq(current(), 20);
        ck_assert_ok(MsgReply(rcvids[0], 0, NULL, 0));
        ck_assert_ok(MsgReply(rcvids[1], 0, NULL, 0));
        ck_assert_fails(MsgCurrent(rcvids[0]), ESRCH);
        ck_assert_int_eq(current(), 20);
        peer_end(&first);
        peer_end(&second);
        channel_free(chid);
}
END_TEST

START_TEST(the_highest_is_received_first) {
        int chid = channel_new(0);
        static const long priorities[] = { 12, 31, 20 };
        static const int order[] = { 31, 20, 12 };
        Peer clients[3];

        for (int i = 0; i < 3; i++) {
                clients[i] = peer_start(client_at, chid, priorities[i]);
                wait_for_state(clients[i].pid, "SEND");
        }
        for (int i = 0; i < 3; i++) {
                struct _msg_info info;
                int rcvid = receive(chid, &info);

                ck_assert_int_eq(info.priority, order[i]);
                ck_assert_int_eq(current(), order[i]);
                ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        }
        for (int i = 0; i < 3; i++)
                peer_end(&clients[i]);
        channel_free(chid);
}
END_TEST

/* A server in the middle sends on at its client's priority. */
static void server_in_the_middle(Peer *me) {
        int coid = connect_side((pid_t)(me->number >> 16), (int)(me->number & 0xffff));
        int rcvid = receive(me->chid, NULL);

        ck_assert_int_eq(MsgSend(coid, "on", 2, NULL, 0), 0);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        connect_free(coid);
        channel_free(me->chid);
}

START_TEST(what_a_server_sends_has_its_clients_priority) {
        int chid = channel_new(0);
        Peer middle = peer_serve(server_in_the_middle, 0, (long)getpid() << 16 | chid);
        Peer client = peer_start_at(client_at, &middle, 29);
        struct _msg_info info;
        int rcvid = receive(chid, &info);

        ck_assert_int_eq(info.priority, 29);
        ck_assert_int_eq(info.pid, middle.pid);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        peer_end(&middle);
        channel_free(chid);
}
END_TEST

/* ---- boost ---- */

/* Takes one message, says so with its kernel's number, and holds it until it hears. */
static void server_that_holds(Peer *me) {
        int first = receive(me->chid, NULL), second;

        peer_say(me, syscall(SYS_gettid));
        peer_hear(me);
        ck_assert_ok(MsgReply(first, 0, NULL, 0));
        second = receive(me->chid, NULL);
        peer_say(me, kernel_priority(0));
        ck_assert_ok(MsgReply(second, 0, NULL, 0));
        channel_free(me->chid);
}

static void await_kernel_priority(pid_t tid, int priority) {
        uint64_t until = now_ns() + 20ull * 1000000000;

        while (kernel_priority(tid) != priority && now_ns() < until)
                usleep(500);
        ck_assert_int_eq(kernel_priority(tid), priority);
}

START_TEST(a_busy_server_is_raised_when_a_higher_client_sends) {
        Peer server, low, high;
        pid_t tid;

        if (lacks_realtime())
                return;
        server = peer_serve(server_that_holds, 0, 0);
        low = peer_start_at(client_at, &server, 10);
        tid = (pid_t)peer_hear(&server);
        ck_assert_int_eq(kernel_priority(tid), 0);
        high = peer_start_at(client_at, &server, 30);
        await_kernel_priority(tid, 30);
        peer_say(&server, 0);
        ck_assert_int_eq(peer_hear(&server), 30);
        peer_end(&low);
        peer_end(&high);
        peer_end(&server);
}
END_TEST

START_TEST(a_busy_server_of_fixed_priority_is_not_raised) {
        Peer server, low, high;
        pid_t tid;

        if (lacks_realtime())
                return;
        server = peer_serve(server_that_holds, _NTO_CHF_FIXED_PRIORITY, 0);
        low = peer_start_at(client_at, &server, 10);
        tid = (pid_t)peer_hear(&server);
        high = peer_start_at(client_at, &server, 30);
        wait_for_state(high.pid, "SEND");
        ck_assert_int_eq(kernel_priority(tid), 0);
        peer_say(&server, 0);
        ck_assert_int_eq(peer_hear(&server), 0);
        peer_end(&low);
        peer_end(&high);
        peer_end(&server);
}
END_TEST

HARNESS_MAIN("priority", a_thread_begins_at_10, SchedSet_sets_what_SchedGet_gets,
             SchedSet_refuses_what_is_no_priority, above_63_is_for_root, setprio_returns_the_one_before,
             SchedInfo_tells_the_range, posix_calls_speak_of_the_same_priority,
             a_new_thread_has_its_makers_own_priority, attributes_give_a_new_thread_a_priority,
             another_thread_can_be_set, the_kernel_knows_the_number, without_the_right_it_is_said_once,
             the_receiver_takes_the_senders_priority, a_lower_sender_lowers_the_receiver,
             a_receiver_of_fixed_priority_keeps_its_own, a_pulse_carries_its_own_priority,
             a_receiver_that_leaves_its_channel_is_itself_again, MsgCurrent_changes_over_to_another_client,
             the_highest_is_received_first, what_a_server_sends_has_its_clients_priority,
             a_busy_server_is_raised_when_a_higher_client_sends,
             a_busy_server_of_fixed_priority_is_not_raised)
