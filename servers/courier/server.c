/* SPDX-License-Identifier: MIT */
/*
 * Courier server: stores the files that clients send it in a directory.
 *
 * It shows how a server keeps something for each client: the scoid names the client, and the channel
 * asks for a pulse when that client has gone, be it with ConnectDetach() or with kill -9. A file
 * whose client went before COURIER_CLOSE is thrown away.
 */
#include "courier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

#define CLIENTS_MAX 64

typedef struct Parcel {
        int scoid; /* 0 = this entry is free */
        int fd;
        uint64_t stored;
        char name[COURIER_NAME_MAX];
        char part[COURIER_NAME_MAX + 32]; /* what the file is called until it is complete */
} Parcel;

typedef struct Message {
        union {
                CourierHeader header;
                struct _pulse pulse;
        };
        char bytes[COURIER_CHUNK];
} Message;

typedef struct Server {
        int directory;
        int chid;
        unsigned delivered;
        Parcel parcels[CLIENTS_MAX];
        Message message;
} Server;

static Server server;

/* ---- parcels ---- */

static Parcel *parcel_find(int scoid) {
        for (unsigned i = 0; i < CLIENTS_MAX; i++)
                if (server.parcels[i].scoid == scoid)
                        return &server.parcels[i];
        return NULL;
}

static void parcel_close(Parcel *parcel) {
        close(parcel->fd);
        parcel->scoid = 0;
}

static void parcel_discard(Parcel *parcel) {
        unlinkat(server.directory, parcel->part, 0);
        parcel_close(parcel);
}

static bool name_is_plain(const char *name) {
        size_t length = strnlen(name, COURIER_NAME_MAX);

        return length > 0 && length < COURIER_NAME_MAX && name[0] != '.' && !strchr(name, '/');
}

static bool parcel_open(Parcel *parcel, int scoid, const char *name) {
        memcpy(parcel->name, name, sizeof(parcel->name));
        snprintf(parcel->part, sizeof(parcel->part), ".%s.%d", name, scoid);
        parcel->fd = openat(server.directory, parcel->part,
                            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (parcel->fd < 0)
                return false;
        parcel->stored = 0;
        parcel->scoid = scoid;
        return true;
}

static int parcel_append(Parcel *parcel, const char *bytes, size_t n) {
        while (n > 0) {
                ssize_t written = write(parcel->fd, bytes, n);

                if (written < 0)
                        return errno;
                bytes += written;
                n -= (size_t)written;
                parcel->stored += (uint64_t)written;
        }
        return EOK;
}

/* ---- messages: each returns EOK or the errno that the client shall see ---- */

static int take_open(int scoid, const CourierHeader *header) {
        Parcel *parcel = parcel_find(0);

        if (!name_is_plain(header->name))
                return EINVAL;
        if (parcel_find(scoid))
                return EBUSY;
        if (!parcel)
                return EAGAIN;
        return parcel_open(parcel, scoid, header->name) ? EOK : errno;
}

static int take_data(int scoid, const Message *message, ssize_t msglen) {
        Parcel *parcel = parcel_find(scoid);
        size_t n = message->header.bytes;

        if (!parcel)
                return EBADF;
        /* What the client says of its message is checked against what has come. */
        if (msglen < (ssize_t)sizeof(CourierHeader) || n != (size_t)msglen - sizeof(CourierHeader))
                return EMSGSIZE;
        return parcel_append(parcel, message->bytes, n);
}

static int take_close(int scoid) {
        Parcel *parcel = parcel_find(scoid);

        if (!parcel)
                return EBADF;
        if (renameat(server.directory, parcel->part, server.directory, parcel->name) < 0)
                return errno;
        printf("stored %s, %llu bytes\n", parcel->name, (unsigned long long)parcel->stored);
        fflush(stdout);
        parcel_close(parcel);
        server.delivered++;
        return EOK;
}

static int take(const struct _msg_info *info, const Message *message) {
        if (info->msglen < (ssize_t)sizeof(CourierHeader))
                return EBADMSG;
        switch (message->header.type) {
        case COURIER_OPEN:
                return take_open(info->scoid, &message->header);
        case COURIER_DATA:
                return take_data(info->scoid, message, info->msglen);
        case COURIER_CLOSE:
                return take_close(info->scoid);
        default:
                return ENOSYS;
        }
}

static void answer(int rcvid, const struct _msg_info *info) {
        Parcel *parcel = parcel_find(info->scoid);
        uint64_t before = parcel ? parcel->stored : 0;
        CourierAnswer reply;
        int error = take(info, &server.message);

        if (error != EOK) {
                MsgError(rcvid, error);
                return;
        }
        parcel = parcel_find(info->scoid);
        reply.stored = parcel ? parcel->stored : before;
        MsgReply(rcvid, EOK, &reply, sizeof(reply));
}

/* True when a client has gone. */
static bool take_pulse(const struct _pulse *pulse) {
        Parcel *parcel;

        if (pulse->code != _PULSE_CODE_DISCONNECT)
                return false;
        parcel = parcel_find(pulse->scoid);
        if (parcel)
                parcel_discard(parcel);
        ConnectDetach(pulse->scoid);
        return true;
}

static int serve(bool once) {
        iov_t parts[2];

        SETIOV(&parts[0], &server.message.header, sizeof(server.message.header));
        SETIOV(&parts[1], server.message.bytes, sizeof(server.message.bytes));
        for (;;) {
                struct _msg_info info;
                int rcvid = MsgReceivev(server.chid, parts, 2, &info);

                if (rcvid < 0)
                        return -1;
                if (rcvid > 0)
                        answer(rcvid, &info);
                else if (take_pulse(&server.message.pulse) && once)
                        return server.delivered ? 0 : 1;
        }
}

static int fail(const char *what) {
        fprintf(stderr, "courier-server: %s: %s\n", what, strerror(errno));
        return 111;
}

int main(int argc, char **argv) {
        bool once = argc == 3 && strcmp(argv[1], "--once") == 0;
        int r;

        if (argc != (once ? 3 : 2) || argv[argc - 1][0] == '-') {
                fprintf(stderr, "Usage: courier-server [--once] DIR\n"
                                "Stores in DIR what courier-client sends, prints PID and CHID;\n"
                                "--once: ends when its first client has gone.\n");
                return 100;
        }
        server.directory = open(argv[argc - 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (server.directory < 0)
                return fail(argv[argc - 1]);
        server.chid = ChannelCreate(_NTO_CHF_DISCONNECT);
        if (server.chid < 0)
                return fail("ChannelCreate");
        printf("%d %d\n", getpid(), server.chid);
        fflush(stdout);
        r = serve(once);
        return r < 0 ? fail("MsgReceive") : r;
}
