/* SPDX-License-Identifier: MIT */
/* A coid without _NTO_SIDE_CHANNEL is a descriptor: close, dup, fork and exec mean what they say. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

/* Answers `number` messages, each with the number of its coid at the client. */
static void server_of_coids(Peer *me) {
        for (long i = 0; i < me->number; i++) {
                struct _msg_info info;
                char message[8];
                int rcvid = MsgReceive(me->chid, message, sizeof(message), &info);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_ok(MsgReply(rcvid, info.coid, NULL, 0));
        }
        peer_hear(me);
        channel_free(me->chid);
}

static void server_end(Peer *server) {
        peer_say(server, 0);
        peer_end(server);
}

static int connect_fd(const Peer *server) {
        int coid = ConnectAttach(0, server->pid, server->chid, 0, 0);

        ck_assert_int_ge(coid, 0);
        ck_assert_int_lt(coid, 1024);
        return coid;
}

START_TEST(messages_go_over_a_descriptor) {
        Peer server = peer_serve(server_of_coids, 0, 2);
        int coid = connect_fd(&server);

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), coid);
        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), coid);
        connect_free(coid);
        server_end(&server);
}
END_TEST

/* Answers until a client process has gone. */
static void serve_one_client(Peer *me) {
        struct _pulse pulse;

        for (;;) {
                int rcvid = MsgReceive(me->chid, &pulse, sizeof(pulse), NULL);

                ck_assert_int_ge(rcvid, 0);
                if (rcvid == 0)
                        break;
                ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        }
        ck_assert_int_eq(pulse.code, _PULSE_CODE_DISCONNECT);
        ck_assert_ok(ConnectDetach(pulse.scoid));
        peer_say(me, 1);
}

/* The server waits for its client to go; its channel has DISCONNECT. */
static void server_of_disconnect(Peer *me) {
        serve_one_client(me);
        channel_free(me->chid);
}

static void server_of_two_disconnects(Peer *me) {
        serve_one_client(me);
        serve_one_client(me);
        channel_free(me->chid);
}

START_TEST(close_is_a_detach) {
        Peer server = peer_serve(server_of_disconnect, _NTO_CHF_DISCONNECT, 0);
        int coid = connect_fd(&server);

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 0);
        ck_assert_int_eq(close(coid), 0);
        ck_assert_int_eq(peer_hear(&server), 1);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        ck_assert_fails(ConnectDetach(coid), EINVAL);
        peer_end(&server);
}
END_TEST

START_TEST(a_closed_number_that_is_a_file_again_is_no_connection) {
        Peer server = peer_serve(server_of_coids, 0, 0);
        int coid = connect_fd(&server);
        int fd;

        ck_assert_int_eq(close(coid), 0);
        fd = open("/dev/null", O_RDWR);
        ck_assert_int_eq(fd, coid);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        ck_assert_fails(ConnectDetach(coid), EINVAL);
        ck_assert_int_eq(write(fd, "x", 1), 1);
        close(fd);
        server_end(&server);
}
END_TEST

START_TEST(a_dup_is_the_same_connection_under_another_number) {
        Peer server = peer_serve(server_of_disconnect, _NTO_CHF_DISCONNECT, 0);
        int coid = connect_fd(&server);
        int copy = dup(coid), copy2, copy3;

        ck_assert_int_gt(copy, coid);
        ck_assert_int_eq(MsgSend(copy, "x", 1, NULL, 0), 0);
        copy2 = dup2(coid, 210);
        ck_assert_int_eq(MsgSend(copy2, "x", 1, NULL, 0), 0);
        copy3 = fcntl(coid, F_DUPFD_CLOEXEC, 220);
        ck_assert_int_eq(copy3, 220);
        ck_assert_int_eq(MsgSend(copy3, "x", 1, NULL, 0), 0);
        ck_assert_int_eq(close(coid), 0);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        ck_assert_int_eq(MsgSend(copy, "x", 1, NULL, 0), 0);
        ck_assert_int_eq(close(copy), 0);
        ck_assert_int_eq(MsgSend(copy2, "x", 1, NULL, 0), 0);
        connect_free(copy2);
        ck_assert_int_eq(MsgSend(copy3, "x", 1, NULL, 0), 0);
        ck_assert(!peer_has_spoken(&server));
        /* the last copy is the connection's end */
        ck_assert_int_eq(close(copy3), 0);
        ck_assert_int_eq(peer_hear(&server), 1);
        peer_end(&server);
}
END_TEST

