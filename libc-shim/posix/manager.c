/* SPDX-License-Identifier: MIT */
#include "posix/manager.h"

#include "abi/wire.h"
#include "posix/cwd.h"
#include "runtime/connection.h"
#include "runtime/session.h"
#include "runtime/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ftype.h>
#include <sys/neutrino.h>
#include <sys/resmgr.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINKS_MAX   40
#define ROADS       16
#define PATH_AT     offsetof(struct _io_connect, path)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- directories that are open ---- */

typedef struct Directory {
        struct Directory *next;
        int fd;
        char whole[];
} Directory;

static Directory *directories;

static Directory **find_directory_locked(int fd) {
        Directory **at = &directories;

        while (*at && (*at)->fd != fd)
                at = &(*at)->next;
        return at;
}

bool manager_directory(int fd, char whole[PATH_MAX]) {
        Directory *found;

        pthread_mutex_lock(&mutex);
        found = *find_directory_locked(fd);
        if (found)
                strcpy(whole, found->whole);
        pthread_mutex_unlock(&mutex);
        return found != NULL;
}

void manager_closed(int fd) {
        Directory **at, *gone;

        pthread_mutex_lock(&mutex);
        at = find_directory_locked(fd);
        gone = *at;
        if (gone)
                *at = gone->next;
        pthread_mutex_unlock(&mutex);
        free(gone);
}

/* Without memory for it, paths that count from it are Linux's: they fail with ENOTDIR. */
void manager_opened(int fd, const char *whole) {
        Directory *directory = malloc(sizeof(*directory) + strlen(whole) + 1);

        if (!directory)
                return;
        manager_closed(fd);
        directory->fd = fd;
        strcpy(directory->whole, whole);
        pthread_mutex_lock(&mutex);
        directory->next = directories;
        directories = directory;
        pthread_mutex_unlock(&mutex);
}

/* ---- paths ---- */

static int directory_path(int fd, char whole[PATH_MAX]) {
        char link[64];
        ssize_t n;

        if (manager_directory(fd, whole))
                return 0;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = syscall(SYS_readlinkat, AT_FDCWD, link, whole, PATH_MAX - 1);
        if (n <= 0 || whole[0] != '/')
                return MANAGER_NONE;
        whole[n] = '\0';
        return 0;
}

static int join(const char *directory, const char *path, char whole[PATH_MAX]) {
        char both[2 * PATH_MAX];

        snprintf(both, sizeof(both), "%s/%s", directory, path);
        if (pathname_is_foreign(both))
                return MANAGER_NONE;
        return pathname_normalise(both, whole);
}

int manager_path(int directory, const char *path, char whole[PATH_MAX]) {
        char from[PATH_MAX];
        int r;

        if (!path || path[0] == '\0')
                return MANAGER_NONE;
        if (path[0] == '/')
                return pathname_is_foreign(path) ? MANAGER_NONE : pathname_normalise(path, whole);
        if (!pathname_any())
                return MANAGER_NONE;
        r = directory == AT_FDCWD ? cwd_get(from) : directory_path(directory, from);
        return r < 0 ? MANAGER_NONE : join(from, path, whole);
}

/* ---- roads: side-channel connections to managers, kept ---- */

typedef struct Road {
        ManagerAddress to;
        int coid; /* 0 = none */
} Road;

static Road roads[ROADS];
static unsigned next_road;

static Road *find_road_locked(const ManagerAddress *to) {
        for (int i = 0; i < ROADS; i++)
                if (roads[i].coid && roads[i].to.pid == to->pid && roads[i].to.chid == to->chid)
                        return &roads[i];
        return NULL;
}

static int make_road_locked(const ManagerAddress *to) {
        Road *road = &roads[next_road++ % ROADS];
        int coid = ConnectAttach_r(ND_LOCAL_NODE, to->pid, to->chid, _NTO_SIDE_CHANNEL, 0);

        if (coid < 0)
                return coid;
        if (road->coid)
                ConnectDetach_r(road->coid);
        *road = (Road){ .to = *to, .coid = coid };
        return coid;
}

static int road_to(const ManagerAddress *to) {
        Connection *connection;
        Road *road;
        int coid;

        pthread_mutex_lock(&mutex);
        road = find_road_locked(to);
        connection = road ? connection_find(road->coid) : NULL;
        if (road && (!connection || !connection_is_live(connection))) {
                ConnectDetach_r(road->coid);
                road->coid = 0;
                road = NULL;
        }
        coid = road ? road->coid : make_road_locked(to);
        pthread_mutex_unlock(&mutex);
        return coid;
}

/* ---- connect messages ---- */

typedef struct ConnectMessage {
        union {
                struct _io_connect connect;
                char bytes[PATH_AT + PATH_MAX + 8];
        };
        iov_t parts[3];
        int n_parts;
} ConnectMessage;

static size_t align8(size_t n) {
        return (n + 7) & ~(size_t)7;
}

static void compose(ConnectMessage *message, const ConnectRequest *request, const PathnameHit *hit, const char *whole,
                    unsigned eflag) {
        const char *rest = whole + hit->prefix_length;
        size_t n;

        rest += *rest == '/';
        n = strlen(rest) + 1;
        memset(&message->connect, 0, PATH_AT);
        message->connect.type = _IO_CONNECT;
        message->connect.subtype = (uint16_t)request->subtype;
        message->connect.file_type = request->file_type;
        message->connect.entry_max = 1;
        message->connect.handle = hit->handle;
        message->connect.ioflag = request->ioflag;
        message->connect.mode = request->mode;
        message->connect.path_len = (uint16_t)n;
        message->connect.eflag = (uint8_t)eflag;
        message->connect.extra_type = (uint8_t)request->extra_type;
        message->connect.extra_len = (uint16_t)request->extra_bytes;
        memset(message->bytes + PATH_AT + n, 0, 8);
        memcpy(message->connect.path, rest, n);
        SETIOV(&message->parts[0], message->bytes, align8(PATH_AT + n));
        message->n_parts = 1;
        if (request->extra_bytes > 0)
                SETIOV(&message->parts[message->n_parts++], request->extra, request->extra_bytes);
        if (request->part.iov_len > 0)
                message->parts[message->n_parts++] = request->part;
}

