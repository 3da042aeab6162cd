/* SPDX-License-Identifier: MIT */
/*
 * Down: what happens while there is no daemon. It is killed, nuntius-hold is kept from starting another; somebody dies,
 * comes or goes; then there is a daemon again, and everybody gets the pulses and errors that are due.
 */
#include "party.h"
#include "provider.h"
#include "rig.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANNEL (_NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT)

/* ---- the daemon goes and comes ---- */

static void await_state(pid_t pid, char wanted) {
        uint64_t until = rig_now() + RIG_PATIENCE * 1000000000ull;
        char path[64], state = '?';

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        while (state != wanted) {
                FILE *file = fopen(path, "re");

                if (!file || fscanf(file, "%*d %*s %c", &state) != 1)
                        state = '?';
                if (file)
                        fclose(file);
                need(rig_now() < until, "process %d is in state %c, not %c", (int)pid, state, wanted);
                rig_pause(1);
        }
}

static void daemon_goes(void) {
        pid_t pid;

        kill(provider_pid(), SIGSTOP);
        await_state(provider_pid(), 'T');
        pid = provider_kill_daemon();
        await_state(pid, 'Z');
}

static void daemon_comes(void) {
        kill(provider_pid(), SIGCONT);
}

/* ---- who takes part ---- */

typedef struct Scene {
        Party party;
        _Atomic uint32_t step;  /* the director says */
        _Atomic uint32_t ready; /* the client says */
        _Atomic uint32_t done;
        _Atomic uint32_t deaths; /* COIDDEATH pulses */
        _Atomic int32_t result;
} Scene;

static Scene *scene_new(void) {
        provider_start(NULL);
        return rig_shared(sizeof(Scene));
}

static pid_t start_server(Scene *scene) {
        ServerOrders orders = { .party = &scene->party, .flags = CHANNEL, .threads = 2 };
        unsigned before = scene->party.open;
        pid_t pid = rig_play(party_serve, &orders, RIG_SELF);

        need(rig_await(&scene->party.open, before + 1, RIG_PATIENCE), "the server does not open");
        return pid;
}

static pid_t start_client(Scene *scene, void (*play)(void *)) {
        pid_t pid = rig_play(play, scene, RIG_SELF);

        need(rig_await(&scene->ready, 1, RIG_PATIENCE), "the client does not begin");
        return pid;
}

static int attach_and_greet(Scene *scene, unsigned index) {
        int coid = party_attach_at(&scene->party, index, index ? 0 : _NTO_COF_NOSHARE);

        need(coid > 0, "ConnectAttach: %s", strerror(-coid));
        need(party_order(coid, ORDER_ECHO, 100, 100, 1) == 0, "the first message: %m");
        return coid;
}

static void await_step(Scene *scene, uint32_t step) {
        need(rig_await(&scene->step, step, 3 * RIG_PATIENCE), "the director forgot step %u", step);
}

static void need_count(const _Atomic uint32_t *count, uint32_t wanted, const char *what) {
        need(rig_await(count, wanted, RIG_PATIENCE), "%u %s, not %u", *count, what, wanted);
        rig_pause(30); /* one too many would come now */
        need(*count == wanted, "%u %s, not %u", *count, what, wanted);
}

static void end(pid_t server, const char *why) {
        rig_kill(server);
        rig_need_empty(why);
        provider_stop();
}

/* ---- clients ---- */

static void play_idle(void *argument) {
        Scene *scene = argument;

        attach_and_greet(scene, _NTO_SIDE_CHANNEL);
        scene->ready = 1;
        pause();
}

static void play_blocked(void *argument) {
        Scene *scene = argument;
        int coid = attach_and_greet(scene, _NTO_SIDE_CHANNEL);

        scene->ready = 1;
        scene->result = party_order(coid, ORDER_HOLD, 10, 0, 1);
        scene->done = 1;
}

static void test_idle_client_dies(void) {
        Scene *scene = scene_new();
        pid_t server = start_server(scene), client = start_client(scene, play_idle);

        daemon_goes();
        rig_kill(client);
        daemon_comes();
        need_count(&scene->party.disconnects, 1, "DISCONNECT pulses");
        end(server, "an idle client died");
}

