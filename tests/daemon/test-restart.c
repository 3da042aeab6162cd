/* SPDX-License-Identifier: MIT */
/* A daemon that is killed and started again by whoever keeps its descriptors. */
#include "daemon/record.h"
#include "day.h"
#include "keeper.h"
#include "suite.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIDE 0x40000001
#define DISCONNECT 0x0008u
#define COID_DISCONNECT 0x0040u

static const char *const quiet[] = { "--log-level", "error", NULL };
/* Where it has something to complain about; its complaints are not ours. */
static const char *const silent[] = { "--log-level", "error", NULL };
static size_t n_at_rest; /* what is kept when there is nothing but the daemon */

static void begin(void) {
        daemon_use_store();
        daemon_start(quiet);
        keeper_expect("READY=1");
        keeper_settle();
        n_at_rest = keeper_n();
}

static void restart(void) {
        daemon_kill();
        daemon_start_again(quiet);
        keeper_expect("READY=1");
}

static void finish(void) {
        daemon_expect_empty();
        keeper_expect_n(n_at_rest);
        daemon_stop();
}

START_TEST(who_connects_while_there_is_no_daemon_is_served_by_the_next) {
        Client client;
        int early;

        begin();
        ck_assert_uint_eq(keeper_n_of("listen"), 1);
        ck_assert_uint_eq(keeper_n_of("lock"), 1);
        daemon_kill();
        early = wire_connect();
        ck_assert_int_ge(early, 0);
        daemon_start_again(quiet);
        keeper_expect("READY=1");
        client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&client, 0), 1);
        client_kill(&client);
        close(early);
        finish();
}
END_TEST

START_TEST(objects_and_numbers_go_on) {
        WireReplyConnect before, after;
        Client server, client;
        Fds fds;

        begin();
        server = client_start(0, 0);
        client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&server, DISCONNECT), 1);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE, &before, &fds), 0);
        fds_close(&fds);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        restart();
        ck_assert_int_eq(channel_create(&server, 0), 2);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE + 1, &after, &fds), 0);
        ck_assert_int_eq(fds.fd[0], -1); /* it has link and bell already */
        ck_assert_int_eq(fds.fd[1], -1);
        ck_assert_uint_eq(after.link, before.link);
        ck_assert_uint_ne(after.id, before.id);
        ck_assert_uint_ne(after.index, before.index);
        ck_assert_int_eq(after.scoid, before.scoid);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE, NULL, NULL), EEXIST);
        detach(&client, before.id);
        detach(&client, after.id);
        ck_assert_int_eq(news_expect(&server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close.scoid, before.scoid);
        client_kill(&client);
        news_expect(&server, WIRE_NEWS_LINK_CLOSE, NULL);
        client_kill(&server);
        finish();
}
END_TEST

START_TEST(who_died_meanwhile_is_noticed) {
        Client server, client, other;
        WireReplyConnect connect;
        Fds fds;

        begin();
        server = client_start(0, 0);
        client = client_start(0, 0);
        other = client_start(0, 0);
        ck_assert_int_eq(channel_create(&server, DISCONNECT), 1);
        ck_assert_int_eq(channel_create(&other, 0), 1);
        ck_assert_int_eq(attach(&client, &server, 1, 0, SIDE, NULL, NULL), 0);
        ck_assert_int_eq(attach(&client, &other, 1, 0, SIDE + 1, &connect, &fds), 0);
        fds_close(&fds);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        daemon_kill();
        client_kill(&other);
        daemon_start_again(quiet);
        ck_assert_uint_eq(news_expect(&client, WIRE_NEWS_COID_DEATH, NULL).coid_death.connection, connect.id);
        daemon_kill();
        client_kill(&client);
        daemon_start_again(quiet);
        ck_assert_uint_eq(news_expect(&server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close.died, 1);
        news_expect(&server, WIRE_NEWS_LINK_CLOSE, NULL);
        client_kill(&server);
        finish();
}
END_TEST

START_TEST(a_descriptor_that_is_closed_meanwhile_is_noticed) {
        Client server, client;
        Fds fds;

        begin();
        server = client_start(0, 0);
        client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&server, DISCONNECT), 1);
        ck_assert_int_eq(attach(&client, &server, 1, 0, 0, NULL, &fds), 0);
        news_expect(&server, WIRE_NEWS_LANE_OPEN, NULL);
        restart();
        ck_assert(!news_is_there(&server));
        channel_create(&client, 0); /* reads the answer that has come twice, if it has */
        daemon_kill();
        fds_close(&fds);
        daemon_start_again(quiet);
        ck_assert_uint_eq(news_expect(&server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close.died, 0);
        client_kill(&client);
        client_kill(&server);
        finish();
}
END_TEST