typedef struct ConnectAnswer {
        long status;
        struct {
                struct _io_connect_link_reply link;
                char text[PATH_MAX];
        } data;
} ConnectAnswer;

/* The answer's data goes to the caller's place; a link's text is wanted here too, so that it can be followed. */
static long exchange(int coid, ConnectMessage *message, const ConnectRequest *request, ConnectAnswer *answer) {
        iov_t reply[1] = { request->reply };
        bool own = request->reply.iov_len == 0;

        if (own)
                SETIOV(&reply[0], &answer->data, sizeof(answer->data));
        return MsgSendv_r(coid, message->parts, message->n_parts, reply, 1);
}

static bool is_link(const ConnectAnswer *answer) {
        return answer->status > 0 && answer->status & _IO_CONNECT_RET_LINK &&
               (uint32_t)answer->status & _IO_CONNECT_RET_FLAG;
}

static int open_at(const PathnameHit *hit, ConnectMessage *message, const ConnectRequest *request,
                   ConnectAnswer *answer) {
        int fd = ConnectAttach_r(ND_LOCAL_NODE, hit->pid, hit->chid, 0,
                                 request->closes_on_exec ? _NTO_COF_CLOEXEC : 0);
        long r;

        if (fd < 0)
                return fd == -ESRCH ? -ENOSYS : fd; /* it died just now */
        r = exchange(fd, message, request, answer);
        answer->status = r;
        if (r >= 0 && !is_link(answer)) {
                connection_is_now_file(fd);
                return fd;
        }
        ConnectDetach_r(fd);
        return r < 0 ? (int)r : 0;
}

static int ask_at(const PathnameHit *hit, ConnectMessage *message, const ConnectRequest *request,
                  ConnectAnswer *answer) {
        int coid = road_to(&(ManagerAddress){ hit->pid, hit->chid });
        long r;

        if (coid < 0)
                return coid == -ESRCH ? -ENOSYS : coid;
        r = exchange(coid, message, request, answer);
        answer->status = r;
        return (int)(r < INT_MIN ? INT_MIN : r > INT_MAX ? INT_MAX : r);
}

/* One pass through all that serve the path. */
static int connect_once(const char *whole, const ConnectRequest *request, unsigned eflag, ConnectAnswer *answer) {
        PathnameHit hits[PATHNAME_HITS];
        int n = pathname_resolve(whole, hits), r = -ENOSYS;
        ConnectMessage message;

        if (n == 0)
                return MANAGER_NONE;
        for (int i = 0; i < n && r == -ENOSYS; i++) {
                answer->status = 0;
                compose(&message, request, &hits[i], whole, eflag);
                r = request->subtype == _IO_CONNECT_OPEN ? open_at(&hits[i], &message, request, answer)
                                                         : ask_at(&hits[i], &message, request, answer);
        }
        if (r == -ENOSYS && request->subtype == _IO_CONNECT_OPEN)
                return MANAGER_NONE;
        return r;
}

/* What the link says in place of the path: absolute, or beside it. */
static int follow(char whole[PATH_MAX], ConnectAnswer *answer) {
        char next[2 * PATH_MAX];
        char *slash;

        answer->data.text[PATH_MAX - 1] = '\0';
        if (answer->data.text[0] == '/') {
                snprintf(next, sizeof(next), "%s", answer->data.text);
        } else {
                slash = strrchr(whole, '/');
                snprintf(next, sizeof(next), "%.*s/%s", (int)(slash - whole), whole, answer->data.text);
        }
        return pathname_normalise(next, whole);
}

static unsigned eflag_of(const char *path) {
        size_t n = strlen(path);

        return n > 0 && path[n - 1] == '/' ? _IO_CONNECT_EFLAG_DIR : 0;
}

int manager_connect(const char *path, const ConnectRequest *request) {
        char whole[PATH_MAX];
        ConnectAnswer answer;
        unsigned eflag = eflag_of(path);
        int r = pathname_normalise(path, whole);

        for (int i = 0; r >= 0 && i < LINKS_MAX; i++) {
                r = connect_once(whole, request, eflag, &answer);
                if (r < 0 || !is_link(&answer) || !request->follows_last)
                        return r;
                r = follow(whole, &answer);
        }
        return r < 0 ? r : -ELOOP;
}

/* ---- close ---- */

bool manager_address(int fd, ManagerAddress *ret_address) {
        Connection *connection = connection_find(fd);

        if (!connection || !connection->is_file)
                return false;
        *ret_address = (ManagerAddress){ connection->server_pid, connection->chid };
        return true;
}

/* First the daemon sees that the descriptor has hung up and tells the server, then the server is asked. */
void manager_wait_closed(const ManagerAddress *address) {
        WireRequest request = { .op = WIRE_FILE_SYNC };
        struct _io_close message = { .type = _IO_CLOSE, .combine_len = sizeof(message) };
        Thread *thread = call_enter();
        int fds[SESSION_FDS], coid;
        WireReply reply;

        session_ask(&request, -1, &reply, fds);
        call_leave(thread);
        coid = road_to(address);
        if (coid >= 0)
                MsgSendnc_r(coid, &message, sizeof(message), NULL, 0);
}

void managers_after_fork(void) {
        pthread_mutex_init(&mutex, NULL);
        memset(roads, 0, sizeof(roads));
}
