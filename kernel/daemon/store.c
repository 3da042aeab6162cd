/* SPDX-License-Identifier: MIT */
/*
 * Store: a datagram for each descriptor. Sending waits while the store's socket is full, so that order
 * is kept and nothing is lost, but not for ever: a store that does not read must not stop us.
 */
#include "daemon/store.h"

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fdmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SETTLE_MS    50
#define SEND_SECONDS       2
#define LOG_LINES_A_SECOND 1u
#define TEXT_BYTES         96u

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const char letters[STORED_N] = {
#define X(name, letter) [STORED_##name] = letter,
        STORED(X)
#undef X
};

/* ---- names ---- */

void store_name(Stored kind, uint32_t index, char name[STORE_NAME_BYTES]) {
        *name++ = letters[kind];
        do
                *name++ = digits[index & 63];
        while (index >>= 6);
        *name = '\0';
}

bool store_name_parse(const char *name, Stored *ret_kind, uint32_t *ret_index) {
        size_t n = strlen(name);
        uint64_t index = 0;
        unsigned kind = 0;

        if (n < 2 || n >= STORE_NAME_BYTES || strcmp(name, STORE_NAME_LISTEN) == 0 ||
            strcmp(name, STORE_NAME_LOCK) == 0)
                return false;
        while (kind < STORED_N && letters[kind] != name[0])
                kind++;
        for (size_t i = n - 1; i > 0; i--) {
                const char *digit = strchr(digits, name[i]);

                if (!digit)
                        return false;
                index = index << 6 | (uint64_t)(digit - digits);
        }
        /* one name for one number: no leading nought */
        if (kind == STORED_N || index > UINT32_MAX || (n > 2 && name[n - 1] == digits[0]))
                return false;
        *ret_kind = kind;
        *ret_index = (uint32_t)index;
        return true;
}

/* ---- who keeps them ---- */

static bool number_of(const char *variable, uint64_t *ret_number) {
        const char *text = getenv(variable);
        char *end;

        if (!text || text[0] < '0' || text[0] > '9')
                return false;
        *ret_number = strtoull(text, &end, 10);
        return *end == '\0';
}

/* A service's children inherit its variables; only the service itself is spoken to through them. */
static const char *store_provider(void) {
        uint64_t pid;

        if (number_of("NUNTIUS_HOLD", &pid))
                return pid == (uint64_t)getppid() ? "nuntius-hold" : NULL;
        if (number_of("SYSTEMD_EXEC_PID", &pid))
                return pid == (uint64_t)getpid() ? "systemd" : NULL;
        return "other";
}

bool store_is_offered(void) {
        const char *path = getenv("NOTIFY_SOCKET");

        return path && path[0] && store_provider();
}

static int store_connect(int fd, const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t n = strlen(path);

        if ((path[0] != '/' && path[0] != '@') || n >= sizeof(address.sun_path))
                return -EINVAL;
        memcpy(address.sun_path, path, n);
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        n += offsetof(struct sockaddr_un, sun_path);
        return connect(fd, (struct sockaddr *)&address, (socklen_t)n) < 0 ? -errno : 0;
}

void store_init(Store *store, uint64_t max) {
        const struct timeval timeout = { .tv_sec = SEND_SECONDS };
        const char *path = getenv("NOTIFY_SOCKET"), *provider = store_provider();
        int r;

        *store = (Store)STORE_INIT;
        if (!path || !path[0] || !provider)
                return;
        store->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (store->fd < 0)
                return;
        (void)setsockopt(store->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        r = store_connect(store->fd, path);
        if (r) {
                log_warning("event=no-store why=%s", strerrorname_np(-r));
                store_deinit(store);
                return;
        }
        store->provider = provider;
        store->max = max ? max : STORE_MAX_DEFAULT;
        (void)number_of("FDSTORE", &store->max);
}

void store_deinit(Store *store) {
        if (store->fd >= 0)
                (void)close(store->fd);
        *store = (Store)STORE_INIT;
}

bool store_is_on(const Store *store) {
        return store->fd >= 0 && store->max > 0;
}

/* Its socket may be another one since: after an error we look for it once more. */
static int store_send(Store *store, const char *text, const int *fds, size_t n_fds) {
        const char *path = getenv("NOTIFY_SOCKET");
        int r = fdmsg_send(store->fd, text, strlen(text), fds, n_fds, 0);

        if ((r == -ECONNREFUSED || r == -ENOTCONN || r == -ECONNRESET) && path &&
            store_connect(store->fd, path) == 0)
                r = fdmsg_send(store->fd, text, strlen(text), fds, n_fds, 0);
        return r;
}

static void store_log_failure(Store *store, const char *what, const char *name, int r) {
        store->n_failed++;
        if (log_rate_ok(&store->rate, LOG_LINES_A_SECOND))
                log_warning("event=store-failed what=%s name=%s why=%s", what, name, strerrorname_np(-r));
}

void store_say(Store *store, const char *words) {
        int r;

        if (store->fd < 0)
                return;
        r = store_send(store, words, NULL, 0);
        if (r)
                store_log_failure(store, words, "-", r);
}

/* The store closes what it is not asked to keep, when it has come to that message. */
void store_settle(Store *store) {
        int ends[2], r;

        if (!store_is_on(store) || !store->is_unsettled)
                return;
        store->is_unsettled = false;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        r = store_send(store, "BARRIER=1", &ends[1], 1);
        (void)close(ends[1]);
        if (!r)
                (void)poll(&(struct pollfd){ .fd = ends[0] }, 1, SETTLE_MS);
        (void)close(ends[0]);
}

int store_keep_name(Store *store, const char *name, int fd) {
        char text[TEXT_BYTES];
        int r = -EDQUOT;

        if (!store_is_on(store))
                return 0;
        snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
        FAILPOINT("daemon-store-keep");
        if (store->n < store->max)
                r = store_send(store, text, &fd, 1);
        FAILPOINT("daemon-store-kept");
        if (r) {
                store_log_failure(store, "keep", name, r);
                return r;
        }
        store->n++;
        return 0;
}

void store_remove_name(Store *store, const char *name) {
        char text[TEXT_BYTES];
        int r;

        if (!store_is_on(store))
                return;
        snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
        FAILPOINT("daemon-store-remove");
        r = store_send(store, text, NULL, 0);
        FAILPOINT("daemon-store-removed");
        if (r)
                store_log_failure(store, "remove", name, r);
        else if (store->n > 0)
                store->n--;
}

int store_keep(Store *store, Stored kind, uint32_t index, int fd) {
        char name[STORE_NAME_BYTES];

        if (!store_is_on(store))
                return 0;
        store_name(kind, index, name);
        return store_keep_name(store, name, fd);
}

void store_remove(Store *store, Stored kind, uint32_t index) {
        char name[STORE_NAME_BYTES];

        if (!store_is_on(store))
                return;
        store->is_unsettled = true;
        store_name(kind, index, name);
        store_remove_name(store, name);
}

void store_count_kept(Store *store, uint64_t n) {
        store->n += n;
}
