/* SPDX-License-Identifier: MIT */
/*
 * Daemon: each request while whatever it needs fails, once, at each place.
 *
 * The daemon's kernel runs in this process, which is also its only client: it connects to its own channel. For each
 * request of the list all those before it are made, then this one with the N-th malloc (mmap, sendmsg ...) failing.
 * It must be answered, with success or with EAGAIN, and work when it is made again; when the session has ended,
 * nothing of it is left.
 */
#include "inject.h"

#include "abi/layout.h"
#include "abi/wire.h"
#include "base/fdmsg.h"
#include "base/log.h"
#include "daemon/kernel.h"
#include "daemon/session.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Check wants memory for each assertion: only for one that fails, and then it gets it. */
#undef ck_assert_msg
#define ck_assert_msg(expression, ...) ((expression) ? (void)0 : (inject_pause(), ck_abort_msg(__VA_ARGS__)))

#define TRIALS_MAX 100u
#define ROUNDS_MAX 50
#define COID       0x40000001

typedef struct Place {
        Kernel *kernel;
        int socket;
        int news;
        int coid_fd; /* of the connection that is a descriptor */
        WireReplyConnect side, descriptor;
} Place;

static Place here;
static Inject trying;

/* ---- the requests, each of which needs those before it ---- */

typedef enum Step {
        GREET,
        CHANNEL_CREATE,
        ATTACH_SIDE,
        ATTACH_DESCRIPTOR,
        NUMBER,
        FLAGS,
        SERVER_INFO,
        CLIENT_INFO,
        GROW_SLOTS,
        GROW_BULK,
        STATUS,
        ADOPT,
        SCOID_DETACH,
        CHANNEL_DESTROY,
        STEPS_N,
} Step;

static WireRequest request_of(Step step) {
        switch (step) {
        case GREET:
                return (WireRequest){ .op = WIRE_GREET,
                                      .greet = { .wire_version = WIRE_VERSION, .layout_version = LAYOUT_VERSION } };
        case CHANNEL_CREATE:
                return (WireRequest){ .op = WIRE_CHANNEL_CREATE };
        case ATTACH_SIDE:
                return (WireRequest){ .op = WIRE_CONNECT_ATTACH, .connect_attach = { .chid = 1, .coid = COID } };
        case ATTACH_DESCRIPTOR:
                return (WireRequest){ .op = WIRE_CONNECT_ATTACH, .connect_attach = { .chid = 1 } };
        case NUMBER:
                return (WireRequest){ .op = WIRE_CONNECT_NUMBER,
                                      .connect_number = { .connection = here.descriptor.id, .coid = 300 } };
        case FLAGS:
                return (WireRequest){ .op = WIRE_CONNECT_FLAGS, .connect_flags = { .coid = COID } };
        case SERVER_INFO:
                return (WireRequest){ .op = WIRE_SERVER_INFO, .server_info = { .coid = COID } };
        case CLIENT_INFO:
                return (WireRequest){ .op = WIRE_CLIENT_INFO, .client_info = { .scoid = -1 } };
        case GROW_SLOTS:
        case GROW_BULK:
                return (WireRequest){ .op = WIRE_LINK_GROW,
                                      .link_grow = { .link = here.side.link,
                                                     .kind = step == GROW_BULK ? WIRE_EXTENT_BULK
                                                                               : WIRE_EXTENT_SLOTS,
                                                     .bytes = EXTENT_BULK_MIN } };
        case STATUS:
                return (WireRequest){ .op = WIRE_STATUS, .status = { .json = 1 } };
        case ADOPT:
                return (WireRequest){ .op = WIRE_CONNECT_ADOPT, .connect_adopt = { .coid = 301 } };
        case SCOID_DETACH:
                return (WireRequest){ .op = WIRE_SCOID_DETACH, .scoid_detach = { .scoid = here.side.scoid } };
        case CHANNEL_DESTROY:
        case STEPS_N:
                break;
        }
        return (WireRequest){ .op = WIRE_CHANNEL_DESTROY, .channel_destroy = { .chid = 1 } };
}

static bool is_answered(Step step) {
        return step != NUMBER;
}

/* ---- asking ---- */

static void run_loop(void) {
        inject_resume();
        ev_run(here.kernel->loop, EVRUN_NOWAIT);
        inject_pause();
}

static void read_news(void) {
        WireNews news;
        int fds[FDMSG_FDS_MAX];
        size_t n_fds;

        while (here.news >= 0 &&
               fdmsg_receive(here.news, &news, sizeof(news), fds, FDMSG_FDS_MAX, &n_fds, MSG_DONTWAIT) > 0)
                for (size_t i = 0; i < n_fds; i++)
                        close(fds[i]);
}