START_TEST(what_is_asked_while_there_is_no_daemon_is_answered_by_the_next) {
        WireRequest request = { .op = WIRE_CHANNEL_CREATE, .serial = 1000 };
        WireReply reply;
        Client client;

        begin();
        client = client_start(0, 0);
        daemon_kill();
        tell(&client, request);
        daemon_start_again(quiet);
        do /* what was answered before may come once more */
                ck_assert_int_eq(recv(client.socket, &reply, sizeof(reply), 0), sizeof(reply));
        while (reply.serial < 1000);
        ck_assert_int_eq(reply.channel.chid, 1);
        client_kill(&client);
        finish();
}
END_TEST

START_TEST(sigterm_leaves_all_to_the_next) {
        Client client;

        begin();
        client = client_start(0, 0);
        daemon_leave();
        ck_assert_uint_gt(keeper_n(), n_at_rest);
        daemon_start_again(quiet);
        ck_assert_int_eq(channel_create(&client, 0), 1);
        client_kill(&client);
        finish();
}
END_TEST

START_TEST(sigint_leaves_nothing) {
        Client client;

        begin();
        client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&client, 0), 1);
        daemon_stop();
        client_expect_ended(&client);
        client_kill(&client);
}
END_TEST

/* So much news that it does not fit: what waits is in the records. */
START_TEST(news_that_waits_is_sent_by_the_next) {
        enum { CLIENTS = 5, LANES = 2200 };
        Client server, clients[CLIENTS];
        unsigned opened = 0, closed = 0, links = 0;

        begin();
        server = client_start(0, 0);
        ck_assert_int_eq(channel_create(&server, DISCONNECT), 1);
        for (int i = 0; i < CLIENTS; i++) {
                clients[i] = client_start(0, 0);
                for (int k = 0; k < LANES; k++)
                        ck_assert_int_eq(attach(&clients[i], &server, 1, 0x40, SIDE + k, NULL, NULL), 0);
        }
        restart();
        for (int i = 0; i < CLIENTS; i++)
                client_kill(&clients[i]);
        daemon_expect_n_processes(1);
        restart();
        while (links < CLIENTS) {
                WireNews news = news_any(&server);

                opened += news.kind == WIRE_NEWS_LANE_OPEN;
                closed += news.kind == WIRE_NEWS_LANE_CLOSE;
                links += news.kind == WIRE_NEWS_LINK_CLOSE;
        }
        ck_assert_uint_eq(opened, closed);
        client_kill(&server);
        finish();
}
END_TEST

START_TEST(kills_at_any_moment_are_noticed_by_nobody) {
        enum { DAYS = 40 };

        begin();
        daemon_snipe();
        for (int i = 0; i < DAYS; i++)
                busy_day();
        daemon_spare();
        daemon_expect_empty();
        ck_assert_uint_gt(daemon_revivals(), 10);
        daemon_expect_no_clean_start(daemon_revivals());
        printf("# %u kills\n", daemon_revivals());
        fflush(stdout);
        finish();
}
END_TEST

/* ---- tables that are not as this daemon leaves them ---- */

typedef struct Pair {
        Client server, client;
        WireReplyConnect connect;
} Pair;

