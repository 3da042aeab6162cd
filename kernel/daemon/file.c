/* SPDX-License-Identifier: MIT */
#include "daemon/file.h"

#include "base/failpoint.h"
#include "daemon/news.h"
#include "daemon/request.h"
#include "daemon/session.h"

#include <errno.h>

uint64_t file_number(const Lifeline *lifeline) {
        RecordRef ref = table_ref(&lifeline->kernel->tables[NOUN_LIFELINE], lifeline->record);

        return (uint64_t)ref.generation << 32 | ref.index;
}

void file_connection_ends(const Connection *connection) {
        if (connection->record->bound && connection->lane)
                news_file_left(connection->lane, connection->record->index);
}

void file_lifeline_ends(const Lifeline *lifeline) {
        if (lifeline->record->bound && lifeline->channel)
                news_file_close(lifeline->channel, file_number(lifeline));
}

static Connection *connection_at(const Lane *lane, uint32_t index) {
        Connection *connection;

        LIST_FOREACH(connection, &lane->connections, Connection, of_lane)
                if (connection->record->index == index)
                        return connection;
        return NULL;
}

int request_file_bind(Session *session, Request *request, Answer *answer) {
        const WireFileBind *bind = &request->wire.file_bind;
        Lane *lane = lane_find(session->process, bind->scoid);
        Connection *connection = lane ? connection_at(lane, bind->index) : NULL;

        if (!connection || !connection->lifeline)
                return -EBADF;

        /* point of no return */
        connection->record->bound = 1;
        connection->lifeline->record->bound = 1;
        FAILPOINT("daemon-file-bound");
        answer->reply.file.file = file_number(connection->lifeline);
        return 0;
}

int request_file_sync(Session *session, Request *request, Answer *answer) {
        (void)request;
        (void)answer;
        store_settle(&session->kernel->store);
        lifelines_look(session->kernel);
        return 0;
}
