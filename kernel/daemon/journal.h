/* SPDX-License-Identifier: MIT */
/*
 * Journal: the request that is being carried out, its answer, and what it changes in records that are
 * LIVE already: so much that a daemon started after this one either has not begun it or finishes it.
 * It is a table of one record:
 *
 *   FREE     -> BUILDING  journal_set, journal_commit   being written
 *   BUILDING -> LIVE      journal_commit                committed: the request will be finished
 *   LIVE     -> FREE      journal_clear                 answered, and no longer in its socket
 *   BUILDING -> FREE      journal_clear                 the request was refused
 *
 * While it is LIVE every BUILDING record is as good as LIVE; while it is not, as good as FREE.
 */
#pragma once

#include "daemon/record.h"
#include "daemon/store.h"

typedef struct Kernel Kernel;

/*
 * What a request may change in a LIVE record: noun, structure, member of 32 bits. Beside these, its state
 * may become DYING. A successor refuses a journal that changes anything else.
 */
#define REDOABLE(X)                                                                                \
        X(PROCESS, ProcessRecord, next_chid)                                                       \
        X(CONNECTION, ConnectionRecord, coid)                                                      \
        X(CONNECTION, ConnectionRecord, flags)

typedef struct Journal {
        JournalRecord *record; /* NULL = empty */
        JournalRedo redo[JOURNAL_REDO_MAX];
        uint32_t n_redo;
        RecordRef news_to;
        int32_t news_chid;
        WireNews news;
        bool is_on; /* there is a store, so somebody may come after us */
        bool is_committed;
} Journal;

/* Together with the commit: @at, a member of @record, holds @value. */
void journal_set(Kernel *kernel, Noun noun, void *record, void *at, uint32_t value);
/* Together with the commit: teardown of @record has begun. */
void journal_retire(Kernel *kernel, Noun noun, void *record);

/* Together with the commit: this has to be told to @to, once. journal_news_sent() follows. */
void journal_news(Kernel *kernel, const ProcessRecord *to, const WireNews *news, int32_t ring_chid);
void journal_news_sent(Kernel *kernel);

/*
 * The point of no return. @fds: what each bit of reply->fds is stored as; one that is not stored (STORED_N)
 * means that the answer cannot be given again, and the request is read again instead.
 */
void journal_commit(Kernel *kernel, const ProcessRecord *process, const WireRequest *request,
                    const WireReply *reply, const JournalFd fds[ANSWER_FDS], bool answers);
/* The reply is on its way: whoever comes after us need not send it, too. */
void journal_sent(Kernel *kernel);
/* The request is over. */
void journal_clear(Kernel *kernel);

/* May a journal change this? For those who check one. */
bool journal_redo_is_allowed(const JournalRedo *redo);
