/* SPDX-License-Identifier: MIT */
/* The process manager: abilities and what inherits them, events of the system, daemons, the limit of channels. */
#include "../harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/procmgr.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOTH (PROCMGR_ADN_ROOT | PROCMGR_ADN_NONROOT)

/* Executed by a test: says by its exit status whether a public channel can be made. */
__attribute__((constructor)) static void run_as_program(void) {
        if (getenv("TEST_MAKE_CHANNEL"))
                _exit(ChannelCreate_r(0) > 0 ? 0 : 1);
}

static int exit_status(pid_t pid) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static int deny(unsigned ability) {
        return procmgr_ability(0, BOTH | PROCMGR_AOP_DENY | ability, PROCMGR_AID_EOL);
}

static int allow(unsigned ability) {
        return procmgr_ability(0, BOTH | PROCMGR_AOP_ALLOW | ability, PROCMGR_AID_EOL);
}

/* ---- abilities ---- */

START_TEST(without_the_ability_no_channel_is_public) {
        errno = 4711;
        ck_assert_int_eq(deny(PROCMGR_AID_PUBLIC_CHANNEL), EOK);
        ck_assert_int_eq(errno, 4711);
        ck_assert_fails(ChannelCreate(0), EPERM);
        channel_free(channel_new(_NTO_CHF_PRIVATE));
        ck_assert_int_eq(allow(PROCMGR_AID_PUBLIC_CHANNEL), EOK);
        channel_free(channel_new(0));
}
END_TEST

START_TEST(what_is_locked_stays) {
        ck_assert_int_eq(procmgr_ability(0, BOTH | PROCMGR_AOP_DENY | PROCMGR_AOP_LOCK | PROCMGR_AID_PUBLIC_CHANNEL,
                                         PROCMGR_AID_EOL), EOK);
        ck_assert_int_eq(allow(PROCMGR_AID_PUBLIC_CHANNEL), EPERM);
        ck_assert_fails(ChannelCreate(0), EPERM);
}
END_TEST

START_TEST(all_that_is_not_listed_can_be_forbidden) {
        struct sigevent event;

        SIGEV_NONE_INIT(&event);
        ck_assert_int_eq(procmgr_ability(0, BOTH | PROCMGR_AOP_ALLOW | PROCMGR_AID_PUBLIC_CHANNEL,
                                         BOTH | PROCMGR_AOP_DENY | PROCMGR_AOP_LOCK | PROCMGR_AID_EOL), EOK);
        channel_free(channel_new(0));
        ck_assert_fails(procmgr_event_notify(PROCMGR_EVENT_TOD, &event), EPERM);
        ck_assert_int_eq(allow(PROCMGR_AID_EVENT), EPERM);
}
END_TEST

static void connect_denied(Peer *me) {
        ck_assert_int_eq(deny(PROCMGR_AID_CHANNEL_CONNECT), EOK);
        ck_assert_fails(ConnectAttach(0, me->server, me->chid, _NTO_SIDE_CHANNEL, 0), EPERM);
        channel_free(channel_new(0));
}

START_TEST(without_the_ability_nobody_is_connected_to) {
        int chid = channel_new(0);
        Peer peer = peer_start(connect_denied, chid, 0);

        peer_end(&peer);
        channel_free(chid);
}
END_TEST

START_TEST(a_child_inherits) {
        pid_t child;

        ck_assert_int_eq(deny(PROCMGR_AID_PUBLIC_CHANNEL), EOK);
        child = fork();
        if (child == 0)
                _exit(-ChannelCreate_r(0));
        ck_assert_int_eq(exit_status(child), EPERM);
}
END_TEST

/* In between is a process that the daemon has never heard of. */
START_TEST(a_grandchild_inherits) {
        pid_t child;

        ck_assert_int_eq(deny(PROCMGR_AID_PUBLIC_CHANNEL), EOK);
        child = fork();
        if (child == 0) {
                child = fork();
                if (child == 0)
                        _exit(-ChannelCreate_r(0));
                _exit(exit_status(child));
        }
        ck_assert_int_eq(exit_status(child), EPERM);
}
END_TEST

