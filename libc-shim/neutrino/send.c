/* SPDX-License-Identifier: MIT */
/*
 * Send: the client's side of a conversation.
 *
 * The wait has these steps, and what can end it cites them:
 *   (0) the message is written into the slot
 *   (1) slot_send: the slot says SEND
 *   (2) bell_call: the server is told, unless it looks at this slot by itself
 *   (3) the thread watches the slot's word, then sleeps on it
 *       (3A) the server answers           slot_reply       -> DONE
 *       (3B) the server dies              slot_fail        -> DONE, by the daemon
 *       (3C) a signal, a time-out, a cancellation, a ConnectDetach by another thread: leave()
 *       (3D) the connection died before the server took the message, or the server while it held
 *            it and was failed already: leave()
 *   (4) the outcome is read from the slot, by this thread, once
 *
 * (1) before (2), and a dead connection is looked at after (1): the daemon marks connections dead
 * before it fails slots, so one of the two sees the other.
 */
#include "neutrino/message.h"
#include "neutrino/result.h"
#include "neutrino/timeout.h"
#include "base/failpoint.h"
#include "runtime/boost.h"
#include "runtime/session.h"
#include "runtime/thread.h"
#include "runtime/timeout.h"
#include "shm/bell.h"
#include "shm/link.h"
#include "shm/slot.h"
#include "shm/word.h"
#include "shm/xfer.h"
#include "sys/neutrino.h"

#include <limits.h>
#include <pthread.h>

/* How long a polling send (time-out of 0) gives a receiver that is there to take the message. */
#define POLL_GRACE_NS 1000000ull
#define POLL_GRACE_RECEIVER_NS 100000000ull

typedef struct Conversation {
        Thread *thread;
        Connection *connection;
        OutSlot *slot;
        uint32_t generation;
        bool may_cancel;
        bool asked;        /* unblock pulse is on its way: nothing but the answer ends the wait */
        bool was_asleep;   /* the bell found the receiver asleep */
        Timeout timeout;
        Deadline grace;    /* of a polling send, while the message is not taken */
} Conversation;

/* What MsgSend comes to. A server may answer with any number, so failure is told apart here. */
typedef struct Sent {
        long value; /* status, or -errno */
        bool failed;
} Sent;

static Sent failed(long error) {
        return (Sent){ .value = error, .failed = true };
}

static bool wants_unblock(const Conversation *c) {
        return c->connection->channel_flags & _NTO_CHF_UNBLOCK;
}

/* About a state that nobody expects: the server looks by itself only for messages. */
static void ring(const Conversation *c) {
        bell_ring(c->connection->bell, c->connection->lane, c->slot->index % BELL_SLOT_BITS);
}

/*
 * (3C), (3D): tries to get out with @error. True when out; false when the state has moved on, or when
 * the server has been asked and must answer.
 */
static bool leave(Conversation *c, uint32_t word, int error) {
        if (slot_state(word) == SLOT_SEND)
                return slot_withdraw(c->slot->shm, c->generation);
        if (slot_state(word) != SLOT_REPLY)
                return false;
        FAILPOINT("send:leave-reply");
        if (wants_unblock(c) && !link_server_is_gone(c->connection->link->map)) {
                if (slot_unblock(c->slot->shm, c->generation, error)) {
                        c->asked = true;
                        ring(c);
                }
                return false;
        }
        if (!slot_abandon(c->slot->shm, c->generation))
                return false;
        outlink_abandon(c->slot);
        ring(c); /* so that the server lets go of the slot */
        return true;
}

/* When a wait in @state ends by itself: a polling send waits a little for a receiver, not for a reply. */
static const Deadline *deadline_for(const Conversation *c, uint32_t state) {
        static const Deadline never;
        uint32_t bit = state == SLOT_SEND ? _NTO_TIMEOUT_SEND : _NTO_TIMEOUT_REPLY;

        if (c->asked || !(c->timeout.flags & bit))
                return &never;
        return c->timeout.immediate && state == SLOT_SEND ? &c->grace : &c->timeout.deadline;
}

