/* SPDX-License-Identifier: MIT */
/*
 * Whom a process may raise: nobody by what it says, only by what the kernel says of it. Each lie is told
 * before an honest boost to 11, and must not have raised anybody above that when the daemon has ended.
 */
#include "suite.h"
#include "wire.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SIDE(n) (0x40000000 + (n))
#define RUNNING 1
#define SEND    4
#define LIE     60
#define HONEST  11
#define FLOOD   200000

/* A server, an honest client of real-time priority 11, and one that may raise nobody. */
typedef struct Scene {
        Client server, honest, liar, stranger;
        WireReplyConnect by_honest, by_liar;
} Scene;

static int realtime_of(pid_t pid) {
        struct sched_param param = { 0 };

        ck_assert_int_eq(sched_getparam(pid, &param), 0);
        return param.sched_priority;
}

static bool make_realtime(pid_t pid, int priority) {
        struct sched_param param = { .sched_priority = priority };

        return sched_setscheduler(pid, SCHED_RR, &param) == 0;
}

static void show(Client *client, unsigned i, uint32_t linux_tid, int32_t chid, uint32_t state) {
        ShmThread *thread = &client->page->threads[i];

        thread->linux_tid = linux_tid;
        atomic_store(&thread->state, state);
        atomic_store(&thread->channel, (uint32_t)chid);
        atomic_store(&thread->tid, i + 1);
        if (atomic_load(&client->page->used) <= i)
                atomic_store(&client->page->used, i + 1);
}

static ssize_t boost(const Client *client, const WireReplyConnect *connect, uint32_t tid, uint32_t priority) {
        WireBoost wire = { .connection = connect->id, .tid = tid, .priority = priority };

        return send(client->news, &wire, sizeof(wire), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* False: the kernel gives us no real-time priorities, or there are no other users. */
static bool scene_open(Scene *scene) {
        if (geteuid() != 0 || !make_realtime(0, HONEST)) {
                printf("SKIPPED one test: needs root and real-time priorities\n");
                return false;
        }
        sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 });
        daemon_start(NULL);
        scene->server = client_start(UID_OTHER, 0);
        scene->honest = client_start(0, 0);
        scene->liar = client_start(UID_OTHER, 0);
        scene->stranger = client_start(0, 0);
        channel_create(&scene->server, 0);
        show(&scene->server, 0, (uint32_t)scene->server.pid, 1, RUNNING);
        ck_assert_int_eq(attach(&scene->honest, &scene->server, 1, 0, SIDE(1), &scene->by_honest, NULL), 0);
        ck_assert_int_eq(attach(&scene->liar, &scene->server, 1, 0, SIDE(1), &scene->by_liar, NULL), 0);
        ck_assert(make_realtime(scene->honest.pid, HONEST));
        return true;
}

static void await_realtime(pid_t pid, int priority) {
        const struct timespec pause = { .tv_nsec = 1000000 };

        for (int i = 0; i < WIRE_WAIT_MS && realtime_of(pid) != priority; i++)
                nanosleep(&pause, NULL);
        ck_assert_int_eq(realtime_of(pid), priority);
}

/* The honest boost works; nothing that was said before it did more. */
static void scene_close(Scene *scene) {
        ck_assert_int_eq(boost(&scene->honest, &scene->by_honest, (uint32_t)scene->honest.pid, 255),
                         sizeof(WireBoost));
        await_realtime(scene->server.pid, HONEST);
        daemon_stop();
        ck_assert_int_eq(realtime_of(scene->server.pid), HONEST);
        ck_assert_int_eq(realtime_of(scene->stranger.pid), 0);
        client_kill(&scene->server);
        client_kill(&scene->honest);
        client_kill(&scene->liar);
        client_kill(&scene->stranger);
}

START_TEST(a_thread_of_the_channel_is_raised_to_what_the_kernel_says_of_the_client) {
        Scene scene;

        if (!scene_open(&scene))
                return;
        ck_assert_int_eq(boost(&scene.honest, &scene.by_honest, (uint32_t)scene.honest.pid, 255),
                         sizeof(WireBoost));
        word_expect(&scene.server.notice->boosts, 1);
        await_realtime(scene.server.pid, HONEST);
        scene_close(&scene);
}
END_TEST

START_TEST(a_priority_that_the_kernel_does_not_know_of_raises_nobody) {
        Scene scene;

        if (!scene_open(&scene))
                return;
        boost(&scene.liar, &scene.by_liar, (uint32_t)scene.liar.pid, LIE);
        boost(&scene.honest, &scene.by_honest, (uint32_t)scene.honest.pid, LIE);
        scene_close(&scene);
}
END_TEST