static void pair_begin(Pair *pair) {
        begin();
        pair->server = client_start(0, 0);
        pair->client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&pair->server, DISCONNECT), 1);
        ck_assert_int_eq(attach(&pair->client, &pair->server, 1, 0, SIDE, &pair->connect, NULL), 0);
        news_expect(&pair->server, WIRE_NEWS_LANE_OPEN, NULL);
        daemon_leave();
        keeper_settle();
}

static void pair_end(Pair *pair) {
        client_kill(&pair->client);
        client_kill(&pair->server);
        finish();
}

static void expect_clean_start(Pair *pair) {
        daemon_start_again(silent);
        keeper_expect("READY=1");
        client_expect_ended(&pair->client);
        client_expect_ended(&pair->server);
        daemon_expect_empty();
        keeper_settle();
        ck_assert_uint_eq(keeper_n(), n_at_rest);
        ck_assert_uint_eq(keeper_n_of("listen"), 1);
        pair_end(pair);
}

static char *table_name(Noun noun) {
        static char name[8];

        snprintf(name, sizeof(name), "t%c", 'A' + (int)noun);
        return name;
}

/* Writes @value into the stored table of @noun. */
static void doctor(Noun noun, off_t at, uint32_t value) {
        int fd = keeper_copy(table_name(noun));

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite(fd, &value, sizeof(value), at), sizeof(value));
        close(fd);
}