static int executed(unsigned ability) {
        pid_t child = fork();

        if (child == 0) {
                if (procmgr_ability(0, ability, PROCMGR_AID_EOL) != EOK)
                        _exit(100);
                setenv("TEST_MAKE_CHANNEL", "1", 1);
                execl("/proc/self/exe", "test", NULL);
                _exit(101);
        }
        return exit_status(child);
}

START_TEST(a_program_inherits_unless_told_otherwise) {
        unsigned denied = BOTH | PROCMGR_AOP_DENY | PROCMGR_AID_PUBLIC_CHANNEL;

        ck_assert_int_eq(executed(denied), 1);
        ck_assert_int_eq(executed(denied | PROCMGR_AOP_INHERIT_NO), 0);
        ck_assert_int_eq(executed(denied | PROCMGR_AOP_INHERIT_YES), 1);
}
END_TEST

static void make_public_channel(Peer *me) {
        peer_say(me, 0);
        peer_hear(me);
        ck_assert_fails(ChannelCreate(0), EPERM);
}

START_TEST(another_process_can_be_forbidden) {
        Peer peer = peer_serve(make_public_channel, 0, 0);

        ck_assert_int_eq(procmgr_ability(99999999, BOTH | PROCMGR_AOP_DENY | PROCMGR_AID_IO, PROCMGR_AID_EOL),
                         ESRCH);
        peer_hear(&peer);
        ck_assert_int_eq(procmgr_ability(peer.pid, BOTH | PROCMGR_AOP_DENY | PROCMGR_AID_PUBLIC_CHANNEL,
                                         PROCMGR_AID_EOL), EOK);
        peer_say(&peer, 0);
        peer_end(&peer);
}
END_TEST

static int rise_to(int priority) {
        struct sched_param param = { .sched_priority = priority };

        return SchedSet(0, 0, SCHED_OTHER, &param) < 0 ? errno : EOK;
}

START_TEST(priorities_have_their_limit) {
        unsigned priority = BOTH | PROCMGR_AOP_ALLOW | PROCMGR_AOP_SUBRANGE | PROCMGR_AID_PRIORITY;

        ck_assert_int_eq(rise_to(20), EOK);
        ck_assert_int_eq(procmgr_ability(0, priority, (uint64_t)1, (uint64_t)15, PROCMGR_AID_EOL), EOK);
        ck_assert_int_eq(rise_to(16), EPERM);
        ck_assert_int_eq(rise_to(15), EOK);
        ck_assert_int_eq(procmgr_ability(0, priority | PROCMGR_AOP_LOCK, (uint64_t)1, (uint64_t)20,
                                         PROCMGR_AID_EOL), EOK);
        ck_assert_int_eq(procmgr_ability(0, priority, (uint64_t)1, (uint64_t)30, PROCMGR_AID_EOL), EPERM);
        ck_assert_int_eq(rise_to(20), EOK);
        ck_assert_int_eq(rise_to(21), EPERM);
}
END_TEST

START_TEST(nonsense_is_refused) {
        ck_assert_int_eq(procmgr_ability(0, PROCMGR_AOP_DENY | PROCMGR_AID_IO, PROCMGR_AID_EOL), EINVAL);
        ck_assert_int_eq(procmgr_ability(0, BOTH | PROCMGR_AOP_DENY | PROCMGR_AOP_ALLOW | PROCMGR_AID_IO,
                                         PROCMGR_AID_EOL), EINVAL);
        ck_assert_int_eq(procmgr_ability(0, BOTH | PROCMGR_AOP_DENY | 300, PROCMGR_AID_EOL), EINVAL);
        ck_assert_int_eq(procmgr_ability(0, BOTH | 0x00100000 | PROCMGR_AID_IO, PROCMGR_AID_EOL), EINVAL);
        ck_assert_int_eq(procmgr_ability(0, BOTH | PROCMGR_AOP_ALLOW | PROCMGR_AOP_SUBRANGE | PROCMGR_AID_PRIORITY,
                                         (uint64_t)20, (uint64_t)10, PROCMGR_AID_EOL), EINVAL);
        ck_assert_int_eq(procmgr_ability(0, PROCMGR_AID_EOL), EOK);
}
END_TEST

/* ---- what a server is told ---- */

