/* SPDX-License-Identifier: MIT */
/* mq_notify() with every kind of event. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <sys/neutrino.h>
#include <unistd.h>

static mqd_t queue_new(void) {
        struct mq_attr attributes = { .mq_maxmsg = 4, .mq_msgsize = 16 };
        char name[64];
        mqd_t queue;

        snprintf(name, sizeof(name), "/nuntius-test-%d", getpid());
        queue = mq_open(name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attributes);
        if (queue == (mqd_t)-1 && (errno == ENOSYS || errno == EACCES || errno == EPERM))
                harness_skip("no message queues here");
        ck_assert_int_ne(queue, (mqd_t)-1);
        mq_unlink(name);
        return queue;
}

static void send_one(mqd_t queue) {
        char byte = 1;

        ck_assert_ok(mq_send(queue, &byte, 1, 0));
}

static void empty(mqd_t queue) {
        char bytes[16];

        ck_assert_int_eq(mq_receive(queue, bytes, sizeof(bytes), NULL), 1);
}

START_TEST(a_signal_or_nothing) {
        mqd_t queue = queue_new();
        struct sigevent event;
        siginfo_t info;
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        SIGEV_SIGNAL_VALUE_INIT(&event, SIGUSR1, 17);
        ck_assert_ok(mq_notify(queue, &event));
        ck_assert_fails(mq_notify(queue, &event), EBUSY);
        send_one(queue);
        ck_assert_int_eq(sigwaitinfo(&set, &info), SIGUSR1);
        ck_assert_int_eq(info.si_code, SI_MESGQ);
        ck_assert_int_eq(info.si_value.sival_int, 17);
        SIGEV_NONE_INIT(&event);
        ck_assert_ok(mq_notify(queue, &event));
        ck_assert_ok(mq_notify(queue, NULL));
        event.sigev_notify = 0x7e;
        ck_assert_fails(mq_notify(queue, &event), EINVAL);
        mq_close(queue);
}
END_TEST

static volatile int ran_with;

static void run(union sigval value) {
        ran_with = value.sival_int;
}

/* In a process of its own: libc keeps a descriptor for its notifications. */
static void notified_by_pulse_and_thread(Peer *me) {
        mqd_t queue = queue_new();
        int chid = channel_new(0), coid = connect_side(0, chid);
        struct sigevent event;
        struct _pulse pulse;

        SIGEV_PULSE_INIT(&event, coid, 10, 3, 33);
        for (int i = 0; i < 3; i++) {
                ck_assert_ok(mq_notify(queue, &event));
                send_one(queue);
                ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, 3);
                ck_assert_int_eq(pulse.value.sival_int, 33);
                empty(queue);
        }
        ck_assert_ok(mq_notify(queue, &event));
        ck_assert_ok(mq_notify(queue, NULL)); /* taken back */
        send_one(queue);
        empty(queue);
        SIGEV_THREAD_INIT(&event, run, 5, NULL);
        ck_assert_ok(mq_notify(queue, &event));
        send_one(queue);
        wait_for_word(&ran_with, 5);
        connect_free(coid);
        channel_free(chid);
        mq_close(queue);
        peer_say(me, 1);
}

START_TEST(a_pulse_or_a_thread) {
        int chid = channel_new(0);
        Peer peer;

        mq_close(queue_new()); /* or skip, here */
        peer = peer_start(notified_by_pulse_and_thread, chid, 0);
        ck_assert_int_eq(peer_hear(&peer), 1);
        peer_wait(&peer);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("mqueue", a_signal_or_nothing, a_pulse_or_a_thread)
