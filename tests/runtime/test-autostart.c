/* SPDX-License-Identifier: MIT */
/*
 * Autostart: which socket is tried, when a daemon is started, and what is said when none answers. The
 * daemons here are this very program, which answers each connection with its arguments.
 */
#include "runtime/autostart.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSTEM_SOCKET "/run/nuntius/nuntiusd.sock"

/* ---- the daemon's side ---- */

static int listen_at(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 5) < 0)
                return -1;
        return fd;
}

/* What it was started with: its arguments, its session, and whether stray descriptors came along. */
static void describe(char text[512], char **arguments) {
        char words[256] = "";
        sigset_t blocked;

        for (; *arguments; arguments++)
                snprintf(words + strlen(words), sizeof(words) - strlen(words), " %s", *arguments);
        pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        snprintf(text, 512, "pid %d sid %d stray %d blocked %d args%s", getpid(), getsid(0),
                 fcntl(20, F_GETFD) >= 0, sigismember(&blocked, SIGUSR1), words);
}

/* Serves one client, until that hangs up. */
static int daemon_main(char **arguments) {
        const char *path = arguments[3];
        char text[512], byte;
        int fd, client;

        fd = listen_at(path);
        if (fd < 0)
                return 1;
        describe(text, arguments);
        if (write(3, "r", 1) != 1)
                return 1;
        close(3);
        client = accept(fd, NULL, NULL);
        if (write(client, text, strlen(text) + 1) > 0)
                while (read(client, &byte, 1) > 0)
                        ;
        unlink(path);
        return 0;
}

/* ---- the program's side ---- */

static char place[64]; /* a directory of this test */
static char self[PATH_MAX];

static const char *in_place(const char *name) {
        static char path[4][PATH_MAX];
        static unsigned turn;
        char *at = path[turn++ % 4];

        snprintf(at, PATH_MAX, "%s/%s", place, name);
        return at;
}

