/* SPDX-License-Identifier: MIT */
/* Death and detaching, of either side, at any moment. */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

static int receive_message(int chid) {
        char message[16];
        int rcvid = MsgReceive(chid, message, sizeof(message), NULL);

        ck_assert_int_gt(rcvid, 0);
        return rcvid;
}

/* ---- servers ---- */

static void server_receives_and_exits(Peer *me) {
        receive_message(me->chid);
        peer_hear(me);
        _exit(0);
}

static void server_only_waits(Peer *me) {
        peer_hear(me);
        _exit(0);
}

static void *send_expecting(void *arg) {
        const Peer *to = arg;
        int coid = peer_connect(to);

        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), to->number);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        ck_assert_r(MsgSend_r(coid, "x", 1, NULL, 0), -EBADF);
        ck_assert_fails(MsgSendPulse(coid, 10, 1, 0), EBADF);
        connect_free(coid);
        return NULL;
}

START_TEST(scenario_71_reply_blocked_when_the_server_exits_is_esrch) {
        Peer server = peer_serve(server_receives_and_exits, 0, 0);
        Thread sender;

        server.number = ESRCH;
        sender = thread_start(send_expecting, &server);
        wait_for_state(getpid(), "REPLY");
        peer_say(&server, 0);
        thread_end(sender);
        peer_end(&server);
}
END_TEST

START_TEST(reply_blocked_when_the_server_is_killed_is_esrch) {
        Peer server = peer_serve(server_receives_and_exits, _NTO_CHF_UNBLOCK, 0);
        Thread sender;

        server.number = ESRCH;
        sender = thread_start(send_expecting, &server);
        wait_for_state(getpid(), "REPLY");
        peer_kill(&server);
        thread_end(sender);
}
END_TEST

START_TEST(scenario_72_send_blocked_when_the_server_exits_is_esrch) {
        Peer server = peer_serve(server_only_waits, 0, 0);
        Thread sender;

        server.number = ESRCH;
        sender = thread_start(send_expecting, &server);
        wait_for_state(getpid(), "SEND");
        peer_say(&server, 0);
        thread_end(sender);
        peer_end(&server);
}
END_TEST

START_TEST(scenario_73_a_server_that_exited_earlier_is_ebadf) {
        Peer server = peer_serve(server_only_waits, 0, 0);
        int coid = connect_side(server.pid, server.chid);
        int fd = ConnectAttach(0, server.pid, server.chid, 0, 0);

        peer_kill(&server);
        wait_for_oblivion(server.pid);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        ck_assert_fails(MsgSend(fd, "x", 1, NULL, 0), EBADF);
        ck_assert_fails(MsgSendPulse(coid, 10, 1, 0), EBADF);
        connect_free(coid);
        connect_free(fd);
}
END_TEST

static void client_waits_for_death(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), ESRCH);
        connect_free(coid);
}

static void server_holds(Peer *me) {
        for (long i = 0; i < me->number; i++)
                receive_message(me->chid);
        peer_say(me, 1);
        peer_hear(me);
}

START_TEST(many_clients_blocked_in_all_states_survive_a_killed_server) {
        Peer server = peer_serve(server_holds, 0, 5);
        Peer clients[10];

        for (int i = 0; i < 10; i++)
                clients[i] = peer_start_at(client_waits_for_death, &server, 0);
        ck_assert_int_eq(peer_hear(&server), 1);
        for (int i = 0; i < 10; i++)
                while (count_states(clients[i].pid, "REPLY") + count_states(clients[i].pid, "SEND") == 0)
                        ;
        peer_kill(&server);
        for (int i = 0; i < 10; i++)
                peer_end(&clients[i]);
}
END_TEST

/* ---- clients ---- */

static void expect_disconnect(int chid, int scoid) {
        struct _pulse pulse;
        struct _client_info info;

        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_DISCONNECT);
        ck_assert_int_eq(pulse.scoid, scoid);
        ck_assert_ok(ConnectClientInfo(scoid, &info, 0)); /* still known */
        ck_assert_ok(ConnectDetach(scoid));
        ck_assert_fails(ConnectDetach(scoid), EINVAL);
        ck_assert_fails(ConnectClientInfo(scoid, &info, 0), EINVAL);
}

static int receive_from(int chid, int *ret_scoid) {
        struct _msg_info info;
        char message[16];
        int rcvid = MsgReceive(chid, message, sizeof(message), &info);

        ck_assert_int_gt(rcvid, 0);
        *ret_scoid = info.scoid;
        return rcvid;
}

