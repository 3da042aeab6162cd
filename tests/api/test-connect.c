/* SPDX-License-Identifier: MIT */
/* ConnectAttach and what can be asked of a connection. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

static int lowest_free_fd(void) {
        int fd = open("/dev/null", O_RDONLY);

        close(fd);
        return fd;
}

START_TEST(scenario_28_a_plain_coid_is_the_lowest_free_descriptor) {
        int chid = channel_new(0);
        int expected = lowest_free_fd();
        int first = ConnectAttach(0, getpid(), chid, 0, 0);
        int second = ConnectAttach(0, getpid(), chid, 0, 0);
        int high = ConnectAttach(0, getpid(), chid, 300, 0);

        ck_assert_int_eq(first, expected);
        ck_assert_int_eq(second, lowest_free_fd() - 1);
        ck_assert_int_gt(second, first);
        ck_assert_int_eq(high, 300);
        ck_assert_int_ge(fcntl(first, F_GETFD), 0);
        connect_free(first);
        ck_assert_int_lt(fcntl(first, F_GETFD), 0);
        connect_free(second);
        connect_free(high);
        ck_assert_int_eq(lowest_free_fd(), expected);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_29_side_channel_coids_are_out_of_the_way_of_descriptors) {
        int chid = channel_new(0);
        int first = ConnectAttach(0, getpid(), chid, _NTO_SIDE_CHANNEL, 0);
        int second = ConnectAttach(0, getpid(), chid, _NTO_SIDE_CHANNEL, 0);
        int third = ConnectAttach(0, getpid(), chid, _NTO_SIDE_CHANNEL | 5, 0);

        ck_assert_int_eq(first, _NTO_SIDE_CHANNEL + 1);
        ck_assert_int_gt(second, _NTO_SIDE_CHANNEL);
        ck_assert_int_gt(third, _NTO_SIDE_CHANNEL);
        ck_assert(first != second && second != third && first != third);
        ck_assert_int_ne(first, SYSMGR_COID);
        connect_free(first);
        connect_free(second);
        connect_free(third);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_30_pid_0_connects_to_an_own_channel) {
        int chid = channel_new(0);
        int coid = ConnectAttach(ND_LOCAL_NODE, 0, chid, _NTO_SIDE_CHANNEL, 0);
        struct _server_info info;

        ck_assert_int_gt(coid, _NTO_SIDE_CHANNEL);
        ck_assert_int_eq(ConnectServerInfo(0, coid, &info), coid);
        ck_assert_int_eq(info.pid, getpid());
        connect_free(coid);
        channel_free(chid);
}
END_TEST

static void server_waits(Peer *me) {
        peer_hear(me);
        channel_free(me->chid);
}

START_TEST(scenario_31_nobody_there_is_esrch) {
        int chid = channel_new(0);
        Peer server = peer_serve(server_waits, 0, 0);

        ck_assert_fails(ConnectAttach(0, 0, chid + 1, _NTO_SIDE_CHANNEL, 0), ESRCH);
        ck_assert_fails(ConnectAttach(0, 0, -1, _NTO_SIDE_CHANNEL, 0), ESRCH);
        ck_assert_fails(ConnectAttach(0, 0, 0, _NTO_SIDE_CHANNEL, 0), ESRCH);
        ck_assert_fails(ConnectAttach(0, server.pid, server.chid + 1, _NTO_SIDE_CHANNEL, 0), ESRCH);
        ck_assert_fails(ConnectAttach(0, server.pid, server.chid + 1, 0, 0), ESRCH);
        ck_assert_fails(ConnectAttach(0, getppid(), 1, _NTO_SIDE_CHANNEL, 0), ESRCH);
        ck_assert_fails(ConnectAttach(0, INT_MAX, 1, _NTO_SIDE_CHANNEL, 0), ESRCH);
        ck_assert_fails(ConnectAttach(0, -5, 1, _NTO_SIDE_CHANNEL, 0), ESRCH);
        ck_assert_fails(ConnectAttach(7, 0, chid, _NTO_SIDE_CHANNEL, 0), ESRCH);
        ck_assert_r(ConnectAttach_r(0, 0, chid + 1, _NTO_SIDE_CHANNEL, 0), -ESRCH);
        peer_say(&server, 0);
        peer_end(&server);
        ck_assert_fails(ConnectAttach(0, server.pid, server.chid, _NTO_SIDE_CHANNEL, 0), ESRCH);
        channel_free(chid);
}
END_TEST

static void client_may_not_connect(Peer *me) {
        ck_assert_fails(ConnectAttach(0, me->server, me->chid, _NTO_SIDE_CHANNEL, 0), EPERM);
        ck_assert_fails(ConnectAttach(0, me->server, me->chid, 0, 0), EPERM);
        ck_assert_r(ConnectAttach_r(0, me->server, me->chid, _NTO_SIDE_CHANNEL, 0), -EPERM);
}

START_TEST(scenario_32_a_private_channel_is_for_its_own_process) {
        int chid = channel_new(_NTO_CHF_PRIVATE);
        Peer client = peer_start(client_may_not_connect, chid, 0);
        int coid = connect_side(0, chid);

        peer_end(&client);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_33_a_detached_coid_is_ebadf) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);

        connect_free(coid);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        ck_assert_fails(MsgSendPulse(coid, 10, 1, 1), EBADF);
        ck_assert_r(MsgSendPulse_r(coid, 10, 1, 1), EBADF);
        ck_assert_fails(ConnectFlags(0, coid, 0, 0), EBADF);
        ck_assert_r(ConnectFlags_r(0, coid, 0, 0), -EBADF);
        ck_assert_fails(ConnectDetach(coid), EINVAL);
        coid = ConnectAttach(0, 0, chid, 0, 0);
        connect_free(coid);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_34_detach_of_an_unknown_coid_is_einval) {
        int chid = channel_new(0);

        ck_assert_fails(ConnectDetach(_NTO_SIDE_CHANNEL + 5), EINVAL);
        ck_assert_fails(ConnectDetach(-1), EINVAL);
        ck_assert_fails(ConnectDetach(500), EINVAL);
        ck_assert_fails(ConnectDetach(_NTO_CONNECTION_SCOID | 7), EINVAL);
        ck_assert_r(ConnectDetach_r(_NTO_SIDE_CHANNEL + 5), EINVAL);
        /* a descriptor that is no connection stays open */
        ck_assert_fails(ConnectDetach(STDERR_FILENO), EINVAL);
        ck_assert_int_ge(fcntl(STDERR_FILENO, F_GETFD), 0);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_35_connectserverinfo_describes_a_connection) {
        Peer server = peer_serve(server_waits, 0, 0);
        struct _server_info info;
        int coids[2];

        coids[0] = connect_side(server.pid, server.chid);
        coids[1] = ConnectAttach(0, server.pid, server.chid, 0, 0);
        for (int i = 0; i < 2; i++) {
                memset(&info, 0xee, sizeof(info));
                ck_assert_int_eq(ConnectServerInfo(0, coids[i], &info), coids[i]);
                ck_assert_int_eq(info.pid, server.pid);
                ck_assert_int_eq(info.chid, server.chid);
                ck_assert_int_eq(info.coid, coids[i]);
                ck_assert_uint_eq(info.nd, ND_LOCAL_NODE);
                ck_assert_uint_eq(info.srcnd, ND_LOCAL_NODE);
                ck_assert_int_ne(info.scoid & _NTO_CONNECTION_SCOID, 0);
                ck_assert_int_eq(info.flags & _NTO_COF_DEAD, 0);
                ck_assert_r(ConnectServerInfo_r(0, coids[i], &info), coids[i]);
                ck_assert_int_eq(ConnectServerInfo(getpid(), coids[i], NULL), coids[i]);
        }
        connect_free(coids[0]);
        connect_free(coids[1]);
        peer_say(&server, 0);
        peer_end(&server);
}
END_TEST