static void test_blocked_client_dies(void) {
        Scene *scene = scene_new();
        pid_t server = start_server(scene), client = start_client(scene, play_blocked);

        need(rig_await(&scene->party.held, 1, RIG_PATIENCE), "the message does not come");
        daemon_goes();
        rig_kill(client);
        daemon_comes();
        need_count(&scene->party.unblocks, 1, "UNBLOCK pulses");
        need_count(&scene->party.disconnects, 1, "DISCONNECT pulses");
        need_count(&scene->party.held, 0, "messages held");
        end(server, "a blocked client died");
}

static void play_exec(void *argument) {
        Scene *scene = argument;

        attach_and_greet(scene, _NTO_SIDE_CHANNEL);
        scene->ready = 1;
        await_step(scene, 1);
        execlp("sleep", "sleep", "100", (char *)NULL);
        _exit(127);
}

static void test_client_executes_another_program(void) {
        Scene *scene = scene_new();
        pid_t server = start_server(scene), client = start_client(scene, play_exec);

        daemon_goes();
        scene->step = 1;
        rig_pause(100);
        daemon_comes();
        need_count(&scene->party.disconnects, 1, "DISCONNECT pulses");
        rig_kill(client);
        end(server, "a client executed another program");
}

static void play_leaver(void *argument) {
        Scene *scene = argument;
        int side = attach_and_greet(scene, _NTO_SIDE_CHANNEL), fd = attach_and_greet(scene, 0);

        scene->ready = 1;
        await_step(scene, 1);
        need(ConnectDetach(side) == EOK, "ConnectDetach while there is no daemon: %m");
        need(close(fd) == 0, "close: %m");
        scene->done = 1;
        await_step(scene, 2);
}

static void test_client_detaches(void) {
        Scene *scene = scene_new();
        pid_t server = start_server(scene), client = start_client(scene, play_leaver);

        daemon_goes();
        scene->step = 1;
        need(rig_await(&scene->done, 1, RIG_PATIENCE), "a client that detaches waits for the daemon");
        daemon_comes();
        need_count(&scene->party.disconnects, 2, "DISCONNECT pulses");
        scene->step = 2;
        rig_need_good_end(client, RIG_PATIENCE, "client");
        end(server, "a client detached");
}

/* ---- a server dies ---- */

typedef struct Watch {
        Scene *scene;
        int chid;
        int coid;
} Watch;

static void *count_deaths(void *argument) {
        Watch *watch = argument;
        struct _pulse pulse;

        while (MsgReceivePulse(watch->chid, &pulse, sizeof(pulse), NULL) != -1)
                watch->scene->deaths += pulse.code == _PULSE_CODE_COIDDEATH && pulse.value.sival_int == watch->coid;
        return NULL;
}

static void play_widow(void *argument) {
        Watch watch = { .scene = argument };
        Scene *scene = argument;
        pthread_t thread;
        int r;

        watch.chid = ChannelCreate(_NTO_CHF_COID_DISCONNECT);
        watch.coid = attach_and_greet(scene, _NTO_SIDE_CHANNEL);
        need(pthread_create(&thread, NULL, count_deaths, &watch) == 0, "pthread_create");
        scene->ready = 1;
        scene->result = party_order(watch.coid, ORDER_HOLD, 10, 0, 1);
        r = party_order(watch.coid, ORDER_ECHO, 10, 0, 1);
        need(r == EBADF || r == ESRCH, "a call to a dead server: %s", strerror(r));
        scene->done = 1;
        await_step(scene, 1);
}

static void test_server_dies(void) {
        Scene *scene = scene_new();
        pid_t server = start_server(scene), client = start_client(scene, play_widow);

        need(rig_await(&scene->party.held, 1, RIG_PATIENCE), "the message does not come");
        daemon_goes();
        rig_kill(server);
        daemon_comes();
        need(rig_await(&scene->done, 1, RIG_PATIENCE), "who is blocked on a dead server waits for ever");
        need(scene->result == ESRCH, "who was blocked on the dead server got %s", strerror(scene->result));
        need_count(&scene->deaths, 1, "COIDDEATH pulses");
        scene->step = 1;
        rig_need_good_end(client, RIG_PATIENCE, "client");
        end(0, "a server died");
}

static void test_both_die(void) {
        Scene *scene = scene_new();
        pid_t server = start_server(scene), client = start_client(scene, play_blocked);

        need(rig_await(&scene->party.held, 1, RIG_PATIENCE), "the message does not come");
        daemon_goes();
        rig_kill(client);
        rig_kill(server);
        daemon_comes();
        end(0, "both died");
}