static void client_sends_and_exits(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 0);
        _exit(0); /* without detaching */
}

START_TEST(scenario_74_a_client_that_exits_is_a_disconnect_pulse) {
        int chid = channel_new(_NTO_CHF_DISCONNECT);
        Peer client = peer_start(client_sends_and_exits, chid, 0);
        int scoid;

        ck_assert_ok(MsgReply(receive_from(chid, &scoid), 0, NULL, 0));
        expect_disconnect(chid, scoid);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void client_is_held(Peer *me) {
        int coid = peer_connect(me);

        MsgSend(coid, "x", 1, NULL, 0);
        peer_hear(me);
}

START_TEST(a_client_killed_while_its_message_is_held) {
        int chid = channel_new(_NTO_CHF_DISCONNECT);
        Peer client = peer_start(client_is_held, chid, 0);
        char byte;
        int scoid, rcvid = receive_from(chid, &scoid);

        wait_for_state(client.pid, "REPLY");
        peer_kill(&client);
        expect_disconnect(chid, scoid);
        ck_assert_fails(MsgReply(rcvid, 0, NULL, 0), ESRCH);
        ck_assert_fails(MsgRead(rcvid, &byte, 1, 0), ESRCH);
        channel_free(chid);
}
END_TEST

START_TEST(a_client_killed_while_send_blocked_leaves_the_queue) {
        int chid = channel_new(_NTO_CHF_DISCONNECT);
        Peer client = peer_start(client_is_held, chid, 0);
        struct _pulse pulse;

        wait_for_state(client.pid, "SEND");
        peer_kill(&client);
        wait_for_oblivion(client.pid);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_DISCONNECT);
        ck_assert_ok(ConnectDetach(pulse.scoid));
        channel_free(chid);
}
END_TEST

static void client_with_two_coids(Peer *me) {
        int first = peer_connect(me), second = peer_connect(me);

        ck_assert_int_eq(MsgSend(first, "x", 1, NULL, 0), 0);
        connect_free(first);
        ck_assert_int_eq(MsgSend(second, "x", 1, NULL, 0), 0);
        peer_hear(me);
        connect_free(second);
        peer_hear(me);
}

START_TEST(scenario_75_only_the_last_detach_is_a_disconnect) {
        int chid = channel_new(_NTO_CHF_DISCONNECT);
        Peer client = peer_start(client_with_two_coids, chid, 0);
        char bytes[32];
        int scoid;

        ck_assert_ok(MsgReply(receive_from(chid, &scoid), 0, NULL, 0));
        /* the second message comes after the first detach: no pulse was before it */
        ck_assert_ok(MsgReply(receive_from(chid, &scoid), 0, NULL, 0));
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
        ck_assert_fails(MsgReceive(chid, bytes, sizeof(bytes), NULL), ETIMEDOUT);
        peer_say(&client, 0);
        expect_disconnect(chid, scoid);
        peer_say(&client, 0);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_76_an_scoid_is_not_used_again_before_it_is_detached) {
        int chid = channel_new(_NTO_CHF_DISCONNECT);
        int scoids[6];
        struct _pulse pulse;

        for (int i = 0; i < 6; i++) {
                Peer client = peer_start(client_sends_and_exits, chid, 0);

                ck_assert_ok(MsgReply(receive_from(chid, &scoids[i]), 0, NULL, 0));
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, _PULSE_CODE_DISCONNECT);
                ck_assert_int_eq(pulse.scoid, scoids[i]);
                peer_end(&client);
                for (int k = 0; k < i; k++)
                        ck_assert_int_ne(scoids[i], scoids[k]);
        }
        for (int i = 0; i < 6; i++)
                ck_assert_ok(ConnectDetach(scoids[i]));
        channel_free(chid);
}
END_TEST

static void client_leaves_pulses(Peer *me) {
        int coid = peer_connect(me);

        for (int i = 0; i < 20; i++)
                ck_assert_ok(MsgSendPulse(coid, 1 + i % 3, i, 0));
        _exit(0);
}

START_TEST(the_disconnect_pulse_comes_after_what_the_client_had_queued) {
        int chid = channel_new(_NTO_CHF_DISCONNECT);
        Peer client = peer_start(client_leaves_pulses, chid, 0);
        struct _pulse pulse;

        peer_end(&client);
        wait_for_oblivion(client.pid);
        for (int i = 0; i < 20; i++) {
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_ge(pulse.code, 0);
        }
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_DISCONNECT);
        ck_assert_ok(ConnectDetach(pulse.scoid));
        channel_free(chid);
}
END_TEST

