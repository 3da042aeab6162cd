/* SPDX-License-Identifier: MIT */
/* fork: the child is a process of its own, and the parent does not notice it. */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

static void await_child(pid_t child) {
        int status = -1;

        ck_assert_int_gt(child, 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(status == 0, "the child ended with wait status 0x%x", status);
}

static void echo_server(Peer *me) {
        for (;;) {
                struct _pulse pulse;
                struct _msg_info info;
                int rcvid = MsgReceive(me->chid, &pulse, sizeof(pulse), &info);

                if (rcvid == 0)
                        break;
                ck_assert_int_gt(rcvid, 0);
                ck_assert_ok(MsgReply(rcvid, info.pid, NULL, 0));
        }
        channel_free(me->chid);
}

static void server_end(Peer *server, int coid) {
        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        connect_free(coid);
        peer_end(server);
}

START_TEST(side_channel_coids_are_not_the_childs) {
        Peer server = peer_serve(echo_server, 0, 0);
        int coid = connect_side(server.pid, server.chid);
        pid_t child = fork();

        if (child == 0) {
                ck_assert_fails(MsgSend(coid, "c", 1, NULL, 0), EBADF);
                ck_assert_fails(ConnectDetach(coid), EINVAL);
                _exit(0);
        }
        await_child(child);
        ck_assert_int_eq(MsgSend(coid, "p", 1, NULL, 0), getpid());
        server_end(&server, coid);
}
END_TEST

START_TEST(a_child_attaches_and_sends_as_itself) {
        Peer server = peer_serve(echo_server, 0, 0);
        int coid = connect_side(server.pid, server.chid);
        pid_t child;

        ck_assert_int_eq(MsgSend(coid, "p", 1, NULL, 0), getpid());
        child = fork();
        if (child == 0) {
                int own = connect_side(server.pid, server.chid);

                ck_assert_int_eq(MsgSend(own, "c", 1, NULL, 0), getpid());
                connect_free(own);
                _exit(0);
        }
        await_child(child);
        ck_assert_int_eq(MsgSend(coid, "p", 1, NULL, 0), getpid());
        server_end(&server, coid);
}
END_TEST

START_TEST(the_parents_channels_are_not_the_childs) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;
        pid_t child;

        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        child = fork();
        if (child == 0) {
                ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), ESRCH);
                ck_assert_fails(ChannelDestroy(chid), EINVAL);
                ck_assert_int_eq(channel_new(0), 1); /* the first of this process */
                coid = connect_side(0, 1);
                ck_assert_ok(MsgSendPulse(coid, 10, 2, 0));
                ck_assert_int_eq(MsgReceive(1, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, 2);
                _exit(0);
        }
        await_child(child);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 1);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(a_child_talks_to_its_parent) {
        int chid = channel_new(0);
        pid_t parent = getpid(), child = fork();
        struct _msg_info info;
        char message[8];
        int rcvid;

        if (child == 0) {
                int coid = connect_side(parent, chid);

                ck_assert_int_eq(MsgSend(coid, "hello", 5, NULL, 0), 5);
                connect_free(coid);
                _exit(0);
        }
        rcvid = MsgReceive(chid, message, sizeof(message), &info);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(info.pid, child);
        ck_assert_ok(MsgReply(rcvid, 5, NULL, 0));
        await_child(child);
        channel_free(chid);
}
END_TEST

START_TEST(a_held_message_is_the_parents_to_answer) {
        int chid = channel_new(0);
        pid_t parent = getpid(), client = fork(), child;
        char message[8];
        int rcvid;

        if (client == 0) {
                int coid = connect_side(parent, chid);

                ck_assert_int_eq(MsgSend(coid, "hello", 5, NULL, 0), 6);
                connect_free(coid);
                _exit(0);
        }
        rcvid = MsgReceive(chid, message, sizeof(message), NULL);
        ck_assert_int_gt(rcvid, 0);
        child = fork();
        if (child == 0) {
                ck_assert_fails(MsgReply(rcvid, 1, NULL, 0), ESRCH);
                ck_assert_fails(MsgRead(rcvid, message, 1, 0), ESRCH);
                _exit(0);
        }
        await_child(child);
        ck_assert_ok(MsgReply(rcvid, 6, NULL, 0));
        await_child(client);
        channel_free(chid);
}
END_TEST

