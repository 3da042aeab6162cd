/* SPDX-License-Identifier: MIT */
/*
 * Socket: nonsense on the control socket, and everything opened until the limit.
 */
#include "attack.h"

#include "abi/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/neutrino.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CHANNEL    (_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT)
#define SCM_FDS    253 /* the kernel's limit of descriptors in one message */

/* ---- garbage ---- */

typedef void (*Nuisance)(Stage *stage, uint64_t *chance);

static void fill(void *bytes, size_t n, uint64_t *chance) {
        for (size_t i = 0; i < n; i++)
                ((uint8_t *)bytes)[i] = (uint8_t)chance_next(chance);
}

/* An answer may come or not; nobody waits long for it. */
static void maybe_read(int socket) {
        uint8_t bytes[512];
        struct timeval soon = { .tv_usec = 2000 };

        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
        recv(socket, bytes, sizeof(bytes), 0);
}

static int greeted(Stage *stage, bool keep, int *ret_news) {
        WireReply reply;
        int socket = wire_connect();
        int fds[3] = { -1, -1, -1 };

        if (socket < 0)
                return -1;
        wire_greet(socket, 0, &reply, fds);
        for (unsigned i = 0; i < 3; i++)
                if (fds[i] >= 0 && !(keep && i == 2))
                        close(fds[i]);
        if (keep)
                *ret_news = fds[2];
        return socket;
}

static void any_bytes(Stage *stage, uint64_t *chance) {
        uint8_t bytes[4096];
        int socket = wire_connect();
        size_t n = chance_below(chance, 3) ? chance_below(chance, 200) : chance_below(chance, 4096);

        if (socket < 0)
                return;
        fill(bytes, n, chance);
        send(socket, bytes, n, MSG_NOSIGNAL);
        maybe_read(socket);
        close(socket);
}

static void any_requests(Stage *stage, uint64_t *chance) {
        int socket = greeted(stage, false, NULL);

        for (unsigned i = 0; socket >= 0 && i < 20; i++) {
                WireRequest request;

                fill(&request, sizeof(request), chance);
                if (chance_below(chance, 4)) {
                        request.op %= WIRE_OPS_N;
                        request.fds = request.pad = 0;
                }
                if (send(socket, &request, sizeof(request), MSG_NOSIGNAL) < 0)
                        break;
        }
        if (socket >= 0)
                maybe_read(socket);
        close(socket);
}

static uint32_t odd_number(Stage *stage, uint64_t *chance) {
        const uint32_t numbers[] = {
                0, 1, 2, 3, 100, 0x10000, 0x10001, 0x3fffffff, 0x40000000, 0x40000001, 0x40000002,
                0x7fffffff, 0x80000000, 0xffffffff, (uint32_t)stage->party.pid, (uint32_t)getpid(),
                (uint32_t)stage->other.pid, (uint32_t)rig_daemon_pid(), LINK_CONNECTIONS, EXTENTS_MAX,
        };

        return numbers[chance_below(chance, sizeof(numbers) / sizeof(*numbers))];
}

static void odd_arguments(Stage *stage, uint64_t *chance) {
        int socket = greeted(stage, false, NULL);

        for (unsigned i = 0; socket >= 0 && i < 60; i++) {
                WireRequest request = { .op = chance_below(chance, WIRE_OPS_N) };
                WireReply reply;
                int fds[3];

                for (unsigned k = 0; k < sizeof(request.bytes) / 4; k++) {
                        uint32_t number = odd_number(stage, chance);

                        memcpy(request.bytes + 4 * k, &number, 4);
                }
                if (send(socket, &request, sizeof(request), MSG_NOSIGNAL) < 0)
                        break;
                if (i % 8 == 0 && wire_ask(socket, &request, -1, &reply, fds) == -EPIPE)
                        break;
        }
        close(socket);
}

static int odd_descriptor(int socket, uint64_t *chance) {
        int ends[2];

        switch (chance_below(chance, 5)) {
        case 0:
                return dup(socket);
        case 1:
                return open("/dev/null", O_RDWR | O_CLOEXEC);
        case 2:
                return epoll_create1(EPOLL_CLOEXEC);
        case 3:
                return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0 ? (close(ends[1]), ends[0]) : -1;
        default:
                return pipe(ends) == 0 ? (close(ends[1]), ends[0]) : -1;
        }
}

static void send_with_fds(int socket, const WireRequest *request, const int *fds, size_t n) {
        union {
                struct cmsghdr header;
                uint8_t bytes[CMSG_SPACE(sizeof(int) * SCM_FDS)];
        } control = { .bytes = { 0 } };
        struct iovec part = { (void *)request, sizeof(*request) };
        struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                .msg_controllen = CMSG_SPACE(sizeof(int) * n),
        };

        control.header = (struct cmsghdr){
                .cmsg_len = CMSG_LEN(sizeof(int) * n), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
        };
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n);
        sendmsg(socket, &message, MSG_NOSIGNAL);
}

