/* SPDX-License-Identifier: MIT */
/* Client: what makes channels, connections and messages, while what it needs fails. */
#include "trial.h"

#include <errno.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

static int chid, coid;

/* ---- servers ---- */

/* Answers each message with itself, until a pulse comes. */
static void echo(Peer *me) {
        int rcvid;

        while ((rcvid = MsgReceive(me->chid, trial_bytes, sizeof(trial_bytes), NULL)) != 0) {
                struct _msg_info info;

                ck_assert_int_gt(rcvid, 0);
                ck_assert_int_eq(MsgInfo(rcvid, &info), 0);
                ck_assert_int_ne(MsgReply(rcvid, 0, trial_bytes, (size_t)info.msglen), -1);
        }
        channel_free(me->chid);
}

static void take_pulses(Peer *me) {
        struct _pulse pulse;

        do
                ck_assert_int_eq(MsgReceive(me->chid, &pulse, sizeof(pulse), NULL), 0);
        while (pulse.code != 1);
        channel_free(me->chid);
}

static void stop(Peer *server) {
        int pulse_coid = connect_side(server->pid, server->chid);

        ck_assert_ok(MsgSendPulse(pulse_coid, -1, 1, 0));
        peer_end(server);
        connect_free(pulse_coid);
}

static void try_against_echo(const Scenario *scenario) {
        Peer server = peer_serve(echo, 0, 0);

        try_all(scenario, &server);
        stop(&server);
}

/* ---- channels ---- */

static void use_library(Peer *me) {
        (void)me;
        channel_free(channel_new(0));
}

static int create(Peer *me) {
        (void)me;
        chid = ChannelCreate(0);
        return chid < 0 ? errno : EOK;
}

static void destroy(Peer *me) {
        (void)me;
        channel_free(chid);
}

START_TEST(channel_create) {
        static const Scenario scenario = { use_library, create, destroy, { EAGAIN, ENOMEM, EMFILE } };

        try_all(&scenario, NULL);
}
END_TEST

START_TEST(the_first_call_of_a_process) {
        static const Scenario scenario = { NULL, create, destroy, { EAGAIN, ENOMEM, EMFILE } };

        try_all(&scenario, NULL);
}
END_TEST

static int create_and_destroy(Peer *me) {
        int error = EOK;

        (void)me;
        inject_pause();
        chid = channel_new(0);
        inject_resume();
        if (ChannelDestroy(chid) < 0)
                error = errno;
        return error;
}

/* There is nothing that a program could do about it. */
START_TEST(channel_destroy_never_fails) {
        static const Scenario scenario = { use_library, create_and_destroy, NULL, { 0 } };

        try_all(&scenario, NULL);
}
END_TEST

/* ---- connections ---- */

static int attach_side(Peer *me) {
        coid = ConnectAttach(0, me->server, me->chid, _NTO_SIDE_CHANNEL, 0);
        return coid < 0 ? errno : EOK;
}

static int attach_descriptor(Peer *me) {
        coid = ConnectAttach(0, me->server, me->chid, 0, _NTO_COF_CLOEXEC);
        return coid < 0 ? errno : EOK;
}

static int attach_high_descriptor(Peer *me) {
        coid = ConnectAttach(0, me->server, me->chid, 200, 0);
        return coid < 0 ? errno : EOK;
}

static void detach(Peer *me) {
        (void)me;
        connect_free(coid);
}

/* The first one between two processes brings link and bell. */
START_TEST(connect_attach_of_the_side_channel) {
        static const Scenario scenario = { use_library, attach_side, detach, { EAGAIN, ENOMEM, EMFILE } };

        try_against_echo(&scenario);
}
END_TEST

START_TEST(connect_attach_of_a_descriptor) {
        static const Scenario scenario = { use_library, attach_descriptor, detach, { EAGAIN, ENOMEM, EMFILE } };

        try_against_echo(&scenario);
}
END_TEST

static void attach_before(Peer *me) {
        ck_assert_int_eq(attach_side(me), EOK);
}

START_TEST(connect_attach_where_there_is_a_link) {
        static const Scenario scenario = { attach_before, attach_high_descriptor, detach,
                                           { EAGAIN, ENOMEM, EMFILE } };

        try_against_echo(&scenario);
}
END_TEST

static int detach_side(Peer *me) {
        inject_pause();
        ck_assert_int_eq(attach_side(me), EOK);
        inject_resume();
        return ConnectDetach(coid) < 0 ? errno : EOK;
}

static int detach_descriptor(Peer *me) {
        inject_pause();
        ck_assert_int_eq(attach_descriptor(me), EOK);
        inject_resume();
        return ConnectDetach(coid) < 0 ? errno : EOK;
}