/* Why this thread wants out in @state, as a positive errno; 0 = it does not. */
static int reason_to_leave(Conversation *c, uint32_t state) {
        if (word_load(&c->thread->kicked) == c->connection->id)
                return EBADF;
        if (c->thread->interrupted)
                return c->thread->interrupted;
        return deadline_passed(deadline_for(c, state)) && timeout_ends(&c->timeout) ? ETIMEDOUT : 0;
}

/* Where the server last ran; -1 when it is not known. */
static int server_core(const Conversation *c) {
        return (int)word_load_relaxed(&c->connection->bell->core) - 1;
}

static bool is_over(uint32_t word) {
        return slot_state(word) == SLOT_DONE;
}

/* While we wait, only these are possible; a server that wrote anything else has broken its conversation. */
static bool is_spoiled(const Conversation *c, uint32_t word) {
        if (slot_generation(word) != c->generation)
                return true;
        return slot_state(word) != SLOT_SEND && slot_state(word) != SLOT_REPLY;
}

/* (3) Watches the word. True when the conversation is over. */
static bool watch(Conversation *c) {
        Spin spin = spin_begin((uint64_t)spin_default());
        SpinCredit *credit = &c->thread->send_credit;
        bool over;

        if (thread_is_realtime(c->thread) || !spin_allowed(credit, server_core(c), spin.limit))
                return false;
        spin_head_start(&c->thread->send_head); /* the server needs the line that we are going to watch */
        over = is_over(slot_peek(c->slot->shm));
        spin_head_learn(&c->thread->send_head, !over);
        while (!over && !c->thread->interrupted && spin_turn(&spin))
                over = is_over(slot_peek(c->slot->shm));
        if (over)
                spin_paid(credit);
        else
                spin_lost(credit);
        return over;
}

static void cancelled(void *argument) {
        Conversation *c = argument;
        int old;

        pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old);
        for (;;) {
                uint32_t word = slot_peek(c->slot->shm);

                if (is_over(word) || is_spoiled(c, word) || (!c->asked && leave(c, word, EINTR)))
                        break;
                if (slot_prepare_sleep(c->slot->shm, word))
                        slot_sleep(c->slot->shm, word, &(Deadline){ 0 });
                slot_end_sleep(c->slot->shm);
        }
        if (is_over(slot_peek(c->slot->shm)))
                slot_finish(c->slot->shm);
        c->thread->asleep_on = NULL;
        thread_show_running(c->thread);
        call_leave(c->thread);
}

static void sleep_on(Conversation *c, uint32_t word) {
        slot_sleep(c->slot->shm, word, deadline_for(c, slot_state(word)));
}

/* Cancellation may come at any instruction of the sleep; cancelled() copes with each. */
static void sleep_cancellable(Conversation *c, uint32_t word) {
        int old;

        pthread_cleanup_push(cancelled, c);
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
        sleep_on(c, word);
        pthread_setcanceltype(old, &old);
        pthread_cleanup_pop(0);
}

static void sleep_once(Conversation *c, uint32_t word) {
        uint64_t begun = clock_now();

        c->thread->asleep_on = c->slot->shm;
        word_signal_fence();
        /* A handler or a kick that came before the announcement woke nothing: look once more. */
        if (slot_prepare_sleep(c->slot->shm, word) &&
            (c->asked || !reason_to_leave(c, slot_state(word)))) {
                if (c->may_cancel)
                        sleep_cancellable(c, word);
                else
                        sleep_on(c, word);
        }
        slot_end_sleep(c->slot->shm);
        c->thread->asleep_on = NULL;
        spin_slept(&c->thread->send_credit, clock_now() - begun, (uint64_t)spin_default());
}

/* The sleep in SEND must end when REPLY begins, where REPLY has a nearer end of its own. */
static bool must_be_told(const Conversation *c, uint32_t word) {
        uint32_t flags = c->timeout.flags & (_NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY);

        if (!(flags & _NTO_TIMEOUT_REPLY) || slot_state(word) != SLOT_SEND || (word & SLOT_TELL))
                return false;
        return flags == _NTO_TIMEOUT_REPLY || c->timeout.immediate;
}

