/* SPDX-License-Identifier: MIT */
/*
 * Session: a daemon that dies and comes again says some things twice and breaks off others. The daemon here is a
 * process of the test that does just that; who is asked is the library.
 */
#include "runtime/session.h"
#include "runtime/channel.h"
#include "runtime/lane.h"
#include "runtime/news.h"
#include "unit.h"

#include "base/fdmsg.h"
#include "shm/link.h"
#include "shm/region.h"
#include "sys/neutrino.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHID  1
#define SCOID 7

static char place[64], path[100];
static int listener = -1;
static pid_t server;

/* ---- the daemon's side ---- */

typedef struct Peer {
        int socket;
        int news;
        ShmNotice *notice;
} Peer;

static void must(bool is) {
        if (!is)
                _exit(1);
}

static WireRequest hear(int socket) {
        WireRequest request;

        must(recv(socket, &request, sizeof(request), 0) == sizeof(request));
        return request;
}

static void answer(int socket, uint32_t serial, uint32_t bits, const int *fds) {
        WireReply reply = { .serial = serial, .fds = bits, .channel = { .chid = CHID, .bell = 1 } };

        must(fdmsg_send(socket, &reply, sizeof(reply), fds, (size_t)__builtin_popcount(bits), 0) == 0);
}

static Peer admit(void) {
        Peer peer = { .socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC) };
        int fds[3], news[2];
        WireRequest request;

        must(peer.socket >= 0);
        request = hear(peer.socket);
        must(request.op == WIRE_GREET);
        must(region_create("notice", sizeof(ShmNotice), &fds[0]) == 0);
        must(region_map(fds[0], sizeof(ShmNotice), true, (void **)&peer.notice) == 0);
        notice_init(peer.notice);
        must(region_create("page", PROCESS_BYTES, &fds[1]) == 0);
        must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, news) == 0);
        fds[2] = news[1];
        peer.news = news[0];
        answer(peer.socket, request.serial, 7, fds);
        for (unsigned i = 0; i < 3; i++)
                close(fds[i]);
        return peer;
}

static int region(size_t bytes) {
        int fd;

        must(region_create("region", bytes, &fd) == 0);
        return fd;
}

static void tell(Peer *peer, WireNews news, const int *fds) {
        must(fdmsg_send(peer->news, &news, sizeof(news), fds, (size_t)__builtin_popcount(news.fds), 0) == 0);
        notice_count(peer->notice);
}

/* Until the program goes. */
static void wait_for_end(Peer *peer) {
        WireRequest request;

        while (recv(peer->socket, &request, sizeof(request), 0) > 0)
                answer(peer->socket, request.serial, 0, NULL);
}

/* ---- the program's side ---- */

static void start(void (*play)(void)) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        strcpy(place, "/tmp/test-session-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(place));
        snprintf(path, sizeof(path), "%s/socket", place);
        listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        strcpy(address.sun_path, path);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 50), 0);
        setenv("NUNTIUS_SOCKET", path, 1);
        setenv("NUNTIUS_AUTOSTART", "0", 1);
        server = fork();
        if (server == 0) {
                alarm(60);
                play();
                _exit(0);
        }
        close(listener);
}

static void finish(void) {
        int status;

        session_after_fork(); /* closes what the library holds */
        ck_assert_int_eq(waitpid(server, &status, 0), server);
        ck_assert_int_eq(status, 0);
        unlink(path);
        rmdir(place);
}

static int ask(void) {
        WireRequest request = { .op = WIRE_CHANNEL_DESTROY };
        WireReply reply;
        int fds[SESSION_FDS];

        return session_ask(&request, -1, &reply, fds);
}

static void play_three_deaths_before_the_greeting(void) {
        Peer peer;
        int fd = accept(listener, NULL, NULL);

        close(fd); /* before it has read it: ECONNRESET */
        fd = accept(listener, NULL, NULL);
        hear(fd);
        close(fd); /* after: end of file */
        close(accept(listener, NULL, NULL));
        peer = admit();
        wait_for_end(&peer);
}

