/* SPDX-License-Identifier: MIT */
/*
 * Two users: client and server as different, unprivileged users. All that a program may count on between
 * processes holds between users, and neither can harm, read or impersonate the other.
 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALICE 61001
#define BOB   61002
#define CAROL 61003

/* ---- servers ---- */

typedef struct Identity {
        pid_t pid;
        uid_t uid;
} Identity;

/* Answers with what the library says of the sender: Identity. Ends with pulse 1. */
static void server_of_identity(Peer *me) {
        for (;;) {
                struct _pulse pulse;
                struct _msg_info info;
                struct _client_info client;
                Identity identity;
                int rcvid = MsgReceive(me->chid, &pulse, sizeof(pulse), &info);

                ck_assert_int_ge(rcvid, 0);
                if (rcvid == 0 && pulse.code == 1)
                        break;
                if (rcvid == 0)
                        continue;
                ck_assert_ok(ConnectClientInfo(info.scoid, &client, 0));
                ck_assert_int_eq(info.pid, client.pid);
                ck_assert_uint_eq(client.cred.ruid, client.cred.euid);
                ck_assert_uint_eq(client.cred.rgid, client.cred.ruid);
                ck_assert_uint_eq(client.cred.ngroups, 0);
                identity = (Identity){ info.pid, client.cred.euid };
                ck_assert_ok(MsgReply(rcvid, 0, &identity, sizeof(identity)));
        }
        channel_free(me->chid);
}

static void end_server(const Peer *me) {
        int coid = peer_connect(me);

        ck_assert_ok(MsgSendPulse(coid, 1, 1, 0));
        connect_free(coid);
}

static void client_ends_server(Peer *me) {
        end_server(me);
}

static void stop_server(Peer *server, uid_t uid) {
        Peer client = peer_start_as(uid, client_ends_server, server->pid, server->chid, 0);

        peer_end(&client);
        peer_end(server);
}

/* ---- identity ---- */

static void client_asks_who_it_is(Peer *me) {
        Identity identity = { 0 };
        int coid = peer_connect(me);
        int fd = ConnectAttach(0, me->server, me->chid, 0, 0);

        ck_assert_int_ge(fd, 0);
        for (int i = 0; i < 50; i++) {
                ck_assert_int_eq(MsgSend(i % 2 ? coid : fd, "who", 3, &identity, sizeof(identity)), 0);
                ck_assert_int_eq(identity.pid, getpid());
                ck_assert_uint_eq(identity.uid, getuid());
                ck_assert_uint_eq(identity.uid, (uid_t)me->number);
        }
        connect_free(coid);
        connect_free(fd);
}

START_TEST(the_server_knows_each_clients_true_process_and_user) {
        Peer server = peer_serve_as(ALICE, server_of_identity, 0, 0);
        static const uid_t users[] = { ALICE, BOB, CAROL };
        Peer clients[6], root;

        for (int i = 0; i < 6; i++)
                clients[i] = peer_start_as(users[i % 3], client_asks_who_it_is, server.pid, server.chid,
                                           users[i % 3]);
        for (int i = 0; i < 6; i++)
                peer_end(&clients[i]);
        root = peer_start_at(client_asks_who_it_is, &server, 0);
        peer_end(&root);
        stop_server(&server, BOB);
}
END_TEST

/* ---- data ---- */

static const size_t sizes[] = { 0, 1, 64, 8064, 8065, 65536, 262144, 1 << 20, (1 << 20) + 1 };
#define SIZES    (sizeof(sizes) / sizeof(*sizes))
#define SIZE_TOP ((size_t)2 << 20)

static void server_of_echo(Peer *me) {
        unsigned char *bytes = malloc(SIZE_TOP);

        for (;;) {
                struct _msg_info info;
                int rcvid = MsgReceive(me->chid, bytes, SIZE_TOP, &info);

                ck_assert_int_ge(rcvid, 0);
                if (rcvid == 0)
                        break;
                ck_assert_int_eq(info.msglen, info.srcmsglen);
                ck_assert_ok(MsgReply(rcvid, info.msglen, bytes, (size_t)info.msglen));
        }
        free(bytes);
        channel_free(me->chid);
}

