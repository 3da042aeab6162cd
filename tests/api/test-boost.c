/* SPDX-License-Identifier: MIT */
/*
 * Boosts that the client cannot give itself: to servers of other users, in other PID namespaces, and behind
 * further servers. The daemon gives them, as high as the kernel says that the client may.
 */
#include "harness.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALICE 61001
#define BOB   61002

#define PATIENCE_NS (20ull * 1000000000)

/* What the kernel says, past this library's <sched.h>. */
typedef struct KernelParam {
        int priority;
} KernelParam;

static int kernel_priority(pid_t tid) {
        KernelParam param = { -1 };

        syscall(SYS_sched_getparam, tid, &param);
        return param.priority;
}

static bool lacks_realtime(void) {
        KernelParam realtime = { 20 }, ordinary = { 0 };

        if (syscall(SYS_sched_setscheduler, 0, SCHED_RR, &realtime) < 0) {
                harness_leave_out("no right to real-time priorities (CAP_SYS_NICE)");
                return true;
        }
        ck_assert_int_eq(syscall(SYS_sched_setscheduler, 0, 0 /* SCHED_OTHER */, &ordinary), 0);
        return false;
}

static void await_kernel_priority(pid_t tid, int priority) {
        uint64_t until = now_ns() + PATIENCE_NS;

        while (kernel_priority(tid) != priority && now_ns() < until)
                usleep(500);
        ck_assert_int_eq(kernel_priority(tid), priority);
}

static void become(int priority) {
        ck_assert_int_ge(setprio(0, priority), 0);
}

static int receive(int chid) {
        char message[16];

        return MsgReceive(chid, message, sizeof(message), NULL);
}

/* ---- roles ---- */

/* Keeps its own priority, which it has from the test that started it. */
static void client(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "hello", 5, NULL, 0), 0);
        connect_free(coid);
}

/* Holds its first message until it hears; then serves a second one. */
static void server_that_holds(Peer *me) {
        int first = receive(me->chid);

        peer_say(me, 0);
        peer_hear(me);
        ck_assert_ok(MsgReply(first, 0, NULL, 0));
        if (me->number > 1)
                ck_assert_ok(MsgReply(receive(me->chid), 0, NULL, 0));
        channel_free(me->chid);
}

/* Passes what it gets on to me->number, a channel of process 1 << 16, as often as the last number says. */
static void server_in_the_middle(Peer *me) {
        int coid = connect_side((pid_t)(me->number >> 16), (int)(me->number & 0xff));
        long n = me->number >> 8 & 0xff;

        while (n--) {
                int rcvid = receive(me->chid);

                ck_assert_int_eq(MsgSend(coid, "on", 2, NULL, 0), 0);
                ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        }
        connect_free(coid);
        channel_free(me->chid);
}

static long address(const Peer *server, int messages) {
        return (long)server->pid << 16 | messages << 8 | server->chid;
}

/* A client that runs at @priority from its first instruction on, whatever its user may. */
static Peer start_high(uid_t uid, const Peer *server, int priority) {
        Peer peer;

        become(priority);
        peer = uid ? peer_start_as(uid, client, server->pid, server->chid, 0)
                   : peer_start_at(client, server, 0);
        become(10);
        return peer;
}

static void let_go(Peer *server) {
        peer_say(server, 0);
}

/* ---- other users ---- */

START_TEST(a_server_of_another_user_is_raised) {
        Peer server, low, high;

        if (lacks_realtime())
                return;
        server = peer_serve_as(BOB, server_that_holds, 0, 2);
        low = peer_start_as(ALICE, client, server.pid, server.chid, 0);
        peer_hear(&server);
        ck_assert_int_eq(kernel_priority(server.pid), 0);
        high = start_high(ALICE, &server, 30);
        await_kernel_priority(server.pid, 30);
        let_go(&server);
        peer_end(&low);
        peer_end(&high);
        peer_end(&server);
}
END_TEST

START_TEST(a_number_without_the_kernels_right_raises_nobody) {
        Peer server, low, liar, high;

        if (lacks_realtime())
                return;
        server = peer_serve_as(BOB, server_that_holds, 0, 1);
        low = peer_start_as(ALICE, client, server.pid, server.chid, 0);
        peer_hear(&server);
        liar = peer_start_as(ALICE, client, server.pid, server.chid, 0);
        wait_for_state(liar.pid, "SEND");
        high = start_high(ALICE, &server, 11);
        await_kernel_priority(server.pid, 11);
        peer_kill(&liar);
        peer_kill(&high);
        let_go(&server);
        peer_end(&low);
        peer_end(&server);
}
END_TEST