START_TEST(scenario_36_connectserverinfo_returns_the_next_higher_coid) {
        int chid = channel_new(0);
        struct _server_info info;
        int coids[9];

        for (int i = 0; i < 9; i++) {
                coids[i] = connect_side(0, chid);
                ck_assert_int_eq(coids[i], _NTO_SIDE_CHANNEL + 1 + i);
        }
        for (int i = 0; i < 9; i++)
                if (i != 4 && i != 8)
                        connect_free(coids[i]);
        ck_assert_int_eq(ConnectServerInfo(0, _NTO_SIDE_CHANNEL + 6, &info), _NTO_SIDE_CHANNEL + 9);
        ck_assert_int_eq(info.coid, _NTO_SIDE_CHANNEL + 9);
        ck_assert_int_eq(ConnectServerInfo(0, _NTO_SIDE_CHANNEL + 5, &info), _NTO_SIDE_CHANNEL + 5);
        ck_assert_int_eq(ConnectServerInfo(0, _NTO_SIDE_CHANNEL + 1, NULL), _NTO_SIDE_CHANNEL + 5);
        ck_assert_fails(ConnectServerInfo(0, _NTO_SIDE_CHANNEL + 10, &info), EINVAL);
        ck_assert_r(ConnectServerInfo_r(0, _NTO_SIDE_CHANNEL + 10, &info), -EINVAL);
        connect_free(coids[4]);
        connect_free(coids[8]);
        channel_free(chid);
}
END_TEST