START_TEST(who_was_not_greeted_connects_again) {
        start(play_three_deaths_before_the_greeting);
        ck_assert_int_eq(session_open(), 0);
        ck_assert_int_eq(ask(), 0);
        finish();
}
END_TEST

static void play_who_wants_nobody(void) {
        for (unsigned i = 0; i < 20; i++)
                close(accept(listener, NULL, NULL));
}

START_TEST(who_is_never_greeted_gives_up) {
        start(play_who_wants_nobody);
        ck_assert_int_eq(session_open(), -EPIPE);
        finish();
}
END_TEST

/* An old answer, with descriptors, before and after the right one. */
static void play_old_answers(void) {
        Peer peer = admit();
        int fds[3] = { region(4096), region(4096), region(4096) };
        WireRequest first = hear(peer.socket), second;

        answer(peer.socket, first.serial, 0, NULL);
        answer(peer.socket, first.serial, 5, fds);
        second = hear(peer.socket);
        answer(peer.socket, first.serial - 1, 7, fds);
        answer(peer.socket, second.serial, 0, NULL);
        wait_for_end(&peer);
}

START_TEST(an_answer_that_comes_again_is_dropped_with_what_it_brings) {
        start(play_old_answers);
        ck_assert_int_eq(ask(), 0);
        ck_assert_int_eq(ask(), 0);
        ck_assert_int_eq(ask(), 0);
        finish(); /* and no descriptor is left open, which the suite looks at */
}
END_TEST

static void play_an_old_answer_to_nobody(void) {
        struct pollfd hangup = { .events = 0 };
        Peer peer = admit();
        WireRequest request = hear(peer.socket);
        int ends[2];

        must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
        answer(peer.socket, request.serial, 0, NULL);
        hear(peer.socket); /* the first that is only told */
        answer(peer.socket, request.serial, 1, &ends[1]);
        close(ends[1]);
        notice_count(peer.notice);
        hear(peer.socket); /* the second: it has no more to say, and keeps nothing open */
        hangup.fd = ends[0];
        must(poll(&hangup, 1, 30000) == 1 && hangup.revents & POLLHUP);
        wait_for_end(&peer);
}

static int tell_nothing(void) {
        WireRequest request = { .op = WIRE_CONNECT_DETACH };

        return session_tell(&request);
}

START_TEST(who_only_tells_gets_rid_of_old_answers_too) {
        start(play_an_old_answer_to_nobody);
        ck_assert_int_eq(ask(), 0);
        ck_assert_int_eq(tell_nothing(), 0);
        while (session_news() == 0)
                usleep(1000);
        ck_assert_int_eq(tell_nothing(), 0);
        ck_assert_int_eq(ask(), 0); /* answered when the descriptor that came again is closed */
        finish();
}
END_TEST

static void play_one_answer_and_gone(void) {
        Peer peer = admit();
        WireRequest request = hear(peer.socket);

        answer(peer.socket, request.serial, 0, NULL);
}

START_TEST(a_daemon_that_is_gone_for_good_is_said_once) {
        char text[2000] = "";
        int said = memfd_create("stderr", MFD_CLOEXEC), real = dup(STDERR_FILENO);
        siginfo_t end;

        start(play_one_answer_and_gone);
        ck_assert_int_eq(ask(), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t)server, &end, WEXITED | WNOWAIT), 0);
        dup2(said, STDERR_FILENO);
        ck_assert_int_eq(ask(), -EPIPE);
        ck_assert_int_eq(ask(), -EPIPE);
        ck_assert_int_eq(tell_nothing(), -EPIPE);
        ck_assert_int_eq(session_open(), 0);
        dup2(real, STDERR_FILENO);
        ck_assert_int_gt(pread(said, text, sizeof(text) - 1, 0), 0);
        ck_assert_ptr_nonnull(strstr(text, "the daemon has ended"));
        ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
        close(said);
        close(real);
        finish();
}
END_TEST

/* ---- news ---- */

