/* SPDX-License-Identifier: MIT */
/*
 * Harness: what every test of the public interface needs around it.
 *
 * A test program gets a daemon of its own. Each test runs in a process of its own, ends by itself, and is
 * failed when it leaves a descriptor or a child behind; when the program ends, the daemon must hold no object
 * any more. Peers are further processes of a test, with a wire to talk over: nothing here sleeps for a while
 * and hopes, everything waits for a condition.
 */
#pragma once

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HARNESS_TIMEOUT 25 /* seconds that one test may take; CK_TIMEOUT_MULTIPLIER stretches it */

/* ---- programs ---- */

#define HARNESS_TESTS(...) ((const TTest *const[]){__VA_ARGS__, NULL})

/* Makes main(): HARNESS_MAIN("send", test_1, test_2). A test that is not listed does not compile quietly. */
#define HARNESS_MAIN(name, ...)                                                                    \
        int main(void) {                                                                           \
                return harness_main(name, HARNESS_TESTS(__VA_ARGS__));                             \
        }

int harness_main(const char *name, const TTest *const *tests);

/* As above, with a daemon that serves all users, started by the harness; 77 unless run as root. */
int harness_main_users(const char *name, const TTest *const *tests);

/* Says aloud that a test cannot be run here, and ends it. */
void harness_skip(const char *why) __attribute__((noreturn));

/* In a test, which then returns: says aloud that it cannot be run here; the last line counts them. */
void harness_leave_out(const char *why);

/* Descriptors that are open in this process now. */
unsigned harness_count_fds(void);

/* ---- peers ---- */

typedef struct Peer Peer;
typedef void (*PeerMain)(Peer *me);

struct Peer {
        pid_t pid;    /* the peer process, on both sides */
        int fd;       /* this side's end of the wire */
        pid_t server; /* process that owns chid */
        int chid;
        long number; /* for the test to use */
        PeerMain run;
};

/* A process that runs `run` and ends. Its server is the caller. */
Peer peer_start(PeerMain run, int chid, long number);

/* Same, for a channel of another process. */
Peer peer_start_at(PeerMain run, const Peer *server, long number);

/* A process that makes a channel with `flags`, then runs `run`. Returns when the channel is there. */
Peer peer_serve(PeerMain run, unsigned flags, long number);

/* As the others, as another user and group. Only for root. */
Peer peer_start_as(uid_t uid, PeerMain run, pid_t server, int chid, long number);
Peer peer_serve_as(uid_t uid, PeerMain run, unsigned flags, long number);

/* Waits for its end, which must be a good one. */
void peer_end(Peer *peer);

/* Waits for its end and returns the wait status. */
int peer_wait(Peer *peer);

/* Ends it with SIGKILL. */
void peer_kill(Peer *peer);

/* The wire: one number each time. Hearing from a dead peer fails the test. */
void peer_say(Peer *peer, long number);
long peer_hear(Peer *peer);
bool peer_has_spoken(const Peer *peer);

/* ---- threads ---- */

typedef struct Thread {
        pthread_t id;
} Thread;

Thread thread_start(void *(*run)(void *), void *arg);
void *thread_end(Thread thread);

/* ---- conditions ---- */

/* Until `n` threads of the process are in the state ("SEND", "REPLY", "RECEIVE"), as the daemon reports it. */
void wait_for_states(pid_t pid, const char *state, int n);
int count_states(pid_t pid, const char *state);

/* One thread of the process is in that state. */
void wait_for_state(pid_t pid, const char *state);

/* Until the daemon knows no process of that pid any more. */
void wait_for_oblivion(pid_t pid);

/* Until *word is `value`; for what another thread does. */
void wait_for_word(const volatile int *word, int value);

/* ---- memory ---- */

/* Zeroed memory that peers started from here on share with the test. */
void *memory_shared(size_t bytes);

/* An address that is never mapped. */
void *memory_bad(void);

/* A page with nothing after it: the byte at the returned address + n is the first bad one. */
char *memory_edge(size_t n);

/* Bytes that tell where they belong, and whether they still do. */
void pattern_fill(void *bytes, size_t n, unsigned seed);
bool pattern_is(const void *bytes, size_t n, unsigned seed);

/* The same, of a piece that began at `offset`. */
bool pattern_is_at(const void *bytes, size_t n, unsigned seed, size_t offset);

/* ---- time ---- */

uint64_t now_ns(void); /* CLOCK_MONOTONIC */

/* ---- the calls of nearly every test, with their checks ---- */

int channel_new(unsigned flags);
void channel_free(int chid);
int connect_side(pid_t pid, int chid); /* a side-channel coid; pid 0 = own process */
void connect_free(int coid);

/* What a process says when it is asked who it is: attaches to me->server, me->chid. */
int peer_connect(const Peer *me);

/* errno of a call that must have failed. */
#define ck_assert_fails(call, error)                                                               \
        do {                                                                                       \
                errno = 0;                                                                         \
                long _result = (long) (call);                                                      \
                int _error = errno;                                                                \
                ck_assert_msg(_result == -1 && _error == (error),                                  \
                              "%s: returned %ld, errno %d (%s), not %s", #call, _result, _error,   \
                              strerror(_error), #error);                                           \
        } while (0)

/* An _r call that must return `value` and leave errno alone. */
#define ck_assert_r(call, value)                                                                   \
        do {                                                                                       \
                errno = 4711;                                                                      \
                long _result = (long) (call);                                                      \
                int _error = errno;                                                                \
                ck_assert_msg(_result == (long) (value), "%s: returned %ld, not %s", #call,        \
                              _result, #value);                                                    \
                ck_assert_msg(_error == 4711, "%s: touched errno: %d", #call, _error);             \
        } while (0)

#define ck_assert_ok(call)                                                                         \
        do {                                                                                       \
                long _result = (long) (call);                                                      \
                int _error = errno;                                                                \
                ck_assert_msg(_result == 0, "%s: returned %ld, errno %d (%s)", #call, _result,     \
                              _error, strerror(_error));                                           \
        } while (0)