static void keep_answer(Step step, const WireReply *reply, const int *fds, size_t n_fds) {
        int *kept = NULL;

        if (step == GREET)
                kept = &here.news; /* the last of its descriptors */
        if (step == ATTACH_DESCRIPTOR)
                kept = &here.coid_fd;
        for (size_t i = 0; i < n_fds; i++)
                if (kept && i + 1 == n_fds)
                        *kept = fds[i];
                else
                        close(fds[i]);
        if (step == ATTACH_SIDE)
                here.side = reply->connect;
        if (step == ATTACH_DESCRIPTOR)
                here.descriptor = reply->connect;
}

/* The status of the answer. What is not answered is asked for all the same, and 0. */
static int ask(Step step) {
        WireRequest request = request_of(step);
        int fds[FDMSG_FDS_MAX], r = -EAGAIN;
        WireReply reply = { .status = 0 };
        size_t n_fds = 0;

        request.fds = step == ADOPT ? 1 : 0;
        ck_assert_int_eq(fdmsg_send(here.socket, &request, sizeof(request), &here.coid_fd, request.fds, 0), 0);
        for (int i = 0; i < ROUNDS_MAX && r == -EAGAIN; i++) {
                run_loop();
                if (is_answered(step))
                        r = (int)fdmsg_receive(here.socket, &reply, sizeof(reply), fds, FDMSG_FDS_MAX, &n_fds,
                                               MSG_DONTWAIT);
        }
        ck_assert_msg(here.kernel->n_sessions == 1, "the session has ended (%s failed with %d)",
                      inject_name(trying.call), trying.error);
        ck_assert_msg(!is_answered(step) || r == sizeof(reply), "no answer: %s", strerror(-r));
        if (reply.status == 0)
                keep_answer(step, &reply, fds, n_fds);
        read_news();
        return reply.status;
}

/* ---- trials ---- */

static unsigned count_fds(void) {
        DIR *dir = opendir("/proc/self/fd");
        unsigned n = 0;

        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

static void begin(void) {
        const KernelOptions options = { .linger = 1 };
        int ends[2];

        here = (Place){ .news = -1, .coid_fd = -1 };
        ck_assert_int_eq(kernel_new(&options, NULL, &here.kernel), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        ck_assert_int_eq(session_new(here.kernel, ends[0]), 0);
        here.socket = ends[1];
}

static void end(void) {
        inject_end();
        close(here.socket);
        if (here.news >= 0)
                close(here.news);
        if (here.coid_fd >= 0)
                close(here.coid_fd);
        for (int i = 0; i < ROUNDS_MAX; i++)
                ev_run(here.kernel->loop, EVRUN_NOWAIT);
        ck_assert_uint_eq(here.kernel->n_sessions, 0);
        ck_assert_uint_eq(map_size(&here.kernel->links), 0);
        ck_assert_uint_eq(map_size(&here.kernel->lifelines), 0);
        ck_assert_uint_eq(map_size(&here.kernel->users.users), 0);
        kernel_free(here.kernel);
}

/* True when something failed. */
static bool try_step(Step step, Inject way, unsigned nth) {
        unsigned fds = count_fds();
        bool fired;
        int status;

        begin();
        trying = way;
        for (unsigned before = 0; before < step; before++)
                ck_assert_int_eq(ask(before), 0);
        inject_begin(way, nth);
        inject_pause();
        status = ask(step);
        fired = inject_end();
        ck_assert_msg(status == 0 || status == EAGAIN, "step %u, %s %u with %d: %s", step, inject_name(way.call), nth,
                      way.error, strerror(status));
        if (status != 0)
                ck_assert_msg(ask(step) == 0, "step %u cannot be done again after %s %u", step,
                              inject_name(way.call), nth);
        end();
        ck_assert_msg(count_fds() == fds, "descriptors after the %u. %s failed with %d: %u, not %u", nth,
                      inject_name(way.call), way.error, count_fds(), fds);
        return fired;
}

static void try_all(Step step) {
        for (const Inject *way = inject_ways; way->error; way++)
                for (unsigned nth = 1; try_step(step, *way, nth); nth++)
                        ck_assert_uint_lt(nth, TRIALS_MAX);
}

START_TEST(a_request_is_answered_and_can_be_made_again) {
        log_init(LOG_LEVEL_ERROR);
        try_all((Step)_i);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("failure/daemon");
        TCase *tcase = tcase_create("daemon");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, a_request_is_answered_and_can_be_made_again, 0, STEPS_N);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
