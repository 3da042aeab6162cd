/* SPDX-License-Identifier: MIT */
/* Channels: their numbers, flags and end. */
#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

START_TEST(the_first_channel_is_1_and_no_number_is_given_twice) {
        int chids[8];

        for (int i = 0; i < 5; i++) {
                chids[i] = channel_new(0);
                ck_assert_int_eq(chids[i], i + 1);
        }
        channel_free(chids[1]);
        channel_free(chids[3]);
        chids[1] = channel_new(0);
        chids[3] = channel_new(0);
        for (int i = 0; i < 5; i++)
                for (int k = 0; k < i; k++)
                        ck_assert_int_ne(chids[i], chids[k]);
        for (int i = 0; i < 5; i++)
                channel_free(chids[i]);
}
END_TEST

START_TEST(every_flag_with_a_meaning_here_is_taken) {
        static const unsigned flags[] = {
                _NTO_CHF_FIXED_PRIORITY, _NTO_CHF_UNBLOCK, _NTO_CHF_THREAD_DEATH, _NTO_CHF_DISCONNECT,
                _NTO_CHF_NET_MSG, _NTO_CHF_SENDER_LEN, _NTO_CHF_COID_DISCONNECT, _NTO_CHF_REPLY_LEN,
                _NTO_CHF_STICKY, _NTO_CHF_PRIVATE, _NTO_CHF_MSG_PAUSING, _NTO_CHF_INHERIT_RUNMASK,
                _NTO_CHF_UNBLOCK_TIMER,
        };
        unsigned all = 0;

        for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
                all |= flags[i];
                channel_free(channel_new(flags[i]));
        }
        channel_free(channel_new(all));
}
END_TEST

START_TEST(unknown_and_asynchronous_flags_are_enotsup) {
        ck_assert_fails(ChannelCreate(_NTO_CHF_ASYNC), ENOTSUP);
        ck_assert_fails(ChannelCreate(_NTO_CHF_ASYNC_NONBLOCK), ENOTSUP);
        ck_assert_fails(ChannelCreate(_NTO_CHF_GLOBAL), ENOTSUP);
        ck_assert_fails(ChannelCreate(0x10000), ENOTSUP);
        ck_assert_fails(ChannelCreate(0x80000000), ENOTSUP);
        ck_assert_r(ChannelCreate_r(0x10000), -ENOTSUP);
        ck_assert_fails(ChannelCreateExt(_NTO_CHF_ASYNC, 0, 0, 0, NULL, NULL), ENOTSUP);
        ck_assert_r(ChannelCreateExt_r(_NTO_CHF_GLOBAL, 0, 0, 0, NULL, NULL), -ENOTSUP);
}
END_TEST

START_TEST(the_other_ways_to_make_a_channel) {
        struct nto_channel_config config;
        int chid = ChannelCreateExt(_NTO_CHF_UNBLOCK, 0600, 0, 0, NULL, NULL);

        ck_assert_int_gt(chid, 0);
        channel_free(chid);
        memset(&config, 0, sizeof(config));
        config.num_pulses = 10;
        chid = ChannelCreatePulsePool(0, &config);
        ck_assert_int_gt(chid, 0);
        channel_free(chid);
        ck_assert_fails(ChannelCreatePulsePool(0, NULL), EINVAL);
        ck_assert_r(ChannelCreatePulsePool_r(0, NULL), -EINVAL);
        chid = ChannelCreate_r(0);
        ck_assert_int_gt(chid, 0);
        ck_assert_r(ChannelDestroy_r(chid), EOK);
}
END_TEST

START_TEST(destroying_what_is_not_there_is_einval) {
        int chid = channel_new(0);

        ck_assert_fails(ChannelDestroy(chid + 1), EINVAL);
        ck_assert_fails(ChannelDestroy(0), EINVAL);
        ck_assert_fails(ChannelDestroy(-1), EINVAL);
        ck_assert_fails(ChannelDestroy(INT_MAX), EINVAL);
        ck_assert_r(ChannelDestroy_r(chid + 1), EINVAL);
        channel_free(chid);
        ck_assert_fails(ChannelDestroy(chid), EINVAL);
}
END_TEST