static void many_descriptors(Stage *stage, uint64_t *chance) {
        WireRequest request = { .op = WIRE_CONNECT_ADOPT, .fds = 1 };
        int socket = greeted(stage, false, NULL), fds[SCM_FDS];
        size_t n = chance_below(chance, 2) ? 1 : 1 + chance_below(chance, SCM_FDS);

        if (socket < 0)
                return;
        for (size_t i = 0; i < n; i++)
                fds[i] = odd_descriptor(socket, chance);
        if (chance_below(chance, 2))
                request.fds = (uint32_t)chance_next(chance);
        send_with_fds(socket, &request, fds, n);
        maybe_read(socket);
        for (size_t i = 0; i < n; i++)
                close(fds[i]);
        close(socket);
}

static void half_open(Stage *stage, uint64_t *chance) {
        static __thread int held[64];
        int *place = &held[chance_below(chance, 64)];

        if (*place > 0)
                close(*place);
        *place = chance_below(chance, 2) ? wire_connect() : greeted(stage, false, NULL);
        if (*place > 0 && chance_below(chance, 2))
                shutdown(*place, chance_below(chance, 2) ? SHUT_WR : SHUT_RD);
}

static void unread_replies(Stage *stage, uint64_t *chance) {
        WireRequest request = { .op = WIRE_CLIENT_INFO, .client_info.scoid = -1 };
        int socket = greeted(stage, false, NULL);

        for (unsigned i = 0; socket >= 0 && i < 5000; i++)
                if (send(socket, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
                    errno != EAGAIN)
                        break;
        close(socket);
}

static void talk_on_news(Stage *stage, uint64_t *chance) {
        uint8_t bytes[300];
        int news = -1, socket = greeted(stage, true, &news);

        fill(bytes, sizeof(bytes), chance);
        for (unsigned i = 0; news >= 0 && i < 50; i++)
                send(news, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (news >= 0 && chance_below(chance, 2))
                shutdown(news, SHUT_RDWR);
        close(news);
        maybe_read(socket);
        close(socket);
}

static void *nuisance_for_ever(void *argument) {
        static const Nuisance nuisances[] = {
                any_bytes, any_requests, odd_arguments, many_descriptors, half_open, unread_replies,
                talk_on_news,
        };
        Stage *stage = argument;
        uint64_t chance = attack_chance() + (uint64_t)(uintptr_t)&stage;

        for (;;) {
                nuisances[chance_below(&chance, sizeof(nuisances) / sizeof(*nuisances))](stage, &chance);
                stage->attacks++;
        }
        return NULL;
}

static void play_nuisance(void *argument) {
        pthread_t thread;

        for (unsigned i = 0; i < 2; i++)
                pthread_create(&thread, NULL, nuisance_for_ever, argument);
        nuisance_for_ever(argument);
}

static void test_garbage(void) {
        Stage *stage = stage_open(CHANNEL);
        unsigned fds = rig_daemon_fds();

        for (unsigned i = 0; i < 4; i++)
                stage_attack(stage, play_nuisance, stage, 1000);
        need(stage->attacks > 200, "only %u attacks", stage->attacks);
        rig_pause(100);
        /* the bystanders' own descriptors come and go */
        need(rig_daemon_fds() <= fds + 8, "the daemon keeps %u descriptors, had %u", rig_daemon_fds(), fds);
        stage_close(stage);
}

/* ---- who stops reading ---- */

#define SLEEPERS 200

/* Asks on and reads nothing until it is shown out. */
static void oversleep(int socket) {
        WireRequest request = { .op = WIRE_CLIENT_INFO, .client_info.scoid = -1 };

        while (send(socket, &request, sizeof(request), MSG_NOSIGNAL) == sizeof(request))
                ;
        need(errno == EPIPE || errno == ECONNRESET, "a sleeper: %m");
}

/* Each keeps its end of the socket: that the daemon has closed its own is what counts. */
static void play_sleepers(void *argument) {
        Stage *stage = argument;

        for (;;) {
                int socket = greeted(stage, false, NULL);

                need(socket >= 0, "a sleeper does not get in");
                if (stage->attacks < SLEEPERS)
                        oversleep(socket);
                else
                        pause();
                stage->attacks++;
        }
}

/* The other's requests are part of its orders: it attaches anew after every few. */
static void test_sleepers(void) {
        Stage *stage = stage_open(CHANNEL);
        unsigned fds = rig_daemon_fds();
        pid_t sleepers = rig_play(play_sleepers, stage, RIG_HOSTILE);

        need(rig_await(&stage->attacks, SLEEPERS, 50), "only %u sleepers were shown out", stage->attacks);
        need(rig_await(&stage->other.orders, stage->other.orders + 100, RIG_PATIENCE), "the other has to wait");
        need(rig_daemon_fds() <= fds + 16, "the daemon keeps %u descriptors, had %u", rig_daemon_fds(), fds);
        rig_kill(sleepers);
        stage_close(stage);
}

/* ---- to the limit ---- */

typedef struct Hoard {
        Stage *stage;
        _Atomic uint32_t full; /* everybody has all that he can get */
        _Atomic uint32_t sessions, greetings, channels, connections, extents;
} Hoard;

#define HOARDERS 6

static void raise_limit(void) {
        struct rlimit limit;

        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
}

static void wait_for_the_end(Hoard *hoard) {
        hoard->full++;
        for (;;)
                pause();
}

/* Connections that never greet. */
static void hoard_sessions(Hoard *hoard) {
        int socket;

        while ((socket = wire_connect()) >= 0) {
                WireReply reply;
                int fds[3];

                if (hoard->sessions % 2 && wire_greet(socket, WIRE_GREET_OBSERVER, &reply, fds) < 0)
                        break;
                hoard->sessions++;
                if (hoard->sessions > 6000)
                        break;
        }
}

static void hoard_channels(Hoard *hoard, int socket) {
        WireRequest request = { .op = WIRE_CHANNEL_CREATE };
        WireReply reply;
        int fds[3];

        while (wire_ask(socket, &request, -1, &reply, fds) == 0) {
                close(fds[0]);
                hoard->channels++;
        }
}

static bool attach_raw(Hoard *hoard, int socket, int coid, uint32_t *ret_link) {
        WireRequest request = {
                .op = WIRE_CONNECT_ATTACH,
                .connect_attach = {
                        .pid = hoard->stage->party.pid,
                        .chid = hoard->stage->party.chid,
                        .coid = coid,
                },
        };
        WireReply reply;
        int fds[3];

        if (wire_ask(socket, &request, -1, &reply, fds) != 0)
                return false;
        *ret_link = reply.connect.link;
        hoard->connections++;
        return true;
}

static void hoard_connections(Hoard *hoard, int socket, bool as_descriptors) {
        int coid = 0x40000001;
        uint32_t link;

        while (attach_raw(hoard, socket, as_descriptors ? 0 : coid++, &link))
                ;
}

/* Each is one more mapping in the server. */
static void hoard_extents(Hoard *hoard, int socket) {
        WireRequest request = {
                .op = WIRE_LINK_GROW,
                .link_grow = { .kind = WIRE_EXTENT_BULK, .bytes = EXTENT_BULK_MIN },
        };
        WireReply reply;
        int fds[3];

        if (!attach_raw(hoard, socket, 0x40000001, &request.link_grow.link))
                return;
        while (wire_ask(socket, &request, -1, &reply, fds) == 0) {
                close(fds[0]);
                hoard->extents++;
        }
}

typedef struct HoardRole {
        Hoard *hoard;
        unsigned number;
} HoardRole;

static void play_hoarder(void *argument) {
        HoardRole *role = argument;
        WireReply reply;
        int socket, fds[3];

        raise_limit();
        if (role->number == 0)
                hoard_sessions(role->hoard);
        else if ((socket = wire_connect()) >= 0 && wire_greet(socket, 0, &reply, fds) == 0) {
                role->hoard->greetings++;
                if (role->number == 1)
                        hoard_channels(role->hoard, socket);
                else if (role->number == 2)
                        hoard_extents(role->hoard, socket);
                else
                        hoard_connections(role->hoard, socket, role->number % 2);
        }
        wait_for_the_end(role->hoard);
}

static void test_hoarders(void) {
        Stage *stage;
        Hoard *hoard = rig_shared(sizeof(*hoard));
        pid_t pids[HOARDERS];

        if (!rig_has_users()) {
                puts("# skipped: one user at its limits is seen only by another user; run as root");
                _exit(77);
        }
        stage = stage_open(CHANNEL);
        rig_kill(stage->mate.pid); /* it shares the limits */
        stage->mate.pid = 0;
        hoard->stage = stage;
        for (unsigned i = 0; i < HOARDERS; i++) {
                HoardRole role = { .hoard = hoard, .number = i };

                pids[i] = rig_play(play_hoarder, &role, RIG_HOSTILE);
        }
        need(rig_await(&hoard->full, HOARDERS, 50), "the hoarders do not come to an end");
        printf("# hoarded: %u sessions, %u channels, %u connections, %u extents; the daemon has %u "
               "descriptors\n", hoard->sessions, hoard->channels, hoard->connections, hoard->extents,
               rig_daemon_fds());
        rig_pause(500);
        stage->attacks = hoard->sessions + hoard->channels + hoard->connections + hoard->extents;
        for (unsigned i = 0; i < HOARDERS; i++)
                rig_kill(pids[i]);
        stage_close(stage);
}

int main(int argc, char **argv) {
        static const RigTest tests[] = {
                { "a client speaks garbage on the control socket", test_garbage, 60 },
                { "clients stop reading their control sockets", test_sleepers, 120 },
                { "a user opens everything to the limit", test_hoarders, 120 },
        };

        return rig_main("socket", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