/* As if the last eight bytes of each record had not been invented yet. */
static void make_older(Noun noun) {
        int old = keeper_copy(table_name(noun)), fd = memfd_create("older", MFD_CLOEXEC);
        size_t records = 4096;
        char record[2048];
        TableHeader header;

        ck_assert_int_eq(pread(old, &header, sizeof(header), 0), sizeof(header));
        ck_assert_uint_le(header.record_bytes, sizeof(record));
        ck_assert_int_eq(ftruncate(fd, (off_t)records), 0);
        for (uint32_t i = 0; i < header.capacity; i++) {
                ck_assert_int_eq(pread(old, record, header.record_bytes, (off_t)(records + i * header.record_bytes)),
                                 (ssize_t)header.record_bytes);
                ck_assert_int_eq(pwrite(fd, record, header.record_bytes - 8,
                                        (off_t)(records + i * (header.record_bytes - 8))),
                                 (ssize_t)header.record_bytes - 8);
        }
        header.record_bytes -= 8;
        ck_assert_int_eq(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
        close(old);
        keeper_replace(table_name(noun), fd);
}

START_TEST(tables_of_an_older_version_are_carried_over) {
        static const Noun nouns[] = { NOUN_LINK, NOUN_LANE, NOUN_CONNECTION, NOUN_EXTENT };
        Pair pair;

        pair_begin(&pair);
        for (unsigned i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
                make_older(nouns[i]);
        for (int i = 0; i < 2; i++) { /* and what was carried over is found again */
                daemon_start_again(quiet);
                keeper_expect("READY=1");
                ck_assert_int_eq(attach(&pair.client, &pair.server, 1, 0, SIDE, NULL, NULL), EEXIST);
                ck_assert_int_eq(attach(&pair.client, &pair.server, 1, 0, SIDE + 1 + i, NULL, NULL), 0);
                keeper_settle();
                ck_assert_uint_eq(keeper_n_of(table_name(NOUN_LINK)), 0);
                daemon_leave();
        }
        daemon_start_again(quiet);
        client_kill(&pair.client);
        ck_assert_uint_eq(news_expect(&pair.server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close.died, 1);
        pair_end(&pair);
}
END_TEST

START_TEST(who_dies_while_carrying_over_leaves_both) {
        Pair pair;
        int older, newer;

        pair_begin(&pair);
        make_older(NOUN_CONNECTION);
        older = keeper_copy(table_name(NOUN_CONNECTION));
        daemon_start_again(quiet);
        daemon_leave();
        keeper_settle();
        newer = keeper_copy("tq");
        ck_assert_int_ge(newer, 0);
        close(newer);
        keeper_replace(table_name(NOUN_CONNECTION), older);
        daemon_start_again(quiet);
        keeper_expect("READY=1");
        ck_assert_int_eq(attach(&pair.client, &pair.server, 1, 0, SIDE, NULL, NULL), EEXIST);
        pair_end(&pair);
}
END_TEST

START_TEST(tables_of_a_newer_version_are_refused) {
        Pair pair;

        pair_begin(&pair);
        doctor(NOUN_LANE, offsetof(TableHeader, version), TABLE_VERSION + 1);
        expect_clean_start(&pair);
}
END_TEST

START_TEST(memory_of_another_layout_is_refused) {
        Pair pair;

        pair_begin(&pair);
        doctor(NOUN_KERNEL, 4096 + offsetof(KernelRecord, layout_version), LAYOUT_VERSION + 1);
        expect_clean_start(&pair);
}
END_TEST

START_TEST(a_torn_table_is_refused) {
        Pair pair;

        pair_begin(&pair);
        doctor(NOUN_CONNECTION, 4096 + offsetof(ConnectionRecord, link.generation), 99);
        expect_clean_start(&pair);
}
END_TEST

START_TEST(a_missing_table_is_refused) {
        Pair pair;

        pair_begin(&pair);
        keeper_replace(table_name(NOUN_BELL), -1);
        expect_clean_start(&pair);
}
END_TEST

START_TEST(a_descriptor_of_something_else_is_refused) {
        Pair pair;

        pair_begin(&pair);
        keeper_replace("lA", memfd_create("other", MFD_CLOEXEC));
        expect_clean_start(&pair);
}
END_TEST

START_TEST(starts_that_crash_end_in_a_clean_one) {
        Pair pair;

        pair_begin(&pair);
        doctor(NOUN_KERNEL, 4096 + offsetof(KernelRecord, n_crashed), 2);
        expect_clean_start(&pair);
}
END_TEST

START_TEST(starts_that_are_always_killed_end_in_a_clean_one) {
        Pair pair;

        pair_begin(&pair);
        doctor(NOUN_KERNEL, 4096 + offsetof(KernelRecord, n_unfinished), 200);
        expect_clean_start(&pair);
}
END_TEST

START_TEST(starts_that_are_killed_cost_nothing) {
        Pair pair;

        pair_begin(&pair);
        doctor(NOUN_KERNEL, 4096 + offsetof(KernelRecord, n_unfinished), 100);
        daemon_start_again(silent);
        ck_assert_int_eq(channel_create(&pair.server, 0), 2);
        pair_end(&pair);
}
END_TEST

START_TEST(who_has_something_that_was_not_stored_is_ended_alone) {
        Pair pair;

        pair_begin(&pair);
        keeper_replace("lA", -1);
        daemon_start_again(silent);
        client_expect_ended(&pair.client);
        ck_assert_uint_eq(news_expect(&pair.server, WIRE_NEWS_LANE_CLOSE, NULL).lane_close.died, 1);
        news_expect(&pair.server, WIRE_NEWS_LINK_CLOSE, NULL);
        ck_assert_int_eq(channel_create(&pair.server, 0), 2);
        pair_end(&pair);
}
END_TEST

SUITE_MAIN("restart", kills_at_any_moment_are_noticed_by_nobody,
           who_connects_while_there_is_no_daemon_is_served_by_the_next, objects_and_numbers_go_on,
           who_died_meanwhile_is_noticed, a_descriptor_that_is_closed_meanwhile_is_noticed,
           what_is_asked_while_there_is_no_daemon_is_answered_by_the_next, sigterm_leaves_all_to_the_next,
           sigint_leaves_nothing, news_that_waits_is_sent_by_the_next,
           tables_of_an_older_version_are_carried_over, who_dies_while_carrying_over_leaves_both,
           tables_of_a_newer_version_are_refused, memory_of_another_layout_is_refused, a_torn_table_is_refused,
           a_missing_table_is_refused, a_descriptor_of_something_else_is_refused,
           starts_that_crash_end_in_a_clean_one, starts_that_are_always_killed_end_in_a_clean_one,
           starts_that_are_killed_cost_nothing, who_has_something_that_was_not_stored_is_ended_alone)