START_TEST(channelctl_and_connectattr_say_what_they_cannot) {
        int chid = channel_new(0);

        ck_assert_fails(ChannelCtl(chid, _NTO_CCTL_PULSE_POOL, NULL), ENOSYS);
        ck_assert_fails(ChannelCtl(chid, 99, NULL), EINVAL);
        ck_assert_fails(ChannelCtl(chid + 1, _NTO_CCTL_WIDE, NULL), ESRCH);
        ck_assert_r(ChannelCtl_r(chid, _NTO_CCTL_WIDE, NULL), ENOSYS);
        ck_assert_fails(ChannelConnectAttr(0, NULL, NULL, 0), ENOTSUP);
        ck_assert_r(ChannelConnectAttr_r(0, NULL, NULL, 0), ENOTSUP);
        channel_free(chid);
}
END_TEST

/* ---- the end of a channel ---- */

static void *receive_expecting_esrch(void *arg) {
        char bytes[32];

        ck_assert_fails(MsgReceive(*(int *)arg, bytes, sizeof(bytes), NULL), ESRCH);
        return NULL;
}

#define WAITERS 4

START_TEST(scenario_78_receivers_of_a_destroyed_channel_get_esrch) {
        int chid = channel_new(0);
        Thread waiters[WAITERS];

        for (int i = 0; i < WAITERS; i++)
                waiters[i] = thread_start(receive_expecting_esrch, &chid);
        wait_for_states(getpid(), "RECEIVE", WAITERS);
        channel_free(chid);
        for (int i = 0; i < WAITERS; i++)
                thread_end(waiters[i]);
}
END_TEST

static void client_loses_its_channel(Peer *me) {
        int coid = peer_connect(me);
        struct _server_info info;

        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), ESRCH);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        ck_assert_fails(MsgSendPulse(coid, 10, 1, 0), EBADF);
        ck_assert_int_eq(ConnectServerInfo(0, coid, &info), coid);
        ck_assert_int_ne(info.flags & _NTO_COF_DEAD, 0);
        connect_free(coid);
        ck_assert_fails(ConnectAttach(0, me->server, me->chid, _NTO_SIDE_CHANNEL, 0), ESRCH);
}

START_TEST(scenario_79_send_blocked_on_a_destroyed_channel_is_esrch) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Peer client = peer_start(client_loses_its_channel, chid, 0);

        wait_for_state(client.pid, "SEND");
        channel_free(chid);
        peer_end(&client);
}
END_TEST

START_TEST(reply_blocked_on_a_destroyed_channel_is_esrch) {
        int chid = channel_new(_NTO_CHF_UNBLOCK);
        Peer client = peer_start(client_loses_its_channel, chid, 0);
        char message[4];
        int rcvid = MsgReceive(chid, message, sizeof(message), NULL);

        ck_assert_int_gt(rcvid, 0);
        wait_for_state(client.pid, "REPLY");
        channel_free(chid);
        peer_end(&client);
        ck_assert_fails(MsgReply(rcvid, 0, NULL, 0), ESRCH);
        ck_assert_fails(MsgRead(rcvid, message, 1, 0), ESRCH);
}
END_TEST

START_TEST(a_new_channel_is_not_the_old_one) {
        int chid = channel_new(0);
        int old = connect_side(0, chid), coid;
        struct _pulse pulse;

        ck_assert_ok(MsgSendPulse(old, 10, 1, 0));
        channel_free(chid);
        chid = channel_new(0); /* whatever its number */
        ck_assert_fails(MsgSendPulse(old, 10, 2, 0), EBADF);
        coid = connect_side(0, chid);
        ck_assert_ok(MsgSendPulse(coid, 10, 3, 0));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 3);
        connect_free(old);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(other_channels_of_the_process_live_on) {
        int first = channel_new(0), second = channel_new(0);
        int a = connect_side(0, first), b = connect_side(0, second);
        struct _pulse pulse;

        channel_free(first);
        ck_assert_ok(MsgSendPulse(b, 10, 1, 0));
        ck_assert_int_eq(MsgReceive(second, &pulse, sizeof(pulse), NULL), 0);
        connect_free(a);
        connect_free(b);
        channel_free(second);
}
END_TEST

