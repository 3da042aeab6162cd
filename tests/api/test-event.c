/* SPDX-License-Identifier: MIT */
/* Events: a server makes something happen in its client, if it may. */
#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define MS 1000000ull

typedef struct Setup {
        int chid;
        int coid;
} Setup;

static Setup setup_new(unsigned flags) {
        Setup setup = { .chid = channel_new(flags) };

        setup.coid = connect_side(0, setup.chid);
        return setup;
}

static void setup_free(Setup *setup) {
        connect_free(setup->coid);
        channel_free(setup->chid);
}

static struct _pulse receive_pulse(int chid) {
        struct _pulse pulse;

        ck_assert_int_eq(MsgReceive(chid, &pulse, sizeof(pulse), NULL), 0);
        return pulse;
}

static void no_pulse(int chid) {
        struct _pulse pulse;

        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_RECEIVE, NULL, NULL, NULL));
        ck_assert_fails(MsgReceive(chid, &pulse, sizeof(pulse), NULL), ETIMEDOUT);
}

/* ---- a server that delivers what it is sent ---- */

/* What a client says with its event. */
typedef struct Order {
        struct sigevent event;
        int times;
        int only_verify;
        int busy_between; /* messages that the server answers before it delivers */
} Order;

/* Answers at once, delivers afterwards, and says what came of it. */
static void serve_events(Peer *me) {
        Order order, other;
        int rcvid = MsgReceive(me->chid, &order, sizeof(order), NULL);
        long result = 0;

        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        for (int i = 0; i < order.busy_between; i++) {
                int next = MsgReceive(me->chid, &other, sizeof(other), NULL);

                ck_assert_ok(MsgReply(next, 0, NULL, 0));
        }
        for (int i = 0; i < order.times && result == 0; i++)
                result = order.only_verify ? MsgVerifyEvent_r(rcvid, &order.event)
                                           : MsgDeliverEvent_r(rcvid, &order.event);
        peer_say(me, result);
        peer_hear(me);
        channel_free(me->chid);
}

static Peer server_new(void) {
        return peer_serve(serve_events, 0, 0);
}

static void server_end(Peer *server) {
        peer_say(server, 0);
        peer_end(server);
}

static int connect_with(const Peer *server, int flags) {
        int coid = ConnectAttach(0, server->pid, server->chid, _NTO_SIDE_CHANNEL, flags);

        ck_assert_int_ne(coid, -1);
        return coid;
}

static long order_it(Peer *server, int coid, Order order) {
        ck_assert_ok(MsgSend(coid, &order, sizeof(order), NULL, 0));
        return peer_hear(server);
}

/* One order to a fresh server, by a connection with @flags. */
static long deliver(struct sigevent event, int flags) {
        Peer server = server_new();
        int coid = connect_with(&server, flags);
        long result = order_it(&server, coid, (Order){ .event = event, .times = 1 });

        connect_free(coid);
        server_end(&server);
        return result;
}

static long verify(struct sigevent event) {
        Peer server = server_new();
        int coid = connect_with(&server, 0);
        long result = order_it(&server, coid, (Order){ .event = event, .times = 1, .only_verify = 1 });

        connect_free(coid);
        server_end(&server);
        return result;
}

static struct sigevent pulse_event(const Setup *setup, int code, int value) {
        struct sigevent event;

        SIGEV_PULSE_INIT(&event, setup->coid, 10, code, value);
        return event;
}

/* ---- pulses ---- */

START_TEST(scenario_48_a_pulse_after_the_reply_comes_on_the_clients_own_coid) {
        Setup setup = setup_new(0);
        int scoid;
        struct _pulse pulse;

        ck_assert_ok(MsgSendPulse(setup.coid, 10, 1, 0));
        scoid = receive_pulse(setup.chid).scoid;
        ck_assert_int_eq(deliver(pulse_event(&setup, 7, 0x1234), 0), EOK);
        pulse = receive_pulse(setup.chid);
        ck_assert_int_eq(pulse.code, 7);
        ck_assert_int_eq(pulse.value.sival_int, 0x1234);
        ck_assert_int_eq(pulse.scoid, scoid);
        setup_free(&setup);
}
END_TEST

