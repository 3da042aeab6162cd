/* SPDX-License-Identifier: MIT */
/*
 * Sizes: every size around which the way of the bytes may change, in both directions, whole, in pieces, and
 * one that is far larger than anything kept ready.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>

static const size_t sizes[] = {
        0, 1, 2, 7, 8, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097, 8063, 8064, 8065, 8191, 8192, 8193,
        65535, 65536, 65537, 131071, 131072, 131073, 262143, 262144, 262145, (1 << 20) - 1, 1 << 20,
        (1 << 20) + 1, 3 << 20,
};
#define SIZES     (sizeof(sizes) / sizeof(*sizes))
#define SIZE_TOP  ((size_t)3 << 20)

/* Sends each size, and expects it back with another pattern. */
static void client_of_echo(Peer *me) {
        unsigned char *out = malloc(SIZE_TOP + 1), *back = malloc(SIZE_TOP + 1);
        int coid = peer_connect(me);

        for (size_t i = 0; i < SIZES; i++) {
                size_t n = sizes[i];

                pattern_fill(out, n, (unsigned)i);
                memset(back, 0xee, n + 1);
                ck_assert_int_eq(MsgSend(coid, out, n, back, n), (long)n);
                ck_assert_msg(pattern_is(back, n, (unsigned)i + 100), "size %zu came back wrong", n);
                ck_assert_int_eq(back[n], 0xee);
        }
        connect_free(coid);
        free(out);
        free(back);
}

static void *echo_all(void *arg) {
        int chid = *(int *)arg;
        unsigned char *bytes = malloc(SIZE_TOP + 1);

        for (size_t i = 0; i < SIZES; i++) {
                size_t n = sizes[i];
                struct _msg_info info;
                int rcvid;

                bytes[n] = 0xdd;
                rcvid = MsgReceive(chid, bytes, SIZE_TOP, &info);
                ck_assert_int_gt(rcvid, 0);
                ck_assert_uint_eq((size_t)info.msglen, n);
                ck_assert_uint_eq((size_t)info.srcmsglen, n);
                ck_assert_uint_eq((size_t)info.dstmsglen, n);
                ck_assert_msg(pattern_is(bytes, n, (unsigned)i), "size %zu arrived wrong", n);
                ck_assert_int_eq(bytes[n], 0xdd);
                pattern_fill(bytes, n, (unsigned)i + 100);
                ck_assert_ok(MsgReply(rcvid, (long)n, bytes, n));
        }
        free(bytes);
        return NULL;
}

START_TEST(every_boundary_size_goes_both_ways_between_processes) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_echo, chid, 0);

        echo_all(&chid);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

START_TEST(every_boundary_size_goes_both_ways_within_a_process) {
        int chid = channel_new(0);
        Thread server = thread_start(echo_all, &chid);
        Peer me = { .server = 0, .chid = chid };

        client_of_echo(&me);
        thread_end(server);
        channel_free(chid);
}
END_TEST

/* The server takes nothing with the receive and fetches by pieces of odd sizes, then writes by pieces, backwards. */
static void fetch_by_pieces(int rcvid, unsigned char *bytes, size_t n, size_t piece, unsigned seed) {
        size_t at = 0;

        while (at < n) {
                ssize_t r = MsgRead(rcvid, bytes, piece, at);
                size_t expected = n - at < piece ? n - at : piece;

                ck_assert_int_eq(r, (ssize_t)expected);
                ck_assert_msg(pattern_is_at(bytes, expected, seed, at), "size %zu, offset %zu", n, at);
                at += expected;
        }
        ck_assert_int_eq(MsgRead(rcvid, bytes, piece, n), 0);
}

static void write_by_pieces(int rcvid, unsigned char *bytes, size_t n, size_t piece, unsigned seed) {
        size_t at = (n + piece - 1) / piece * piece;

        pattern_fill(bytes, n, seed);
        while (at > 0) {
                at -= piece;
                ck_assert_int_eq(MsgWrite(rcvid, bytes + at, piece, at),
                                 (ssize_t)(n - at < piece ? n - at : piece));
        }
}

START_TEST(every_boundary_size_by_pieces_at_offsets) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_echo, chid, 0);
        size_t piece = 40961;
        unsigned char *bytes = malloc(SIZE_TOP + piece);

        for (size_t i = 0; i < SIZES; i++) {
                struct _msg_info info;
                int rcvid = MsgReceive(chid, NULL, 0, &info);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_int_eq(info.msglen, 0);
                ck_assert_uint_eq((size_t)info.srcmsglen, sizes[i]);
                fetch_by_pieces(rcvid, bytes, sizes[i], piece, (unsigned)i);
                write_by_pieces(rcvid, bytes, sizes[i], piece, (unsigned)i + 100);
                ck_assert_ok(MsgReply(rcvid, (long)sizes[i], NULL, 0));
        }
        free(bytes);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* Uneven parts on both sides, with empty ones between. */
#define PARTS 9

static void cut(iov_t parts[PARTS], unsigned char *bytes, size_t n) {
        size_t at = 0;

        for (size_t i = 0; i < PARTS; i++) {
                size_t end = i == PARTS - 1 ? n : n * i * i / (PARTS * PARTS);

                SETIOV(&parts[i], bytes + at, i == 4 ? 0 : end - at);
                at = i == 4 ? at : end;
        }
}

static void client_of_parts(Peer *me) {
        unsigned char *out = malloc(SIZE_TOP + 1), *back = malloc(SIZE_TOP + 1);
        int coid = peer_connect(me);
        iov_t send[PARTS], reply[PARTS];

        for (size_t i = 0; i < SIZES; i++) {
                size_t n = sizes[i];

                pattern_fill(out, n, (unsigned)i);
                memset(back, 0xee, n + 1);
                cut(send, out, n);
                cut(reply, back, n);
                ck_assert_int_eq(MsgSendv(coid, send, PARTS, reply, PARTS), (long)n);
                ck_assert(pattern_is(back, n, (unsigned)i + 100));
                ck_assert_int_eq(back[n], 0xee);
        }
        connect_free(coid);
        free(out);
        free(back);
}