/*
 * (3D) as a positive errno; 0 = the server may answer. A server that the daemon has buried while it lives on
 * may have taken the message after our slot was failed: nobody would end that.
 */
static int lost(const Conversation *c, uint32_t state) {
        if (state == SLOT_REPLY)
                return link_server_is_gone(c->connection->link->map) ? ESRCH : 0;
        if (connection_is_live(c->connection))
                return 0;
        return connection_is_detached(c->connection) ? EBADF : ESRCH;
}

/* (3) until DONE: 0, or the errno with which this thread got out. */
static int await(Conversation *c) {
        ShmSlot *shm = c->slot->shm;

        for (;;) {
                uint32_t word;
                int error;

                if (watch(c))
                        return 0;
                word = slot_peek(shm);
                if (is_over(word))
                        return 0;
                if (is_spoiled(c, word))
                        return ESRCH;
                error = c->asked ? 0 : reason_to_leave(c, slot_state(word));
                if (!error)
                        error = lost(c, slot_state(word));
                if (!error && must_be_told(c, word)) {
                        slot_tell(shm, c->generation);
                        continue;
                }
                if (!error) {
                        sleep_once(c, word);
                        continue;
                }
                if (leave(c, word, error))
                        return error;
        }
}

/* (4) */
static Sent outcome(const Conversation *c, const Message *message) {
        const ShmSlot *shm = c->slot->shm;
        Sent sent = { .value = (long)SHM_LOAD(shm->status), .failed = SHM_LOAD(shm->failed) & SLOT_FAILED };
        int r = message_take_reply(message, c->slot);

        slot_expect_send(c->slot->shm); /* the server reads it no more: it may come back before the next send */
        return r < 0 ? failed(r) : sent;
}

static void describe(const Conversation *c) {
        ShmSlot *shm = c->slot->shm;

        c->slot->connection = c->connection->index;
        shm->connection = c->connection->index;
        shm->scoid = c->connection->scoid;
        shm->coid = c->connection->coid;
        shm->tid = (int32_t)c->thread->tid;
        shm->priority = (uint8_t)priority_now(c->thread);
        shm->client_core = clock_core();
        shm->stamp = clock_stamp();
}

static void show_blocked(const Conversation *c) {
        thread_show(c->thread, STATE_SEND, c->connection->server_pid, c->connection->chid,
                    c->connection->link->id, c->slot->index);
}

/* A time-out of 0 asks "would it block": a receiver that waits is given the time to take the message. */
static void allow_grace(Conversation *c) {
        uint64_t grace = POLL_GRACE_NS;

        if (!c->timeout.immediate)
                return;
        if (word_load(&c->connection->bell->receivers) > 0)
                grace = POLL_GRACE_RECEIVER_NS;
        c->grace = timeout_after(grace);
}

static Sent send_once(Conversation *c, const Message *message) {
        int r;

        r = message_put(message, c->slot); /* (0) */
        if (r < 0)
                return failed(r);
        describe(c);
        allow_grace(c);
        FAILPOINT("send:written");
        show_blocked(c);
        thread_show_crew(c->thread, STATE_SEND);
        c->generation = slot_send(c->slot->shm); /* (1) */
        FAILPOINT("send:sent");
        boost_while_sending(c->thread, c->connection, c->slot);
        bell_call(c->connection->bell, c->connection->lane, c->slot->index); /* (2) */
        boost_after_send(c->thread, c->connection);
        FAILPOINT("send:rung");
        r = await(c); /* (3) */
        thread_show_running(c->thread);
        thread_show_crew(c->thread, STATE_RUNNING);
        if (r > 0)
                return failed(-r);
        FAILPOINT("send:answered");
        return outcome(c, message);
}