static void tell_all_twice(Peer *peer) {
        int lane_fds[2] = { region(LINK_BYTES), region(BELL_BYTES) };
        int slots = region(EXTENT_SLOTS * SLOT_STRIDE), bulk = region(EXTENT_BULK_MIN);
        WireNews lane = {
                .kind = WIRE_NEWS_LANE_OPEN, .fds = WIRE_NEWS_FD_LINK | WIRE_NEWS_FD_BELL,
                .lane_open = { .scoid = SCOID, .chid = CHID, .bell = 2, .lane = 3, .link = 4 },
        };
        WireNews extent = {
                .kind = WIRE_NEWS_LINK_EXTENT, .fds = WIRE_NEWS_FD_EXTENT,
                .link_extent = { 4, 1, WIRE_EXTENT_SLOTS, 0, EXTENT_SLOTS * SLOT_STRIDE },
        };
        WireNews more = {
                .kind = WIRE_NEWS_LINK_EXTENT, .fds = WIRE_NEWS_FD_EXTENT,
                .link_extent = { 4, 2, WIRE_EXTENT_BULK, 0, EXTENT_BULK_MIN },
        };
        WireNews death = { .kind = WIRE_NEWS_COID_DEATH, .coid_death = { 99, 12 } };

        for (unsigned i = 0; i < 2; i++) {
                tell(peer, lane, lane_fds);
                tell(peer, extent, &slots);
                tell(peer, more, &bulk);
                tell(peer, death, NULL);
        }
}

static void tell_the_end_twice(Peer *peer) {
        WireNews lane = { .kind = WIRE_NEWS_LANE_CLOSE, .lane_close = { .scoid = SCOID, .died = 1 } };
        WireNews link = { .kind = WIRE_NEWS_LINK_CLOSE, .link_close = { 4 } };

        for (unsigned i = 0; i < 2; i++) {
                tell(peer, lane, NULL);
                tell(peer, link, NULL);
        }
}

static void play_news(void) {
        Peer peer = admit();
        int bell = region(BELL_BYTES);
        WireRequest request = hear(peer.socket);

        answer(peer.socket, request.serial, WIRE_FD_BELL, &bell);
        request = hear(peer.socket);
        tell_all_twice(&peer);
        answer(peer.socket, request.serial, 0, NULL);
        request = hear(peer.socket);
        tell_the_end_twice(&peer);
        answer(peer.socket, request.serial, 0, NULL);
        wait_for_end(&peer);
}

/* Takes the pulses of the channel: how many of this code there are. */
static unsigned count_pulses(Channel *channel, int code) {
        unsigned n = 0;
        Entry *entry;

        while ((entry = queue_pop(&channel->queue, true))) {
                n += ((Pulse *)entry)->code == code;
                pulse_free_locked((Pulse *)entry);
        }
        return n;
}

START_TEST(news_that_comes_twice_is_taken_once) {
        Channel *channel;
        InLink *link;

        start(play_news);
        ck_assert_int_eq(channel_create(_NTO_CHF_DISCONNECT | _NTO_CHF_COID_DISCONNECT), CHID);
        channel = channel_find_locked(CHID);
        ck_assert_int_eq(ask(), 0);
        news_read_locked();
        link = inlink_find_locked(4);
        ck_assert_ptr_nonnull(link);
        ck_assert_uint_eq(link->n_lanes, 1);
        ck_assert_uint_eq(link->n_blocks, 2);
        ck_assert_uint_eq(channel->n_bells, 2);
        ck_assert_ptr_nonnull(inlink_bulk(link, 2, EXTENT_BULK_MIN));
        ck_assert_uint_eq(count_pulses(channel, _PULSE_CODE_COIDDEATH), 1);
        ck_assert_int_eq(ask(), 0);
        news_read_locked();
        ck_assert_uint_eq(count_pulses(channel, _PULSE_CODE_DISCONNECT), 1);
        ck_assert(lane_find_locked(SCOID)->closed);
        finish();
}
END_TEST

UNIT_MAIN("runtime-session", who_was_not_greeted_connects_again, who_is_never_greeted_gives_up,
          an_answer_that_comes_again_is_dropped_with_what_it_brings, who_only_tells_gets_rid_of_old_answers_too,
          a_daemon_that_is_gone_for_good_is_said_once, news_that_comes_twice_is_taken_once)
