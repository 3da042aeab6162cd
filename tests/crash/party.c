/* SPDX-License-Identifier: MIT */
#include "party.h"

#include "rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define ORDER_MAGIC  0x6f726465u
#define ANSWER_MAGIC 0x616e7377u
#define HELD_MAX     256

typedef struct Order {
        uint32_t magic;
        uint32_t kind;
        uint32_t bytes; /* that follow */
        uint32_t answer; /* that shall follow the answer */
        uint64_t seed;
} Order;

typedef struct Answer {
        uint32_t magic;
        uint32_t bytes;
        uint64_t seed;
        uint64_t sum;
} Answer;

/* ---- patterns ---- */

static void pattern_fill(uint8_t *bytes, size_t n, uint64_t seed) {
        for (size_t i = 0; i < n; i += 8) {
                uint64_t word = chance_next(&seed);

                memcpy(bytes + i, &word, n - i < 8 ? n - i : 8);
        }
}

static uint64_t sum_of(const uint8_t *bytes, size_t n) {
        uint64_t sum = n;

        for (size_t i = 0; i < n; i++)
                sum = sum * 31 + bytes[i];
        return sum;
}

static bool pattern_is(const uint8_t *bytes, size_t n, uint64_t seed) {
        for (size_t i = 0; i < n; i += 8) {
                uint64_t word = chance_next(&seed);

                if (memcmp(bytes + i, &word, n - i < 8 ? n - i : 8) != 0)
                        return false;
        }
        return true;
}

/* ---- the server ---- */

typedef struct Server {
        Party *party;
        int chid;
        pthread_mutex_t lock;
        int held[HELD_MAX]; /* rcvids; 0 = free */
        bool known[PARTY_CLIENTS]; /* by scoid */
        atomic_bool stops;
} Server;

static void note_client(Server *server, int scoid) {
        bool *known = &server->known[(unsigned)scoid % PARTY_CLIENTS];

        pthread_mutex_lock(&server->lock);
        if (!*known)
                server->party->seen++;
        *known = true;
        pthread_mutex_unlock(&server->lock);
}

static void forget_client(Server *server, int scoid) {
        bool *known = &server->known[(unsigned)scoid % PARTY_CLIENTS];

        pthread_mutex_lock(&server->lock);
        if (*known)
                server->party->seen--;
        *known = false;
        pthread_mutex_unlock(&server->lock);
        server->party->disconnects++;
}

static bool hold(Server *server, int rcvid) {
        bool done = false;

        pthread_mutex_lock(&server->lock);
        for (unsigned i = 0; i < HELD_MAX && !done; i++)
                if (!server->held[i]) {
                        server->held[i] = rcvid;
                        server->party->held++;
                        done = true;
                }
        pthread_mutex_unlock(&server->lock);
        return done;
}

/* @rcvid, or any when it is 0. Returns what is held no longer, or 0. */
static int unhold(Server *server, int rcvid) {
        int found = 0;

        pthread_mutex_lock(&server->lock);
        for (unsigned i = 0; i < HELD_MAX && !found; i++)
                if (server->held[i] && (!rcvid || server->held[i] == rcvid)) {
                        found = server->held[i];
                        server->held[i] = 0;
                        server->party->held--;
                }
        pthread_mutex_unlock(&server->lock);
        return found;
}

static bool wants_out(int rcvid) {
        struct _msg_info info;

        return MsgInfo(rcvid, &info) != 0 || (info.flags & _NTO_MI_UNBLOCK_REQ);
}

static void serve_hold(Server *server, int rcvid) {
        if (!hold(server, rcvid))
                MsgError(rcvid, EAGAIN);
        else if (wants_out(rcvid) && unhold(server, rcvid)) /* its pulse came before we held it */
                MsgError(rcvid, -1);
}

static void serve_free(Server *server, int rcvid) {
        int held;

        while ((held = unhold(server, 0)))
                MsgError(held, EINTR);
        MsgReply(rcvid, 0, NULL, 0);
}

/* The rest of the message, at an odd offset; false when it cannot be had. */
static bool read_rest(int rcvid, const Order *order, uint8_t *bytes) {
        size_t half = order->bytes / 2;

        return MsgRead(rcvid, bytes, half, sizeof(*order)) == (ssize_t)half &&
               MsgRead(rcvid, bytes + half, order->bytes - half, sizeof(*order) + half) ==
                       (ssize_t)(order->bytes - half);
}

static void serve_echo(Server *server, int rcvid, const Order *order) {
        Answer answer = { .magic = ANSWER_MAGIC, .bytes = order->answer, .seed = order->seed };
        uint8_t *bytes = malloc(PARTY_BYTES_MAX);

        need(bytes, "malloc");
        if (!read_rest(rcvid, order, bytes)) {
                MsgError(rcvid, EIO);
                free(bytes);
                return;
        }
        answer.sum = sum_of(bytes, order->bytes);
        pattern_fill(bytes, order->answer, ~order->seed);
        MsgWrite(rcvid, bytes, order->answer, sizeof(answer));
        if (MsgReply(rcvid, (long)(order->seed & 0xffff), &answer, sizeof(answer)) == 0)
                server->party->served++;
        free(bytes);
}

static bool is_order(const Order *order, const struct _msg_info *info) {
        if (info->msglen < (ssize_t)sizeof(*order) || order->magic != ORDER_MAGIC)
                return false;
        return order->bytes <= PARTY_BYTES_MAX && order->answer <= PARTY_BYTES_MAX &&
               order->bytes + sizeof(*order) == (size_t)info->srcmsglen;
}