static int client_is_able(int scoid, unsigned ability, uint64_t most) {
        struct _client_able able = { .ability = ability, .range_lo = most, .range_hi = most };
        struct _client_info *info = NULL;
        int r;

        ck_assert_ok(ConnectClientInfoAble(scoid, &info, 0, &able, 1));
        r = !(info->flags & _NTO_CI_UNABLE);
        ck_assert_int_eq(ClientInfoExtFree(&info), EOK);
        return r;
}

static void forbid_and_send(Peer *me) {
        int coid = peer_connect(me);

        ck_assert_ok(MsgSend(coid, NULL, 0, NULL, 0));
        ck_assert_int_eq(deny(PROCMGR_AID_IO), EOK);
        ck_assert_int_eq(procmgr_ability(0, BOTH | PROCMGR_AOP_ALLOW | PROCMGR_AOP_SUBRANGE | PROCMGR_AID_PRIORITY,
                                         (uint64_t)1, (uint64_t)20, PROCMGR_AID_EOL), EOK);
        ck_assert_ok(MsgSend(coid, NULL, 0, NULL, 0));
        connect_free(coid);
}

START_TEST(a_server_asks_what_its_client_may_do) {
        int chid = channel_new(0);
        Peer peer = peer_start(forbid_and_send, chid, 0);
        struct _msg_info info;
        int rcvid = MsgReceive(chid, NULL, 0, &info);

        ck_assert_int_eq(client_is_able(info.scoid, PROCMGR_AID_IO, 0), geteuid() == 0);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        rcvid = MsgReceive(chid, NULL, 0, &info);
        ck_assert_int_eq(client_is_able(info.scoid, PROCMGR_AID_IO, 0), 0);
        if (geteuid() == 0)
                ck_assert_int_eq(client_is_able(info.scoid, PROCMGR_AID_PRIORITY, 20), 1);
        ck_assert_int_eq(client_is_able(info.scoid, PROCMGR_AID_PRIORITY, 21), 0);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&peer);
        channel_free(chid);
}
END_TEST