START_TEST(connectserverinfo_iterates_over_descriptors_and_side_channels) {
        int chid = channel_new(0);
        int low = ConnectAttach(0, 0, chid, 0, 0);
        int high = ConnectAttach(0, 0, chid, 200, 0);
        int side = connect_side(0, chid);
        struct _server_info info;
        int seen = 0;

        for (int coid = 0; (coid = ConnectServerInfo(0, coid, &info)) >= 0; coid++) {
                if (coid == SYSMGR_COID)
                        continue;
                ck_assert_int_eq(coid, seen == 0 ? low : seen == 1 ? high : side);
                ck_assert_int_eq(info.chid, chid);
                seen++;
        }
        ck_assert_int_eq(seen, 3);
        connect_free(low);
        connect_free(high);
        connect_free(side);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_37_a_dead_connection_says_so_until_detached) {
        Peer server = peer_serve(server_waits, 0, 0);
        int dead = connect_side(server.pid, server.chid);
        int dead_fd = ConnectAttach(0, server.pid, server.chid, 0, 0);
        struct _server_info info;

        peer_kill(&server);
        wait_for_oblivion(server.pid);
        ck_assert_int_eq(ConnectServerInfo(0, dead, &info), dead);
        ck_assert_int_ne(info.flags & _NTO_COF_DEAD, 0);
        ck_assert_int_eq(ConnectServerInfo(0, dead_fd, &info), dead_fd);
        ck_assert_int_ne(info.flags & _NTO_COF_DEAD, 0);
        ck_assert_int_ne(ConnectFlags(0, dead, 0, 0) & _NTO_COF_DEAD, 0);
        /* without info the dead are passed over */
        ck_assert_int_ne(ConnectServerInfo(0, dead, NULL), dead);
        connect_free(dead);
        connect_free(dead_fd);
        ck_assert_fails(ConnectServerInfo(0, dead, &info), EINVAL);
}
END_TEST

static void client_sends_on_two(Peer *me) {
        int a = peer_connect(me), b = peer_connect(me);
        int alone = ConnectAttach(0, me->server, me->chid, _NTO_SIDE_CHANNEL, _NTO_COF_NOSHARE);

        ck_assert_int_gt(alone, _NTO_SIDE_CHANNEL);
        ck_assert_int_eq(MsgSend(a, &a, sizeof(a), NULL, 0), 0);
        ck_assert_int_eq(MsgSend(b, &b, sizeof(b), NULL, 0), 0);
        ck_assert_int_eq(MsgSend(alone, &alone, sizeof(alone), NULL, 0), 0);
        connect_free(a);
        connect_free(b);
        connect_free(alone);
}

START_TEST(scenario_38_connections_of_one_process_share_the_scoid_unless_noshare) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_on_two, chid, 0);
        struct _msg_info info[3];

        for (int i = 0; i < 3; i++) {
                int coid = 0;
                int rcvid = MsgReceive(chid, &coid, sizeof(coid), &info[i]);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_int_eq(info[i].coid, coid);
                ck_assert_int_ne(info[i].scoid & _NTO_CONNECTION_SCOID, 0);
                ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        }
        ck_assert_int_ne(info[0].coid, info[1].coid);
        ck_assert_int_eq(info[0].scoid, info[1].scoid);
        ck_assert_int_ne(info[2].scoid, info[0].scoid);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

static void client_sends_two(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 0);
        connect_free(coid);
}

START_TEST(different_processes_have_different_scoids) {
        int chid = channel_new(0);
        Peer a = peer_start(client_sends_two, chid, 0), b = peer_start(client_sends_two, chid, 0);
        struct _msg_info first, second;
        char message[4];
        int one = MsgReceive(chid, message, sizeof(message), &first);
        int two = MsgReceive(chid, message, sizeof(message), &second);

        ck_assert_int_gt(one, 0);
        ck_assert_int_gt(two, 0);
        ck_assert_int_ne(first.scoid, second.scoid);
        ck_assert_int_ne(first.pid, second.pid);
        ck_assert_ok(MsgReply(one, 0, NULL, 0));
        ck_assert_ok(MsgReply(two, 0, NULL, 0));
        peer_end(&a);
        peer_end(&b);
        channel_free(chid);
}
END_TEST