/* Answers everything with status 0 and nothing. */
static void server_of_zero(Peer *me) {
        for (;;) {
                struct _pulse pulse;
                int rcvid = MsgReceive(me->chid, &pulse, sizeof(pulse), NULL);

                ck_assert_int_ge(rcvid, 0);
                if (rcvid == 0)
                        break;
                ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        }
        channel_free(me->chid);
}

static void client_of_echo(Peer *me) {
        unsigned char *out = malloc(SIZE_TOP), *back = malloc(SIZE_TOP);
        int coid = peer_connect(me);

        for (unsigned i = 0; i < SIZES; i++) {
                pattern_fill(out, sizes[i], i + (unsigned)me->number);
                memset(back, 0, sizes[i]);
                ck_assert_int_eq(MsgSend(coid, out, sizes[i], back, sizes[i]), (long)sizes[i]);
                ck_assert(pattern_is(back, sizes[i], i + (unsigned)me->number));
        }
        connect_free(coid);
        free(out);
        free(back);
}

START_TEST(messages_of_every_way_go_between_users) {
        Peer server = peer_serve_as(ALICE, server_of_echo, 0, 0);
        Peer bob = peer_start_as(BOB, client_of_echo, server.pid, server.chid, 3);
        Peer carol = peer_start_as(CAROL, client_of_echo, server.pid, server.chid, 77);

        peer_end(&bob);
        peer_end(&carol);
        stop_server(&server, CAROL);
}
END_TEST

/* ---- the conversation's rules ---- */

static void server_of_rules(Peer *me) {
        struct _pulse pulse;
        struct _msg_info info;
        int rcvid = MsgReceive(me->chid, &pulse, sizeof(pulse), &info);

        ck_assert_int_gt(rcvid, 0);
        peer_say(me, 1);
        ck_assert_int_eq(MsgReceive(me->chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_UNBLOCK);
        ck_assert_int_eq(pulse.value.sival_int, rcvid);
        ck_assert_ok(MsgError(rcvid, -1));
        ck_assert_int_eq(MsgReceive(me->chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, 5);
        ck_assert_int_eq(MsgReceive(me->chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.code, _PULSE_CODE_DISCONNECT);
        ck_assert_int_eq(pulse.scoid, info.scoid);
        ck_assert_ok(ConnectDetach(pulse.scoid));
        channel_free(me->chid);
}

static void client_of_rules(Peer *me) {
        uint64_t time = 30000000;
        int coid = peer_connect(me);

        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_REPLY, NULL, &time, NULL));
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), ETIMEDOUT);
        ck_assert_fails(MsgSendPulse(coid, 10, _PULSE_CODE_DISCONNECT, 0), EPERM);
        ck_assert_ok(MsgSendPulse(coid, 10, 5, 0));
        _exit(0);
}

START_TEST(unblock_pulse_and_disconnect_work_between_users) {
        Peer server = peer_serve_as(ALICE, server_of_rules, _NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT, 0);
        Peer client = peer_start_as(BOB, client_of_rules, server.pid, server.chid, 0);

        ck_assert_int_eq(peer_hear(&server), 1);
        peer_end(&client);
        peer_end(&server);
}
END_TEST

static void server_waits(Peer *me) {
        peer_hear(me);
        channel_free(me->chid);
}

static void client_is_refused(Peer *me) {
        ck_assert_fails(ConnectAttach(0, me->server, me->chid, _NTO_SIDE_CHANNEL, 0), EPERM);
        ck_assert_fails(ConnectAttach(0, me->server, me->chid, 0, 0), EPERM);
}

START_TEST(a_private_channel_refuses_every_user) {
        Peer server = peer_serve_as(ALICE, server_waits, _NTO_CHF_PRIVATE, 0);
        static const uid_t users[] = { ALICE, BOB, 0 };

        for (int i = 0; i < 3; i++) {
                Peer client = peer_start_as(users[i], client_is_refused, server.pid, server.chid, 0);

                peer_end(&client);
        }
        peer_say(&server, 0);
        peer_end(&server);
}
END_TEST