START_TEST(abilities_can_be_made_by_name) {
        int a = procmgr_ability_create("test/one", 0);
        int b = procmgr_ability_create("test/two", 0);
        char name[60];

        ck_assert_int_gt(a, PROCMGR_AID_SIGEV_THREAD);
        ck_assert_int_gt(b, PROCMGR_AID_SIGEV_THREAD);
        ck_assert_int_ne(a, b);
        ck_assert_r(procmgr_ability_lookup("test/one"), a);
        ck_assert_r(procmgr_ability_create("test/one", 0), a);
        ck_assert_r(procmgr_ability_lookup("test/three"), -ENOENT);
        ck_assert_r(procmgr_ability_lookup(""), -EINVAL);
        memset(name, 'n', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        ck_assert_r(procmgr_ability_create(name, 0), -EINVAL);
        ck_assert_int_eq(deny((unsigned)a), EOK);
        ck_assert_int_eq(client_is_able(-1, (unsigned)a, 0), 0);
        ck_assert_int_eq(client_is_able(-1, (unsigned)b, 0), geteuid() == 0);
}
END_TEST

/* ---- events ---- */

static unsigned fds_before;
static int events_chid, events_coid;

/* Pulses with a code of their own for each kind, and the pid as the value. */
static struct sigevent pulse_event(int code) {
        struct sigevent event;

        SIGEV_PULSE_INIT(&event, events_coid, SIGEV_PULSE_PRIO_INHERIT, code, 4711);
        SIGEV_MAKE_UPDATEABLE(&event);
        return event;
}

static void events_begin(void) {
        events_chid = channel_new(_NTO_CHF_PRIVATE);
        events_coid = connect_side(0, events_chid);
        fds_before = harness_count_fds();
}

/* The library's thread closes its socket when it sees that nobody asks any more. */
static void events_end(void) {
        while (harness_count_fds() != fds_before)
                sched_yield();
        connect_free(events_coid);
        channel_free(events_chid);
}

static struct _pulse next_event(void) {
        struct _pulse pulse;

        ck_assert_int_eq(MsgReceivePulse(events_chid, &pulse, sizeof(pulse), NULL), 0);
        return pulse;
}

/* Others of this test's daemon come and go, too. */
static void expect_event(int code, pid_t pid) {
        for (;;) {
                struct _pulse pulse = next_event();

                ck_assert_int_eq(pulse.code, code);
                if (pulse.value.sival_int == pid)
                        return;
        }
}

static pid_t come_and_go(void) {
        pid_t child = fork();

        if (child == 0) {
                channel_free(channel_new(0));
                _exit(0);
        }
        ck_assert_int_eq(exit_status(child), 0);
        return child;
}

START_TEST(a_death_is_told) {
        struct sigevent event;

        events_begin();
        event = pulse_event(1);
        ck_assert_ok(procmgr_event_notify(PROCMGR_EVENT_PROCESS_DEATH, &event));
        for (int i = 0; i < 3; i++)
                expect_event(1, come_and_go());
        ck_assert_ok(procmgr_event_notify(0, NULL));
        events_end();
}
END_TEST

START_TEST(a_birth_is_told) {
        struct sigevent event;

        events_begin();
        event = pulse_event(2);
        ck_assert_ok(procmgr_event_notify(PROCMGR_EVENT_PROCESS_CREATE, &event));
        expect_event(2, come_and_go());
        ck_assert_ok(procmgr_event_notify(0, NULL));
        events_end();
}
END_TEST

/* It dies once, when it ends: not when it executes another program. */
START_TEST(an_executed_program_is_no_death) {
        struct sigevent event;
        int ends[2];
        pid_t child;

        events_begin();
        ck_assert_ok(pipe(ends));
        event = pulse_event(1);
        ck_assert_ok(procmgr_event_notify(PROCMGR_EVENT_PROCESS_DEATH, &event));
        child = fork();
        if (child == 0) {
                channel_free(channel_new(0));
                dup2(ends[0], 0);
                close(ends[1]);
                execl("/bin/sh", "sh", "-c", "read line", NULL);
                _exit(101);
        }
        expect_event(1, come_and_go());
        close(ends[0]);
        close(ends[1]);
        ck_assert_int_eq(exit_status(child), 1);
        expect_event(1, child);
        ck_assert_ok(procmgr_event_notify(0, NULL));
        events_end();
}
END_TEST

START_TEST(a_daemon_s_death_is_told) {
        struct sigevent event;
        pid_t child;

        events_begin();
        event = pulse_event(3);
        ck_assert_ok(procmgr_event_notify(PROCMGR_EVENT_DAEMON_DEATH, &event));
        come_and_go(); /* no daemon */
        child = fork();
        if (child == 0)
                _exit(procmgr_daemon(0, 0));
        ck_assert_int_eq(exit_status(child), 0);
        ck_assert_int_eq(next_event().value.sival_int, child);
        ck_assert_ok(procmgr_event_notify(0, NULL));
        events_end();
}
END_TEST

START_TEST(events_can_be_triggered) {
        struct sigevent sync, conf;
        int id;

        events_begin();
        sync = pulse_event(1);
        conf = pulse_event(2);
        SIGEV_CLEAR_UPDATEABLE(&conf);
        ck_assert_ok(procmgr_event_notify(PROCMGR_EVENT_SYNC | PROCMGR_EVENT_SYSCONF, &sync));
        id = procmgr_event_notify_add(PROCMGR_EVENT_CONFSTR, &conf);
        ck_assert_int_gt(id, 0);
        ck_assert_ok(procmgr_event_trigger(PROCMGR_EVENT_SYNC));
        expect_event(1, getpid());
        ck_assert_ok(procmgr_event_trigger(PROCMGR_EVENT_CONFSTR));
        expect_event(2, 4711);
        ck_assert_ok(procmgr_event_notify_delete(id));
        ck_assert_ok(procmgr_event_trigger(PROCMGR_EVENT_CONFSTR)); /* to nobody */
        ck_assert_ok(procmgr_event_trigger(PROCMGR_EVENT_SYSCONF));
        expect_event(1, getpid());
        ck_assert_fails(procmgr_event_notify_delete(id), EINVAL);
        ck_assert_fails(procmgr_event_trigger(PROCMGR_EVENT_PROCESS_DEATH), EINVAL);
        ck_assert_ok(procmgr_event_notify(0, NULL));
        events_end();
}
END_TEST

/* The thread that ends and the one that begins do not get into each other's way. */
START_TEST(interest_comes_and_goes) {
        struct sigevent event;

        events_begin();
        event = pulse_event(1);
        for (int i = 0; i < 100; i++) {
                ck_assert_ok(procmgr_event_notify(PROCMGR_EVENT_SYNC, &event));
                if (i % 3 == 0)
                        ck_assert_ok(procmgr_event_notify(0, NULL));
        }
        ck_assert_ok(procmgr_event_trigger(PROCMGR_EVENT_SYNC)); /* i = 99 ended it */
        ck_assert_ok(procmgr_event_notify(PROCMGR_EVENT_SYNC, &event));
        ck_assert_ok(procmgr_event_trigger(PROCMGR_EVENT_SYNC));
        expect_event(1, getpid());
        ck_assert_ok(procmgr_event_notify(0, NULL));
        events_end();
}
END_TEST

START_TEST(what_cannot_be_an_event_is_refused) {
        struct sigevent event = { .sigev_notify = 77 };

        ck_assert_fails(procmgr_event_notify(PROCMGR_EVENT_SYNC, NULL), EFAULT);
        ck_assert_fails(procmgr_event_notify(PROCMGR_EVENT_SYNC, &event), EINVAL);
        SIGEV_NONE_INIT(&event);
        ck_assert_fails(procmgr_event_notify(0x1000, &event), EINVAL);
        ck_assert_fails(procmgr_event_notify_add(0, &event), EINVAL);
        ck_assert_fails(procmgr_event_notify_delete(0), EINVAL);
        ck_assert_fails(procmgr_event_trigger(0x1000), EINVAL);
}
END_TEST

/* ---- procmgr_daemon ---- */

static bool is_null(int fd) {
        struct stat st, null;

        return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev &&
               S_ISCHR(st.st_mode);
}

/* Its channel and the side-channel connection go on; everything that is a file has gone. */
static int live_as_daemon(void) {
        int chid = channel_new(0), coid = connect_side(0, chid), fd = dup(0);
        char directory[100];
        struct _pulse pulse;

        if (procmgr_daemon(0, 0) != 0)
                return 1;
        if (!getcwd(directory, sizeof(directory)) || strcmp(directory, "/") != 0)
                return 2;
        if (!is_null(0) || !is_null(1) || !is_null(2) || fcntl(fd, F_GETFD) != -1)
                return 3;
        if (umask(077) != 0 || getsid(0) != getpid())
                return 4;
        if (MsgSendPulse(coid, 10, 1, 0) || MsgReceive(chid, &pulse, sizeof(pulse), NULL))
                return 5;
        return 0;
}

START_TEST(a_daemon_keeps_its_channels) {
        pid_t child = fork();

        if (child == 0)
                _exit(live_as_daemon());
        ck_assert_int_eq(exit_status(child), 0);
}
END_TEST

static int keep_everything(void) {
        char directory[100];
        int fd = dup(0);

        ck_assert_ok(chdir("/tmp"));
        umask(022);
        if (procmgr_daemon(0, PROCMGR_DAEMON_NOCHDIR | PROCMGR_DAEMON_NOCLOSE | PROCMGR_DAEMON_NODEVNULL |
                                      PROCMGR_DAEMON_KEEPUMASK) != 0)
                return 1;
        if (!getcwd(directory, sizeof(directory)) || strcmp(directory, "/tmp") != 0)
                return 2;
        return fcntl(fd, F_GETFD) == -1 || umask(0) != 022 ? 3 : 0;
}

START_TEST(a_daemon_keeps_what_it_says) {
        pid_t child = fork();

        if (child == 0)
                _exit(keep_everything());
        ck_assert_int_eq(exit_status(child), 0);
        ck_assert_fails(procmgr_daemon(0, 0x100), EINVAL);
}
END_TEST

START_TEST(sessions_are_made_and_signalled) {
        pid_t child = fork();

        if (child == 0)
                _exit(procmgr_session(0, 0, 0, PROCMGR_SESSION_SETSID) == 0 && getsid(0) == getpid() ? 0 : 1);
        ck_assert_int_eq(exit_status(child), 0);
        ck_assert_ok(procmgr_session(0, getpid(), 0, PROCMGR_SESSION_SIGNAL_PID));
        ck_assert_fails(procmgr_session(0, child, 0, PROCMGR_SESSION_SIGNAL_LEADER), ESRCH);
        ck_assert_fails(procmgr_session(0, 0, 0, 99), EINVAL);
        ck_assert_fails(procmgr_session(3, 0, 0, PROCMGR_SESSION_SETSID), ESRCH);
        ck_assert_fails(procmgr_session(0, 0, 0, PROCMGR_SESSION_TCSETSID), ENOTSUP);
        ck_assert_fails(procmgr_guardian(getpid()), ENOSYS);
}
END_TEST

/* ---- RLIMIT_CHANNELS_NP ---- */

START_TEST(channels_have_a_limit) {
        struct rlimit limit, files;
        int chids[3];

        ck_assert_ok(getrlimit(RLIMIT_CHANNELS_NP, &limit));
        ck_assert(limit.rlim_cur == RLIM_INFINITY && limit.rlim_max == RLIM_INFINITY);
        limit = (struct rlimit){ .rlim_cur = 3, .rlim_max = 5 };
        ck_assert_ok(setrlimit(RLIMIT_CHANNELS_NP, &limit));
        for (int i = 0; i < 3; i++)
                chids[i] = channel_new(0);
        ck_assert_fails(ChannelCreate(0), EAGAIN);
        ck_assert_fails(ChannelCreate(_NTO_CHF_PRIVATE), EAGAIN);
        channel_free(chids[1]);
        chids[1] = channel_new(0);
        ck_assert_ok(prlimit(getpid(), RLIMIT_CHANNELS_NP, NULL, &limit));
        ck_assert(limit.rlim_cur == 3 && limit.rlim_max == 5);
        limit = (struct rlimit){ .rlim_cur = 6, .rlim_max = 5 };
        ck_assert_fails(setrlimit(RLIMIT_CHANNELS_NP, &limit), EINVAL);
        ck_assert_ok(getrlimit(RLIMIT_NOFILE, &files));
        ck_assert(files.rlim_max > 0 && files.rlim_max != 5);
        for (int i = 0; i < 3; i++)
                channel_free(chids[i]);
}
END_TEST

START_TEST(a_child_inherits_the_limit) {
        struct rlimit none = { 0, 0 };
        pid_t child;

        ck_assert_ok(setrlimit(RLIMIT_CHANNELS_NP, &none));
        child = fork();
        if (child == 0)
                _exit(-ChannelCreate_r(0));
        ck_assert_int_eq(exit_status(child), EAGAIN);
}
END_TEST

static void ask_for_channel(Peer *me) {
        peer_say(me, 0);
        peer_hear(me);
        ck_assert_fails(ChannelCreate(0), EAGAIN);
}

START_TEST(the_limit_of_another_process_is_set) {
        Peer peer = peer_serve(ask_for_channel, 0, 0);
        struct rlimit limit = { 1, 1 }, old;

        peer_hear(&peer);
        ck_assert_ok(prlimit(peer.pid, RLIMIT_CHANNELS_NP, &limit, &old));
        ck_assert(old.rlim_cur == RLIM_INFINITY);
        peer_say(&peer, 0);
        peer_end(&peer);
        ck_assert_fails(prlimit(99999999, RLIMIT_CHANNELS_NP, NULL, &old), ESRCH);
}
END_TEST

HARNESS_MAIN("procmgr", without_the_ability_no_channel_is_public, what_is_locked_stays,
             all_that_is_not_listed_can_be_forbidden, without_the_ability_nobody_is_connected_to,
             a_child_inherits, a_grandchild_inherits, a_program_inherits_unless_told_otherwise,
             another_process_can_be_forbidden, priorities_have_their_limit, nonsense_is_refused,
             a_server_asks_what_its_client_may_do,
             abilities_can_be_made_by_name, a_death_is_told, a_birth_is_told,
             an_executed_program_is_no_death, a_daemon_s_death_is_told, events_can_be_triggered,
             interest_comes_and_goes, what_cannot_be_an_event_is_refused, a_daemon_keeps_its_channels,
             a_daemon_keeps_what_it_says, sessions_are_made_and_signalled, channels_have_a_limit,
             a_child_inherits_the_limit, the_limit_of_another_process_is_set)
