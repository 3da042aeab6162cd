/* SPDX-License-Identifier: MIT */
/*
 * Keeper: nuntius-hold with a puppet for a daemon, whose strings the test holds: what is kept, who is believed,
 * when another one is started and when not.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 30000

static char directory[64], strings_path[100], errors_path[100];
static int listener, ready;
static pid_t hold;

/* ---- the holder ---- */

static void set_up(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        strcpy(directory, "/tmp/nuntius-hold-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(strings_path, sizeof(strings_path), "%s/strings", directory);
        snprintf(errors_path, sizeof(errors_path), "%s/errors", directory);
        listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        strcpy(address.sun_path, strings_path);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 5), 0);
        setenv("PUPPET_STRINGS", strings_path, 1);
}

static void exec_hold(const char *option, int ready_fd) {
        int errors = open(errors_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        const char *arguments[8] = { "nuntius-hold", "--ready-fd" };
        char number[12];
        unsigned n = 3;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(errors, STDERR_FILENO);
        snprintf(number, sizeof(number), "%d", ready_fd);
        arguments[2] = number;
        if (option)
                arguments[n++] = option;
        arguments[n++] = "--";
        arguments[n++] = getenv("PUPPET");
        execv(getenv("NUNTIUS_HOLD_PROGRAM"), (char *const *)arguments);
        _exit(127);
}

static void start(const char *option) {
        int pipes[2];

        ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
        hold = fork();
        if (hold == 0) {
                fcntl(pipes[1], F_SETFD, 0);
                exec_hold(option, pipes[1]);
        }
        close(pipes[1]);
        ready = pipes[0];
}

static bool comes(int fd, int milliseconds) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };

        return poll(&wait, 1, milliseconds) == 1;
}

/* The next daemon. */
static int puppet(void) {
        ck_assert_msg(comes(listener, WAIT_MS), "no daemon was started");
        return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static pid_t pid_of(int fd) {
        struct ucred peer;
        socklen_t n = sizeof(peer);

        ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n), 0);
        return peer.pid;
}