static void check_client_info(const struct _client_info *info, pid_t pid) {
        ck_assert_int_eq(info->pid, pid);
        ck_assert_int_eq(info->sid, getsid(pid));
        ck_assert_uint_eq(info->nd, ND_LOCAL_NODE);
        ck_assert_uint_eq(info->cred.ruid, getuid());
        ck_assert_uint_eq(info->cred.euid, geteuid());
        ck_assert_uint_eq(info->cred.rgid, getgid());
        ck_assert_uint_eq(info->cred.egid, getegid());
        ck_assert_uint_eq(info->cred.ngroups, (unsigned)getgroups(0, NULL));
}

START_TEST(scenario_39_connectclientinfo_tells_who_a_client_is) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_two, chid, 0);
        struct _client_info info, *longer = NULL;
        struct _msg_info message;
        char byte;
        int rcvid = MsgReceive(chid, &byte, 1, &message);

        ck_assert_int_gt(rcvid, 0);
        memset(&info, 0xee, sizeof(info));
        ck_assert_ok(ConnectClientInfo(message.scoid, &info, 0));
        check_client_info(&info, client.pid);
        ck_assert_ok(ConnectClientInfo(-1, &info, 8));
        check_client_info(&info, getpid());
        ck_assert_r(ConnectClientInfo_r(message.scoid, &info, 8), EOK);
        ck_assert_ok(ConnectClientInfoExt(message.scoid, &longer, _NTO_CLIENTINFO_GETGROUPS));
        check_client_info(longer, client.pid);
        ck_assert_int_eq(ClientInfoExtFree(&longer), EOK);
        ck_assert_int_eq(ClientInfoExtFree(NULL), EOK);
        ck_assert_fails(ConnectClientInfo(message.scoid, NULL, 0), EFAULT);
        ck_assert_fails(ConnectClientInfoExt(message.scoid, NULL, 0), EFAULT);
        ck_assert_fails(ConnectClientInfo(message.scoid + 99, &info, 0), EINVAL);
        ck_assert_r(ConnectClientInfo_r(message.scoid + 99, &info, 0), EINVAL);
        ck_assert_r(ConnectClientInfoExt_r(message.scoid + 99, &longer, 0), EINVAL);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        wait_for_oblivion(client.pid);
        ck_assert_fails(ConnectClientInfo(message.scoid, &info, 0), EINVAL);
        channel_free(chid);
}
END_TEST

