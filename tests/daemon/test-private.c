/* SPDX-License-Identifier: MIT */
/* A private daemon: one for its user, in nobody's way, gone when it is no longer needed. */
#include "suite.h"
#include "wire.h"

#include "base/fdmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64], path[100];

static void make_directory(void) {
        strcpy(directory, "/tmp/nuntiusd-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chmod(directory, 0755), 0);
        snprintf(path, sizeof(path), "%s/a/b/socket", directory);
}

static void remove_directory(void) {
        char command[200];

        snprintf(command, sizeof(command), "rm -r %s", directory);
        ck_assert_int_eq(system(command), 0);
}

/* Returns its pid and the end of a pipe that it says "ready" through. */
static pid_t start(const char *linger, int *ret_ready) {
        int ready[2];
        char number[16];
        pid_t pid;

        ck_assert_int_eq(pipe(ready), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                snprintf(number, sizeof(number), "%d", ready[1]);
                execl(getenv("NUNTIUSD"), "nuntiusd", "--private", "--socket", path, "--linger", linger,
                      "--ready-fd", number, NULL);
                _exit(127);
        }
        close(ready[1]);
        *ret_ready = ready[0];
        return pid;
}

static void expect_ready(int fd) {
        char byte;

        ck_assert_int_eq(read(fd, &byte, 1), 1);
        ck_assert_int_eq(read(fd, &byte, 1), 0);
        close(fd);
}

static void expect_exit(pid_t pid, int code) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == code, "ended with 0x%x", status);
}

START_TEST(of_two_started_at_once_one_stays) {
        int ready_1, ready_2;
        pid_t first, second, ended;
        int status;

        make_directory();
        first = start("0.2", &ready_1);
        second = start("0.2", &ready_2);
        expect_ready(ready_1);
        expect_ready(ready_2);
        ended = waitpid(-1, &status, 0); /* the second at once, the first after its linger */
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        expect_exit(ended == first ? second : first, 0);
        remove_directory();
}
END_TEST

START_TEST(it_ends_after_its_linger_and_takes_its_socket_along) {
        int ready;
        pid_t pid;

        make_directory();
        pid = start("0.1", &ready);
        expect_ready(ready);
        expect_exit(pid, 0);
        ck_assert_int_ne(access(path, F_OK), 0);
        pid = start("0.1", &ready); /* and another may follow */
        expect_ready(ready);
        expect_exit(pid, 0);
        remove_directory();
}
END_TEST

static void expect_link(pid_t pid, const char *what, const char *target) {
        char link[64], found[PATH_MAX] = "";

        snprintf(link, sizeof(link), "/proc/%d/%s", (int)pid, what);
        ck_assert_int_gt(readlink(link, found, sizeof(found) - 1), 0);
        ck_assert_str_eq(found, target);
}

START_TEST(it_keeps_nothing_of_its_starter) {
        struct stat st;
        int ready;
        pid_t pid;

        make_directory();
        pid = start("0.3", &ready);
        expect_ready(ready);
        for (int i = 0; i < 1000 && getsid(pid) != pid; i++)
                usleep(1000);
        ck_assert_int_eq(getsid(pid), pid);
        expect_link(pid, "fd/0", "/dev/null");
        expect_link(pid, "fd/1", "/dev/null");
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        snprintf(path, sizeof(path), "%s/a/b", directory);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0700);
        expect_exit(pid, 0);
        remove_directory();
}
END_TEST

static bool is_served(uid_t uid) {
        WireRequest request = { .op = WIRE_GREET,
                                .greet = { WIRE_VERSION, LAYOUT_VERSION, WIRE_GREET_OBSERVER } };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        WireReply reply;
        int status, fd;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (setgroups(0, NULL) < 0 || setresuid(uid, uid, uid) < 0)
                        _exit(2);
                fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
                strcpy(address.sun_path, path);
                if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                        _exit(1);
                if (fdmsg_send(fd, &request, sizeof(request), NULL, 0, 0))
                        _exit(1);
                _exit(recv(fd, &reply, sizeof(reply), 0) != sizeof(reply));
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 2);
        return WEXITSTATUS(status) == 0;
}

START_TEST(it_serves_no_other_user_even_where_the_files_would_allow_it) {
        char parent[120];
        int ready;
        pid_t pid;

        if (geteuid() != 0)
                return;
        make_directory();
        pid = start("0.5", &ready);
        expect_ready(ready);
        ck_assert(is_served(0));
        ck_assert(!is_served(UID_OTHER));
        ck_assert_int_eq(chmod(path, 0666), 0);
        snprintf(parent, sizeof(parent), "%s/a/b", directory);
        ck_assert_int_eq(chmod(parent, 0755), 0);
        *strrchr(parent, '/') = '\0';
        ck_assert_int_eq(chmod(parent, 0755), 0);
        ck_assert(!is_served(UID_OTHER));
        ck_assert(is_served(0));
        expect_exit(pid, 0);
        remove_directory();
}
END_TEST

static int run(const char *const *arguments) {
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                int null = open("/dev/null", O_RDWR);

                dup2(null, STDOUT_FILENO);
                dup2(null, STDERR_FILENO);
                execv(getenv("NUNTIUSD"), (char *const *)arguments);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(...) run((const char *const[]){ "nuntiusd", __VA_ARGS__, NULL })

START_TEST(wrong_usage_has_an_exit_code_of_its_own) {
        ck_assert_int_eq(RUN("--help"), 0);
        ck_assert_int_eq(RUN("--version"), 0);
        ck_assert_int_eq(RUN("--no-such-option"), 100);
        ck_assert_int_eq(RUN("--max-bytes", "many"), 100);
        ck_assert_int_eq(RUN("--max-bytes", "0"), 100);
        ck_assert_int_eq(RUN("--linger", "-1"), 100);
        ck_assert_int_eq(RUN("something"), 100);
        ck_assert_int_eq(RUN("--socket", "/proc/nuntius/socket"), 111);
}
END_TEST

SUITE_MAIN("private", of_two_started_at_once_one_stays,
           it_ends_after_its_linger_and_takes_its_socket_along, it_keeps_nothing_of_its_starter,
           it_serves_no_other_user_even_where_the_files_would_allow_it,
           wrong_usage_has_an_exit_code_of_its_own)