static void serve_message(Server *server, int rcvid, const Order *order, const struct _msg_info *info) {
        note_client(server, info->scoid);
        server->party->messages++;
        if (!is_order(order, info)) {
                server->party->refused++;
                MsgError(rcvid, EINVAL);
                return;
        }
        switch ((OrderKind)order->kind) {
        case ORDER_HOLD:
                serve_hold(server, rcvid);
                return;
        case ORDER_FREE:
                serve_free(server, rcvid);
                return;
        case ORDER_STOP:
                server->stops = true;
                MsgReply(rcvid, 0, NULL, 0);
                return;
        case ORDER_ECHO:
                serve_echo(server, rcvid, order);
                return;
        }
        MsgError(rcvid, EINVAL);
}

static void serve_pulse(Server *server, const struct _pulse *pulse) {
        switch (pulse->code) {
        case _PULSE_CODE_DISCONNECT:
                ConnectDetach(pulse->scoid);
                forget_client(server, pulse->scoid);
                return;
        case _PULSE_CODE_UNBLOCK:
                server->party->unblocks++;
                if (unhold(server, pulse->value.sival_int))
                        MsgError(pulse->value.sival_int, -1);
                return;
        default:
                server->party->pulses++;
        }
}

/* The stop wakes the other threads by ending the process. */
static void *serve(void *argument) {
        Server *server = argument;
        union {
                Order order;
                struct _pulse pulse;
                uint8_t bytes[256];
        } in;

        while (!server->stops) {
                struct _msg_info info;
                int rcvid = MsgReceive(server->chid, &in, sizeof(in), &info);

                if (rcvid == 0)
                        serve_pulse(server, &in.pulse);
                else if (rcvid > 0)
                        serve_message(server, rcvid, &in.order, &info);
                else
                        need(errno == EINTR, "MsgReceive: %m");
        }
        _exit(0);
}

void party_serve(void *server_orders) {
        const ServerOrders *orders = server_orders;
        Server *server = calloc(1, sizeof(*server));
        pthread_t thread;

        need(server, "calloc");
        if (orders->environment)
                setenv(orders->environment, orders->value, 1);
        server->party = orders->party;
        pthread_mutex_init(&server->lock, NULL);
        server->chid = ChannelCreate(orders->flags);
        if (server->chid < 0)
                _exit(2);
        orders->party->pid = getpid();
        orders->party->chid = server->chid;
        orders->party->open++;
        if (orders->is_hard_of_hearing)
                pause();
        for (unsigned i = 1; i < orders->threads; i++)
                need(pthread_create(&thread, NULL, serve, server) == 0, "pthread_create");
        serve(server);
}

/* ---- its clients ---- */

int party_attach_at(const Party *party, unsigned index, int flags) {
        int coid = ConnectAttach(0, party->pid, party->chid, index, flags);

        return coid < 0 ? -errno : coid;
}

int party_attach(const Party *party) {
        return party_attach_at(party, _NTO_SIDE_CHANNEL, 0);
}

typedef struct Exchange {
        Order *order;
        Answer *answer;
        size_t answer_room;
} Exchange;

/* A guard behind the answer's room must survive. */
#define GUARD 64

static Exchange exchange_new(OrderKind kind, uint32_t bytes, uint32_t answer, uint64_t seed) {
        Exchange x = {
                .order = malloc(sizeof(Order) + bytes),
                .answer = malloc(sizeof(Answer) + answer + GUARD),
                .answer_room = sizeof(Answer) + answer,
        };

        need(x.order && x.answer, "malloc");
        *x.order = (Order){ ORDER_MAGIC, kind, bytes, answer, seed };
        pattern_fill((uint8_t *)(x.order + 1), bytes, seed);
        memset(x.answer, 0xa5, x.answer_room + GUARD);
        return x;
}

static bool guard_is_whole(const Exchange *x) {
        const uint8_t *guard = (const uint8_t *)x->answer + x->answer_room;

        for (unsigned i = 0; i < GUARD; i++)
                if (guard[i] != 0xa5)
                        return false;
        return true;
}

static bool answer_is_right(const Exchange *x, long status) {
        const Order *order = x->order;
        const Answer *answer = x->answer;

        if (status != (long)(order->seed & 0xffff) || answer->magic != ANSWER_MAGIC)
                return false;
        if (answer->bytes != order->answer || answer->seed != order->seed)
                return false;
        return answer->sum == sum_of((const uint8_t *)(order + 1), order->bytes) &&
               pattern_is((const uint8_t *)(answer + 1), order->answer, ~order->seed);
}

int party_order_unsure(int coid, OrderKind kind, uint32_t bytes, uint32_t answer, uint64_t seed) {
        Exchange x = exchange_new(kind, bytes, answer, seed);
        long status = MsgSendnc(coid, x.order, sizeof(Order) + bytes, x.answer, x.answer_room);
        int r = status == -1 ? errno : 0;

        if (status != -1 && kind == ORDER_ECHO && !answer_is_right(&x, status))
                r = -1;
        need(guard_is_whole(&x), "the answer was written past its room");
        free(x.order);
        free(x.answer);
        return r;
}

int party_order(int coid, OrderKind kind, uint32_t bytes, uint32_t answer, uint64_t seed) {
        int r = party_order_unsure(coid, kind, bytes, answer, seed);

        need(r >= 0, "a wrong answer to %u bytes, %u wanted", bytes, answer);
        return r;
}
