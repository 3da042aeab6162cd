/* SPDX-License-Identifier: MIT */
/*
 * Control: what the daemon is asked, by several processes that say what they like.
 *
 * The daemon's kernel runs in this process. The input is a list of steps: sessions come and go, send records
 * that are right, nearly right or noise, read or do not read what they are answered, scribble over the memory
 * that they got, close descriptors. Each player is a process of its own, because the daemon takes the
 * pid and the user from the socket; run as root, half of them are another user's.
 *
 * Whatever they do, the daemon lives, and holds nothing when all have gone: its own asserts, the number of
 * descriptors, and the sanitizers say so.
 */
#include "input.h"

#include "abi/layout.h"
#include "abi/wire.h"
#include "base/fdmsg.h"
#include "base/log.h"
#include "daemon/kernel.h"
#include "daemon/session.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLAYERS   4u
#define SESSIONS  8u
#define KEPT      16u /* descriptors that came with replies */
#define NUMBERS   64u /* ids that the daemon has named */
#define STEPS_MAX 400u
#define ROUNDS_MAX 1000u /* a few requests of a session each time */
#define OTHER_UID 65533u

typedef struct Player {
        pid_t pid;
        int wire; /* one byte asks for a pair of sockets that it has made */
} Player;

typedef struct World {
        Kernel *kernel;
        int sessions[SESSIONS]; /* the players' ends; -1 = none */
        int news[SESSIONS];
        int kept[KEPT];
        unsigned n_kept;
        uint32_t numbers[NUMBERS];
        unsigned n_numbers;
} World;

static Player players[PLAYERS];

/* ---- players ---- */

static void play(int wire) {
        char byte;
        int ends[2];

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (read(wire, &byte, 1) == 1) {
                if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                        _exit(1);
                fdmsg_send(wire, &byte, 1, ends, 2, 0);
                close(ends[0]);
                close(ends[1]);
                if (write(wire, &byte, 1) != 1)
                        _exit(1);
        }
        _exit(0);
}

static void player_start(Player *player, uid_t uid) {
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                abort();
        player->pid = fork();
        if (player->pid < 0)
                abort();
        if (player->pid == 0) {
                close(ends[0]);
                if (uid && (setgid(uid) || setuid(uid)))
                        _exit(1);
                play(ends[1]);
        }
        close(ends[1]);
        player->wire = ends[0];
}

/* A connected pair whose maker is that player; the daemon's end first. */
static void player_connect(const Player *player, int ends[2]) {
        char byte = 0;
        size_t n = 0;

        if (write(player->wire, &byte, 1) != 1 ||
            fdmsg_receive(player->wire, &byte, 1, ends, 2, &n, 0) != 1 || n != 2 ||
            read(player->wire, &byte, 1) != 1) /* nobody else holds them now */
                abort();
}

/* ---- what is known ---- */

static void learn(World *world, uint32_t number) {
        if (number != 0)
                world->numbers[world->n_numbers++ % NUMBERS] = number;
}

/* Small numbers, powers of two, numbers that mean something, anything. */
static uint32_t some_number(World *world, Input *input) {
        uint8_t choice = input_u8(input);

        if (choice < 64)
                return choice;
        if (choice < 96)
                return 1u << (choice - 64);
        if (choice < 100)
                return (uint32_t)players[choice - 96].pid;
        if (choice < 104)
                return 0x40000000u + choice - 100; /* numbers of the side channel */
        if (choice < 104 + NUMBERS)
                return world->numbers[choice - 104];
        return input_u32(input);
}

static void keep(World *world, int fd) {
        int *place = &world->kept[world->n_kept++ % KEPT];

        if (*place >= 0)
                close(*place);
        *place = fd;
}

/* ---- steps ---- */

static void run_loop(World *world) {
        for (int i = 0; i < 3; i++)
                ev_run(world->kernel->loop, EVRUN_NOWAIT);
}

static void hang_up(World *world, unsigned i) {
        if (world->sessions[i] >= 0)
                close(world->sessions[i]);
        if (world->news[i] >= 0)
                close(world->news[i]);
        world->sessions[i] = world->news[i] = -1;
}