static Sent converse(Conversation *c, int coid, const Message *message) {
        int r;

        if (coid == SYSMGR_COID)
                return failed(-ENOSYS); /* the daemon answers no messages of its own */
        r = connection_look_up(coid, &c->connection);
        if (r < 0)
                return failed(r);
        if (!connection_is_live(c->connection))
                return failed(-EBADF);
        c->asked = false;
        c->slot = outlink_slot(c->connection->link, c->thread, &r);
        return c->slot ? send_once(c, message) : failed(r);
}

static int measure(ssize_t *bytes, const struct iovec *iov, size_t parts) {
        if (*bytes == XFER_MEASURE)
                *bytes = xfer_total(iov, parts);
        return *bytes < 0 ? (int)*bytes : 0;
}

static Sent send_inside(Conversation *c, int coid, Message *message) {
        int r = measure(&message->send_bytes, message->send, message->send_parts);

        if (r == 0)
                r = measure(&message->reply_bytes, message->reply, message->reply_parts);
        return r < 0 ? failed(r) : converse(c, coid, message);
}

/* ERESTART: the call is left, so that handlers run that have waited for the answer, and made again. */
static Sent send_message(int coid, Message *message, bool may_cancel) {
        Conversation c = { .thread = call_enter(), .may_cancel = may_cancel };
        Sent sent;

        c.timeout = call_take_timeout(c.thread);
        sent = send_inside(&c, coid, message);
        call_leave(c.thread);
        while (sent.failed && sent.value == -ERESTART) {
                if (may_cancel)
                        pthread_testcancel();
                call_enter();
                sent = send_inside(&c, coid, message);
                call_leave(c.thread);
        }
        return sent;
}

static Sent send_parts(int coid, const iov_t *siov, size_t sparts, ssize_t sbytes, const iov_t *riov,
                       size_t rparts, ssize_t rbytes, bool may_cancel) {
        Message message = {
                .send = siov, .send_parts = sparts, .send_bytes = sbytes,
                .reply = riov, .reply_parts = rparts, .reply_bytes = rbytes,
        };

        if (may_cancel)
                pthread_testcancel();
        return send_message(coid, &message, may_cancel);
}

/* Any status is a status; only an error is an error. */
static long plain(Sent sent) {
        if (!sent.failed)
                return sent.value;
        errno = (int)-(unsigned long)sent.value; /* a lying server may have chosen any number */
        return -1;
}

/* ---- the sixteen forms ---- */

/* One buffer as an iovec of one part; a caller's iovec; each with its length. */
#define ONE(address, bytes)                                                                        \
        &(iov_t){ .iov_base = (void *)(address), .iov_len = (bytes) }, 1,                          \
                (bytes) > SSIZE_MAX ? -EOVERFLOW : (ssize_t)(bytes)
#define MANY(iov, parts) iov, parts, XFER_MEASURE

#define FORM(name, parameters, ...)                                                                \
        long name##_r parameters {                                                                 \
                return send_parts(coid, __VA_ARGS__).value;                                        \
        }                                                                                          \
        long name parameters {                                                                     \
                return plain(send_parts(coid, __VA_ARGS__));                                       \
        }

FORM(MsgSend, (int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes),
     ONE(smsg, sbytes), ONE(rmsg, rbytes), true)
FORM(MsgSendnc, (int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes),
     ONE(smsg, sbytes), ONE(rmsg, rbytes), false)
FORM(MsgSendsv, (int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts),
     ONE(smsg, sbytes), MANY(riov, rparts), true)
FORM(MsgSendsvnc, (int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts),
     ONE(smsg, sbytes), MANY(riov, rparts), false)
FORM(MsgSendvs, (int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes),
     MANY(siov, sparts), ONE(rmsg, rbytes), true)
FORM(MsgSendvsnc, (int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes),
     MANY(siov, sparts), ONE(rmsg, rbytes), false)
FORM(MsgSendv, (int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts),
     MANY(siov, sparts), MANY(riov, rparts), true)
FORM(MsgSendvnc, (int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts),
     MANY(siov, sparts), MANY(riov, rparts), false)
