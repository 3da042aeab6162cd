/* SPDX-License-Identifier: MIT */
/*
 * Echo: the smallest server and the smallest client. Begin here.
 *
 *   echo                          is the server; it prints its process and channel number
 *   echo PID CHID WORD            is a client; it sends WORD and prints the answer
 *
 *   cc -o echo echo.c $(pkg-config --cflags --libs nuntius)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

typedef union Message {
        struct _pulse pulse;
        char text[256];
} Message;

static int fail(const char *what) {
        perror(what);
        return EXIT_FAILURE;
}

/* A pulse comes without anybody who waits for an answer; it tells that a client has gone. */
static void take_pulse(const struct _pulse *pulse) {
        if (pulse->code != _PULSE_CODE_DISCONNECT)
                return;
        printf("a client has gone\n");
        ConnectDetach(pulse->scoid);
}

static int serve(void) {
        int chid = ChannelCreate(_NTO_CHF_DISCONNECT);

        if (chid < 0)
                return fail("ChannelCreate");
        printf("%d %d\n", getpid(), chid);
        fflush(stdout);
        for (;;) {
                struct _msg_info info;
                Message message;
                int rcvid = MsgReceive(chid, &message, sizeof(message), &info);

                if (rcvid < 0)
                        return fail("MsgReceive");
                if (rcvid == 0) {
                        take_pulse(&message.pulse);
                        continue;
                }
                printf("process %d says: %.*s\n", info.pid, (int)info.msglen, message.text);
                fflush(stdout);
                /* The client wakes up with this status, and with these bytes in its reply buffer. */
                MsgReply(rcvid, EOK, message.text, info.msglen);
        }
}

static int ask(pid_t pid, int chid, const char *word) {
        char answer[256];
        int coid = ConnectAttach(ND_LOCAL_NODE, pid, chid, _NTO_SIDE_CHANNEL, 0);

        if (coid < 0)
                return fail("ConnectAttach");
        /* Blocks until the server has replied. */
        if (MsgSend(coid, word, strlen(word) + 1, answer, sizeof(answer)) < 0)
                return fail("MsgSend");
        answer[sizeof(answer) - 1] = '\0';
        printf("%s\n", answer);
        return ConnectDetach(coid) < 0 ? fail("ConnectDetach") : EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        if (argc == 1)
                return serve();
        if (argc == 4)
                return ask(atoi(argv[1]), atoi(argv[2]), argv[3]);
        fprintf(stderr, "Usage: echo              serves, and prints PID and CHID\n"
                        "       echo PID CHID WORD  sends WORD to that server\n");
        return EXIT_FAILURE;
}
