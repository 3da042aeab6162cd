/* SPDX-License-Identifier: MIT */
/* How a program finds its daemon, or a new one, or a clear error. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64];
static char other_socket[96];

/* A socket that nobody listens at yet, in a directory of this test's own. */
static void new_socket(void) {
        snprintf(directory, sizeof(directory), "/tmp/nuntius-start-XXXXXX");
        ck_assert_ptr_ne(mkdtemp(directory), NULL);
        snprintf(other_socket, sizeof(other_socket), "%s/socket", directory);
        setenv("NUNTIUS_SOCKET", other_socket, 1);
}

static void remove_socket(void) {
        char lock[128];

        snprintf(lock, sizeof(lock), "%s.lock", other_socket);
        unlink(other_socket);
        unlink(lock);
        rmdir(directory);
}

static void pulse_to_itself(void) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        struct _pulse pulse;

        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        connect_free(coid);
        channel_free(chid);
}

START_TEST(a_daemon_is_started_where_nuntius_socket_says) {
        struct stat st;

        new_socket();
        pulse_to_itself();
        ck_assert_int_eq(stat(other_socket, &st), 0);
        ck_assert(S_ISSOCK(st.st_mode));
        remove_socket();
}
END_TEST

#define PROGRAMS 8

static void program(Peer *me) {
        peer_hear(me);
        pulse_to_itself();
        peer_say(me, 1);
        peer_hear(me);
}

/* All at once, and nobody was there: one daemon serves them all. */
START_TEST(programs_that_start_together_share_one_daemon) {
        Peer peers[PROGRAMS];
        int chid, coid;

        new_socket();
        for (int i = 0; i < PROGRAMS; i++)
                peers[i] = peer_start(program, 0, 0);
        for (int i = 0; i < PROGRAMS; i++)
                peer_say(&peers[i], 0);
        for (int i = 0; i < PROGRAMS; i++)
                ck_assert_int_eq(peer_hear(&peers[i]), 1);
        chid = channel_new(0);
        coid = connect_side(0, chid);
        for (int i = 0; i < PROGRAMS; i++)
                ck_assert_fails(ConnectAttach(0, peers[i].pid, 1, _NTO_SIDE_CHANNEL, 0), ESRCH);
        for (int i = 0; i < PROGRAMS; i++) {
                ck_assert_fails(ConnectFlags(peers[i].pid, 1, 0, 0), EBADF); /* known, in the same daemon */
                peer_say(&peers[i], 0);
                peer_end(&peers[i]);
        }
        connect_free(coid);
        channel_free(chid);
        remove_socket();
}
END_TEST

static void program_without_daemon(Peer *me) {
        char text[512] = "";
        FILE *file = tmpfile();
        int saved = dup(STDERR_FILENO);

        dup2(fileno(file), STDERR_FILENO);
        ck_assert_fails(ChannelCreate(0), ECONNREFUSED);
        ck_assert_r(ChannelCreate_r(0), -ECONNREFUSED);
        dup2(saved, STDERR_FILENO);
        close(saved);
        rewind(file);
        ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, file), 0);
        fclose(file);
        ck_assert_msg(strstr(text, other_socket) && strstr(text, "NUNTIUS_AUTOSTART"),
                      "the message does not say where and why: %s", text);
        ck_assert_ptr_eq(strchr(strchr(text, '\n'), 0), strchr(text, '\n') + 1); /* one line, once */
}

START_TEST(autostart_0_is_a_clear_error) {
        Peer peer;

        new_socket();
        setenv("NUNTIUS_AUTOSTART", "0", 1);
        peer = peer_start(program_without_daemon, 0, 0);
        peer_end(&peer);
        remove_socket();
}
END_TEST

static void program_with_missing_daemon(Peer *me) {
        int nothing = dup(STDERR_FILENO);

        ck_assert_ptr_ne(freopen("/dev/null", "w", stderr), NULL);
        ck_assert_fails(ChannelCreate(0), ECONNREFUSED);
        dup2(nothing, STDERR_FILENO);
        close(nothing);
}

START_TEST(a_daemon_that_cannot_be_started_is_econnrefused) {
        Peer peer;

        new_socket();
        setenv("NUNTIUSD", "/nowhere/nuntiusd", 1);
        peer = peer_start(program_with_missing_daemon, 0, 0);
        peer_end(&peer);
        remove_socket();
}
END_TEST

START_TEST(the_starter_has_no_child_and_keeps_no_descriptor) {
        unsigned before;

        new_socket();
        before = harness_count_fds();
        channel_free(channel_new(0));
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
        ck_assert_int_eq(errno, ECHILD);
        ck_assert_uint_le(harness_count_fds(), before + 4);
        remove_socket();
}
END_TEST

HARNESS_MAIN("start", a_daemon_is_started_where_nuntius_socket_says,
             programs_that_start_together_share_one_daemon, autostart_0_is_a_clear_error,
             a_daemon_that_cannot_be_started_is_econnrefused,
             the_starter_has_no_child_and_keeps_no_descriptor)