static void client_survives(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), ESRCH);
        ck_assert_fails(MsgSend(coid, "x", 1, NULL, 0), EBADF);
        connect_free(coid);
}

START_TEST(a_killed_server_frees_the_other_users_clients) {
        Peer server = peer_serve_as(ALICE, server_waits, 0, 0);
        Peer bob = peer_start_as(BOB, client_survives, server.pid, server.chid, 0);
        Peer carol = peer_start_as(CAROL, client_survives, server.pid, server.chid, 0);

        wait_for_state(bob.pid, "SEND");
        wait_for_state(carol.pid, "SEND");
        peer_kill(&server);
        peer_end(&bob);
        peer_end(&carol);
}
END_TEST

/* ---- no harm ---- */

/* A connected process of another user, in the midst of a conversation, tries what it should not be able to. */
static void client_tries_to_harm(Peer *me) {
        char path[64], bytes[16];
        int coid = peer_connect(me);
        struct iovec local = { bytes, sizeof(bytes) }, remote = { (void *)me, sizeof(bytes) };

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 0);
        ck_assert_fails(kill(me->server, SIGTERM), EPERM);
        ck_assert_fails(kill(me->server, 0), EPERM);
        ck_assert_fails(ptrace(PTRACE_ATTACH, me->server, NULL, NULL), EPERM);
        ck_assert_fails(process_vm_readv(me->server, &local, 1, &remote, 1, 0), EPERM);
        ck_assert_fails(process_vm_writev(me->server, &local, 1, &remote, 1, 0), EPERM);
        snprintf(path, sizeof(path), "/proc/%d/mem", (int)me->server);
        ck_assert_fails(open(path, O_RDWR), EACCES);
        ck_assert_fails(ConnectFlags(me->server, 1, 0, 0), EPERM);
        ck_assert_fails(ConnectServerInfo(me->server, 0, NULL), EPERM);
        ck_assert_fails(ConnectDetach(_NTO_CONNECTION_SCOID | 1), EINVAL);
        ck_assert_fails(ChannelDestroy(me->chid), EINVAL);
        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 0);
        connect_free(coid);
}

START_TEST(a_client_of_another_user_cannot_harm_the_server) {
        Peer server = peer_serve_as(ALICE, server_of_zero, 0, 0);
        Peer client = peer_start_as(BOB, client_tries_to_harm, server.pid, server.chid, 0);

        peer_end(&client);
        stop_server(&server, BOB);
}
END_TEST

/* ---- no reading ---- */

typedef struct Segments {
        unsigned n;
        unsigned long inodes[256];
} Segments;

/* The memory files that a process maps, by inode: what it shares with anybody. */
static Segments segments_of(pid_t pid) {
        Segments segments = { 0 };
        char path[64], line[512];
        FILE *maps;

        snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
        maps = fopen(path, "r");
        ck_assert_ptr_ne(maps, NULL);
        while (fgets(line, sizeof(line), maps)) {
                unsigned long inode = 0;

                if (!strstr(line, "memfd:") && !strstr(line, "(deleted)"))
                        continue;
                if (sscanf(line, "%*s %*s %*s %*s %lu", &inode) == 1 && segments.n < 256)
                        segments.inodes[segments.n++] = inode;
        }
        fclose(maps);
        return segments;
}

static bool share(const Segments *a, const Segments *b) {
        for (unsigned i = 0; i < a->n; i++)
                for (unsigned k = 0; k < b->n; k++)
                        if (a->inodes[i] == b->inodes[k])
                                return true;
        return false;
}

static void client_stays(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 0);
        peer_say(me, 1);
        peer_hear(me);
        connect_free(coid);
}