static void order(int fd, const char *text) {
        ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static const char *ask(int fd, const char *text) {
        static char answer[4096];

        order(fd, text);
        ck_assert_msg(comes(fd, WAIT_MS), "no answer to %s", text);
        ck_assert_int_gt(recv(fd, answer, sizeof(answer), 0), 0);
        return answer;
}

/* It ends in this way, and another takes its place. */
static int replace(int fd, const char *how) {
        order(fd, how);
        close(fd);
        return puppet();
}

static int hold_end(void) {
        int status;

        for (unsigned i = 0; waitpid(hold, &status, WNOHANG) != hold; i++) {
                ck_assert_msg(i < WAIT_MS, "nuntius-hold does not end");
                usleep(1000);
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void tear_down(void) {
        char command[100];

        close(ready);
        close(listener);
        snprintf(command, sizeof(command), "rm -r %s", directory);
        ck_assert_int_eq(system(command), 0);
}

static void end_of_it(int fd) {
        close(fd);
        kill(hold, SIGKILL);
        hold_end();
        tear_down();
}

static void look_for(int fd, const char *wanted) {
        const char *seen = ask(fd, "look");

        ck_assert_msg(strcmp(seen, wanted) == 0, "sees \"%s\", not \"%s\"", seen, wanted);
}

static bool errors_say(const char *text) {
        char seen[8192] = "";
        int fd = open(errors_path, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, seen, sizeof(seen) - 1);

        close(fd);
        return n > 0 && strstr(seen, text);
}

/* ---- what is kept ---- */

START_TEST(what_one_gave_the_next_one_has) {
        int fd;

        set_up();
        start(NULL);
        fd = puppet();
        look_for(fd, "0 files, 0 right, 0 open, nobody's, named: ");
        ask(fd, "say READY=1");
        ask(fd, "give 1 a");
        ask(fd, "give 3 b");
        ask(fd, "say STATUS=nothing for you\nWATCHDOG=1");
        fd = replace(fd, "die 9");
        look_for(fd, "4 files, 4 right, 4 open, mine, named: a:b:b:b");
        ask(fd, "say FDSTOREREMOVE=1\nFDNAME=a");
        ask(fd, "say FDSTOREREMOVE=1\nFDNAME=c");
        ask(fd, "give 1 c");
        ask(fd, "say READY=1");
        fd = replace(fd, "exit 0"); /* without a word that it wants to */
        look_for(fd, "4 files, 4 right, 4 open, mine, named: c:b:b:b");
        end_of_it(fd);
}
END_TEST

START_TEST(what_the_dead_had_said_counts) {
        int fd;

        set_up();
        start(NULL);
        fd = puppet();
        ask(fd, "say READY=1");
        kill(hold, SIGSTOP);
        ask(fd, "give 2 x");
        ask(fd, "give 1 y");
        ask(fd, "say FDSTOREREMOVE=1\nFDNAME=x");
        order(fd, "die 9");
        close(fd);
        kill(hold, SIGCONT);
        fd = puppet();
        look_for(fd, "1 files, 1 right, 1 open, mine, named: y");
        end_of_it(fd);
}
END_TEST

START_TEST(many_names_come_as_a_file) {
        int fd;

        set_up();
        start(NULL);
        fd = puppet();
        ck_assert_int_ge(atoi(ask(fd, "number FDSTORE")), 500);
        if (atoi(ask(fd, "number FDSTORE")) < 15000) {
                puts("SKIPPED: this machine lets nobody have 15,000 descriptors");
                end_of_it(fd);
                return;
        }
        ask(fd, "say READY=1");
        ask(fd, "many 14000");
        fd = replace(fd, "die 9");
        ck_assert_ptr_nonnull(strstr(ask(fd, "look"), "14000 files, 14000 right, 14000 open, mine, listed: file"));
        ask(fd, "say FDSTOREREMOVE=1\nFDNAME=file13999");
        fd = replace(fd, "die 9");
        ck_assert_ptr_nonnull(strstr(ask(fd, "look"), "13999 files, 13999 right, 13999 open, mine, listed"));
        end_of_it(fd);
}
END_TEST

static int notify_as_stranger(const char *path, const char *text) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        size_t n = strlen(path);
        ssize_t sent;

        memcpy(address.sun_path + 1, path + 1, n - 1);
        sent = sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
        close(fd);
        return sent == (ssize_t)strlen(text) ? 0 : -1;
}

START_TEST(only_the_daemon_is_believed) {
        char address[120], byte;
        int fd;

        set_up();
        start(NULL);
        fd = puppet();
        ck_assert_int_eq(atoi(ask(fd, "number NUNTIUS_HOLD")), hold);
        strcpy(address, ask(fd, "number NOTIFY_SOCKET"));
        ask(fd, "give 1 mine");
        ck_assert_int_eq(notify_as_stranger(address, "READY=1"), 0);
        ck_assert_int_eq(notify_as_stranger(address, "STOPPING=1\nFDSTOREREMOVE=1\nFDNAME=mine"), 0);
        ask(fd, "say READY=1");
        ck_assert_int_eq(read(ready, &byte, 1), 1);
        ck_assert_int_eq(read(ready, &byte, 1), 0);
        fd = replace(fd, "die 9");
        look_for(fd, "1 files, 1 right, 1 open, mine, named: mine");
        end_of_it(fd);
}
END_TEST

/* ---- when it is over ---- */

START_TEST(who_says_that_it_stops_is_the_last) {
        int fd;

        set_up();
        start(NULL);
        fd = puppet();
        ask(fd, "say READY=1");
        ask(fd, "say STOPPING=1");
        order(fd, "exit 7");
        ck_assert_int_eq(hold_end(), 7);
        close(fd);
        tear_down();
}
END_TEST

START_TEST(who_gives_up_before_anybody_was_ready_is_the_last) {
        char byte;
        int fd;

        set_up();
        start(NULL);
        fd = puppet();
        order(fd, "exit 100");
        ck_assert_int_eq(hold_end(), 100);
        ck_assert_int_eq(read(ready, &byte, 1), 0); /* the starter is told by the end of its pipe */
        close(fd);
        tear_down();
}
END_TEST

START_TEST(a_daemon_that_never_starts_loses_the_store_and_then_its_holder) {
        int fd;

        set_up();
        start(NULL);
        fd = puppet();
        ask(fd, "say READY=1");
        ask(fd, "give 1 listen");
        ask(fd, "give 2 poison");
        fd = replace(fd, "die 9");
        fd = replace(fd, "die 11");
        fd = replace(fd, "exit 3");
        look_for(fd, "3 files, 3 right, 3 open, mine, named: listen:poison:poison");
        fd = replace(fd, "die 11");
        look_for(fd, "1 files, 1 right, 1 open, mine, named: listen");
        order(fd, "exit 5");
        ck_assert_int_eq(hold_end(), 5);
        ck_assert(errors_say("does not start, not even with nothing to take over"));
        close(fd);
        tear_down();
}
END_TEST

START_TEST(who_is_killed_before_it_is_ready_is_not_to_blame) {
        int fd;

        set_up();
        start(NULL);
        fd = puppet();
        ask(fd, "say READY=1");
        ask(fd, "give 1 a");
        for (unsigned i = 0; i < 20; i++)
                fd = replace(fd, "die 9");
        look_for(fd, "1 files, 1 right, 1 open, mine, named: a");
        end_of_it(fd);
}
END_TEST

START_TEST(who_crashes_as_soon_as_it_is_ready_never_was) {
        int fd;

        set_up();
        start(NULL);
        fd = puppet();
        ask(fd, "give 1 a");
        for (unsigned i = 0; i < 3; i++) {
                ask(fd, "say READY=1");
                fd = replace(fd, "die 11");
        }
        look_for(fd, "0 files, 0 right, 0 open, nobody's, named: ");
        ask(fd, "say READY=1");
        fd = replace(fd, "die 9"); /* a sound one in between: all is well again */
        ask(fd, "say READY=1");
        fd = replace(fd, "die 11");
        end_of_it(fd);
}
END_TEST

/* ---- signals ---- */

static pid_t hear_signal(int signal_to_hold, int *ret_fd) {
        pid_t pid;

        set_up();
        start(NULL);
        *ret_fd = puppet();
        pid = pid_of(*ret_fd);
        ask(*ret_fd, "say READY=1");
        ask(*ret_fd, "give 1 a");
        kill(hold, signal_to_hold);
        return pid;
}

START_TEST(sigterm_and_sigint_end_both) {
        int fd;

        hear_signal(SIGTERM, &fd);
        ck_assert_int_eq(hold_end(), 0); /* the puppet dies by the SIGINT that it gets, as we asked */
        close(fd);
        tear_down();
        hear_signal(SIGINT, &fd);
        ck_assert_int_eq(hold_end(), 0);
        close(fd);
        tear_down();
}
END_TEST

START_TEST(sighup_has_another_version_take_over) {
        int old, new;
        pid_t pid = hear_signal(SIGHUP, &old);

        new = puppet();
        ck_assert_int_ne(pid_of(new), pid);
        look_for(new, "1 files, 1 right, 1 open, mine, named: a");
        close(old);
        end_of_it(new);
}
END_TEST

START_TEST(a_private_one_leaves_the_terminal_when_it_is_ready) {
        char log[120], link[64], target[200] = "", byte;
        struct stat st;
        int fd;

        set_up();
        snprintf(log, sizeof(log), "%s/log", directory);
        setenv("NUNTIUSD_LOG", log, 1);
        start("--private");
        fd = puppet();
        snprintf(link, sizeof(link), "/proc/%d/fd/2", (int)hold);
        ck_assert_int_gt(readlink(link, target, sizeof(target) - 1), 0);
        ck_assert_str_eq(target, errors_path);
        ask(fd, "say READY=1");
        ck_assert_int_eq(read(ready, &byte, 1), 1);
        for (unsigned i = 0; i < WAIT_MS && stat(log, &st) < 0; i++)
                usleep(1000);
        fd = replace(fd, "die 9");
        memset(target, 0, sizeof(target));
        ck_assert_int_gt(readlink(link, target, sizeof(target) - 1), 0);
        ck_assert_str_eq(target, log);
        ck_assert(!errors_say("daemon-ended"));
        end_of_it(fd);
}
END_TEST

static int run(const char *const *arguments) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                int null = open("/dev/null", O_RDWR);

                dup2(null, STDOUT_FILENO);
                dup2(null, STDERR_FILENO);
                execv(getenv("NUNTIUS_HOLD_PROGRAM"), (char *const *)arguments);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(...) run((const char *const[]){ "nuntius-hold", __VA_ARGS__, NULL })

START_TEST(wrong_usage_has_an_exit_code_of_its_own) {
        ck_assert_int_eq(RUN("--help"), 0);
        ck_assert_int_eq(RUN("--version"), 0);
        ck_assert_int_eq(RUN("--no-such-option"), 100);
        ck_assert_int_eq(RUN("--ready-fd", "77", "--", "true"), 100);
        ck_assert_int_eq(RUN("--ready-fd", "x", "--", "true"), 100);
        ck_assert_int_eq(RUN("--private"), 100);
        ck_assert_int_eq(RUN("/no/such/program"), 111);
        ck_assert_int_eq(RUN("false"), 1);
}
END_TEST

UNIT_MAIN("hold-keeper", what_one_gave_the_next_one_has, what_the_dead_had_said_counts, many_names_come_as_a_file,
          only_the_daemon_is_believed, who_says_that_it_stops_is_the_last,
          who_gives_up_before_anybody_was_ready_is_the_last,
          a_daemon_that_never_starts_loses_the_store_and_then_its_holder,
          who_is_killed_before_it_is_ready_is_not_to_blame, who_crashes_as_soon_as_it_is_ready_never_was,
          sigterm_and_sigint_end_both, sighup_has_another_version_take_over,
          a_private_one_leaves_the_terminal_when_it_is_ready, wrong_usage_has_an_exit_code_of_its_own)
