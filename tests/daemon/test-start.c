/* SPDX-License-Identifier: MIT */
/* How a daemon begins: with a service manager, beside another one, after one that was killed. */
#include "suite.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int exit_code(pid_t pid) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(a_second_daemon_on_the_same_socket_says_so_and_ends) {
        pid_t pid;

        daemon_start(NULL);
        pid = fork();
        if (pid == 0) {
                close(STDERR_FILENO);
                execl(getenv("NUNTIUSD"), "nuntiusd", "--socket", daemon_socket(), NULL);
                _exit(127);
        }
        ck_assert_int_eq(exit_code(pid), 1);
        free(daemon_status());
        daemon_stop();
}
END_TEST

START_TEST(a_killed_daemon_leaves_nothing_in_the_way_of_the_next) {
        Client client;

        daemon_start(NULL);
        client = client_start(0, 0);
        daemon_kill();
        client_expect_ended(&client);
        client_kill(&client);
        daemon_start_again(NULL);
        client = client_start(0, 0);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

static int bind_in(const char *directory, const char *name, int type, char path[100]) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, type, 0);

        snprintf(path, 100, "%s/%s", directory, name);
        strcpy(address.sun_path, path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

START_TEST(a_service_manager_may_open_the_socket_and_hears_when_it_is_served) {
        char directory[] = "/tmp/nuntiusd-test-XXXXXX", path[100], notify[100], pid_text[16], text[32];
        int listening, notified;
        pid_t pid;

        ck_assert_ptr_nonnull(mkdtemp(directory));
        listening = bind_in(directory, "socket", SOCK_SEQPACKET, path);
        ck_assert_int_eq(listen(listening, 5), 0);
        notified = bind_in(directory, "notify", SOCK_DGRAM, notify);
        pid = fork();
        if (pid == 0) {
                close(STDERR_FILENO);
                if (listening != 3)
                        dup2(listening, 3);
                snprintf(pid_text, sizeof(pid_text), "%d", (int)getpid());
                setenv("LISTEN_PID", pid_text, 1);
                setenv("LISTEN_FDS", "1", 1);
                setenv("NOTIFY_SOCKET", notify, 1);
                execl(getenv("NUNTIUSD"), "nuntiusd", NULL);
                _exit(127);
        }
        do
                ck_assert_int_ge(recv(notified, text, sizeof(text), 0), 7);
        while (memcmp(text, "READY=1", 7) != 0);
        kill(pid, SIGTERM);
        ck_assert_int_eq(exit_code(pid), 0);
        ck_assert_int_eq(access(path, F_OK), 0); /* not the daemon's to remove */
        unlink(path);
        unlink(notify);
        rmdir(directory);
}
END_TEST

/* Few descriptors: whoever takes them all is refused, and afterwards all is well. */
START_TEST(a_daemon_without_descriptors_neither_spins_nor_dies) {
        const struct rlimit few = { 100, 100 };
        struct rusage used;
        int sockets[300];
        Client client;

        daemon_limit_fds(&few);
        daemon_start(NULL);
        for (int i = 0; i < 300; i++)
                sockets[i] = wire_connect();
        usleep(300 * 1000);
        for (int i = 0; i < 300; i++)
                close(sockets[i]);
        daemon_expect_room();
        client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&client, 0), 1);
        client_kill(&client);
        daemon_expect_empty();
        daemon_stop();
        getrusage(RUSAGE_CHILDREN, &used);
        ck_assert_int_lt(used.ru_utime.tv_sec + used.ru_stime.tv_sec, 1);
}
END_TEST

SUITE_MAIN("start", a_second_daemon_on_the_same_socket_says_so_and_ends,
           a_killed_daemon_leaves_nothing_in_the_way_of_the_next,
           a_service_manager_may_open_the_socket_and_hears_when_it_is_served,
           a_daemon_without_descriptors_neither_spins_nor_dies)