START_TEST(clients_of_different_users_share_no_memory) {
        Peer server = peer_serve_as(ALICE, server_of_zero, 0, 0);
        Peer bob = peer_start_as(BOB, client_stays, server.pid, server.chid, 0);
        Peer carol = peer_start_as(CAROL, client_stays, server.pid, server.chid, 0);
        Segments of_server, of_bob, of_carol;

        ck_assert_int_eq(peer_hear(&bob), 1);
        ck_assert_int_eq(peer_hear(&carol), 1);
        of_server = segments_of(server.pid);
        of_bob = segments_of(bob.pid);
        of_carol = segments_of(carol.pid);
        ck_assert_msg(of_bob.n > 0 && share(&of_server, &of_bob), "the way of looking finds nothing");
        ck_assert(share(&of_server, &of_carol));
        ck_assert_msg(!share(&of_bob, &of_carol), "two clients of different users share memory");
        peer_say(&bob, 0);
        peer_say(&carol, 0);
        peer_end(&bob);
        peer_end(&carol);
        stop_server(&server, BOB);
}
END_TEST

/* Nothing is left open that another user could map or connect to instead. */
static void client_looks_for_names(Peer *me) {
        char path[64];
        int coid = peer_connect(me);
        DIR *directory = opendir("/dev/shm");
        struct dirent *entry;

        while (directory && (entry = readdir(directory)))
                ck_assert_msg(!strstr(entry->d_name, "nuntius"), "/dev/shm/%s", entry->d_name);
        if (directory)
                closedir(directory);
        snprintf(path, sizeof(path), "/proc/%d/fd", (int)me->server);
        ck_assert_ptr_eq(opendir(path), NULL);
        snprintf(path, sizeof(path), "/proc/%d/map_files", (int)me->server);
        ck_assert_ptr_eq(opendir(path), NULL);
        connect_free(coid);
}

START_TEST(shared_memory_has_no_name_that_others_could_use) {
        Peer server = peer_serve_as(ALICE, server_of_zero, 0, 0);
        Peer client = peer_start_as(BOB, client_looks_for_names, server.pid, server.chid, 0);

        peer_end(&client);
        stop_server(&server, BOB);
}
END_TEST

/* ---- no impersonation ---- */