START_TEST(without_the_flag_a_client_goes_silently) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_and_exits, chid, 0);
        struct _client_info info;
        char bytes[32];
        int scoid;

        ck_assert_ok(MsgReply(receive_from(chid, &scoid), 0, NULL, 0));
        peer_end(&client);
        wait_for_oblivion(client.pid);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
        ck_assert_fails(MsgReceive(chid, bytes, sizeof(bytes), NULL), ETIMEDOUT);
        ck_assert_fails(ConnectClientInfo(scoid, &info, 0), EINVAL);
        channel_free(chid);
}
END_TEST

/* A client that connects and never sends is a client, too. */
static void client_only_connects(Peer *me) {
        peer_connect(me);
        peer_say(me, 1);
        peer_hear(me);
        _exit(0);
}

START_TEST(a_client_that_never_sent_disconnects_too) {
        int chid = channel_new(_NTO_CHF_DISCONNECT);
        Peer client = peer_start(client_only_connects, chid, 0);
        struct _pulse pulse;

        ck_assert_int_eq(peer_hear(&client), 1);
        peer_say(&client, 0);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_DISCONNECT);
        ck_assert_ok(ConnectDetach(pulse.scoid));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- COID_DISCONNECT ---- */

START_TEST(scenario_77_a_dead_coid_is_a_coiddeath_pulse) {
        int chid = channel_new(_NTO_CHF_COID_DISCONNECT);
        Peer servers[2];
        int coids[2];
        struct _pulse pulse;
        struct _server_info info;

        for (int i = 0; i < 2; i++) {
                servers[i] = peer_serve(server_only_waits, 0, 0);
                coids[i] = connect_side(servers[i].pid, servers[i].chid);
        }
        for (int i = 0; i < 2; i++) {
                peer_kill(&servers[i]);
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, _PULSE_CODE_COIDDEATH);
                ck_assert_int_eq(pulse.value.sival_int, coids[i]);
                ck_assert_int_eq(ConnectServerInfo(0, coids[i], &info), coids[i]);
                ck_assert_fails(MsgSend(coids[i], "x", 1, NULL, 0), EBADF);
        }
        connect_free(coids[0]);
        connect_free(coids[1]);
        channel_free(chid);
}
END_TEST

static void server_destroys(Peer *me) {
        peer_hear(me);
        channel_free(me->chid);
        peer_hear(me);
}

START_TEST(a_destroyed_channel_is_a_coiddeath_pulse_too) {
        int chid = channel_new(_NTO_CHF_COID_DISCONNECT);
        Peer server = peer_serve(server_destroys, 0, 0);
        int coid = ConnectAttach(0, server.pid, server.chid, 0, 0);
        struct _pulse pulse;

        peer_say(&server, 0);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_COIDDEATH);
        ck_assert_int_eq(pulse.value.sival_int, coid);
        connect_free(coid);
        peer_say(&server, 0);
        peer_end(&server);
        channel_free(chid);
}
END_TEST

/* ---- ConnectDetach under a blocked thread ---- */

typedef struct Blocked {
        int coid;
        int expected;
} Blocked;

static void *send_and_expect(void *arg) {
        const Blocked *blocked = arg;

        ck_assert_fails(MsgSend(blocked->coid, "x", 1, NULL, 0), blocked->expected);
        return NULL;
}

START_TEST(scenario_82_detach_under_a_send_blocked_thread_fails_it) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Blocked blocked = { connect_side(0, chid), EBADF };
        Thread sender = thread_start(send_and_expect, &blocked);
        char bytes[32];

        wait_for_state(getpid(), "SEND");
        connect_free(blocked.coid);
        thread_end(sender);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
        ck_assert_fails(MsgReceive(chid, bytes, sizeof(bytes), NULL), ETIMEDOUT);
        channel_free(chid);
}
END_TEST

START_TEST(detach_under_a_reply_blocked_thread_fails_it_without_unblock) {
        int chid = channel_new(0);
        Blocked blocked = { connect_side(0, chid), EBADF };
        Thread sender = thread_start(send_and_expect, &blocked);
        int rcvid = receive_message(chid);

        wait_for_state(getpid(), "REPLY");
        connect_free(blocked.coid);
        thread_end(sender);
        ck_assert_fails(MsgReply(rcvid, 0, NULL, 0), ESRCH);
        channel_free(chid);
}
END_TEST