START_TEST(many_times_in_order_to_a_private_channel) {
        Setup setup = setup_new(_NTO_CHF_PRIVATE | _NTO_CHF_DISCONNECT);
        Peer server = server_new();
        int coid = connect_with(&server, 0);

        ck_assert_int_eq(order_it(&server, coid, (Order){ .event = pulse_event(&setup, 3, 5),
                                                          .times = 300 }), EOK);
        connect_free(coid);
        server_end(&server);
        wait_for_oblivion(server.pid);
        for (int i = 0; i < 300; i++)
                ck_assert_int_eq(receive_pulse(setup.chid).code, 3);
        no_pulse(setup.chid); /* that the server has gone is no news to this channel */
        setup_free(&setup);
}
END_TEST

static void *receive_one(void *argument) {
        const Setup *setup = argument;

        return (void *)(intptr_t)receive_pulse(setup->chid).code;
}

START_TEST(a_sleeping_receiver_is_woken) {
        Setup setup = setup_new(0);
        Thread receiver = thread_start(receive_one, &setup);

        wait_for_state(getpid(), "RECEIVE");
        ck_assert_int_eq(deliver(pulse_event(&setup, 9, 0), 0), EOK);
        ck_assert_int_eq((intptr_t)thread_end(receiver), 9);
        setup_free(&setup);
}
END_TEST

START_TEST(a_pulse_through_a_descriptor) {
        Setup setup = setup_new(0);
        int coid = ConnectAttach(0, 0, setup.chid, 0, 0);
        struct sigevent event;

        ck_assert_int_ge(coid, 3);
        SIGEV_PULSE_INIT(&event, coid, 10, 4, 0);
        ck_assert_int_eq(deliver(event, 0), EOK);
        ck_assert_int_eq(receive_pulse(setup.chid).code, 4);
        connect_free(coid);
        setup_free(&setup);
}
END_TEST

static void client_says_hello(Peer *me) {
        int coid = peer_connect(me);
        Order order = { .times = 0 };

        for (int i = 0; i < 1000; i++)
                ck_assert_ok(MsgSend(coid, &order, sizeof(order), NULL, 0));
        connect_free(coid);
}

START_TEST(an_rcvid_is_known_a_thousand_messages_later) {
        Setup setup = setup_new(0);
        Peer server = server_new();
        int coid = connect_with(&server, 0);
        Order order = { .event = pulse_event(&setup, 6, 0), .times = 2, .busy_between = 1000 };
        Peer other;

        ck_assert_ok(MsgSend(coid, &order, sizeof(order), NULL, 0));
        other = peer_start_at(client_says_hello, &server, 0);
        ck_assert_int_eq(peer_hear(&server), EOK);
        receive_pulse(setup.chid);
        receive_pulse(setup.chid);
        peer_end(&other);
        connect_free(coid);
        server_end(&server);
        setup_free(&setup);
}
END_TEST

static void client_leaves(Peer *me) {
        int coid = peer_connect(me);
        Order order = { .times = 1 };
        Setup setup = setup_new(0);

        order.event = pulse_event(&setup, 1, 1);
        ck_assert_int_gt(me->number, -1);
        ck_assert_ok(MsgSend(coid, &order, sizeof(order), NULL, 0));
        setup_free(&setup);
        connect_free(coid);
}