/* BOB's process hands its connection's descriptor to CAROL's by fork: CAROL is seen as CAROL. */
static void client_changes_user(Peer *me) {
        Identity identity = { 0 };
        int coid = ConnectAttach(0, me->server, me->chid, 0, 0);
        pid_t child;
        int status;

        ck_assert_int_ge(coid, 0);
        ck_assert_int_eq(MsgSend(coid, "who", 3, &identity, sizeof(identity)), 0);
        ck_assert_uint_eq(identity.uid, 0);
        child = fork();
        if (child == 0) {
                ck_assert_int_eq(setresgid(CAROL, CAROL, CAROL), 0);
                ck_assert_int_eq(setresuid(CAROL, CAROL, CAROL), 0);
                if (MsgSend(coid, "who", 3, &identity, sizeof(identity)) == 0) {
                        ck_assert_int_eq(identity.pid, getpid());
                        ck_assert_uint_eq(identity.uid, CAROL);
                }
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        connect_free(coid);
}

static void server_of_names(Peer *me) {
        for (;;) {
                struct _pulse pulse;
                struct _msg_info info;
                struct _client_info client;
                Identity identity;
                int rcvid = MsgReceive(me->chid, &pulse, sizeof(pulse), &info);

                ck_assert_int_ge(rcvid, 0);
                if (rcvid == 0)
                        break;
                ck_assert_ok(ConnectClientInfo(info.scoid, &client, 0));
                identity = (Identity){ client.pid, client.cred.euid };
                ck_assert_ok(MsgReply(rcvid, 0, &identity, sizeof(identity)));
        }
        channel_free(me->chid);
}

START_TEST(an_inherited_connection_speaks_for_its_new_user) {
        Peer server = peer_serve_as(ALICE, server_of_names, 0, 0);
        Peer client = peer_start_at(client_changes_user, &server, 0);

        peer_end(&client);
        stop_server(&server, BOB);
}
END_TEST

static void looks_at_status(Peer *me) {
        int wire[2], status;
        char text[65536] = "";
        size_t n = 0;
        ssize_t r;
        pid_t child;

        ck_assert_int_eq(pipe(wire), 0);
        child = fork();
        if (child == 0) {
                dup2(wire[1], STDOUT_FILENO);
                execl(getenv("NUNTIUS_TOOL"), "nuntius", "status", "--json", NULL);
                _exit(99);
        }
        close(wire[1]);
        while (n < sizeof(text) - 1 && (r = read(wire[0], text + n, sizeof(text) - 1 - n)) > 0)
                n += (size_t)r;
        close(wire[0]);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        snprintf(text + sizeof(text) - 32, 32, "\"pid\": %d,", (int)me->server);
        ck_assert_ptr_eq(memmem(text, n, text + sizeof(text) - 32, strlen(text + sizeof(text) - 32)), NULL);
}

START_TEST(status_shows_a_user_nothing_of_others) {
        Peer server = peer_serve_as(ALICE, server_waits, 0, 0);
        Peer bob = peer_start_as(BOB, looks_at_status, server.pid, server.chid, 0);

        peer_end(&bob);
        peer_say(&server, 0);
        peer_end(&server);
}
END_TEST

/* Delivers each event that it is sent at once, and answers with what came of it. Ends with pulse 1. */
static void server_of_events(Peer *me) {
        struct sigevent event;
        int rcvid;

        while ((rcvid = MsgReceive(me->chid, &event, sizeof(event), NULL)) > 0)
                ck_assert_ok(MsgReply(rcvid, MsgDeliverEvent_r(rcvid, &event), NULL, 0));
        ck_assert_int_eq(rcvid, 0);
        channel_free(me->chid);
}

static void client_of_events(Peer *me) {
        int coid = peer_connect(me), chid = channel_new(0), own = connect_side(0, chid);
        struct sigevent event;
        struct _pulse pulse;
        siginfo_t info;
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        SIGEV_PULSE_INIT(&event, own, 10, 5, 55);
        ck_assert_int_eq(MsgSend(coid, &event, sizeof(event), NULL, 0), EOK);
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        ck_assert_int_eq(pulse.value.sival_int, 55);
        SIGEV_SIGNAL_INIT(&event, SIGKILL);
        ck_assert_int_eq(MsgSend(coid, &event, sizeof(event), NULL, 0), EACCES);
        SIGEV_SIGNAL_INIT(&event, SIGUSR1);
        ck_assert_int_eq(MsgSend(coid, &event, sizeof(event), NULL, 0), EACCES);
        ck_assert_ok(MsgRegisterEvent(&event, coid)); /* that gives it the right */
        ck_assert_int_eq(MsgSend(coid, &event, sizeof(event), NULL, 0), EOK);
        ck_assert_int_eq(sigwaitinfo(&set, &info), SIGUSR1);
        ck_assert_ok(MsgUnregisterEvent(&event));
        connect_free(own);
        channel_free(chid);
        connect_free(coid);
}

START_TEST(a_stranger_delivers_pulses_but_signals_only_when_they_are_registered) {
        Peer server = peer_serve_as(ALICE, server_of_events, 0, 0);
        Peer client = peer_start_as(BOB, client_of_events, server.pid, server.chid, 0);

        peer_end(&client);
        end_server(&(Peer){ .server = server.pid, .chid = server.chid });
        peer_end(&server);
}
END_TEST

int main(void) {
        return harness_main_users(
                "users", HARNESS_TESTS(the_server_knows_each_clients_true_process_and_user,
                                       messages_of_every_way_go_between_users,
                                       unblock_pulse_and_disconnect_work_between_users,
                                       a_private_channel_refuses_every_user,
                                       a_killed_server_frees_the_other_users_clients,
                                       a_client_of_another_user_cannot_harm_the_server,
                                       clients_of_different_users_share_no_memory,
                                       shared_memory_has_no_name_that_others_could_use,
                                       an_inherited_connection_speaks_for_its_new_user,
                                       status_shows_a_user_nothing_of_others,
                           a_stranger_delivers_pulses_but_signals_only_when_they_are_registered));
}
