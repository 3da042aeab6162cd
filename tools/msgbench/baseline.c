/* SPDX-License-Identifier: MIT */
/*
 * Baselines. A volatile word is all that a ping-pong needs: nothing but the word itself passes, so
 * there is nothing for a fence to order, and a fence would only slow the baseline down.
 */
#include "baseline.h"

#include "crew.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MESSAGE_BYTES 8u

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
}

/* ---- cache line ---- */

static void cacheline_serve(Stage *stage) {
        Board *board = stage->board;

        stage_ready(stage, 0);
        for (uint32_t seen = 0;;) {
                while (board->ping == seen)
                        relax();
                board->pong = ++seen;
        }
}

static int cacheline_turn(Stage *stage) {
        Board *board = stage->board;
        uint32_t next = board->pong + 1;

        board->ping = next;
        while (board->pong != next)
                relax();
        return 0;
}

const Duet baseline_cacheline = { .serve = cacheline_serve, .turn = cacheline_turn, .batch = 1024 };

/* ---- futex ---- */

void baseline_wait(volatile uint32_t *word, uint32_t value) {
        while (*word == value)
                syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

void baseline_wake(volatile uint32_t *word) {
        syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void futex_serve(Stage *stage) {
        Board *board = stage->board;

        stage_ready(stage, 0);
        for (uint32_t seen = 0;;) {
                baseline_wait(&board->ping, seen);
                board->pong = ++seen;
                baseline_wake(&board->pong);
        }
}

static int futex_turn(Stage *stage) {
        Board *board = stage->board;
        uint32_t last = board->pong;

        board->ping = last + 1;
        baseline_wake(&board->ping);
        baseline_wait(&board->pong, last);
        return 0;
}

const Duet baseline_futex = { .serve = futex_serve, .turn = futex_turn };

/* ---- pipe ---- */

static int pipe_prepare(Stage *stage) {
        int r = gate_new(stage->there);

        return r ? r : gate_new(stage->back);
}

static void pipe_serve(Stage *stage) {
        uint64_t message;

        stage_ready(stage, 0);
        while (read(stage->there[0], &message, MESSAGE_BYTES) == MESSAGE_BYTES &&
               write(stage->back[1], &message, MESSAGE_BYTES) == MESSAGE_BYTES)
                ;
}

static int pipe_turn(Stage *stage) {
        uint64_t message = 1;

        if (write(stage->there[1], &message, MESSAGE_BYTES) != MESSAGE_BYTES)
                return -EPIPE;
        return read(stage->back[0], &message, MESSAGE_BYTES) == MESSAGE_BYTES ? 0 : -EPIPE;
}

const Duet baseline_pipe = { .prepare = pipe_prepare, .serve = pipe_serve, .turn = pipe_turn };

/* ---- UNIX seqpacket: there[0] is the client's end, there[1] the server's ---- */

static int seqpacket_prepare(Stage *stage) {
        return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, stage->there) ? -errno : 0;
}

static void seqpacket_serve(Stage *stage) {
        uint64_t message;

        stage_ready(stage, 0);
        while (recv(stage->there[1], &message, MESSAGE_BYTES, 0) == MESSAGE_BYTES &&
               send(stage->there[1], &message, MESSAGE_BYTES, MSG_NOSIGNAL) == MESSAGE_BYTES)
                ;
}

static int seqpacket_turn(Stage *stage) {
        uint64_t message = 1;

        if (send(stage->there[0], &message, MESSAGE_BYTES, MSG_NOSIGNAL) != MESSAGE_BYTES)
                return -EPIPE;
        return recv(stage->there[0], &message, MESSAGE_BYTES, 0) == MESSAGE_BYTES ? 0 : -EPIPE;
}

const Duet baseline_seqpacket = {
        .prepare = seqpacket_prepare, .serve = seqpacket_serve, .turn = seqpacket_turn,
};

/* ---- memcpy ---- */

void *baseline_buffer(uint64_t bytes, unsigned skew) {
        uint8_t *memory = mmap(NULL, bytes + skew, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
                return NULL;
        memset(memory, 0x5a, bytes + skew);
        return memory + skew;
}

static int memcpy_begin(Stage *stage) {
        for (unsigned i = 0; i < 3; i++) {
                stage->buffers[i] = baseline_buffer(stage->bytes, 64 + i * 1024);
                if (!stage->buffers[i])
                        return -ENOMEM;
        }
        return 0;
}

static int memcpy_turn(Stage *stage) {
        memcpy(stage->buffers[1], stage->buffers[0], stage->bytes);
        /* The compiler must not see through the second copy to the first. */
        __asm__ volatile("" ::: "memory");
        memcpy(stage->buffers[2], stage->buffers[1], stage->bytes);
        __asm__ volatile("" ::: "memory");
        return 0;
}

const Duet baseline_memcpy = { .begin = memcpy_begin, .turn = memcpy_turn };