static void connect_session(World *world, unsigned i) {
        int ends[2];

        hang_up(world, i);
        player_connect(&players[i % PLAYERS], ends);
        if (session_new(world->kernel, ends[0]) < 0) {
                close(ends[1]);
                return;
        }
        world->sessions[i] = ends[1];
}

static size_t bytes_of(uint32_t op) {
        static const size_t bytes[WIRE_OPS_N] = {
#define X(name, member, answers) [WIRE_##name] = sizeof(((WireRequest *)0)->member),
                WIRE_OPS(X)
#undef X
        };

        return op < WIRE_OPS_N ? bytes[op] : sizeof(((WireRequest *)0)->bytes);
}

/* A greeting is right more often than not: without one there is nothing to break. */
static void make_request(World *world, Input *input, uint32_t op, WireRequest *request) {
        *request = (WireRequest){ .op = op, .serial = world->n_numbers };
        for (size_t at = 0; at + 4 <= bytes_of(op); at += 4) {
                uint32_t word = some_number(world, input);

                memcpy(&request->bytes[at], &word, sizeof(word));
        }
        if (op == WIRE_GREET && request->greet.flags < 64) {
                request->greet.wire_version = WIRE_VERSION;
                request->greet.layout_version = LAYOUT_VERSION;
                request->greet.flags &= WIRE_GREET_ONE_BELL | WIRE_GREET_OBSERVER;
        }
}

static void send_record(const World *world, unsigned i, const void *bytes, size_t n, const int *fds,
                        size_t n_fds) {
        if (world->sessions[i] >= 0)
                fdmsg_send(world->sessions[i], bytes, n, fds, n_fds, MSG_DONTWAIT);
}

static void send_request(World *world, Input *input, unsigned i, unsigned times) {
        uint32_t op = input_u8(input) % (WIRE_OPS_N + 1);
        WireRequest request;
        int fd = world->kept[input_u8(input) % KEPT];

        make_request(world, input, op, &request);
        request.fds = op == WIRE_CONNECT_ADOPT && fd >= 0;
        for (unsigned n = 0; n < times; n++)
                send_record(world, i, &request, sizeof(request), &fd, request.fds);
}

static void send_noise(World *world, Input *input, unsigned i) {
        uint8_t bytes[80];
        size_t n = input_u8(input) % (sizeof(bytes) + 1);
        size_t n_fds = input_u8(input) % 4;
        int fds[3] = { world->sessions[i], world->sessions[i], world->sessions[i] };

        input_take(input, bytes, sizeof(bytes));
        send_record(world, i, bytes, n, fds, n_fds);
}

static void read_reply(World *world, unsigned i, const WireReply *reply, int *fds, size_t n_fds) {
        uint32_t words[8];

        memcpy(words, reply->bytes, sizeof(words));
        for (unsigned w = 0; w < 8 && reply->status == 0; w++)
                learn(world, words[w]);
        for (size_t f = 0; f < n_fds; f++)
                if (reply->fds == (WIRE_FD_NOTICE | WIRE_FD_PAGE | WIRE_FD_NEWS) && f == 2 &&
                    world->news[i] < 0)
                        world->news[i] = fds[f];
                else
                        keep(world, fds[f]);
}

static void read_replies(World *world, unsigned i) {
        WireReply reply;
        int fds[FDMSG_FDS_MAX];
        size_t n_fds;

        while (world->sessions[i] >= 0 &&
               fdmsg_receive(world->sessions[i], &reply, sizeof(reply), fds, FDMSG_FDS_MAX, &n_fds,
                             MSG_DONTWAIT) == sizeof(reply))
                read_reply(world, i, &reply, fds, n_fds);
}

static void read_news(World *world, unsigned i) {
        WireNews news;
        int fds[FDMSG_FDS_MAX];
        size_t n_fds;

        while (world->news[i] >= 0 && fdmsg_receive(world->news[i], &news, sizeof(news), fds,
                                                    FDMSG_FDS_MAX, &n_fds, MSG_DONTWAIT) > 0) {
                learn(world, (uint32_t)news.lane_open.scoid);
                for (size_t f = 0; f < n_fds; f++)
                        keep(world, fds[f]);
        }
}

