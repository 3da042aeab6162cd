/* SPDX-License-Identifier: MIT */
/* Threads that come and go, in clients and servers. */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

static void *echo_until_pulse(void *arg) {
        for (;;) {
                char bytes[256];
                struct _msg_info info;
                int rcvid = MsgReceive(*(int *)arg, bytes, sizeof(bytes), &info);

                if (rcvid == 0)
                        return NULL;
                ck_assert_int_gt(rcvid, 0);
                ck_assert_ok(MsgReply(rcvid, info.tid, bytes, (size_t)info.msglen));
        }
}

static void echo_server(Peer *me) {
        echo_until_pulse(&me->chid);
        channel_free(me->chid);
}

typedef struct Worker {
        int coid;
        int number;
        int rounds;
        long tid;
} Worker;

static void *work(void *arg) {
        Worker *worker = arg;

        for (int i = 0; i < worker->rounds; i++) {
                int out[2] = { worker->number, i }, back[2] = { -1, -1 };

                worker->tid = MsgSend(worker->coid, out, sizeof(out), back, sizeof(back));
                ck_assert_int_gt(worker->tid, 0);
                ck_assert_mem_eq(out, back, sizeof(out));
        }
        return NULL;
}

#define GENERATIONS 200

START_TEST(threads_that_come_and_go) {
        Peer server = peer_serve(echo_server, 0, 0);
        int coid = connect_side(server.pid, server.chid);

        for (int i = 0; i < GENERATIONS; i++) {
                Worker workers[4];
                Thread threads[4];

                for (int k = 0; k < 4; k++) {
                        workers[k] = (Worker){ coid, i * 4 + k, 3, 0 };
                        threads[k] = thread_start(work, &workers[k]);
                }
                for (int k = 0; k < 4; k++)
                        thread_end(threads[k]);
        }
        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        connect_free(coid);
        peer_end(&server);
}
END_TEST

/* More threads at once than a link has slots to begin with. */
#define CROWD 150

START_TEST(a_crowd_of_threads_blocked_at_once) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        Thread threads[CROWD];
        Worker workers[CROWD];
        int rcvids[CROWD];

        for (int i = 0; i < CROWD; i++) {
                workers[i] = (Worker){ coid, i, 1, 0 };
                threads[i] = thread_start(work, &workers[i]);
        }
        for (int i = 0; i < CROWD; i++) {
                int number[2];

                rcvids[i] = MsgReceive(chid, number, sizeof(number), NULL);
                ck_assert_int_gt(rcvids[i], 0);
        }
        for (int i = 0; i < CROWD; i++) {
                int number[2];

                ck_assert_int_eq(MsgRead(rcvids[i], number, sizeof(number), 0), sizeof(number));
                ck_assert_ok(MsgReply(rcvids[i], i + 1, number, sizeof(number)));
        }
        for (int i = 0; i < CROWD; i++)
                thread_end(threads[i]);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

START_TEST(thread_numbers_start_at_1_and_differ) {
        Peer server = peer_serve(echo_server, 0, 0);
        int coid = connect_side(server.pid, server.chid);
        Worker workers[8];
        Thread threads[8];

        ck_assert_int_eq(MsgSend(coid, "x", 1, NULL, 0), 1);
        for (int i = 0; i < 8; i++) {
                workers[i] = (Worker){ coid, i, 20, 0 };
                threads[i] = thread_start(work, &workers[i]);
        }
        for (int i = 0; i < 8; i++) {
                thread_end(threads[i]);
                ck_assert_int_gt(workers[i].tid, 1);
                for (int k = 0; k < i; k++)
                        ck_assert_int_ne(workers[i].tid, workers[k].tid);
        }
        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        connect_free(coid);
        peer_end(&server);
}
END_TEST

static void *serve_a_few(void *arg) {
        for (int i = 0; i < 5; i++) {
                int number[2];
                int rcvid = MsgReceive(*(int *)arg, number, sizeof(number), NULL);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_ok(MsgReply(rcvid, 1, number, sizeof(number)));
        }
        return NULL;
}

START_TEST(server_threads_that_come_and_go) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);

        for (int i = 0; i < 50; i++) {
                Worker workers[2] = { { coid, i, 5, 0 }, { coid, i, 5, 0 } };
                Thread servers[2], clients[2];

                for (int k = 0; k < 2; k++)
                        servers[k] = thread_start(serve_a_few, &chid);
                for (int k = 0; k < 2; k++)
                        clients[k] = thread_start(work, &workers[k]);
                for (int k = 0; k < 2; k++) {
                        thread_end(servers[k]);
                        thread_end(clients[k]);
                }
        }
        connect_free(coid);
        channel_free(chid);
}
END_TEST

/* A connection is the process's: any thread may use or end it. */
static void *attach_in_thread(void *arg) {
        *(int *)arg = connect_side(0, *(int *)arg);
        return NULL;
}

static void *detach_in_thread(void *arg) {
        connect_free(*(int *)arg);
        return NULL;
}

START_TEST(connections_belong_to_the_process) {
        int chid = channel_new(0);
        int coid = chid;
        struct _pulse pulse;

        thread_end(thread_start(attach_in_thread, &coid));
        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        thread_end(thread_start(detach_in_thread, &coid));
        ck_assert_fails(MsgSendPulse(coid, 10, 1, 0), EBADF);
        channel_free(chid);
}
END_TEST

/* Attach, send, detach from all threads at once. */
static int common_chid;

static void *attach_send_detach(void *arg) {
        for (int i = 0; i < 100; i++) {
                Worker worker = { connect_side(0, common_chid), i, 2, 0 };

                work(&worker);
                connect_free(worker.coid);
        }
        return NULL;
}

START_TEST(all_threads_attach_and_detach_at_once) {
        int chid = common_chid = channel_new(0);
        int coid = connect_side(0, chid);
        Thread server = thread_start(echo_until_pulse, &chid);
        Thread threads[5];

        for (int i = 0; i < 5; i++)
                threads[i] = thread_start(attach_send_detach, NULL);
        for (int i = 0; i < 5; i++)
                thread_end(threads[i]);
        ck_assert_ok(MsgSendPulse(coid, 10, 1, 0));
        thread_end(server);
        connect_free(coid);
        channel_free(chid);
}
END_TEST

/* Without the attribute that forbids NULL. */
static int (*const create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = pthread_create;

START_TEST(pthread_create_takes_a_null_id) {
        int chid = channel_new(0);
        int coid = connect_side(0, chid);
        pthread_attr_t attributes;
        int number[2];
        Worker worker = { coid, 1, 1, 0 };
        int rcvid;

        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        ck_assert_int_eq(create(NULL, &attributes, work, &worker), 0);
        pthread_attr_destroy(&attributes);
        rcvid = MsgReceive(chid, number, sizeof(number), NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 7, number, sizeof(number)));
        while (__atomic_load_n(&worker.tid, __ATOMIC_ACQUIRE) != 7)
                sched_yield();
        connect_free(coid);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("thread", threads_that_come_and_go, a_crowd_of_threads_blocked_at_once,
             thread_numbers_start_at_1_and_differ, server_threads_that_come_and_go,
             connections_belong_to_the_process, all_threads_attach_and_detach_at_once,
             pthread_create_takes_a_null_id)
