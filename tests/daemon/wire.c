/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include "keeper.h"

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "shm/region.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64];
static char socket_path[100];
static pid_t daemon_pid;
static struct rlimit fd_limit; /* 0 = ours */
static bool has_store;
static unsigned n_revivals;
static const char *const *revive_arguments;
static const char *fail_again;
static pthread_mutex_t sniper_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t sniper;
static volatile bool sniping;
static pid_t begun_pid; /* the daemon, once it listens */

/* ---- daemon ---- */

static void daemon_exec(const char *const *arguments, int ready_fd) {
        const char *argv[32] = { "nuntiusd", "--socket", socket_path, "--log-level", "error" };
        char ready[16];
        int n = 5;

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (has_store)
                ready_fd = keeper_hand_over(ready_fd);
        snprintf(ready, sizeof(ready), "%d", ready_fd);
        argv[n++] = "--ready-fd";
        argv[n++] = ready;
        while (arguments && *arguments)
                argv[n++] = *arguments++;
        if (fd_limit.rlim_max)
                setrlimit(RLIMIT_NOFILE, &fd_limit);
        execv(getenv("NUNTIUSD"), (char *const *)argv);
        _exit(127);
}

void daemon_use_store(void) {
        keeper_start();
        has_store = true;
}

void daemon_start(const char *const *arguments) {
        strcpy(directory, "/tmp/nuntiusd-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chmod(directory, 0755), 0);
        snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
        daemon_start_again(arguments);
}

void daemon_limit_fds(const struct rlimit *limit) {
        fd_limit = *limit;
}

/* By a fail-point, in the middle of its beginning. */
static bool daemon_was_killed(void) {
        siginfo_t info;

        return waitid(P_PID, (id_t)daemon_pid, &info, WEXITED | WNOWAIT) == 0 && info.si_code == CLD_KILLED;
}

static bool daemon_revive(void);
static void daemon_has_begun(pid_t pid);

void daemon_start_again(const char *const *arguments) {
        int ready[2];
        char byte;

        if (has_store)
                keeper_settle();
        ck_assert_int_eq(pipe(ready), 0);
        daemon_pid = fork();
        ck_assert_int_ge(daemon_pid, 0);
        if (daemon_pid == 0) {
                close(ready[0]);
                daemon_exec(arguments, ready[1]);
        }
        close(ready[1]);
        revive_arguments = arguments;
        if (read(ready[0], &byte, 1) != 1)
                ck_assert_msg(daemon_was_killed() && daemon_revive(), "the daemon did not begin to listen");
        else
                daemon_has_begun(daemon_pid);
        close(ready[0]);
}

void daemon_fail_at(const char *point) {
        if (point)
                setenv("NUNTIUS_FAILPOINT", point, 1);
        else
                unsetenv("NUNTIUS_FAILPOINT");
}

/* Kills nobody twice: who is dead stays our child until another is there. */
static void *sniper_main(void *unused) {
        uint32_t random = 88172645u;
        pid_t last = 0;

        while (sniping) {
                random = random * 1664525u + 1013904223u;
                poll(NULL, 0, 1 + (int)(random >> 27));
                pthread_mutex_lock(&sniper_lock);
                if (begun_pid && begun_pid != last)
                        kill(last = begun_pid, SIGKILL);
                pthread_mutex_unlock(&sniper_lock);
        }
        return unused;
}

void daemon_snipe(void) {
        sniping = true;
        ck_assert_int_eq(pthread_create(&sniper, NULL, sniper_main, NULL), 0);
}

void daemon_spare(void) {
        sniping = false;
        pthread_join(sniper, NULL);
}

static void daemon_has_begun(pid_t pid) {
        pthread_mutex_lock(&sniper_lock);
        begun_pid = pid;
        pthread_mutex_unlock(&sniper_lock);
}

unsigned daemon_revivals(void) {
        return n_revivals;
}

/* It may die while it begins, too. */
static bool daemon_revive(void) {
        siginfo_t info = { .si_pid = 0 };

        if (!has_store || waitid(P_PID, (id_t)daemon_pid, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
                return false;
        daemon_has_begun(0);
        waitpid(daemon_pid, NULL, 0);
        n_revivals++;
        daemon_fail_at(fail_again);
        fail_again = NULL;
        daemon_start_again(revive_arguments);
        return true;
}

void daemon_fail_again_at(const char *point) {
        fail_again = point;
}

const char *daemon_socket(void) {
        return socket_path;
}

void daemon_kill(void) {
        kill(daemon_pid, SIGKILL);
        waitpid(daemon_pid, NULL, 0);
}

void daemon_freeze(bool freeze) {
        siginfo_t info;

        ck_assert_int_eq(kill(daemon_pid, freeze ? SIGSTOP : SIGCONT), 0);
        if (freeze)
                ck_assert_int_eq(waitid(P_PID, (id_t)daemon_pid, &info, WSTOPPED | WNOWAIT), 0);
}

static void remove_directory(void) {
        char path[200];

        unlink(socket_path);
        snprintf(path, sizeof(path), "%s.lock", socket_path);
        unlink(path);
        rmdir(directory);
}

/* Asks it to leave all to a successor. */
void daemon_leave(void) {
        int status;

        ck_assert_int_eq(kill(daemon_pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(daemon_pid, &status, 0), daemon_pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the daemon ended with 0x%x", status);
}

void daemon_stop(void) {
        int status;

        daemon_revive();
        ck_assert_int_eq(kill(daemon_pid, has_store ? SIGINT : SIGTERM), 0);
        if (daemon_was_killed() && daemon_revive()) { /* by a fail-point while it ended */
                daemon_stop();
                return;
        }
        ck_assert_int_eq(waitpid(daemon_pid, &status, 0), daemon_pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the daemon ended with 0x%x", status);
        if (has_store) {
                keeper_expect("STOPPING=1");
                keeper_stop();
                has_store = false;
        }
        ck_assert_int_ne(access(socket_path, F_OK), 0);
        remove_directory();
}

int wire_connect(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        strcpy(address.sun_path, socket_path);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return fd;
}

static bool daemon_has_room(void) {
        WireRequest request = { .op = WIRE_GREET, .greet = { WIRE_VERSION, LAYOUT_VERSION, 2 } };
        int fd = wire_connect();
        WireReply reply;
        bool has_room;

        has_room = fd >= 0 && fdmsg_send(fd, &request, sizeof(request), NULL, 0, 0) == 0 &&
                   recv(fd, &reply, sizeof(reply), 0) == sizeof(reply);
        fd_close(fd);
        return has_room;
}

void daemon_expect_room(void) {
        for (int i = 0; i < WIRE_WAIT_MS && !daemon_has_room(); i++)
                poll(NULL, 0, 1);
        ck_assert(daemon_has_room());
}

static int observer_ask(Client *observer, WireReply *reply, Fds *fds) {
        int status;

        *observer = (Client){ .socket = wire_connect(), .news = -1 };
        ck_assert_int_ge(observer->socket, 0);
        status = greet(observer, WIRE_GREET_OBSERVER);
        return status ? status : ask(observer, (WireRequest){ .op = WIRE_STATUS, .status.json = 1 }, reply, fds);
}

char *daemon_status(void) {
        WireReply reply;
        Client observer;
        Fds fds;
        char *text;
        int status;

        for (;;) {
                status = observer_ask(&observer, &reply, &fds);
                if (status != ECONNRESET)
                        break;
                close(observer.socket);
        }
        ck_assert_int_eq(status, 0);
        text = calloc(1, reply.status_text.bytes + 1);
        ck_assert_int_eq(pread(fds.fd[0], text, reply.status_text.bytes, 0),
                         (ssize_t)reply.status_text.bytes);
        fds_close(&fds);
        close(observer.socket);
        return text;
}

void daemon_expect_no_clean_start(unsigned n) {
        char *text = daemon_status(), wanted[64];

        snprintf(wanted, sizeof(wanted), "\"restarts\": %u,", n);
        ck_assert_msg(strstr(text, wanted), "not %s in %.300s", wanted, text);
        free(text);
}

static bool daemon_has_none(const char *section) {
        char *text = daemon_status(), empty[64];
        bool has_none;

        snprintf(empty, sizeof(empty), "\"%s\": []", section);
        has_none = strstr(text, empty) != NULL;
        free(text);
        return has_none;
}

void daemon_expect_none(const char *section) {
        for (int i = 0; i < WIRE_WAIT_MS; i++) {
                if (daemon_has_none(section))
                        return;
                poll(NULL, 0, 1);
        }
        ck_abort_msg("the daemon still holds: %s", daemon_status());
}

void daemon_expect_n_processes(unsigned n) {
        for (int i = 0; i < WIRE_WAIT_MS; i++) {
                char *text = daemon_status(), *end = strstr(text, "\"threads\"");
                unsigned found = 0;

                for (char *at = text; (at = strstr(at, "{\"pid\"")) != NULL && at < end; at++)
                        found++;
                free(text);
                if (found == n)
                        return;
                poll(NULL, 0, 1);
        }
        ck_abort_msg("not %u processes: %s", n, daemon_status());
}

void daemon_expect_empty(void) {
        static const char *const sections[] = { "processes", "channels", "bells", "links", "extents",
                                                "lanes", "lifelines", "connections" };

        for (unsigned i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
                daemon_expect_none(sections[i]);
}

/* ---- clients ---- */

static void become(uid_t uid) {
        if (uid == 0)
                return;
        if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
                _exit(2);
}

/* Connects as itself, hands the socket to the test, waits to be killed. */
static void client_main(int wire, uid_t uid) {
        int fd;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        become(uid);
        fd = wire_connect();
        if (fd < 0 || fdmsg_send(wire, "x", 1, &fd, 1, 0))
                _exit(1);
        close_range(0, ~0u, 0);
        for (;;)
                pause();
}

Client client_connect(uid_t uid) {
        Client client = { .news = -1, .socket = -1 };
        int wire[2];
        size_t n_fds;
        char byte;

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire), 0);
        client.pid = fork();
        ck_assert_int_ge(client.pid, 0);
        if (client.pid == 0)
                client_main(wire[1], uid);
        close(wire[1]);
        ck_assert_int_eq(fdmsg_receive(wire[0], &byte, 1, &client.socket, 1, &n_fds, 0), 1);
        ck_assert_uint_eq(n_fds, 1);
        close(wire[0]);
        return client;
}

Client client_start(uid_t uid, uint32_t greet_flags) {
        Client client = client_connect(uid);
        int status;

        while ((status = greet(&client, greet_flags)) == ECONNRESET) {
                client_kill(&client);
                close(client.socket);
                client = client_connect(uid);
        }
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(client.greet.pid, client.pid);
        return client;
}

void client_kill(Client *client) {
        kill(client->pid, SIGKILL);
        waitpid(client->pid, NULL, 0);
}

void client_hang_up(Client *client) {
        close(client->socket);
        close(client->news);
        client->socket = client->news = -1;
}

static void wait_readable(int fd, const char *what) {
        struct pollfd waiting = { .fd = fd, .events = POLLIN };

        for (int i = 0; i < WIRE_WAIT_MS; i++) {
                if (poll(&waiting, 1, 1) == 1)
                        return;
                if (daemon_revive())
                        i = 0;
        }
        ck_abort_msg("waited in vain for %s", what);
}

void client_expect_ended(Client *client) {
        WireReply reply;
        ssize_t n;

        do {
                wait_readable(client->socket, "the end of a session");
                n = fdmsg_receive(client->socket, &reply, sizeof(reply), NULL, 0, NULL, 0);
        } while (n > 0);
        ck_assert(n == 0 || n == -ECONNRESET);
}

void fds_close(Fds *fds) {
        for (int i = 0; i < 3; i++)
                fds->fd[i] = fd_close(fds->fd[i]);
}

/* By bit, as they are named in the wire. */
static void fds_spread(uint32_t bits, const int *fds, size_t n, Fds *ret_fds) {
        size_t at = 0;

        for (int i = 0; i < 3; i++)
                ret_fds->fd[i] = bits & 1u << i ? fds[at++] : -1;
        ck_assert_uint_eq(at, n);
}

int ask_with_fd(Client *client, WireRequest request, int fd, WireReply *reply, Fds *fds) {
        int received[FDMSG_FDS_MAX];
        ssize_t received_bytes;
        int r;
        WireReply own_reply;
        Fds own_fds;
        size_t n;

        reply = reply ? reply : &own_reply;
        request.serial = ++client->serial;
        request.fds = fd >= 0;
        r = fdmsg_send(client->socket, &request, sizeof(request), &fd, fd >= 0, 0);
        if (has_store && r)
                return ECONNRESET;
        ck_assert_int_eq(r, 0);
        for (;;) {
                wait_readable(client->socket, "a reply");
                received_bytes = fdmsg_receive(client->socket, reply, sizeof(*reply), received, FDMSG_FDS_MAX, &n, 0);
                if (has_store && received_bytes <= 0)
                        return ECONNRESET;
                ck_assert_int_eq(received_bytes, sizeof(*reply));
                if (!has_store || reply->serial == request.serial)
                        break;
                ck_assert_uint_lt(reply->serial, request.serial); /* twice, by two daemons */
                for (size_t i = 0; i < n; i++)
                        close(received[i]);
        }
        ck_assert_uint_eq(reply->serial, request.serial);
        fds_spread(reply->fds, received, n, &own_fds);
        if (reply->status)
                ck_assert_uint_eq(n, 0);
        if (fds)
                *fds = own_fds;
        else
                fds_close(&own_fds);
        return reply->status;
}

int ask(Client *client, WireRequest request, WireReply *reply, Fds *fds) {
        return ask_with_fd(client, request, -1, reply, fds);
}

void tell(Client *client, WireRequest request) {
        if (request.serial == 0)
                request.serial = ++client->serial;
        ck_assert_int_eq(fdmsg_send(client->socket, &request, sizeof(request), NULL, 0, 0), 0);
}

int greet(Client *client, uint32_t flags) {
        WireRequest request = { .op = WIRE_GREET, .greet = { WIRE_VERSION, LAYOUT_VERSION, flags } };
        WireReply reply;
        void *map;
        Fds fds;
        int status = ask(client, request, &reply, &fds);

        if (status || flags & WIRE_GREET_OBSERVER)
                return status;
        client->greet = reply.greet;
        client->news = fds.fd[2];
        ck_assert_int_eq(region_map(fds.fd[0], sizeof(ShmNotice), true, &map), -EACCES);
        ck_assert_int_eq(region_map(fds.fd[0], sizeof(ShmNotice), false, &map), 0);
        client->notice = map;
        client->page = map_fd(&fds.fd[1], PROCESS_BYTES);
        close(fds.fd[0]);
        return 0;
}

/* ---- shorthand ---- */

int32_t channel_create(Client *client, uint32_t flags) {
        WireRequest request = { .op = WIRE_CHANNEL_CREATE, .channel_create.flags = flags };
        WireReply reply;
        int status = ask(client, request, &reply, NULL);

        return status ? -status : reply.channel.chid;
}

int attach(Client *client, const Client *server, int32_t chid, uint32_t flags, int32_t coid,
           WireReplyConnect *ret_connect, Fds *ret_fds) {
        WireRequest request = { .op = WIRE_CONNECT_ATTACH,
                                .connect_attach = { server ? server->pid : 0, chid, flags, coid } };
        WireReply reply;
        int status = ask(client, request, &reply, ret_fds);

        if (ret_connect)
                *ret_connect = reply.connect;
        return status;
}

void detach(Client *client, uint32_t connection) {
        tell(client, (WireRequest){ .op = WIRE_CONNECT_DETACH, .connect_detach.connection = connection });
}

/* ---- news, memory ---- */

WireNews news_expect(Client *client, WireNewsKind kind, Fds *ret_fds) {
        int received[FDMSG_FDS_MAX];
        WireNews news;
        Fds fds;
        size_t n;

        wait_readable(client->news, "news");
        ck_assert_int_eq(fdmsg_receive(client->news, &news, sizeof(news), received, FDMSG_FDS_MAX, &n, 0),
                         sizeof(news));
        ck_assert_uint_eq(news.kind, kind);
        fds_spread(news.fds, received, n, &fds);
        if (ret_fds)
                *ret_fds = fds;
        else
                fds_close(&fds);
        return news;
}

WireNews news_any(Client *client) {
        int received[FDMSG_FDS_MAX];
        WireNews news;
        size_t n;

        ck_assert_int_eq(fdmsg_receive(client->news, &news, sizeof(news), received, FDMSG_FDS_MAX, &n, 0),
                         sizeof(news));
        while (n > 0)
                close(received[--n]);
        return news;
}

WireNews news_next(Client *client) {
        wait_readable(client->news, "news");
        return news_any(client);
}

bool news_is_there(Client *client) {
        struct pollfd waiting = { .fd = client->news, .events = POLLIN };

        return poll(&waiting, 1, 20) == 1;
}

void *map_fd(int *fd, size_t bytes) {
        void *map;

        ck_assert_int_ge(*fd, 0);
        ck_assert_int_eq(region_map(*fd, bytes, true, &map), 0);
        *fd = fd_close(*fd);
        return map;
}

void word_expect(const _Atomic uint32_t *word, uint32_t value) {
        for (int i = 0; i < WIRE_WAIT_MS && *word != value; i++)
                poll(NULL, 0, 1);
        ck_assert_uint_eq(*word, value);
}