START_TEST(scenario_49_a_client_that_has_gone_gets_nothing) {
        int chid = channel_new(0);
        Peer client = peer_start(client_leaves, chid, 0);
        Order order;
        int rcvid = MsgReceive(chid, &order, sizeof(order), NULL), r;

        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        peer_end(&client);
        wait_for_oblivion(client.pid);
        r = MsgDeliverEvent_r(rcvid, &order.event);
        ck_assert_msg(r == EBADF || r == ESRCH, "%d", r);
        ck_assert_r(MsgDeliverEvent_r(rcvid + 4096, &order.event), ESRCH);
        channel_free(chid);
}
END_TEST

START_TEST(scenario_50_rcvid_0_is_oneself) {
        Setup setup = setup_new(0);
        struct sigevent event = pulse_event(&setup, 12, 34);
        struct _pulse pulse;

        ck_assert_ok(MsgDeliverEvent(0, &event));
        pulse = receive_pulse(setup.chid);
        ck_assert_int_eq(pulse.code, 12);
        ck_assert_int_eq(pulse.value.sival_int, 34);
        setup_free(&setup);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(scenario_51_an_unknown_kind_is_einval) {
        struct sigevent event = { .sigev_notify = 0x7f };

        ck_assert_fails(MsgDeliverEvent(0, &event), EINVAL);
        ck_assert_r(MsgVerifyEvent_r(0, &event), EINVAL);
        ck_assert_int_eq(deliver(event, 0), EINVAL);
        event = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 4711 };
        ck_assert_fails(MsgDeliverEvent(0, &event), EINVAL);
        ck_assert_int_eq(deliver(event, 0), EINVAL);
        ck_assert_fails(MsgDeliverEvent(0, NULL), EFAULT);
}
END_TEST

START_TEST(scenario_52_verify_knows_connections_that_are_not_there) {
        Setup setup = setup_new(0);
        struct sigevent event = pulse_event(&setup, 1, 1);
        Peer server = server_new();
        int coid = connect_with(&server, 0);

        ck_assert_ok(MsgVerifyEvent(0, &event));
        ck_assert_int_eq(verify(event), EOK);
        event.sigev_coid = 0x40001234;
        ck_assert_fails(MsgVerifyEvent(0, &event), ESRCH);
        ck_assert_int_eq(verify(event), ESRCH);
        ck_assert_fails(MsgDeliverEvent(0, &event), EBADF);
        ck_assert_int_eq(deliver(event, 0), EBADF);
        /* One that leads to the server itself is as good as any. */
        event.sigev_coid = coid;
        ck_assert_int_eq(order_it(&server, coid, (Order){ .event = event, .times = 1,
                                                          .only_verify = 1 }), EOK);
        connect_free(coid);
        server_end(&server);
        no_pulse(setup.chid);
        setup_free(&setup);
}
END_TEST

START_TEST(a_pulse_to_a_dead_channel_is_ebadf) {
        Setup setup = setup_new(0);
        struct sigevent event = pulse_event(&setup, 1, 1);

        channel_free(setup.chid);
        ck_assert_fails(MsgVerifyEvent(0, &event), EBADF);
        ck_assert_int_eq(verify(event), EBADF);
        ck_assert_int_eq(deliver(event, 0), EBADF);
        connect_free(setup.coid);
}
END_TEST

START_TEST(scenario_53_noevent_is_eacces) {
        Setup setup = setup_new(0);

        ck_assert_int_eq(deliver(pulse_event(&setup, 1, 1), _NTO_COF_NOEVENT), EACCES);
        no_pulse(setup.chid);
        setup_free(&setup);
}
END_TEST

START_TEST(insecure_refuses_threads_and_memory) {
        static volatile unsigned word;
        struct sigevent event;

        SIGEV_MEMORY_INIT(&event, &word, SIGEV_MEM_ADD, 1);
        ck_assert_int_eq(deliver(event, _NTO_COF_INSECURE), EACCES);
        SIGEV_THREAD_INIT(&event, NULL, 0, NULL);
        ck_assert_int_eq(deliver(event, _NTO_COF_INSECURE), EACCES);
        ck_assert_uint_eq(word, 0);
}
END_TEST

