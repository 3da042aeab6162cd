/* SPDX-License-Identifier: MIT */
#include "daemon/journal.h"

#include "base/error.h"
#include "base/failpoint.h"
#include "daemon/kernel.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static uint32_t *redo_place(Kernel *kernel, const JournalRedo *redo) {
        char *record = table_resolve(&kernel->tables[redo->noun], redo->record);

        assert(record);
        return (uint32_t *)(record + redo->offset);
}

void journal_set(Kernel *kernel, Noun noun, void *record, void *at, uint32_t value) {
        Journal *journal = &kernel->journal;
        JournalRedo *redo = &journal->redo[journal->n_redo];

        assert(journal->n_redo < JOURNAL_REDO_MAX && !journal->is_committed);
        *redo = (JournalRedo){ .noun = noun,
                               .record = table_ref(&kernel->tables[noun], record),
                               .offset = (uint32_t)((char *)at - (char *)record),
                               .value = value };
        assert(journal_redo_is_allowed(redo));
        journal->n_redo++;
}

void journal_retire(Kernel *kernel, Noun noun, void *record) {
        journal_set(kernel, noun, record, record, RECORD_DYING);
}

void journal_news(Kernel *kernel, const ProcessRecord *to, const WireNews *news, int32_t ring_chid) {
        Journal *journal = &kernel->journal;

        journal->news_to = table_ref(&kernel->tables[NOUN_PROCESS], to);
        journal->news_chid = ring_chid;
        journal->news = *news;
}

void journal_news_sent(Kernel *kernel) {
        if (kernel->journal.record)
                table_ref_clear(&kernel->journal.record->news_to);
}

static bool can_answer_again(const WireReply *reply, const JournalFd fds[ANSWER_FDS]) {
        for (unsigned i = 0; i < ANSWER_FDS; i++)
                if (reply->fds & 1u << i && fds[i].kind == STORED_N)
                        return false;
        return true;
}

static void journal_write(Kernel *kernel, const ProcessRecord *process, const WireRequest *request,
                          const WireReply *reply, const JournalFd fds[ANSWER_FDS], bool answers) {
        Journal *journal = &kernel->journal;
        JournalRecord *record;

        if (table_new(&kernel->tables[NOUN_JOURNAL], &record))
                return; /* its one place is made with it, so this is for ever or never */
        record->process = table_ref(&kernel->tables[NOUN_PROCESS], process);
        record->request = *request;
        record->reply = *reply;
        record->answers = answers;
        memcpy(record->fds, fds, sizeof(record->fds));
        memcpy(record->redo, journal->redo, sizeof(record->redo));
        record->n_redo = journal->n_redo;
        if (journal->news_to.generation) {
                record->news_to = journal->news_to;
                record->news_chid = journal->news_chid;
                record->news = journal->news;
        }
        FAILPOINT("daemon-journal-written");
        table_publish(record);
        FAILPOINT("daemon-journal-committed");
        journal->record = record;
}

void journal_commit(Kernel *kernel, const ProcessRecord *process, const WireRequest *request,
                    const WireReply *reply, const JournalFd fds[ANSWER_FDS], bool answers) {
        Journal *journal = &kernel->journal;

        assert(!journal->is_committed);
        if (journal->is_on && can_answer_again(reply, fds))
                journal_write(kernel, process, request, reply, fds, answers);
        journal->is_committed = true;
        for (uint32_t i = 0; i < journal->n_redo; i++) {
                table_store(redo_place(kernel, &journal->redo[i]), journal->redo[i].value);
                FAILPOINT("daemon-journal-redone");
        }
}

void journal_sent(Kernel *kernel) {
        if (kernel->journal.record)
                table_store(&kernel->journal.record->is_sent, 1);
}

void journal_clear(Kernel *kernel) {
        Journal *journal = &kernel->journal;

        if (journal->record)
                table_drop(&kernel->tables[NOUN_JOURNAL], journal->record);
        FAILPOINT("daemon-journal-cleared");
        journal->record = NULL;
        journal->n_redo = 0;
        journal->news_to.generation = 0;
        journal->is_committed = false;
}

bool journal_redo_is_allowed(const JournalRedo *redo) {
        static const struct {
                uint32_t noun, offset;
        } allowed[] = {
#define X(name, type, member) { NOUN_##name, offsetof(type, member) },
                REDOABLE(X)
#undef X
        };

        if (redo->offset == 0 && redo->value == RECORD_DYING)
                return redo->noun > NOUN_USER && redo->noun < NOUN_N;
        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
                if (allowed[i].noun == redo->noun && allowed[i].offset == redo->offset)
                        return true;
        return false;
}