/* The memory that the daemon reads belongs to those who write it. */
static void scribble(World *world, Input *input) {
        int fd = world->kept[input_u8(input) % KEPT];
        off_t at = (off_t)some_number(world, input) * 4;
        uint8_t bytes[32];

        input_take(input, bytes, sizeof(bytes));
        if (fd >= 0 && pwrite(fd, bytes, sizeof(bytes), at) < 0)
                return;
}

static void drop_kept(World *world, Input *input) {
        int *fd = &world->kept[input_u8(input) % KEPT];

        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}

static void step(World *world, Input *input) {
        uint8_t action = input_u8(input);
        unsigned i = action / 16 % SESSIONS;

        switch (action % 16) {
        case 0:
                connect_session(world, i);
                return;
        case 1:
                hang_up(world, i);
                return;
        case 2:
                send_noise(world, input, i);
                return;
        case 3:
                read_news(world, i);
                return;
        case 4:
                scribble(world, input);
                return;
        case 5:
                drop_kept(world, input);
                return;
        case 6:
                run_loop(world);
                return;
        case 7: /* many at once, and nobody reads the answers */
                send_request(world, input, i, 40);
                run_loop(world);
                return;
        default:
                send_request(world, input, i, 1);
                run_loop(world);
                read_replies(world, i);
                return;
        }
}

/* ---- one input ---- */

static unsigned count_fds(void) {
        DIR *dir = opendir("/proc/self/fd");
        unsigned n = 0;

        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

static void world_begin(World *world) {
        const KernelOptions options = { .linger = 1 };

        memset(world, 0, sizeof(*world));
        memset(world->sessions, -1, sizeof(world->sessions));
        memset(world->news, -1, sizeof(world->news));
        memset(world->kept, -1, sizeof(world->kept));
        if (kernel_new(&options, NULL, &world->kernel) < 0)
                abort();
}

/* All have gone: what the daemon still holds belongs to nobody. The players live on, and may be remembered. */
static void world_end(World *world) {
        for (unsigned i = 0; i < SESSIONS; i++)
                hang_up(world, i);
        for (unsigned i = 0; i < KEPT; i++)
                if (world->kept[i] >= 0)
                        close(world->kept[i]);
        for (unsigned i = 0; i < ROUNDS_MAX && world->kernel->n_sessions > 0; i++)
                run_loop(world);
        run_loop(world);
        if (world->kernel->n_sessions > 0 || map_size(&world->kernel->connections) > 0 ||
            map_size(&world->kernel->links) > 0 || map_size(&world->kernel->lifelines) > 0 ||
            map_size(&world->kernel->scoids) > 0 ||
            (map_size(&world->kernel->users.users) > 0 && list_is_empty(&world->kernel->remnants))) {
                fprintf(stderr,
                        "all have gone, but %zu sessions, %zu connections, %zu links, %zu lifelines, %zu users "
                        "are left\n",
                        world->kernel->n_sessions, map_size(&world->kernel->connections),
                        map_size(&world->kernel->links), map_size(&world->kernel->lifelines),
                        map_size(&world->kernel->users.users));
                abort();
        }
        kernel_free(world->kernel);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        (void)argc;
        (void)argv;
        signal(SIGPIPE, SIG_IGN);
        log_init(LOG_LEVEL_ERROR);
        for (unsigned i = 0; i < PLAYERS; i++)
                player_start(&players[i], geteuid() == 0 && i % 2 ? OTHER_UID : 0);
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        Input input = { bytes, n };
        World world;
        unsigned fds = count_fds();

        world_begin(&world);
        for (unsigned i = 0; i < STEPS_MAX && !input_is_over(&input); i++)
                step(&world, &input);
        world_end(&world);
        if (count_fds() != fds) {
                fprintf(stderr, "%u descriptors before, %u after\n", fds, count_fds());
                abort();
        }
        return 0;
}