START_TEST(negative_codes_and_high_priorities_are_eperm_or_einval) {
        Setup setup = setup_new(0);
        struct sigevent event = pulse_event(&setup, -33, 1);

        ck_assert_int_eq(deliver(event, 0), EPERM);
        event = pulse_event(&setup, 1, 1);
        event.sigev_priority = 256;
        ck_assert_int_eq(deliver(event, 0), EINVAL);
        no_pulse(setup.chid);
        setup_free(&setup);
}
END_TEST

/* ---- registered events ---- */

START_TEST(scenario_54_a_registered_event_is_for_its_server_alone) {
        Setup setup = setup_new(0);
        struct sigevent event = pulse_event(&setup, 5, 55), plain = event, handle;
        Peer mine = server_new();
        int coid = connect_with(&mine, _NTO_COF_REG_EVENTS);

        ck_assert_ok(MsgRegisterEvent(&event, coid));
        handle = event;
        ck_assert_int_eq(deliver(handle, 0), EACCES); /* another server */
        ck_assert_int_eq(deliver(handle, _NTO_COF_REG_EVENTS), EACCES);
        ck_assert_int_eq(deliver(plain, _NTO_COF_REG_EVENTS), EACCES); /* not registered */
        ck_assert_int_eq(deliver(plain, _NTO_COF_REG_EVENTS | _NTO_COF_UNREG_EVENTS), EOK);
        receive_pulse(setup.chid);
        event.sigev_value.sival_int = 77; /* the server cannot change it */
        ck_assert_int_eq(order_it(&mine, coid, (Order){ .event = event, .times = 1 }), EOK);
        ck_assert_int_eq(receive_pulse(setup.chid).value.sival_int, 55);
        ck_assert_r(MsgUnregisterEvent_r(&handle), EOK);
        ck_assert_fails(MsgUnregisterEvent(&handle), ESRCH);
        ck_assert_fails(MsgUnregisterEvent(&plain), ESRCH);
        connect_free(coid);
        server_end(&mine);
        setup_free(&setup);
}
END_TEST

START_TEST(a_registered_event_that_is_gone_is_einval) {
        Setup setup = setup_new(0);
        struct sigevent event = pulse_event(&setup, 5, 55), handle;

        ck_assert_ok(MsgRegisterEvent(&event, _NTO_REGEVENT_ALLOW_ANY_SERVER));
        ck_assert_r(MsgRegisterEvent_r(&event, -1), EINVAL); /* it is one already */
        handle = event;
        ck_assert_int_eq(deliver(handle, _NTO_COF_REG_EVENTS), EOK);
        ck_assert_int_eq(receive_pulse(setup.chid).code, 5);
        ck_assert_ok(MsgUnregisterEvent(&handle));
        ck_assert_int_eq(deliver(handle, _NTO_COF_REG_EVENTS), EINVAL);
        event = pulse_event(&setup, 5, 55);
        ck_assert_ok(MsgRegisterEvent(&event, _NTO_REGEVENT_ALLOW_ANY_SERVER));
        ck_assert_int_eq(deliver(handle, 0), EINVAL); /* the old handle is not the new one's */
        ck_assert_fails(MsgRegisterEvent(NULL, -1), EFAULT);
        event = pulse_event(&setup, 5, 5);
        ck_assert_fails(MsgRegisterEvent(&event, 0x40001234), EBADF);
        setup_free(&setup);
}
END_TEST

START_TEST(an_updateable_event_takes_the_servers_value) {
        Setup setup = setup_new(0);
        struct sigevent event = pulse_event(&setup, 5, 55);

        SIGEV_MAKE_UPDATEABLE(&event);
        ck_assert_ok(MsgRegisterEvent(&event, -1));
        event.sigev_value.sival_int = 99;
        ck_assert_int_eq(deliver(event, 0), EOK);
        ck_assert_int_eq(receive_pulse(setup.chid).value.sival_int, 99);
        setup_free(&setup);
}
END_TEST