START_TEST(dup2_over_a_connection_ends_it) {
        Peer server = peer_serve(server_of_disconnect, _NTO_CHF_DISCONNECT, 0);
        int coid = connect_fd(&server);
        int fd = open("/dev/null", O_RDWR);

        ck_assert_int_eq(dup2(fd, coid), coid);
        ck_assert_int_eq(peer_hear(&server), 1);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        ck_assert_int_eq(write(coid, "x", 1), 1);
        close(fd);
        close(coid);
        peer_end(&server);
}
END_TEST

START_TEST(close_range_and_closefrom_end_connections) {
        Peer server = peer_serve(server_of_disconnect, _NTO_CHF_DISCONNECT, 0);
        int coid = ConnectAttach(0, server.pid, server.chid, 400, 0);

        ck_assert_int_eq(coid, 400);
        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 0);
        ck_assert_int_eq(close_range(400, 500, 0), 0);
        ck_assert_int_eq(peer_hear(&server), 1);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        peer_end(&server);
}
END_TEST

/* ---- fork ---- */

START_TEST(a_fork_child_uses_the_descriptor_as_its_own_connection) {
        Peer server = peer_serve(server_of_coids, 0, 4);
        int coid = connect_fd(&server);
        pid_t child;
        int status;

        ck_assert_int_eq(MsgSend(coid, "p", 1, NULL, 0), coid);
        child = fork();
        if (child == 0) {
                ck_assert_int_eq(MsgSend(coid, "c", 1, NULL, 0), coid);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(MsgSend(coid, "p", 1, NULL, 0), coid);
        ck_assert_int_eq(MsgSend(coid, "p", 1, NULL, 0), coid);
        connect_free(coid);
        server_end(&server);
}
END_TEST

static void server_of_identity(Peer *me) {
        struct _msg_info info[2];

        for (int i = 0; i < 2; i++) {
                pid_t pid = 0;
                int rcvid = MsgReceive(me->chid, &pid, sizeof(pid), &info[i]);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_int_eq(info[i].pid, pid);
                ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        }
        ck_assert_int_ne(info[0].scoid, info[1].scoid);
        peer_hear(me);
        channel_free(me->chid);
}

START_TEST(a_fork_child_sends_as_itself) {
        Peer server = peer_serve(server_of_identity, 0, 0);
        int coid = connect_fd(&server);
        pid_t me = getpid(), child;
        int status;

        ck_assert_int_eq(MsgSend(coid, &me, sizeof(me), NULL, 0), 0);
        child = fork();
        if (child == 0) {
                me = getpid();
                ck_assert_int_eq(MsgSend(coid, &me, sizeof(me), NULL, 0), 0);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        connect_free(coid);
        server_end(&server);
}
END_TEST

/* Each process is a client of its own; the connection itself ends with its last holder. */
START_TEST(a_connection_lives_while_any_process_holds_it) {
        Peer server = peer_serve(server_of_two_disconnects, _NTO_CHF_DISCONNECT, 0);
        int coid = connect_fd(&server);
        int wire[2], status;
        pid_t child;
        char byte;

        ck_assert_int_eq(pipe(wire), 0);
        child = fork();
        if (child == 0) {
                close(wire[1]);
                ck_assert_int_eq(read(wire[0], &byte, 1), 0); /* until the parent has closed its own */
                ck_assert_int_eq(MsgSend(coid, "c", 1, NULL, 0), 0);
                _exit(0);
        }
        close(wire[0]);
        ck_assert_int_eq(close(coid), 0);
        ck_assert_int_eq(peer_hear(&server), 1); /* the parent has gone, as a client */
        close(wire[1]);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(peer_hear(&server), 1);
        peer_end(&server);
}
END_TEST

/* ---- exec: this program runs itself with a coid to send on ---- */

#define EXEC_ENV "NUNTIUS_TEST_COID"

static int run_after_exec(const char *number) {
        long r = MsgSend(atoi(number), "e", 1, NULL, 0);

        return r == 0 ? 0 : errno == EBADF ? 1 : 2;
}

static int spawn_self(int coid) {
        char *arguments[] = { (char *)"/proc/self/exe", NULL };
        char number[16];
        int status;
        pid_t child;

        snprintf(number, sizeof(number), "%d", coid);
        setenv(EXEC_ENV, number, 1);
        child = fork();
        if (child == 0) {
                execv(arguments[0], arguments);
                _exit(99);
        }
        unsetenv(EXEC_ENV);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

START_TEST(an_exec_keeps_a_descriptor_connection) {
        Peer server = peer_serve(server_of_two_disconnects, _NTO_CHF_DISCONNECT, 0);
        int coid = connect_fd(&server);

        ck_assert_int_eq(spawn_self(coid), 0);
        ck_assert_int_eq(peer_hear(&server), 1); /* the program that was run has gone, as a client */
        ck_assert_int_eq(MsgSend(coid, "p", 1, NULL, 0), 0);
        ck_assert_int_eq(close(coid), 0);
        ck_assert_int_eq(peer_hear(&server), 1);
        peer_end(&server);
}
END_TEST

START_TEST(an_exec_closes_a_cloexec_connection) {
        Peer server = peer_serve(server_of_disconnect, _NTO_CHF_DISCONNECT, 0);
        int coid = ConnectAttach(0, server.pid, server.chid, 0, _NTO_COF_CLOEXEC);

        ck_assert_int_ge(coid, 0);
        ck_assert_int_eq(spawn_self(coid), 1);
        ck_assert_int_eq(MsgSend(coid, "p", 1, NULL, 0), 0);
        connect_free(coid);
        ck_assert_int_eq(peer_hear(&server), 1);
        peer_end(&server);
}
END_TEST

START_TEST(an_exec_ends_a_side_channel_connection) {
        Peer server = peer_serve(server_of_disconnect, _NTO_CHF_DISCONNECT, 0);
        int coid = connect_side(server.pid, server.chid);

        ck_assert_int_eq(spawn_self(coid), 1);
        connect_free(coid);
        ck_assert_int_eq(peer_hear(&server), 1);
        peer_end(&server);
}
END_TEST

/* 0, 1 and 2 are numbers as any other. */
static void client_without_standard_descriptors(Peer *me) {
        int coid;

        close(0);
        coid = ConnectAttach(0, me->server, me->chid, 0, 0);
        ck_assert_int_eq(coid, 0);
        ck_assert_int_eq(MsgSend(0, "x", 1, NULL, 0), 0);
        connect_free(0);
}

START_TEST(a_coid_may_be_0) {
        Peer server = peer_serve(server_of_coids, 0, 1);
        Peer client = peer_start_at(client_without_standard_descriptors, &server, 0);

        peer_end(&client);
        server_end(&server);
}
END_TEST

int main(void) {
        const char *after_exec = getenv(EXEC_ENV);

        if (after_exec)
                return run_after_exec(after_exec);
        return harness_main("coid",
                            HARNESS_TESTS(messages_go_over_a_descriptor, close_is_a_detach,
                                          a_closed_number_that_is_a_file_again_is_no_connection,
                                          a_dup_is_the_same_connection_under_another_number,
                                          dup2_over_a_connection_ends_it,
                                          close_range_and_closefrom_end_connections,
                                          a_fork_child_uses_the_descriptor_as_its_own_connection,
                                          a_fork_child_sends_as_itself,
                                          a_connection_lives_while_any_process_holds_it,
                                          an_exec_keeps_a_descriptor_connection,
                                          an_exec_closes_a_cloexec_connection,
                                          an_exec_ends_a_side_channel_connection, a_coid_may_be_0));
}