static void server_of_disconnect(Peer *me) {
        struct _pulse pulse;

        ck_assert_int_eq(MsgReceive(me->chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_DISCONNECT);
        ck_assert_ok(ConnectDetach(pulse.scoid));
        peer_say(me, 1);
        channel_free(me->chid);
}

/* Children that live on do not keep their dead parent's connections. */
static void parent_leaves_a_child(Peer *me) {
        peer_connect(me);
        if (fork() == 0) {
                peer_say(me, getpid());
                for (;;)
                        pause();
        }
        peer_hear(me);
        _exit(0);
}

START_TEST(a_parents_death_is_noticed_while_its_child_lives) {
        Peer server = peer_serve(server_of_disconnect, _NTO_CHF_DISCONNECT, 0);
        Peer client = peer_start_at(parent_leaves_a_child, &server, 0);
        pid_t child = (pid_t)peer_hear(&client);

        peer_say(&client, 0);
        peer_end(&client);
        ck_assert_int_eq(peer_hear(&server), 1);
        kill(child, SIGKILL);
        peer_end(&server);
}
END_TEST

static volatile int stop;
static volatile int n_wrong; /* the threads assert nothing: Check's lock must be free at each fork */

static void *send_all_the_time(void *arg) {
        while (!stop)
                if (MsgSend(*(int *)arg, "x", 1, NULL, 0) != getpid())
                        n_wrong++;
        return NULL;
}

#define FORKS 30

START_TEST(forks_in_the_midst_of_sending_threads) {
        Peer server = peer_serve(echo_server, 0, 0);
        int coid = connect_side(server.pid, server.chid);
        Thread threads[2];

        for (int i = 0; i < 2; i++)
                threads[i] = thread_start(send_all_the_time, &coid);
        for (int i = 0; i < FORKS; i++) {
                pid_t child = fork();

                if (child == 0) {
                        int own = connect_side(server.pid, server.chid);

                        for (int k = 0; k < 10; k++)
                                ck_assert_int_eq(MsgSend(own, "c", 1, NULL, 0), getpid());
                        connect_free(own);
                        _exit(0);
                }
                await_child(child);
        }
        stop = 1;
        for (int i = 0; i < 2; i++)
                thread_end(threads[i]);
        ck_assert_int_eq(n_wrong, 0);
        server_end(&server, coid);
}
END_TEST

START_TEST(a_grandchild_is_a_process_like_any_other) {
        Peer server = peer_serve(echo_server, 0, 0);
        int coid = connect_side(server.pid, server.chid);
        pid_t child = fork();

        if (child == 0) {
                pid_t grandchild;
                int own = connect_side(server.pid, server.chid);

                ck_assert_int_eq(MsgSend(own, "c", 1, NULL, 0), getpid());
                grandchild = fork();
                if (grandchild == 0) {
                        int its = connect_side(server.pid, server.chid);

                        ck_assert_int_eq(MsgSend(its, "g", 1, NULL, 0), getpid());
                        _exit(0);
                }
                await_child(grandchild);
                ck_assert_int_eq(MsgSend(own, "c", 1, NULL, 0), getpid());
                _exit(0);
        }
        await_child(child);
        server_end(&server, coid);
}
END_TEST

HARNESS_MAIN("fork", side_channel_coids_are_not_the_childs, a_child_attaches_and_sends_as_itself,
             the_parents_channels_are_not_the_childs, a_child_talks_to_its_parent,
             a_held_message_is_the_parents_to_answer,
             a_parents_death_is_noticed_while_its_child_lives, forks_in_the_midst_of_sending_threads,
             a_grandchild_is_a_process_like_any_other)