START_TEST(abilities_follow_the_user) {
        int chid = channel_new(0);
        Peer client = peer_start(client_sends_two, chid, 0);
        struct _client_able able = { .ability = 1 };
        struct _client_info *info = NULL;
        struct _msg_info message;
        char byte;
        int rcvid = MsgReceive(chid, &byte, 1, &message);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(ConnectClientInfoAble(message.scoid, &info, 0, &able, 1));
        ck_assert_int_eq(!!(info->flags & _NTO_CI_UNABLE), geteuid() != 0);
        ck_assert_int_eq(ClientInfoExtFree(&info), EOK);
        ck_assert_r(ConnectClientInfoAble_r(message.scoid, &info, 0, &able, -1), EINVAL);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_40_connectflags_returns_the_flags_before) {
        int chid = channel_new(0);
        int coid = ConnectAttach(0, 0, chid, 0, 0);
        int side = connect_side(0, chid);

        ck_assert_int_eq(ConnectFlags(0, coid, 0, 0) & _NTO_COF_CLOEXEC, 0);
        ck_assert_int_eq(ConnectFlags(0, coid, _NTO_COF_CLOEXEC, _NTO_COF_CLOEXEC) & _NTO_COF_CLOEXEC, 0);
        ck_assert_int_eq(ConnectFlags(0, coid, _NTO_COF_CLOEXEC, _NTO_COF_CLOEXEC) & _NTO_COF_CLOEXEC,
                         _NTO_COF_CLOEXEC);
        ck_assert_int_eq(fcntl(coid, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(ConnectFlags(getpid(), coid, _NTO_COF_CLOEXEC, 0) & _NTO_COF_CLOEXEC,
                         _NTO_COF_CLOEXEC);
        ck_assert_int_eq(fcntl(coid, F_GETFD) & FD_CLOEXEC, 0);
        ck_assert_int_eq(ConnectFlags(0, side, _NTO_COF_NOEVENT, _NTO_COF_NOEVENT) & _NTO_COF_NOEVENT, 0);
        ck_assert_int_eq(ConnectFlags(0, side, 0, 0) & _NTO_COF_NOEVENT, _NTO_COF_NOEVENT);
        ck_assert_int_ge(ConnectFlags_r(0, side, 0, 0), 0);
        connect_free(coid);
        connect_free(side);
        channel_free(chid);
}
END_TEST

START_TEST(cloexec_flag_of_attach_is_the_descriptors) {
        int chid = channel_new(0);
        int with = ConnectAttach(0, 0, chid, 0, _NTO_COF_CLOEXEC);
        int without = ConnectAttach(0, 0, chid, 0, 0);

        ck_assert_int_eq(fcntl(with, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(fcntl(without, F_GETFD) & FD_CLOEXEC, 0);
        ck_assert_int_eq(ConnectFlags(0, with, 0, 0) & _NTO_COF_CLOEXEC, _NTO_COF_CLOEXEC);
        ck_assert_int_eq(fcntl(without, F_SETFD, FD_CLOEXEC), 0);
        ck_assert_int_eq(ConnectFlags(0, without, 0, 0) & _NTO_COF_CLOEXEC, _NTO_COF_CLOEXEC);
        connect_free(with);
        connect_free(without);
        channel_free(chid);
}
END_TEST

START_TEST(connectflags_refuses_what_it_must) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);

        ck_assert_fails(ConnectFlags(0, _NTO_SIDE_CHANNEL + 99, 0, 0), EBADF);
        ck_assert_fails(ConnectFlags(0, coid, _NTO_COF_DEAD, _NTO_COF_DEAD), EINVAL);
        ck_assert_fails(ConnectFlags(0, coid, 0x10000, 0), EINVAL);
        ck_assert_fails(ConnectFlags(INT_MAX, coid, 0, 0), ESRCH);
        ck_assert_r(ConnectFlags_r(INT_MAX, coid, 0, 0), -ESRCH);
        ck_assert_fails(ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, _NTO_COF_DEAD), EINVAL);
        ck_assert_fails(ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0x10000), EINVAL);
        ck_assert_r(ConnectAttach_r(0, 0, chid, _NTO_SIDE_CHANNEL, 0x10000), -EINVAL);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_41_the_system_manager_connection_cannot_be_detached) {
        int chid = channel_new(0);

        ck_assert_fails(ConnectDetach(SYSMGR_COID), EPERM);
        ck_assert_r(ConnectDetach_r(SYSMGR_COID), EPERM);
        channel_free(chid);
}
END_TEST

#define MANY 2000

START_TEST(thousands_of_connections_to_one_server) {
        int chid = channel_new(0);
        int coids[MANY];
        struct _pulse pulse;

        for (int i = 0; i < MANY; i++)
                coids[i] = connect_side(0, chid);
        for (int i = 0; i < MANY; i += 200)
                ck_assert_ok(MsgSendPulse(coids[i], 10, 1, i));
        for (int i = 0; i < MANY; i += 200) {
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.value.sival_int, i);
        }
        for (int i = 0; i < MANY; i++)
                connect_free(coids[i]);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("connect", scenario_28_a_plain_coid_is_the_lowest_free_descriptor,
             scenario_29_side_channel_coids_are_out_of_the_way_of_descriptors,
             scenario_30_pid_0_connects_to_an_own_channel, scenario_31_nobody_there_is_esrch,
             scenario_32_a_private_channel_is_for_its_own_process,
             scenario_33_a_detached_coid_is_ebadf, scenario_34_detach_of_an_unknown_coid_is_einval,
             scenario_35_connectserverinfo_describes_a_connection,
             scenario_36_connectserverinfo_returns_the_next_higher_coid,
             connectserverinfo_iterates_over_descriptors_and_side_channels,
             scenario_37_a_dead_connection_says_so_until_detached,
             scenario_38_connections_of_one_process_share_the_scoid_unless_noshare,
             different_processes_have_different_scoids,
             scenario_39_connectclientinfo_tells_who_a_client_is, abilities_follow_the_user,
             scenario_40_connectflags_returns_the_flags_before,
             cloexec_flag_of_attach_is_the_descriptors, connectflags_refuses_what_it_must,
             scenario_41_the_system_manager_connection_cannot_be_detached,
             thousands_of_connections_to_one_server)
