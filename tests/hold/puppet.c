/* SPDX-License-Identifier: MIT */
/*
 * Puppet: a daemon that does what the test says. It connects to the socket in PUPPET_STRINGS, and obeys each
 * record that comes, one letter and its argument; each is answered.
 *
 *   say TEXT       a notification, as it stands
 *   give N NAME    N open files, all in one notification; the i-th holds NAME
 *   many N         N notifications with one file each, of the names file0, file1, ...
 *   look           LISTEN_FDS, LISTEN_FDNAMES, what the files hold, and whether anything else is open
 *   number NAME    an environment variable, as a number
 *   exit N, die N  ends with this code, by this signal
 */
#include "base/fdmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT_MAX 4096

static int strings, notify;

static int connect_to(const char *path, int type) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        size_t n = strlen(path);

        memcpy(address.sun_path, path, n);
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        if (connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
                _exit(120);
        return fd;
}

static int open_file(const char *content) {
        int fd = memfd_create("puppet", MFD_CLOEXEC);

        if (fd < 0 || write(fd, content, strlen(content)) < 0)
                _exit(121);
        return fd;
}

static void give(const char *argument) {
        char text[TEXT_MAX], name[300] = "";
        int fds[FDMSG_FDS_MAX], n = 0;

        sscanf(argument, "%d %299s", &n, name);
        for (int i = 0; i < n; i++)
                fds[i] = open_file(name);
        snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
        if (fdmsg_send(notify, text, strlen(text), fds, (size_t)n, 0) < 0)
                _exit(122);
        for (int i = 0; i < n; i++)
                close(fds[i]);
}

static void give_many(unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                char argument[32];

                snprintf(argument, sizeof(argument), "1 file%u", i);
                give(argument);
        }
}

static char *names_text(void) {
        const char *variable = getenv("LISTEN_FDNAMES"), *fd = getenv("NUNTIUS_FDNAMES");
        char *text = calloc(1, 1 << 22);

        if (variable)
                strcpy(text, variable);
        else if (fd && pread(atoi(fd), text, (1 << 22) - 1, 0) < 0)
                _exit(123);
        return text;
}

/* Each file must hold its own name. */
static unsigned count_right(char *names) {
        unsigned right = 0;
        int fd = 3;

        for (char *name = strtok(names, ":"); name; name = strtok(NULL, ":"), fd++) {
                char content[300] = "";

                right += pread(fd, content, sizeof(content) - 1, 0) >= 0 && strcmp(content, name) == 0;
        }
        return right;
}

static unsigned count_open(void) {
        unsigned n = 0;

        for (int fd = 3; fd < 70000; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* "N files, M of the right name, open K beside our two and the list, for PID" */
static void look(void) {
        const char *n = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
        unsigned n_open = count_open() - 2 - (getenv("NUNTIUS_FDNAMES") != NULL);
        char *names = names_text(), text[TEXT_MAX], list[200];

        snprintf(list, sizeof(list), "%.190s", names);
        snprintf(text, sizeof(text), "%s files, %u right, %u open, %s, %s: %s", n ? n : "0", count_right(names),
                 n_open, !pid ? "nobody's" : atoi(pid) == getpid() ? "mine" : "another's",
                 getenv("NUNTIUS_FDNAMES") ? "listed" : "named", list);
        free(names);
        if (send(strings, text, strlen(text) + 1, 0) < 0)
                _exit(124);
}

static void obey(const char *order) {
        char word[16] = "", text[TEXT_MAX] = "done";
        const char *argument = strchr(order, ' ');

        argument = argument ? argument + 1 : "";
        sscanf(order, "%15s", word);
        if (strcmp(word, "exit") == 0)
                _exit(atoi(argument));
        if (strcmp(word, "die") == 0)
                kill(getpid(), atoi(argument));
        if (strcmp(word, "look") == 0) {
                look();
                return;
        }
        if (strcmp(word, "say") == 0)
                (void)fdmsg_send(notify, argument, strlen(argument), NULL, 0, 0);
        if (strcmp(word, "give") == 0)
                give(argument);
        if (strcmp(word, "many") == 0)
                give_many((unsigned)atoi(argument));
        if (strcmp(word, "number") == 0)
                snprintf(text, sizeof(text), "%s", getenv(argument) ? getenv(argument) : "-");
        if (send(strings, text, strlen(text) + 1, 0) < 0)
                _exit(125);
}

int main(void) {
        char order[TEXT_MAX];
        ssize_t n;

        if (!getenv("PUPPET_STRINGS") || !getenv("NOTIFY_SOCKET"))
                return 126;
        strings = connect_to(getenv("PUPPET_STRINGS"), SOCK_SEQPACKET);
        notify = connect_to(getenv("NOTIFY_SOCKET"), SOCK_DGRAM);
        while ((n = recv(strings, order, sizeof(order) - 1, 0)) > 0) {
                order[n] = '\0';
                obey(order);
        }
        return 0;
}