START_TEST(timers_and_oneself_take_registered_events) {
        Setup setup = setup_new(0);
        struct sigevent event = pulse_event(&setup, 5, 55);
        struct _itimer soon = { .nsec = MS };
        int timer;

        ck_assert_ok(MsgRegisterEvent(&event, SYSMGR_COID));
        timer = TimerCreate(CLOCK_MONOTONIC, &event);
        ck_assert_int_ge(timer, 1);
        ck_assert_ok(TimerSettime(timer, 0, &soon, NULL));
        ck_assert_int_eq(receive_pulse(setup.chid).value.sival_int, 55);
        ck_assert_ok(MsgDeliverEvent(0, &event));
        ck_assert_int_eq(receive_pulse(setup.chid).value.sival_int, 55);
        ck_assert_int_eq(deliver(event, 0), EACCES); /* no server may */
        ck_assert_ok(TimerDestroy(timer));
        setup_free(&setup);
}
END_TEST

/* ---- other kinds ---- */

static void block_signal(int signo) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, signo);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static siginfo_t wait_signal(int signo) {
        sigset_t set;
        siginfo_t info;

        sigemptyset(&set);
        sigaddset(&set, signo);
        ck_assert_int_eq(sigwaitinfo(&set, &info), signo);
        return info;
}

START_TEST(signals_with_values_and_codes) {
        struct sigevent event;
        siginfo_t info;

        block_signal(SIGUSR1);
        block_signal(SIGUSR2);
        SIGEV_SIGNAL_VALUE_INIT(&event, SIGUSR1, 7);
        ck_assert_int_eq(deliver(event, 0), EOK);
        info = wait_signal(SIGUSR1);
        ck_assert_int_eq(info.si_code, SI_QUEUE);
        ck_assert_int_eq(info.si_value.sival_int, 7);
        SIGEV_SIGNAL_CODE_INIT(&event, SIGUSR2, 8, -80);
        ck_assert_int_eq(deliver(event, 0), EOK);
        info = wait_signal(SIGUSR2);
        ck_assert_int_eq(info.si_code, -80);
        ck_assert_int_eq(info.si_value.sival_int, 8);
        ck_assert_ok(MsgDeliverEvent(0, &event));
        ck_assert_int_eq(wait_signal(SIGUSR2).si_code, -80);
}
END_TEST

static volatile int caught_by;

static void on_signal(int signo) {
        (void)signo;
        caught_by = gettid();
}

static void *order_signal(void *argument) {
        struct sigevent event;

        (void)argument;
        SIGEV_SIGNAL_THREAD_INIT(&event, SIGUSR1, 1, -70);
        ck_assert_int_eq(deliver(event, 0), EOK);
        wait_for_word(&caught_by, gettid());
        return NULL;
}

START_TEST(a_signal_to_the_thread_that_sent_the_message) {
        signal(SIGUSR1, on_signal);
        thread_end(thread_start(order_signal, NULL));
}
END_TEST

static volatile int ran_with;

static void run(union sigval value) {
        ran_with = value.sival_int;
}

START_TEST(threads_and_memory_once_one_is_registered) {
        static volatile unsigned word = 1;
        struct sigevent event, plain;

        SIGEV_MEMORY_INIT(&plain, &word, SIGEV_MEM_BITSET, 6);
        ck_assert_int_eq(deliver(plain, 0), ENOTSUP); /* nobody listens yet */
        SIGEV_THREAD_INIT(&event, run, 42, NULL);
        ck_assert_ok(MsgRegisterEvent(&event, -1));
        ck_assert_int_eq(deliver(event, 0), EOK);
        wait_for_word(&ran_with, 42);
        ck_assert_int_eq(deliver(plain, 0), EOK);
        wait_for_word((volatile int *)&word, 7);
}
END_TEST

