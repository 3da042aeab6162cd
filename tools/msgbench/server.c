/* SPDX-License-Identifier: MIT */
/*
 * Server: receive, reply.
 */
#include "server.h"

#include "baseline.h"
#include "crew.h"

#include <errno.h>
#include <sys/neutrino.h>

#define BUFFER_SKEW 2112u /* where the last buffer of the memcpy baseline lies in its page */

_Noreturn void server_loop(int chid, void *buffer, uint64_t room) {
        uint64_t answer = 1;

        for (;;) {
                int rcvid = MsgReceive(chid, buffer, room, NULL);

                if (rcvid > 0)
                        MsgReply(rcvid, 0, &answer, sizeof(answer));
                else if (rcvid < 0 && errno != EINTR)
                        crew_exit(-errno);
        }
}

void server_serve(Stage *stage) {
        uint64_t room = stage->bytes > 64 ? stage->bytes : 64;
        void *buffer = baseline_buffer(room, BUFFER_SKEW);
        int chid = ChannelCreate(0);

        if (!buffer || chid < 0)
                crew_exit(buffer ? -errno : -ENOMEM);
        stage_ready(stage, chid);
        server_loop(chid, buffer, room);
}

int server_attach(const Address *server) {
        int coid = ConnectAttach(0, server->pid, server->chid, _NTO_SIDE_CHANNEL, 0);

        return coid < 0 ? -errno : coid;
}

int server_begin(Stage *stage) {
        stage->coid = server_attach(&stage->server);
        return stage->coid < 0 ? stage->coid : 0;
}

int server_turn(Stage *stage) {
        uint64_t question = 1, answer;

        return MsgSend(stage->coid, &question, sizeof(question), &answer, sizeof(answer)) < 0 ? -errno : 0;
}

const Duet server_duet = { .serve = server_serve, .begin = server_begin, .turn = server_turn };