START_TEST(nobody_lends_more_than_63_but_root) {
        Peer server, low, high;

        if (lacks_realtime())
                return;
        server = peer_serve_as(BOB, server_that_holds, 0, 1);
        low = peer_start_as(ALICE, client, server.pid, server.chid, 0);
        peer_hear(&server);
        high = start_high(ALICE, &server, 80);
        await_kernel_priority(server.pid, 63);
        peer_kill(&high);
        let_go(&server);
        peer_end(&low);
        peer_end(&server);
}
END_TEST

/* ---- servers behind servers ---- */

#define CHAIN 4

static void raise_a_chain(bool users) {
        Peer servers[CHAIN], low, high;

        servers[0] = users ? peer_serve_as(BOB, server_that_holds, 0, 2) : peer_serve(server_that_holds, 0, 2);
        for (int i = 1; i < CHAIN; i++)
                servers[i] = users && i % 2 ? peer_serve_as(ALICE, server_in_the_middle, 0, address(&servers[i - 1], 2))
                                            : peer_serve(server_in_the_middle, 0, address(&servers[i - 1], 2));
        low = peer_start_at(client, &servers[CHAIN - 1], 0);
        peer_hear(&servers[0]);
        for (int i = 0; i < CHAIN; i++)
                ck_assert_int_eq(kernel_priority(servers[i].pid), 0);
        high = start_high(0, &servers[CHAIN - 1], 30);
        for (int i = CHAIN - 1; i >= 0; i--)
                await_kernel_priority(servers[i].pid, 30);
        let_go(&servers[0]);
        peer_end(&low);
        peer_end(&high);
        for (int i = 0; i < CHAIN; i++)
                peer_end(&servers[i]);
}

START_TEST(a_boost_goes_on_through_servers_that_wait_for_servers) {
        if (!lacks_realtime())
                raise_a_chain(false);
}
END_TEST

START_TEST(a_boost_goes_on_through_servers_of_several_users) {
        if (!lacks_realtime())
                raise_a_chain(true);
}
END_TEST

/* A server in the middle that waits in a queue waits there at the new priority. */
START_TEST(what_waits_in_a_queue_is_sorted_anew) {
        Peer far, middle, low, other, high;
        int order[2];

        if (lacks_realtime())
                return;
        far.chid = channel_new(0);
        far.pid = getpid();
        middle = peer_serve(server_in_the_middle, 0, address(&far, 2));
        low = peer_start_at(client, &middle, 0);
        wait_for_state(middle.pid, "SEND");
        other = start_high(0, &far, 20);
        wait_for_state(other.pid, "SEND");
        high = start_high(0, &middle, 30);
        await_kernel_priority(middle.pid, 30);
        for (int i = 0; i < 3; i++) {
                struct _msg_info info;
                char message[16];
                int rcvid = MsgReceive(far.chid, message, sizeof(message), &info);

                if (i < 2)
                        order[i] = info.pid;
                ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
                if (i == 0) /* its next comes before the other's, too */
                        wait_for_state(middle.pid, "SEND");
        }
        ck_assert_int_eq(order[0], middle.pid);
        MsgReceive(-1, NULL, 0, NULL);
        peer_end(&low);
        peer_end(&high);
        peer_end(&other);
        peer_end(&middle);
        channel_free(far.chid);
}
END_TEST

/* ---- PID namespaces ---- */

START_TEST(a_server_in_another_pid_namespace_is_raised) {
        Peer server, low, high;

        if (lacks_realtime())
                return;
        if (syscall(SYS_unshare, 0x20000000 /* CLONE_NEWPID */) < 0) {
                harness_leave_out("no PID namespaces");
                return;
        }
        server = peer_serve(server_that_holds, 0, 2); /* process 1 there */
        low = peer_start_at(client, &server, 0);
        peer_hear(&server);
        ck_assert_int_eq(kernel_priority(server.pid), 0);
        high = start_high(0, &server, 30);
        await_kernel_priority(server.pid, 30);
        let_go(&server);
        peer_end(&low);
        peer_end(&high);
        peer_end(&server);
}
END_TEST

int main(void) {
        return harness_main_users(
                "boost", HARNESS_TESTS(a_server_of_another_user_is_raised,
                                       a_number_without_the_kernels_right_raises_nobody,
                                       nobody_lends_more_than_63_but_root,
                                       a_boost_goes_on_through_servers_that_wait_for_servers,
                                       a_boost_goes_on_through_servers_of_several_users,
                                       what_waits_in_a_queue_is_sorted_anew,
                                       a_server_in_another_pid_namespace_is_raised));
}