START_TEST(connect_detach_never_fails) {
        static const Scenario side = { attach_before, detach_side, NULL, { 0 } };
        static const Scenario descriptor = { attach_before, detach_descriptor, NULL, { 0 } };

        try_against_echo(&side);
        try_against_echo(&descriptor);
}
END_TEST

static int ask_about(Peer *me) {
        struct _server_info info;

        if (ConnectFlags(0, coid, _NTO_COF_CLOEXEC, 0) < 0)
                return errno;
        if (ConnectServerInfo(0, coid, &info) != coid)
                return errno;
        return ConnectServerInfo(me->server, 0, &info) < 0 && errno != EINVAL ? errno : EOK; /* it has none */
}

START_TEST(connect_server_info_and_flags) {
        static const Scenario scenario = { attach_before, ask_about, NULL, { EAGAIN, ENOMEM } };

        try_against_echo(&scenario);
}
END_TEST

static int ask_who_we_are(Peer *me) {
        struct _client_info *info;

        (void)me;
        if (ConnectClientInfoExt(-1, &info, _NTO_CLIENTINFO_GETGROUPS) < 0)
                return errno;
        ck_assert_int_eq(info->pid, getpid());
        ClientInfoExtFree(&info);
        return EOK;
}

START_TEST(connect_client_info) {
        static const Scenario scenario = { use_library, ask_who_we_are, NULL, { EAGAIN, ENOMEM } };

        try_all(&scenario, NULL);
}
END_TEST

/* ---- descriptors that came another way ---- */

static void attach_and_fork(Peer *me) {
        ck_assert_int_eq(attach_descriptor(me), EOK);
}

static int send_hello(Peer *me) {
        char answer[8] = "";

        (void)me;
        if (MsgSend(coid, "hello", 6, answer, sizeof(answer)) < 0)
                return errno;
        ck_assert_str_eq(answer, "hello");
        return EOK;
}

static int send_from_copy(Peer *me) {
        int original = coid, error;

        coid = dup(original);
        if (coid < 0)
                return errno;
        error = send_hello(me);
        close(coid);
        coid = original;
        return error;
}

START_TEST(a_descriptor_that_was_duplicated) {
        static const Scenario scenario = { attach_and_fork, send_from_copy, NULL, { EAGAIN, ENOMEM, EMFILE } };

        try_against_echo(&scenario);
}
END_TEST

/* The trials inherit a descriptor that this process has attached; each adopts it anew. */
START_TEST(a_descriptor_that_was_inherited) {
        static const Scenario scenario = { NULL, send_hello, NULL, { EAGAIN, ENOMEM, EMFILE } };
        Peer server = peer_serve(echo, 0, 0);

        ck_assert_int_eq(attach_descriptor(&server), EOK);
        try_all(&scenario, &server);
        connect_free(coid);
        stop(&server);
}
END_TEST

/* ---- messages ---- */

START_TEST(msg_send_of_few_bytes) {
        static const Scenario scenario = { attach_before, send_hello, NULL, { EAGAIN, ENOMEM },
                                           .needs_nothing = true };

        try_against_echo(&scenario);
}
END_TEST

static int send_many_bytes(Peer *me) {
        (void)me;
        pattern_fill(trial_bytes, sizeof(trial_bytes), 7);
        memset(trial_back, 0, sizeof(trial_back));
        if (MsgSend(coid, trial_bytes, sizeof(trial_bytes), trial_back, sizeof(trial_back)) < 0)
                return errno;
        ck_assert(pattern_is(trial_back, sizeof(trial_back), 7));
        return EOK;
}

START_TEST(msg_send_of_many_bytes) {
        static const Scenario scenario = { attach_before, send_many_bytes, NULL, { EAGAIN, ENOMEM, EMFILE } };

        try_against_echo(&scenario);
}
END_TEST

static int send_pulse(Peer *me) {
        (void)me;
        return MsgSendPulse(coid, -1, 2, 0) < 0 ? errno : EOK;
}

START_TEST(msg_send_pulse) {
        static const Scenario scenario = { attach_before, send_pulse, NULL, { EAGAIN },
                                           .needs_nothing = true };
        Peer server = peer_serve(take_pulses, 0, 0);

        try_all(&scenario, &server);
        stop(&server);
}
END_TEST

HARNESS_MAIN("failure/client", channel_create, the_first_call_of_a_process,
             channel_destroy_never_fails, connect_attach_of_the_side_channel,
             connect_attach_of_a_descriptor, connect_attach_where_there_is_a_link,
             connect_detach_never_fails, connect_server_info_and_flags, connect_client_info,
             a_descriptor_that_was_duplicated, a_descriptor_that_was_inherited,
             msg_send_of_few_bytes, msg_send_of_many_bytes, msg_send_pulse)