/* ---- THREAD_DEATH ---- */

static int sender_coid;

static void *tell_own_number(void *arg) {
        ck_assert_int_eq(MsgSend(sender_coid, "t", 1, NULL, 0), 0);
        return NULL;
}

START_TEST(thread_death_is_a_pulse_with_its_number) {
        int chid = channel_new(_NTO_CHF_THREAD_DEATH);
        struct _msg_info info;
        struct _pulse pulse;
        char message[4];
        Thread thread;
        int rcvid;

        sender_coid = connect_side(0, chid);
        for (int i = 0; i < 5; i++) {
                thread = thread_start(tell_own_number, NULL);
                rcvid = MsgReceive(chid, message, sizeof(message), &info);
                ck_assert_int_gt(rcvid, 0);
                ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, _PULSE_CODE_THREADDEATH);
                ck_assert_int_eq(pulse.value.sival_int, info.tid);
                thread_end(thread);
        }
        connect_free(sender_coid);
        channel_free(chid);
}
END_TEST

static void *do_nothing(void *arg) {
        return NULL;
}

START_TEST(a_thread_that_never_used_the_library_is_told_of_too) {
        int chid = channel_new(_NTO_CHF_THREAD_DEATH);
        struct _pulse pulse;

        thread_end(thread_start(do_nothing, NULL));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_THREADDEATH);
        ck_assert_int_gt(pulse.value.sival_int, 1);
        channel_free(chid);
}
END_TEST

/* ---- FIXED_PRIORITY: until priorities can be set, all that shows is that nothing changes ---- */

static void client_sends_one(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 80);
        connect_free(coid);
}

START_TEST(scenario_80_fixed_priority_keeps_the_servers_own) {
        int chid = channel_new(_NTO_CHF_FIXED_PRIORITY);
        Peer client = peer_start(client_sends_one, chid, 0);
        struct sched_param before, after;
        int policy_before, policy_after;
        char message[4];
        int rcvid;

        ck_assert_int_eq(pthread_getschedparam(pthread_self(), &policy_before, &before), 0);
        rcvid = MsgReceive(chid, message, sizeof(message), NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(pthread_getschedparam(pthread_self(), &policy_after, &after), 0);
        ck_assert_int_eq(policy_before, policy_after);
        ck_assert_int_eq(before.sched_priority, after.sched_priority);
        ck_assert_ok(MsgReply(rcvid, 80, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

#define CHANNELS 300

START_TEST(hundreds_of_channels_in_a_process) {
        int chids[CHANNELS], coids[CHANNELS];
        struct _pulse pulse;

        for (int i = 0; i < CHANNELS; i++) {
                chids[i] = channel_new(0);
                coids[i] = connect_side(0, chids[i]);
        }
        for (int i = 0; i < CHANNELS; i++)
                ck_assert_ok(MsgSendPulse(coids[i], 10, 1, i));
        for (int i = CHANNELS - 1; i >= 0; i--) {
                ck_assert_int_eq(MsgReceive(chids[i], &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.value.sival_int, i);
                connect_free(coids[i]);
                channel_free(chids[i]);
        }
}
END_TEST

HARNESS_MAIN("channel", the_first_channel_is_1_and_no_number_is_given_twice,
             every_flag_with_a_meaning_here_is_taken, unknown_and_asynchronous_flags_are_enotsup,
             the_other_ways_to_make_a_channel, destroying_what_is_not_there_is_einval,
             channelctl_and_connectattr_say_what_they_cannot,
             scenario_78_receivers_of_a_destroyed_channel_get_esrch,
             scenario_79_send_blocked_on_a_destroyed_channel_is_esrch,
             reply_blocked_on_a_destroyed_channel_is_esrch,
             a_new_channel_is_not_the_old_one, other_channels_of_the_process_live_on,
             thread_death_is_a_pulse_with_its_number,
             a_thread_that_never_used_the_library_is_told_of_too,
             scenario_80_fixed_priority_keeps_the_servers_own, hundreds_of_channels_in_a_process)
