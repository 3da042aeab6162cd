/* SPDX-License-Identifier: MIT */
/*
 * Harness: see harness.h.
 *
 * The daemon: the library starts it on first use, at a socket in a directory of this program's own. That first
 * use happens here, in a child whose output goes to a file, so that the daemon does not keep the output of
 * the tests open, and so that the descriptors which the library itself needs can be counted.
 */
#include "harness.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NS 15000000000ull /* how long a condition is waited for before it is called false */
#define STATUS_MAX  (4u << 20)
#define EXIT_SKIP   77

extern char **environ;

typedef struct Home {
        char directory[64];
        char socket[96];
        char log[96];
        char left_out[96];
} Home;

static Home home;
static unsigned fds_of_library; /* what one use of the library leaves open */
static unsigned fds_before;     /* of the test that is running */

static void die(const char *what) {
        fprintf(stderr, "harness: %s: %s\n", what, strerror(errno));
        exit(99);
}

uint64_t now_ns(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Between two looks at a condition: short at first, then polite. */
static void look_again(unsigned *turn) {
        struct timespec pause = { .tv_nsec = *turn < 20 ? 500000 : 5000000 };

        (*turn)++;
        nanosleep(&pause, NULL);
}

unsigned harness_count_fds(void) {
        unsigned n = 0;

        for (int fd = 0; fd < 1024; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

void harness_skip(const char *why) {
        fprintf(stderr, "SKIPPED: %s\n", why);
        printf("SKIPPED: %s\n", why);
        fflush(NULL);
        _exit(EXIT_SKIP);
}

void harness_leave_out(const char *why) {
        FILE *list = fopen(home.left_out, "a");

        ck_assert_ptr_nonnull(list);
        fputc('\n', list);
        fclose(list);
        fprintf(stderr, "SKIPPED one test: %s\n", why);
        printf("SKIPPED one test: %s\n", why);
        fflush(NULL);
}

/* ---- status ---- */

static int spawn_tool(const char *const *arguments, int output) {
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int r;

        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_addclosefrom_np(&actions, 3);
        r = posix_spawn(&pid, arguments[0], &actions, NULL, (char *const *)arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
        return r == 0 ? pid : -1;
}

static size_t read_all(int fd, char *text, size_t room) {
        size_t n = 0;

        for (;;) {
                ssize_t r = read(fd, text + n, room - 1 - n);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0)
                        break;
                n += (size_t)r;
        }
        text[n] = 0;
        return n;
}

/* What `nuntius status --json` prints now; NULL when it failed. One caller at a time. */
static const char *status_text(void) {
        static char text[STATUS_MAX];
        const char *tool = getenv("NUNTIUS_TOOL");
        const char *arguments[] = { tool, "status", "--json", NULL };
        int wire[2], status = 0;
        pid_t pid;

        if (!tool || pipe2(wire, O_CLOEXEC) < 0)
                return NULL;
        pid = spawn_tool(arguments, wire[1]);
        close(wire[1]);
        read_all(wire[0], text, sizeof(text));
        close(wire[0]);
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return pid > 0 && status == 0 && json_is_valid(text) ? text : NULL;
}

static bool knows_process(const char *text, pid_t pid) {
        const char *process = json_first(json_member(text, "processes"));

        while (process && json_number(json_member(process, "pid"), -1) != pid)
                process = json_next(process);
        return process != NULL;
}

int count_states(pid_t pid, const char *state) {
        const char *text = status_text();
        const char *thread;
        int n = 0;

        ck_assert_msg(text != NULL, "nuntius status --json failed");
        thread = json_first(json_member(text, "threads"));
        for (; thread; thread = json_next(thread))
                n += json_number(json_member(thread, "pid"), -1) == pid &&
                     json_is(json_member(thread, "state"), state);
        return n;
}

void wait_for_states(pid_t pid, const char *state, int n) {
        uint64_t end = now_ns() + PATIENCE_NS;
        unsigned turn = 0;

        while (count_states(pid, state) != n) {
                if (now_ns() > end)
                        ck_abort_msg("process %d never had %d threads in %s; status: %.2000s",
                                     (int)pid, n, state, status_text());
                look_again(&turn);
        }
}

void wait_for_state(pid_t pid, const char *state) {
        wait_for_states(pid, state, 1);
}

void wait_for_oblivion(pid_t pid) {
        uint64_t end = now_ns() + PATIENCE_NS;
        unsigned turn = 0;

        while (knows_process(status_text(), pid)) {
                if (now_ns() > end)
                        ck_abort_msg("the daemon still knows process %d", (int)pid);
                look_again(&turn);
        }
}

void wait_for_word(const volatile int *word, int value) {
        uint64_t end = now_ns() + PATIENCE_NS;
        unsigned turn = 0;

        while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
                ck_assert_msg(now_ns() < end, "a word never became %d", value);
                look_again(&turn);
        }
}

/* ---- peers ---- */

static void write_all(int fd, const void *bytes, size_t n) {
        ssize_t r;

        do
                r = send(fd, bytes, n, MSG_NOSIGNAL);
        while (r < 0 && errno == EINTR);
        ck_assert_msg(r == (ssize_t)n, "the peer is not there to be told");
}

void peer_say(Peer *peer, long number) {
        write_all(peer->fd, &number, sizeof(number));
}

long peer_hear(Peer *peer) {
        long number = 0;
        ssize_t r;

        do
                r = recv(peer->fd, &number, sizeof(number), 0);
        while (r < 0 && errno == EINTR);
        ck_assert_msg(r == sizeof(number), "the peer ended without a word");
        return number;
}

bool peer_has_spoken(const Peer *peer) {
        struct pollfd wire = { .fd = peer->fd, .events = POLLIN };

        return poll(&wire, 1, 0) == 1;
}

/* A peer obeys the rule for tests: no descriptor stays open. */
static void run_peer(Peer *me) {
        unsigned before = harness_count_fds();
        unsigned after;

        me->run(me);
        after = harness_count_fds();
        ck_assert_msg(after <= before + fds_of_library,
                      "a peer left descriptors open: %u before, %u after, %u are the library's",
                      before, after, fds_of_library);
}

static void become_user(uid_t uid) {
        if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
                ck_abort_msg("cannot become user %u", (unsigned)uid);
}

static Peer start(Peer plan, uid_t uid) {
        int wire[2];
        pid_t pid;

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid > 0) {
                close(wire[1]);
                plan.pid = pid;
                plan.fd = wire[0];
                return plan;
        }
        close(wire[0]);
        plan.pid = getpid();
        plan.fd = wire[1];
        signal(SIGTERM, SIG_DFL); /* Check's runner has handlers that end the whole test */
        signal(SIGINT, SIG_DFL);
        if (uid)
                become_user(uid);
        run_peer(&plan);
        _exit(0);
}

Peer peer_start(PeerMain run, int chid, long number) {
        return peer_start_as(0, run, getpid(), chid, number);
}

Peer peer_start_at(PeerMain run, const Peer *server, long number) {
        return peer_start_as(0, run, server->pid, server->chid, number);
}

Peer peer_start_as(uid_t uid, PeerMain run, pid_t server, int chid, long number) {
        return start((Peer){ .run = run, .server = server, .chid = chid, .number = number }, uid);
}

typedef struct Service {
        PeerMain run;
        unsigned flags;
} Service;

static Service service; /* of the peer_serve() that is under way: copied by its fork */

static void serve(Peer *me) {
        me->chid = channel_new(service.flags);
        me->server = me->pid;
        peer_say(me, me->chid);
        service.run(me);
}

Peer peer_serve_as(uid_t uid, PeerMain run, unsigned flags, long number) {
        Peer peer;

        service = (Service){ run, flags };
        peer = peer_start_as(uid, serve, 0, 0, number);
        peer.chid = (int)peer_hear(&peer);
        peer.server = peer.pid;
        return peer;
}

Peer peer_serve(PeerMain run, unsigned flags, long number) {
        return peer_serve_as(0, run, flags, number);
}

int peer_wait(Peer *peer) {
        int status = 0;
        pid_t r;

        do
                r = waitpid(peer->pid, &status, 0);
        while (r < 0 && errno == EINTR);
        ck_assert_int_eq(r, peer->pid);
        close(peer->fd);
        peer->fd = -1;
        return status;
}

void peer_end(Peer *peer) {
        int status = peer_wait(peer);

        ck_assert_msg(status == 0, "a peer ended with wait status 0x%x", status);
}

void peer_kill(Peer *peer) {
        kill(peer->pid, SIGKILL);
        peer_wait(peer);
}

/* ---- threads ---- */

Thread thread_start(void *(*run)(void *), void *arg) {
        Thread thread;

        ck_assert_int_eq(pthread_create(&thread.id, NULL, run, arg), 0);
        return thread;
}

void *thread_end(Thread thread) {
        void *result = NULL;

        ck_assert_int_eq(pthread_join(thread.id, &result), 0);
        return result;
}

/* ---- memory ---- */

void *memory_shared(size_t bytes) {
        void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        ck_assert_ptr_ne(memory, MAP_FAILED);
        return memory;
}

/* So much nothing that no read of a test reaches past it. */
#define NOTHING_BYTES ((size_t)4 << 20)

static char *page_before_nothing(void) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *memory = mmap(NULL, page + NOTHING_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        ck_assert_ptr_ne(memory, MAP_FAILED);
        ck_assert_int_eq(mprotect(memory, page, PROT_READ | PROT_WRITE), 0);
        return memory + page;
}

void *memory_bad(void) {
        return page_before_nothing();
}

char *memory_edge(size_t n) {
        return page_before_nothing() - n;
}

static unsigned char pattern_at(size_t i, unsigned seed) {
        return (unsigned char)(i * 31 + (i >> 8) * 17 + (i >> 16) * 7 + seed);
}

void pattern_fill(void *bytes, size_t n, unsigned seed) {
        unsigned char *to = bytes;

        for (size_t i = 0; i < n; i++)
                to[i] = pattern_at(i, seed);
}

bool pattern_is_at(const void *bytes, size_t n, unsigned seed, size_t offset) {
        const unsigned char *from = bytes;

        for (size_t i = 0; i < n; i++)
                if (from[i] != pattern_at(offset + i, seed))
                        return false;
        return true;
}

bool pattern_is(const void *bytes, size_t n, unsigned seed) {
        return pattern_is_at(bytes, n, seed, 0);
}

/* ---- calls ---- */

int channel_new(unsigned flags) {
        int chid = ChannelCreate(flags);

        ck_assert_msg(chid > 0, "ChannelCreate(0x%x): %d, %s", flags, chid, strerror(errno));
        return chid;
}

void channel_free(int chid) {
        ck_assert_ok(ChannelDestroy(chid));
}

int connect_side(pid_t pid, int chid) {
        int coid = ConnectAttach(0, pid, chid, _NTO_SIDE_CHANNEL, 0);

        ck_assert_msg(coid > _NTO_SIDE_CHANNEL, "ConnectAttach to %d/%d: %d, %s", (int)pid, chid, coid,
                      strerror(errno));
        return coid;
}

void connect_free(int coid) {
        ck_assert_ok(ConnectDetach(coid));
}

int peer_connect(const Peer *me) {
        return connect_side(me->server, me->chid);
}

/* ---- programs ---- */

static void before_test(void) {
        fds_before = harness_count_fds();
}

static void after_test(void) {
        unsigned now = harness_count_fds();
        bool is_clean = now == fds_before || now == fds_before + fds_of_library;

        ck_assert_msg(is_clean, "descriptors left open: %u before, %u after, %u are the library's",
                      fds_before, now, fds_of_library);
        ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child was left behind");
}

static void home_make(void) {
        snprintf(home.directory, sizeof(home.directory), "/tmp/nuntius-test-XXXXXX");
        if (!mkdtemp(home.directory) || chmod(home.directory, 0755) < 0)
                die("no directory for the daemon");
        snprintf(home.socket, sizeof(home.socket), "%s/socket", home.directory);
        snprintf(home.log, sizeof(home.log), "%s/log", home.directory);
        snprintf(home.left_out, sizeof(home.left_out), "%s/left-out", home.directory);
        setenv("NUNTIUS_SOCKET", home.socket, 1);
        setenv("NUNTIUSD_LOG", home.log, 1);
}

static void home_show_log(void) {
        char line[4096];
        FILE *log = fopen(home.log, "r");

        while (log && fgets(line, sizeof(line), log))
                fprintf(stderr, "daemon: %s", line);
        if (log)
                fclose(log);
}

static void home_remove(void) {
        char lock[128], paths[128];

        snprintf(lock, sizeof(lock), "%s.lock", home.socket);
        snprintf(paths, sizeof(paths), "%s.paths", home.socket);
        unlink(home.socket);
        unlink(lock);
        unlink(paths);
        unlink(home.log);
        unlink(home.left_out);
        if (rmdir(home.directory) < 0)
                fprintf(stderr, "harness: %s is not empty\n", home.directory);
}

static void output_to_log(void) {
        int log = open(home.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (log < 0 || nothing < 0)
                die(home.log);
        dup2(nothing, STDIN_FILENO);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        close(log);
        close(nothing);
}

/* Runs in a child: uses the library once. Its exit status is the number of descriptors that this took. */
static void use_once(void) {
        unsigned before;
        int chid, coid;

        output_to_log();
        before = harness_count_fds();
        chid = ChannelCreate(0);
        coid = ConnectAttach(0, 0, chid, _NTO_SIDE_CHANNEL, 0);
        if (chid < 0 || coid < 0 || ConnectDetach(coid) != EOK || ChannelDestroy(chid) != EOK) {
                fprintf(stderr, "chid %d, coid %d: %s\n", chid, coid, strerror(errno));
                _exit(255);
        }
        _exit((int)(harness_count_fds() - before));
}

static void warm_up(void) {
        pid_t pid = fork();
        int status = 0;

        if (pid == 0)
                use_once();
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (!WIFEXITED(status) || WEXITSTATUS(status) == 255) {
                fprintf(stderr, "harness: the library cannot be used at all, status 0x%x\n", status);
                home_show_log();
                exit(99);
        }
        fds_of_library = (unsigned)WEXITSTATUS(status);
}

/* The one who asks has a session, and its descriptor, itself. */
static long charge_of_asking(const char *charge) {
        const char *what = json_member(charge, "what");

        return json_is(what, "sessions") || json_is(what, "fds") ? 1 : 0;
}

static bool charges_nothing(const char *text) {
        const char *charge = json_first(json_member(text, "users"));

        for (; charge; charge = json_next(charge))
                if (json_number(json_member(charge, "charged"), 0) > charge_of_asking(charge))
                        return false;
        return true;
}

static bool holds_nothing(const char *text) {
        static const char *const sections[] = { "threads", "processes", "channels", "bells", "links",
                                                "extents", "lanes", "lifelines", "connections" };
        int n = 0;

        for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
                n += json_count(json_member(text, sections[i]));
        return text && n == 0 && charges_nothing(text);
}

/* All tests have ended: so has everything that the daemon held for them. */
static bool daemon_is_empty(void) {
        uint64_t end = now_ns() + PATIENCE_NS / 2;
        unsigned turn = 0;

        while (!holds_nothing(status_text())) {
                if (now_ns() > end) {
                        fprintf(stderr, "harness: the daemon still holds something: %.4000s\n",
                                status_text());
                        return false;
                }
                look_again(&turn);
        }
        return true;
}

static Suite *make_suite(const char *name, const TTest *const *tests) {
        Suite *suite = suite_create(name);

        for (; *tests; tests++) {
                TCase *group = tcase_create((*tests)->name);

                tcase_set_timeout(group, HARNESS_TIMEOUT);
                tcase_add_checked_fixture(group, before_test, after_test);
                tcase_add_test(group, *tests);
                suite_add_tcase(suite, group);
        }
        return suite;
}

/* One byte for each, by whatever process. */
static unsigned count_left_out(void) {
        struct stat st;

        return stat(home.left_out, &st) < 0 ? 0 : (unsigned)st.st_size;
}

static int run(const char *name, const TTest *const *tests) {
        SRunner *runner;
        int n_failed, n_run;
        bool is_empty;

        runner = srunner_create(make_suite(name, tests));
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        n_run = srunner_ntests_run(runner);
        srunner_free(runner);
        is_empty = daemon_is_empty();
        if (n_failed || !is_empty)
                home_show_log();
        printf("api/%s: %d tests, %d failed, %u SKIPPED%s\n", name, n_run, n_failed, count_left_out(),
               is_empty ? "" : ", and the daemon is not empty");
        return n_failed == 0 && is_empty ? 0 : 1;
}

static void need_programs(void) {
        if (!getenv("NUNTIUSD") || !getenv("NUNTIUS_TOOL")) {
                fprintf(stderr, "harness: set NUNTIUSD and NUNTIUS_TOOL to the programs under test\n");
                exit(99);
        }
}

/* HARNESS_USER=uid: as that user, who has no rights at all. */
static void drop_rights(void) {
        const char *user = getenv("HARNESS_USER");
        uid_t uid = user ? (uid_t)atoi(user) : 0;

        if (!uid || geteuid() == uid)
                return;
        if (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0)
                harness_skip("only root can become another user");
        if (access(getenv("NUNTIUSD"), X_OK) < 0 || access(getenv("NUNTIUS_TOOL"), X_OK) < 0)
                harness_skip("the other user cannot reach the programs under test");
        unsetenv("XDG_RUNTIME_DIR");
}

int harness_main(const char *name, const TTest *const *tests) {
        int r;

        need_programs();
        drop_rights();
        home_make();
        warm_up();
        r = run(name, tests);
        home_remove();
        return r;
}

/* ---- a daemon for all users ---- */

static pid_t daemon_start(void) {
        const char *program = getenv("NUNTIUSD");
        pid_t pid = fork();

        if (pid != 0)
                return pid;
        output_to_log();
        execl(program, program, "--socket", home.socket, NULL);
        _exit(111);
}

static void daemon_await(pid_t pid) {
        uint64_t end = now_ns() + PATIENCE_NS;
        unsigned turn = 0;

        while (access(home.socket, F_OK) < 0 || !status_text()) {
                if (now_ns() > end || waitpid(pid, NULL, WNOHANG) != 0) {
                        fprintf(stderr, "harness: the daemon does not come up\n");
                        home_show_log();
                        exit(99);
                }
                look_again(&turn);
        }
}

/* SIGTERM is how a daemon is asked to end; it must end well. */
static bool daemon_stop(pid_t pid) {
        int status = 0;

        kill(pid, SIGTERM);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (status != 0)
                fprintf(stderr, "harness: the daemon ended with wait status 0x%x\n", status);
        return status == 0;
}

int harness_main_users(const char *name, const TTest *const *tests) {
        pid_t pid;
        int r;

        if (geteuid() != 0)
                harness_skip("two users need root to start as");
        need_programs();
        home_make();
        setenv("NUNTIUS_AUTOSTART", "0", 1);
        pid = daemon_start();
        daemon_await(pid);
        warm_up();
        r = run(name, tests);
        if (!daemon_stop(pid))
                r = 1;
        home_remove();
        return r;
}
