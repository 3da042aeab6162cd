/* SPDX-License-Identifier: MIT */
/* A private daemon runs under nuntius-hold by itself: who starts it sees no difference, until it is killed. */
#include "suite.h"

#include "abi/layout.h"
#include "abi/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 30000

static char directory[64], path[100], errors[100];

static void make_directory(void) {
        strcpy(directory, "/tmp/nuntiusd-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/socket", directory);
        snprintf(errors, sizeof(errors), "%s/errors", directory);
        unsetenv("NOTIFY_SOCKET");
}

static void remove_directory(void) {
        char command[200];

        snprintf(command, sizeof(command), "rm -r %s", directory);
        ck_assert_int_eq(system(command), 0);
}

static pid_t run(const char *program, const char *option, const char *value, const char *socket, int *ret_ready) {
        char number[16];
        int ready[2];
        pid_t pid;

        ck_assert_int_eq(pipe(ready), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                dup2(open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
                snprintf(number, sizeof(number), "%d", ready[1]);
                if (chdir(directory) == 0)
                        execl(program, "nuntiusd", "--private", "--ready-fd", number, "--socket", socket, option, value,
                              NULL);
                _exit(127);
        }
        close(ready[1]);
        *ret_ready = ready[0];
        return pid;
}

static pid_t start(const char *option, const char *value) {
        char byte;
        int ready;
        pid_t pid = run(getenv("NUNTIUSD"), option, value, "socket", &ready);

        ck_assert_int_eq(read(ready, &byte, 1), 1);
        ck_assert_int_eq(read(ready, &byte, 1), 0);
        close(ready);
        return pid;
}

static int end_of(pid_t pid) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The only child of @pid, or 0. */
static pid_t child_of(pid_t pid) {
        char name[64], text[32] = "";
        int fd;

        snprintf(name, sizeof(name), "/proc/%d/task/%d/children", (int)pid, (int)pid);
        fd = open(name, O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        (void)!read(fd, text, sizeof(text) - 1);
        close(fd);
        return atoi(text);
}

static bool says(const char *words) {
        char text[1000] = "";
        int fd = open(errors, O_RDONLY | O_CLOEXEC);

        (void)!read(fd, text, sizeof(text) - 1);
        close(fd);
        return strstr(text, words);
}

/* A daemon that dies meanwhile has not answered; the next one will, if it is asked anew. */
static bool is_served(void) {
        WireRequest request = { .op = WIRE_GREET,
                                .greet = { WIRE_VERSION, LAYOUT_VERSION, WIRE_GREET_OBSERVER } };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        WireReply reply;
        bool is;

        strcpy(address.sun_path, path);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        is = send(fd, &request, sizeof(request), MSG_NOSIGNAL) == sizeof(request) &&
             recv(fd, &reply, sizeof(reply), 0) == sizeof(reply);
        close(fd);
        return is;
}

START_TEST(who_started_it_has_the_holder_and_that_the_daemon) {
        pid_t pid, child;

        make_directory();
        pid = start("--linger", "0.3");
        ck_assert_int_eq(getsid(pid), pid);
        child = child_of(pid);
        ck_assert_int_gt(child, 0);
        ck_assert_int_eq(child_of(child), 0);
        ck_assert_int_eq(end_of(pid), 0);
        ck_assert_int_ne(kill(child, 0), 0);
        ck_assert_int_ne(access(path, F_OK), 0);
        ck_assert(!says("nuntius"));
        remove_directory();
}
END_TEST

START_TEST(killed_it_comes_again_and_the_socket_never_goes) {
        struct stat before, after;
        pid_t pid, child, next;

        make_directory();
        pid = start("--linger", "100");
        ck_assert_int_eq(stat(path, &before), 0);
        for (unsigned i = 0; i < 5; i++) {
                child = child_of(pid);
                ck_assert_int_eq(kill(child, SIGKILL), 0);
                for (unsigned turn = 0; !is_served(); turn++)
                        ck_assert_uint_lt(turn, 100);
                for (unsigned turn = 0; (next = child_of(pid)) == child || next == 0; turn++) {
                        ck_assert_uint_lt(turn, WAIT_MS);
                        usleep(1000);
                }
        }
        ck_assert(is_served());
        ck_assert_int_eq(stat(path, &after), 0);
        ck_assert_uint_eq(before.st_ino, after.st_ino);
        kill(pid, SIGTERM);
        ck_assert_int_eq(end_of(pid), 0);
        ck_assert_int_ne(access(path, F_OK), 0);
        remove_directory();
}
END_TEST

START_TEST(it_can_be_forbidden) {
        pid_t pid;

        make_directory();
        pid = start("--no-hold", NULL);
        ck_assert_int_eq(child_of(pid), 0);
        kill(pid, SIGTERM);
        ck_assert_int_eq(end_of(pid), 0);
        remove_directory();
}
END_TEST

START_TEST(what_goes_wrong_is_told_as_without_it) {
        char byte;
        int ready;
        pid_t pid;

        make_directory();
        pid = run(getenv("NUNTIUSD"), "--no-such-option", NULL, "socket", &ready);
        ck_assert_int_eq(end_of(pid), 100);
        ck_assert_int_eq(read(ready, &byte, 1), 0);
        close(ready);
        pid = run(getenv("NUNTIUSD"), "--linger", "100", "/proc/nuntius/socket", &ready);
        ck_assert_int_eq(end_of(pid), 111);
        ck_assert_int_eq(read(ready, &byte, 1), 0);
        ck_assert(says("/proc/nuntius"));
        close(ready);
        remove_directory();
}
END_TEST

START_TEST(where_there_is_no_holder_it_says_so_and_goes_on) {
        char command[600], program[100];
        pid_t pid;
        int ready;
        char byte;

        make_directory();
        snprintf(program, sizeof(program), "%s/nuntiusd", directory);
        snprintf(command, sizeof(command), "cp %s %s", getenv("NUNTIUSD"), program);
        ck_assert_int_eq(system(command), 0);
        pid = run(program, "--linger", "100", "socket", &ready);
        ck_assert_int_eq(read(ready, &byte, 1), 1);
        close(ready);
        if (child_of(pid) == 0)
                ck_assert(says("nuntius-hold cannot be run (No such file or directory)"));
        else
                puts("SKIPPED: a nuntius-hold is installed on this machine");
        kill(pid, SIGTERM);
        ck_assert_int_eq(end_of(pid), 0);
        remove_directory();
}
END_TEST

SUITE_MAIN("under-hold", who_started_it_has_the_holder_and_that_the_daemon,
           killed_it_comes_again_and_the_socket_never_goes, it_can_be_forbidden, what_goes_wrong_is_told_as_without_it,
           where_there_is_no_holder_it_says_so_and_goes_on)