static void set_up(void) {
        strcpy(place, "/tmp/test-autostart-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(place));
        unsetenv("NUNTIUS_SOCKET");
        unsetenv("NUNTIUS_AUTOSTART");
        setenv("XDG_RUNTIME_DIR", place, 1);
        setenv("NUNTIUSD", self, 1);
}

static void tear_down(void) {
        rmdir(in_place("nuntius"));
        ck_assert_int_eq(rmdir(place), 0);
}

/* What was said on stderr meanwhile. */
static char said[1024];
static int spoken = -1, real_stderr = -1;

static void listen_to_stderr(void) {
        fflush(stderr);
        real_stderr = fcntl(2, F_DUPFD_CLOEXEC, 30);
        spoken = memfd_create("stderr", MFD_CLOEXEC);
        dup2(spoken, 2);
}

static void stop_listening(void) {
        ssize_t n;

        fflush(stderr);
        dup2(real_stderr, 2);
        close(real_stderr);
        n = pread(spoken, said, sizeof(said) - 1, 0);
        said[n > 0 ? n : 0] = 0;
        close(spoken);
}

static int connect_listening(void) {
        int r;

        listen_to_stderr();
        r = autostart_connect();
        stop_listening();
        return r;
}

/* One sentence that names the socket. */
static void complained_of(const char *path) {
        ck_assert_msg(strstr(said, path), "said: %s", said);
        ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}

static void hear(int fd, char text[512]) {
        ck_assert_int_gt(read(fd, text, 512), 0);
        close(fd);
}

/* A daemon that was started has been told to go by our hanging up; its socket goes last. */
static void wait_until_gone(const char *path) {
        while (access(path, F_OK) == 0)
                sched_yield();
}

static bool has_system_daemon(void) {
        return access(SYSTEM_SOCKET, F_OK) == 0;
}

START_TEST(the_named_socket_is_used) {
        int server = listen_at(in_place("named"));
        int client, peer, type;
        socklen_t n = sizeof(type);

        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        client = autostart_connect();
        ck_assert_int_ge(client, 0);
        ck_assert(fcntl(client, F_GETFD) & FD_CLOEXEC);
        ck_assert_int_eq(getsockopt(client, SOL_SOCKET, SO_TYPE, &type, &n), 0);
        ck_assert_int_eq(type, SOCK_SEQPACKET);
        peer = accept(server, NULL, NULL);
        ck_assert_int_ge(peer, 0);
        close(peer);
        close(client);
        close(server);
        unlink(in_place("named"));
}
END_TEST

START_TEST(a_daemon_is_started_at_the_named_socket) {
        char text[512], wanted[PATH_MAX + 64];
        int client;

        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        client = connect_listening();
        ck_assert_msg(client >= 0, "%d, said: %s", client, said);
        ck_assert_str_eq(said, "");
        hear(client, text);
        snprintf(wanted, sizeof(wanted), "args %s --private --socket %s --ready-fd 3", self,
                 in_place("named"));
        ck_assert_msg(strstr(text, wanted), "%s", text);
        wait_until_gone(in_place("named"));
}
END_TEST

/* Not our child, not in our session, no descriptor of ours but the three, no signal blocked. */
START_TEST(a_started_daemon_stands_alone) {
        char text[512];
        sigset_t set;
        int pid, sid, client;

        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        ck_assert_int_eq(dup2(1, 20), 20);
        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        client = connect_listening();
        ck_assert_int_ge(client, 0);
        hear(client, text);
        close(20);
        ck_assert_int_eq(sscanf(text, "pid %d sid %d", &pid, &sid), 2);
        ck_assert_int_ne(sid, getsid(0));
        ck_assert_ptr_nonnull(strstr(text, "stray 0 blocked 0"));
        ck_assert_int_eq(waitpid(-1, NULL, __WALL), -1);
        ck_assert_int_eq(errno, ECHILD);
        wait_until_gone(in_place("named"));
}
END_TEST

static _Atomic unsigned n_children;

static void on_child(int signo) {
        (void)signo;
        atomic_fetch_add(&n_children, 1);
}

START_TEST(starting_one_raises_no_signal) {
        char text[512];
        int client;

        signal(SIGCHLD, on_child);
        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        client = connect_listening();
        ck_assert_int_ge(client, 0);
        hear(client, text);
        wait_until_gone(in_place("named"));
        ck_assert_uint_eq(atomic_load(&n_children), 0);
}
END_TEST

/* A socket whose daemon was killed is still in the file system. */
START_TEST(a_dead_socket_is_nobody) {
        int server = listen_at(in_place("named"));

        close(server);
        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        setenv("NUNTIUS_AUTOSTART", "0", 1);
        ck_assert_int_eq(connect_listening(), -ECONNREFUSED);
        complained_of(in_place("named"));
        unlink(in_place("named"));
}
END_TEST

START_TEST(starting_can_be_forbidden) {
        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        setenv("NUNTIUS_AUTOSTART", "0", 1);
        ck_assert_int_eq(connect_listening(), -ECONNREFUSED);
        complained_of(in_place("named"));
        ck_assert_ptr_nonnull(strstr(said, "NUNTIUS_AUTOSTART"));
        ck_assert_int_eq(connect_listening(), -ECONNREFUSED);
        ck_assert_str_eq(said, ""); /* once is enough */
}
END_TEST

START_TEST(a_daemon_that_is_not_there_is_told) {
        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        setenv("NUNTIUSD", in_place("no-such-program"), 1);
        ck_assert_int_eq(connect_listening(), -ECONNREFUSED);
        complained_of(in_place("named"));
        ck_assert_ptr_nonnull(strstr(said, in_place("no-such-program")));
}
END_TEST

START_TEST(a_daemon_that_ends_at_once_is_told) {
        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        setenv("NUNTIUSD", "/bin/false", 1);
        ck_assert_int_eq(connect_listening(), -ECONNREFUSED);
        complained_of(in_place("named"));
}
END_TEST

START_TEST(a_path_that_is_too_long_is_told) {
        char path[256];

        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = 0;
        setenv("NUNTIUS_SOCKET", path, 1);
        ck_assert_int_eq(connect_listening(), -ENAMETOOLONG);
        if (has_system_daemon())
                return;
        unsetenv("NUNTIUS_SOCKET");
        setenv("XDG_RUNTIME_DIR", path, 1);
        ck_assert_int_eq(connect_listening(), -ENAMETOOLONG);
}
END_TEST

/* The longest that fits ends without a zero in the address's own array. */
START_TEST(the_longest_path_works) {
        struct sockaddr_un address;
        char path[sizeof(address.sun_path)];
        int server, client;

        snprintf(path, sizeof(path), "%s/", place);
        memset(path + strlen(path), 'x', sizeof(path) - 1 - strlen(path));
        path[sizeof(path) - 1] = 0;
        server = listen_at(path);
        ck_assert_int_ge(server, 0);
        setenv("NUNTIUS_SOCKET", path, 1);
        client = autostart_connect();
        ck_assert_int_ge(client, 0);
        close(client);
        close(server);
        unlink(path);
}
END_TEST

/* Somebody answers, but not to us: no second daemon is started beside it. */
START_TEST(a_socket_that_may_not_be_used_is_not_replaced) {
        pid_t child;
        int server, status;

        if (geteuid() != 0)
                return;
        server = listen_at(in_place("named"));
        chmod(in_place("named"), 0600);
        chmod(place, 0755);
        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        child = fork();
        if (child == 0) {
                if (setgid(65534) != 0 || setuid(65534) != 0)
                        _exit(1);
                _exit(autostart_connect() == -EACCES ? 0 : 2);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        close(server);
        unlink(in_place("named"));
}
END_TEST

START_TEST(without_a_name_the_users_own_socket_is_used) {
        int server, client;

        if (has_system_daemon())
                return;
        mkdir(in_place("nuntius"), 0700);
        server = listen_at(in_place("nuntius/nuntiusd.sock"));
        setenv("NUNTIUS_AUTOSTART", "0", 1);
        client = connect_listening();
        ck_assert_msg(client >= 0, "%d, said: %s", client, said);
        close(client);
        close(server);
        unlink(in_place("nuntius/nuntiusd.sock"));
        setenv("NUNTIUS_SOCKET", "", 1); /* empty is as good as none */
        ck_assert_int_eq(connect_listening(), -ECONNREFUSED);
        complained_of(in_place("nuntius/nuntiusd.sock"));
}
END_TEST

START_TEST(without_a_runtime_directory_it_is_in_tmp) {
        char path[64];

        snprintf(path, sizeof(path), "/tmp/nuntius-%u/nuntiusd.sock", geteuid());
        if (has_system_daemon() || access(path, F_OK) == 0)
                return;
        setenv("NUNTIUS_AUTOSTART", "0", 1);
        setenv("XDG_RUNTIME_DIR", "not/absolute", 1);
        ck_assert_int_eq(connect_listening(), -ECONNREFUSED);
        complained_of(path);
}
END_TEST

/* The daemon here goes with its first client, so both stay until both are there. */
static void *connect_and_hear(void *argument) {
        int fd = autostart_connect();

        pthread_barrier_wait(argument);
        if (fd >= 0)
                close(fd);
        return fd >= 0 ? (void *)1 : NULL;
}

START_TEST(two_at_once_both_find_a_daemon) {
        pthread_barrier_t both;
        pthread_t threads[2];
        void *ok;

        pthread_barrier_init(&both, NULL, 2);
        setenv("NUNTIUS_SOCKET", in_place("named"), 1);
        for (unsigned i = 0; i < 2; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, connect_and_hear, &both), 0);
        for (unsigned i = 0; i < 2; i++) {
                pthread_join(threads[i], &ok);
                ck_assert_ptr_nonnull(ok);
        }
        wait_until_gone(in_place("named"));
}
END_TEST

int main(int argc, char **argv) {
        const TTest *const tests[] = {
                the_named_socket_is_used, a_daemon_is_started_at_the_named_socket,
                a_started_daemon_stands_alone, starting_one_raises_no_signal, a_dead_socket_is_nobody,
                starting_can_be_forbidden, a_daemon_that_is_not_there_is_told,
                a_daemon_that_ends_at_once_is_told, a_path_that_is_too_long_is_told,
                the_longest_path_works, a_socket_that_may_not_be_used_is_not_replaced,
                without_a_name_the_users_own_socket_is_used, without_a_runtime_directory_it_is_in_tmp,
                two_at_once_both_find_a_daemon, NULL,
        };

        int r;

        if (argc > 3 && strcmp(argv[1], "--private") == 0)
                return daemon_main(argv);
        if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
                return EXIT_FAILURE;
        prctl(PR_SET_CHILD_SUBREAPER, 1); /* what is nobody's child ends up with us */
        r = unit_main_between("autostart", tests, set_up, tear_down);
        while (wait(NULL) > 0)
                ;
        return r;
}