START_TEST(every_boundary_size_in_uneven_parts) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_parts, chid, 0);

        echo_all(&chid);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- 100 MiB ---- */

#define HUGE_BYTES ((size_t)100 << 20)

static void client_of_huge(Peer *me) {
        unsigned char *bytes = malloc(HUGE_BYTES);
        int coid = peer_connect(me);

        pattern_fill(bytes, HUGE_BYTES, 1);
        ck_assert_int_eq(MsgSend(coid, bytes, HUGE_BYTES, bytes, HUGE_BYTES), 0);
        ck_assert(pattern_is(bytes, HUGE_BYTES, 2));
        connect_free(coid);
        free(bytes);
}

START_TEST(a_message_of_100_mib_goes_both_ways) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_huge, chid, 0);
        unsigned char *bytes = malloc(HUGE_BYTES);
        struct _msg_info info;
        int rcvid = MsgReceive(chid, bytes, HUGE_BYTES, &info);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_uint_eq((size_t)info.msglen, HUGE_BYTES);
        ck_assert(pattern_is(bytes, HUGE_BYTES, 1));
        ck_assert_int_eq(MsgRead(rcvid, bytes, 100, HUGE_BYTES - 50), 50);
        ck_assert(pattern_is_at(bytes, 50, 1, HUGE_BYTES - 50));
        pattern_fill(bytes, HUGE_BYTES, 2);
        ck_assert_ok(MsgReply(rcvid, 0, bytes, HUGE_BYTES));
        free(bytes);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* ---- room is not content ---- */

static bool all_are(const unsigned char *bytes, size_t n, unsigned char value) {
        for (size_t i = 0; i < n; i++)
                if (bytes[i] != value)
                        return false;
        return true;
}

static void client_with_large_room(Peer *me) {
        unsigned char *back = malloc(SIZE_TOP);
        int coid = peer_connect(me);

        memset(back, 0xee, SIZE_TOP);
        ck_assert_int_eq(MsgSend(coid, "x", 1, back, SIZE_TOP), 0);
        ck_assert_mem_eq(back, "tiny", 4);
        ck_assert(all_are(back + 4, SIZE_TOP - 4, 0xee));
        memset(back, 0xee, SIZE_TOP);
        ck_assert_int_eq(MsgSend(coid, "x", 1, back, SIZE_TOP), 1);
        ck_assert_mem_eq(back + SIZE_TOP - 4, "tail", 4);
        ck_assert(all_are(back, SIZE_TOP - 4, 0xee));
        connect_free(coid);
        free(back);
}

START_TEST(a_small_reply_into_a_large_area_touches_nothing_else) {
        int chid = channel_new(0);
        Peer client = peer_start(client_with_large_room, chid, 0);
        char message[4];
        int rcvid = MsgReceive(chid, message, sizeof(message), NULL);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_ok(MsgReply(rcvid, 0, "tiny", 4));
        rcvid = MsgReceive(chid, message, sizeof(message), NULL);
        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(MsgWrite(rcvid, "tail", 4, SIZE_TOP - 4), 4);
        ck_assert_ok(MsgReply(rcvid, 1, NULL, 0));
        peer_end(&client);
        channel_free(chid);
}
END_TEST

/* Many threads of one client with large messages at once. */
#define BULK_THREADS 6
#define BULK_BYTES   300000

static void *send_bulk(void *arg) {
        int coid = *(int *)arg;
        unsigned char *out = malloc(BULK_BYTES), *back = malloc(BULK_BYTES);

        pattern_fill(out, BULK_BYTES, 7);
        for (int i = 0; i < 20; i++) {
                ck_assert_int_eq(MsgSend(coid, out, BULK_BYTES, back, BULK_BYTES), 0);
                ck_assert(pattern_is(back, BULK_BYTES, 7));
                memset(back, 0, BULK_BYTES);
        }
        free(out);
        free(back);
        return NULL;
}

static void client_of_bulk(Peer *me) {
        Thread threads[BULK_THREADS];
        int coid = peer_connect(me);

        for (int i = 0; i < BULK_THREADS; i++)
                threads[i] = thread_start(send_bulk, &coid);
        for (int i = 0; i < BULK_THREADS; i++)
                thread_end(threads[i]);
        connect_free(coid);
}

START_TEST(large_messages_of_many_threads_do_not_mix) {
        int chid = channel_new(0);
        Peer client = peer_start(client_of_bulk, chid, 0);
        unsigned char *bytes = malloc(BULK_BYTES);

        for (int i = 0; i < 20 * BULK_THREADS; i++) {
                int rcvid = MsgReceive(chid, bytes, BULK_BYTES, NULL);

                ck_assert_int_gt(rcvid, 0);
                ck_assert(pattern_is(bytes, BULK_BYTES, 7));
                ck_assert_ok(MsgReply(rcvid, 0, bytes, BULK_BYTES));
        }
        free(bytes);
        peer_end(&client);
        channel_free(chid);
}
END_TEST

HARNESS_MAIN("size", every_boundary_size_goes_both_ways_between_processes,
             every_boundary_size_goes_both_ways_within_a_process,
             every_boundary_size_by_pieces_at_offsets, every_boundary_size_in_uneven_parts,
             a_message_of_100_mib_goes_both_ways,
             a_small_reply_into_a_large_area_touches_nothing_else,
             large_messages_of_many_threads_do_not_mix)