/* ---- who comes meanwhile ---- */

static void play_late(void *argument) {
        Scene *scene = argument;

        attach_and_greet(scene, _NTO_SIDE_CHANNEL);
        scene->done = 1;
}

static void test_somebody_comes(void) {
        Scene *scene = scene_new(), *other = rig_shared(sizeof(*other));
        pid_t server = start_server(scene), client, late_server;
        ServerOrders orders = { .party = &other->party, .flags = CHANNEL, .threads = 1 };

        daemon_goes();
        client = rig_play(play_late, scene, RIG_SELF);
        late_server = rig_play(party_serve, &orders, RIG_SELF);
        rig_pause(100);
        need(!scene->done && !other->party.open, "somebody was served by nobody");
        daemon_comes();
        rig_need_good_end(client, RIG_PATIENCE, "a client that came while there was no daemon");
        need(rig_await(&other->party.open, 1, RIG_PATIENCE), "a server that came while there was no daemon waits");
        need_count(&scene->party.disconnects, 1, "DISCONNECT pulses");
        rig_kill(late_server);
        end(server, "somebody came");
}

/* Its request waits in its socket when it dies. */
static void test_somebody_comes_and_dies(void) {
        Scene *scene = scene_new();
        pid_t server = start_server(scene), client;

        daemon_goes();
        client = rig_play(play_late, scene, RIG_SELF);
        rig_pause(100);
        rig_kill(client);
        daemon_comes();
        rig_need_good_end(rig_play(play_late, scene, RIG_SELF), RIG_PATIENCE, "the next one");
        need_count(&scene->party.disconnects, 1, "DISCONNECT pulses");
        end(server, "somebody came and died");
}

/* ---- a server goes on ---- */

static void play_talker(void *argument) {
        Scene *scene = argument;
        int coid = attach_and_greet(scene, _NTO_SIDE_CHANNEL);

        scene->ready = 1;
        for (unsigned i = 0; scene->step == 0 || i < 1000; i++)
                need(party_order(coid, ORDER_ECHO, 1000, 1000, i) == 0, "two who were connected notice");
        scene->done = 1;
        await_step(scene, 2);
        need(party_order(coid, ORDER_ECHO, 1000, 1000, 1) == 0, "two who were connected notice afterwards");
}

static void test_talk_goes_on(void) {
        Scene *scene = scene_new();
        pid_t server = start_server(scene), client = start_client(scene, play_talker);

        daemon_goes();
        scene->step = 1;
        need(rig_await(&scene->done, 1, RIG_PATIENCE), "messages wait for the daemon");
        daemon_comes();
        scene->step = 2;
        rig_need_good_end(client, RIG_PATIENCE, "client");
        need_count(&scene->party.disconnects, 1, "DISCONNECT pulses");
        end(server, "they went on");
}

/* Whoever takes over is killed, too, mostly before it is done; that says nothing against what it takes over. */
static void test_killed_again_and_again(void) {
        Scene *scene = scene_new();
        pid_t server = start_server(scene), client = start_client(scene, play_talker), pid = 0;

        for (unsigned i = 0; i < 40; i++) {
                pid = i ? provider_await_daemon_after(pid) : provider_daemon();
                rig_pause(i % 4);
                kill(pid, SIGKILL);
        }
        scene->step = 1;
        rig_need_good_end(rig_play(play_late, scene, RIG_SELF), RIG_PATIENCE, "who comes afterwards");
        scene->step = 2;
        rig_need_good_end(client, RIG_PATIENCE, "client");
        need_count(&scene->party.disconnects, 2, "DISCONNECT pulses");
        end(server, "the daemon was killed again and again");
}

static const RigTest tests[] = {
        { "the daemon is killed again and again", test_killed_again_and_again, 60 },
        { "messages go on without a daemon", test_talk_goes_on, 60 },
        { "an idle client dies", test_idle_client_dies, 60 },
        { "a blocked client dies", test_blocked_client_dies, 60 },
        { "a client executes another program", test_client_executes_another_program, 60 },
        { "a client detaches", test_client_detaches, 60 },
        { "a server dies", test_server_dies, 60 },
        { "both die", test_both_die, 60 },
        { "somebody comes", test_somebody_comes, 60 },
        { "somebody comes and dies", test_somebody_comes_and_dies, 60 },
};

int main(int argc, char **argv) {
        provider_init();
        return rig_main_without_daemon("down", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