START_TEST(a_thread_of_somebody_else_lends_nothing) {
        Scene scene;

        if (!scene_open(&scene))
                return;
        ck_assert(make_realtime(scene.stranger.pid, LIE));
        boost(&scene.liar, &scene.by_liar, (uint32_t)scene.stranger.pid, LIE);
        boost(&scene.liar, &scene.by_liar, 0, LIE);
        boost(&scene.liar, &scene.by_liar, UINT32_MAX, LIE);
        boost(&scene.honest, &scene.by_honest, (uint32_t)scene.honest.pid, HONEST);
        await_realtime(scene.server.pid, HONEST);
        sched_setscheduler(scene.stranger.pid, SCHED_OTHER, &(struct sched_param){ 0 });
        scene_close(&scene);
}
END_TEST

START_TEST(a_connection_of_somebody_else_leads_nowhere) {
        Scene scene;

        if (!scene_open(&scene))
                return;
        ck_assert(make_realtime(scene.liar.pid, LIE)); /* allowed to, but not on this connection */
        boost(&scene.liar, &scene.by_honest, (uint32_t)scene.liar.pid, LIE);
        boost(&scene.liar, &(WireReplyConnect){ .id = 4711 }, (uint32_t)scene.liar.pid, LIE);
        scene_close(&scene);
}
END_TEST

START_TEST(a_page_that_names_a_strangers_thread_raises_nobody) {
        Scene scene;

        if (!scene_open(&scene))
                return;
        for (unsigned i = 1; i < PROCESS_THREADS; i++)
                show(&scene.server, i, (uint32_t)scene.stranger.pid, 1, RUNNING);
        scene_close(&scene);
}
END_TEST

/* The stranger serves, too; only the honest client is connected to it, and its slot says so. */
START_TEST(a_page_that_leads_on_by_a_strangers_link_leads_nowhere) {
        WireReplyConnect far;
        ShmLink *link;
        Scene scene;
        Fds fds;

        if (!scene_open(&scene))
                return;
        channel_create(&scene.stranger, 0);
        show(&scene.stranger, 0, (uint32_t)scene.stranger.pid, 1, RUNNING);
        ck_assert_int_eq(attach(&scene.honest, &scene.stranger, 1, 0, SIDE(2), &far, &fds), 0);
        link = map_fd(&fds.fd[0], LINK_BYTES);
        fds_close(&fds);
        link->slots[0].scoid = far.scoid;
        atomic_store(&link->slots[0].word, SLOT_SEND);
        scene.server.page->threads[0].on_link = far.link;
        scene.server.page->threads[0].on_slot = 0;
        atomic_store(&scene.server.page->threads[0].state, SEND);
        scene_close(&scene);
}
END_TEST

START_TEST(numbers_without_sense_harm_nobody) {
        uint32_t seed = 1;
        Scene scene;

        if (!scene_open(&scene))
                return;
        for (unsigned i = 0; i < sizeof(*scene.server.page) / 4; i++) {
                seed = seed * 1664525 + 1013904223;
                ((volatile uint32_t *)scene.server.page)[i] = seed >> (seed % 29);
        }
        show(&scene.server, 0, (uint32_t)scene.server.pid, 1, RUNNING);
        for (unsigned i = 0; i < 64; i++) {
                seed = seed * 1664525 + 1013904223;
                send(scene.liar.news, &seed, seed % 5, MSG_DONTWAIT | MSG_NOSIGNAL);
                boost(&scene.liar, &scene.by_liar, seed, seed >> 8);
        }
        scene_close(&scene);
}
END_TEST

/* Who floods is left unheard; others are heard meanwhile. */
START_TEST(a_flood_of_boosts_drowns_nobody) {
        Scene scene;

        if (!scene_open(&scene))
                return;
        for (unsigned i = 0; i < FLOOD; i++)
                if (boost(&scene.liar, &scene.by_liar, (uint32_t)scene.liar.pid, LIE) < 0)
                        ck_assert_int_eq(errno, EAGAIN);
        scene_close(&scene);
}
END_TEST

SUITE_MAIN("boost", a_thread_of_the_channel_is_raised_to_what_the_kernel_says_of_the_client,
           a_priority_that_the_kernel_does_not_know_of_raises_nobody, a_thread_of_somebody_else_lends_nothing,
           a_connection_of_somebody_else_leads_nowhere, a_page_that_names_a_strangers_thread_raises_nobody,
           a_page_that_leads_on_by_a_strangers_link_leads_nowhere, numbers_without_sense_harm_nobody,
           a_flood_of_boosts_drowns_nobody)
