/* SPDX-License-Identifier: MIT */
/*
 * Courier client: sends a file to a courier server, a header and a piece of the file in each message.
 *
 * The two parts of a message lie in different places and go as they are, without being put together
 * first: that is what an iov_t is for.
 */
#include "courier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

typedef struct Delivery {
        int coid;
        uint64_t sent;
        uint64_t stored; /* as the server says */
        unsigned messages;
} Delivery;

static char chunk[COURIER_CHUNK];

static int deliver(Delivery *delivery, const CourierHeader *header) {
        CourierAnswer answer;
        iov_t parts[2];

        SETIOV_CONST(&parts[0], header, sizeof(*header));
        SETIOV_CONST(&parts[1], chunk, header->bytes);
        if (MsgSendvs(delivery->coid, parts, 2, &answer, sizeof(answer)) < 0)
                return -errno;
        delivery->sent += header->bytes;
        delivery->stored = answer.stored;
        delivery->messages++;
        return 0;
}

static int deliver_bytes(Delivery *delivery, int fd) {
        for (;;) {
                ssize_t n = read(fd, chunk, sizeof(chunk));
                int r;

                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                r = deliver(delivery, &(CourierHeader){ .type = COURIER_DATA, .bytes = (uint32_t)n });
                if (r < 0)
                        return r;
        }
}

static int deliver_file(Delivery *delivery, int fd, const char *path) {
        const char *slash = strrchr(path, '/');
        CourierHeader open = { .type = COURIER_OPEN };
        int r;

        snprintf(open.name, sizeof(open.name), "%s", slash ? slash + 1 : path);
        r = deliver(delivery, &open);
        if (r == 0)
                r = deliver_bytes(delivery, fd);
        return r ? r : deliver(delivery, &(CourierHeader){ .type = COURIER_CLOSE });
}

static double now(void) {
        struct timespec time;

        clock_gettime(CLOCK_MONOTONIC, &time);
        return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void report(const Delivery *delivery, double seconds) {
        printf("sent %llu bytes in %u messages, %.3f s, %.0f MB/s; the server stored %llu\n",
               (unsigned long long)delivery->sent, delivery->messages, seconds,
               (double)delivery->sent / 1e6 / (seconds > 0 ? seconds : 1e-9),
               (unsigned long long)delivery->stored);
}

static int fail(const char *what, int error) {
        fprintf(stderr, "courier-client: %s: %s\n", what, strerror(error));
        return EXIT_FAILURE;
}

int main(int argc, char **argv) {
        Delivery delivery = { 0 };
        double begin;
        int fd, r;

        if (argc != 4) {
                fprintf(stderr, "Usage: courier-client PID CHID FILE\n"
                                "Sends FILE to the courier-server that printed PID and CHID.\n");
                return 100;
        }
        fd = open(argv[3], O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return fail(argv[3], errno);
        delivery.coid = ConnectAttach(ND_LOCAL_NODE, atoi(argv[1]), atoi(argv[2]), _NTO_SIDE_CHANNEL, 0);
        if (delivery.coid < 0)
                return fail("no such server", errno);
        begin = now();
        r = deliver_file(&delivery, fd, argv[3]);
        if (r < 0)
                return fail("the file was not delivered", -r);
        report(&delivery, now() - begin);
        ConnectDetach(delivery.coid);
        close(fd);
        return delivery.stored == delivery.sent ? EXIT_SUCCESS : EXIT_FAILURE;
}