static void *receive_unblocked(void *argument) {
        const Setup *setup = argument;
        struct _pulse pulse;

        return (void *)(intptr_t)MsgReceive_r(setup->chid, &pulse, sizeof(pulse), NULL);
}

static void *order_and_receive(void *argument) {
        Setup *setup = argument;
        struct sigevent event;

        SIGEV_UNBLOCK_INIT(&event);
        ck_assert_ok(MsgRegisterEvent(&event, setup->coid));
        ck_assert_ok(MsgSend(setup->coid, &event, sizeof(event), NULL, 0));
        return receive_unblocked(argument);
}

START_TEST(unblock_ends_the_call_of_the_thread_that_sent_the_message) {
        Setup setup = setup_new(0);
        int waiting = channel_new(0);
        struct sigevent event;
        Setup theirs = { .chid = waiting, .coid = setup.coid };
        Thread client = thread_start(order_and_receive, &theirs);
        int rcvid = MsgReceive(setup.chid, &event, sizeof(event), NULL);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 0, NULL, 0));
        wait_for_state(getpid(), "RECEIVE");
        ck_assert_ok(MsgDeliverEvent(rcvid, &event));
        ck_assert_int_eq((intptr_t)thread_end(client), -ETIMEDOUT);
        channel_free(waiting);
        setup_free(&setup);
}
END_TEST

START_TEST(memory_of_ones_own) {
        static volatile unsigned word = 12;
        struct sigevent event;

        SIGEV_MEMORY_INIT(&event, &word, SIGEV_MEM_SUB, 2);
        ck_assert_ok(MsgDeliverEvent(0, &event));
        ck_assert_uint_eq(word, 10);
        SIGEV_MEMORY_INIT(&event, &word, SIGEV_MEM_TOGGLE, 3);
        ck_assert_ok(MsgDeliverEvent(0, &event));
        ck_assert_uint_eq(word, 9);
        SIGEV_MEMORY_INIT(&event, &word, SIGEV_MEM_BITCLR, 8);
        ck_assert_ok(MsgDeliverEvent(0, &event));
        ck_assert_uint_eq(word, 1);
        SIGEV_MEMORY_INIT(&event, &word, SIGEV_MEM_ASSIGN, 5);
        ck_assert_ok(MsgDeliverEvent(0, &event));
        ck_assert_uint_eq(word, 5);
        SIGEV_MEMORY_INIT(&event, (volatile unsigned *)memory_bad(), SIGEV_MEM_ASSIGN, 5);
        ck_assert_fails(MsgDeliverEvent(0, &event), EFAULT);
        SIGEV_NONE_INIT(&event);
        ck_assert_ok(MsgDeliverEvent(0, &event));
}
END_TEST

HARNESS_MAIN("event", scenario_48_a_pulse_after_the_reply_comes_on_the_clients_own_coid,
             many_times_in_order_to_a_private_channel, a_sleeping_receiver_is_woken,
             a_pulse_through_a_descriptor, an_rcvid_is_known_a_thousand_messages_later,
             scenario_49_a_client_that_has_gone_gets_nothing, scenario_50_rcvid_0_is_oneself,
             scenario_51_an_unknown_kind_is_einval,
             scenario_52_verify_knows_connections_that_are_not_there,
             a_pulse_to_a_dead_channel_is_ebadf, scenario_53_noevent_is_eacces,
             insecure_refuses_threads_and_memory,
             negative_codes_and_high_priorities_are_eperm_or_einval,
             scenario_54_a_registered_event_is_for_its_server_alone,
             a_registered_event_that_is_gone_is_einval, an_updateable_event_takes_the_servers_value,
             timers_and_oneself_take_registered_events, signals_with_values_and_codes,
             a_signal_to_the_thread_that_sent_the_message, threads_and_memory_once_one_is_registered,
             unblock_ends_the_call_of_the_thread_that_sent_the_message, memory_of_ones_own)