START_TEST(detach_under_a_reply_blocked_thread_asks_the_server_with_unblock) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Blocked blocked = { connect_side(0, chid), EPROTO };
        Thread sender = thread_start(send_and_expect, &blocked);
        int rcvid = receive_message(chid);
        struct _pulse pulse;

        wait_for_state(getpid(), "REPLY");
        connect_free(blocked.coid);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_UNBLOCK);
        ck_assert_int_eq(pulse.value.sival_int, rcvid);
        ck_assert_ok(MsgError(rcvid, EPROTO));
        thread_end(sender);
        channel_free(chid);
}
END_TEST

static void client_is_thrown_out(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), ESRCH);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        connect_free(coid);
}

START_TEST(a_server_that_detaches_an_scoid_fails_its_client) {
        int chid = channel_new(0);
        Peer client = peer_start(client_is_thrown_out, chid, 0);
        int scoid, rcvid = receive_from(chid, &scoid);

        wait_for_state(client.pid, "REPLY");
        ck_assert_ok(ConnectDetach(scoid));
        peer_end(&client);
        ck_assert_fails(MsgReply(rcvid, 0, NULL, 0), ESRCH);
        channel_free(chid);
}
END_TEST

/* ---- threads of the server ---- */

static int held_rcvid;

static void *receive_and_die(void *arg) {
        held_rcvid = receive_message(*(int *)arg);
        return NULL;
}

static void client_expects_77(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 77);
        connect_free(coid);
}

START_TEST(the_receiving_thread_may_end_before_the_reply) {
        int chid = channel_new(0);
        Peer client = peer_start(client_expects_77, chid, 0);

        thread_end(thread_start(receive_and_die, &chid));
        wait_for_state(client.pid, "REPLY");
        ck_assert_ok(MsgReply(held_rcvid, 77, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- many deaths ---- */

static void client_sends_forever(Peer *me) {
        int coid = peer_connect(me);

        peer_say(me, 1);
        for (;;)
                MsgSend(coid, "x", 1, NULL, 0);
}

#define DEATHS 60

START_TEST(a_server_serves_on_while_clients_are_killed) {
        int chid = channel_new(_NTO_CHF_DISCONNECT | _NTO_CHF_UNBLOCK);
        int gone = 0, started = 0;
        Peer client[3];

        for (; started < 3; started++)
                client[started] = peer_start(client_sends_forever, chid, 0);
        for (unsigned n = 1; gone < DEATHS; n++) {
                struct _pulse pulse;
                int rcvid = MsgReceive(chid, &pulse, sizeof(pulse), NULL);

                ck_assert_int_ge(rcvid, 0);
                if (n % 40 == 0 && started < DEATHS + 3) {
                        Peer *victim = &client[started % 3];

                        ck_assert_int_eq(peer_hear(victim), 1); /* one that never connected leaves no pulse */
                        peer_kill(victim);
                        if (started++ < DEATHS)
                                *victim = peer_start(client_sends_forever, chid, 0);
                }
                if (rcvid > 0) {
                        MsgReply(rcvid, 0, NULL, 0);
                } else if (pulse.code == _PULSE_CODE_DISCONNECT) {
                        ck_assert_ok(ConnectDetach(pulse.scoid));
                        gone++;
                }
        }
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("death", scenario_71_reply_blocked_when_the_server_exits_is_esrch,
             reply_blocked_when_the_server_is_killed_is_esrch,
             scenario_72_send_blocked_when_the_server_exits_is_esrch,
             scenario_73_a_server_that_exited_earlier_is_ebadf,
             many_clients_blocked_in_all_states_survive_a_killed_server,
             scenario_74_a_client_that_exits_is_a_disconnect_pulse,
             a_client_killed_while_its_message_is_held,
             a_client_killed_while_send_blocked_leaves_the_queue,
             scenario_75_only_the_last_detach_is_a_disconnect,
             scenario_76_an_scoid_is_not_used_again_before_it_is_detached,
             the_disconnect_pulse_comes_after_what_the_client_had_queued,
             without_the_flag_a_client_goes_silently, a_client_that_never_sent_disconnects_too,
             scenario_77_a_dead_coid_is_a_coiddeath_pulse,
             a_destroyed_channel_is_a_coiddeath_pulse_too,
             scenario_82_detach_under_a_send_blocked_thread_fails_it,
             detach_under_a_reply_blocked_thread_fails_it_without_unblock,
             detach_under_a_reply_blocked_thread_asks_the_server_with_unblock,
             a_server_that_detaches_an_scoid_fails_its_client,
             the_receiving_thread_may_end_before_the_reply,
             a_server_serves_on_while_clients_are_killed)
