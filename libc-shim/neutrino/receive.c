/* SPDX-License-Identifier: MIT */
/*
 * Receive: take the first message or pulse of a channel, or wait for one.
 *
 * Any number of threads may be here for one channel. One of them watches the bells, the others sleep;
 * a sender wakes one sleeper, and whoever leaves with something passes the wake on if more is there
 * (the baton), so no message waits while a receiver sleeps.
 *
 * The wait:
 *   (1) announce in each bell that somebody sleeps          bell_prepare_sleep
 *   (2) look once more                                      channel_has_work
 *   (3) sleep on the bells' words                           ended by bell_ring, bell_wake_*, a handler
 *   (4) look at everything again, under the server lock
 */
#include "base/failpoint.h"
#include "neutrino/bytes.h"
#include "neutrino/info.h"
#include "neutrino/result.h"
#include "neutrino/timeout.h"
#include "runtime/channel.h"
#include "runtime/crew.h"
#include "runtime/lane.h"
#include "runtime/news.h"
#include "runtime/origin.h"
#include "runtime/priority.h"
#include "runtime/receipt.h"
#include "runtime/session.h"
#include "runtime/timeout.h"
#include "runtime/timer.h"
#include "shm/bell.h"
#include "shm/copy.h"
#include "shm/slot.h"
#include "shm/word.h"
#include "shm/xfer.h"
#include "sys/neutrino.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct Reception {
        Thread *thread;
        Channel *channel;
        const struct iovec *iov;
        size_t parts;
        size_t room;
        struct _msg_info *info;
        bool pulses_only;
        Timeout timeout;
        unsigned priority; /* of what was taken; 0 = the thread's own */
        Receipt *receipt; /* a message that is taken and not copied yet */
} Reception;

/* A watch looks at the regulars each turn, and at the leaves every so many turns. */
#define LOOK_AROUND 4

/* Outcomes of looking once, beside rcvids, 0 and -errno. */
#define NOTHING_YET (-(1 << 20))

/* ---- a message ---- */

/* The client's iovec lies in the slot: copied once, then checked. */
static int copy_direct(Receipt *receipt, const ShmSlot *shm) {
        uint32_t parts = SHM_LOAD(shm->parts);
        size_t bytes = parts * sizeof(struct iovec);

        if (parts > SLOT_MESSAGE_ROOM / sizeof(struct iovec))
                return -EFAULT;
        receipt->direct = malloc(bytes ? bytes : 1);
        if (!receipt->direct)
                return -ENOMEM;
        memcpy(receipt->direct, shm->message, bytes);
        receipt->n_direct = parts;
        return 0;
}

/* We may have been told of it, and had no memory to take it; then the sender shall try again. */
static int no_such_place(void) {
        return news_unread() ? -EAGAIN : -EFAULT;
}

static int place_message(Receipt *receipt, ShmSlot *shm, uint32_t at) {
        receipt->message = NULL;
        receipt->direct = NULL;
        if (at == SLOT_AT_DIRECT)
                return copy_direct(receipt, shm);
        if (at == SLOT_AT_INLINE)
                receipt->message = receipt->message_bytes <= SLOT_MESSAGE_ROOM ? shm->message : NULL;
        else
                receipt->message = inlink_bulk(receipt->link, at, receipt->message_bytes);
        return receipt->message ? 0 : no_such_place();
}

static int place_reply(Receipt *receipt, ShmSlot *shm, uint32_t at) {
        if (at == SLOT_AT_INLINE)
                receipt->reply = receipt->reply_room <= SLOT_REPLY_ROOM ? shm->reply
                                                                       : NULL;
        else
                receipt->reply = inlink_bulk(receipt->link, at, receipt->reply_room);
        return receipt->reply ? 0 : no_such_place();
}

/* The description is read out of shared memory here, once; from now on only the copy counts. */
static int decode(Receipt *receipt, Lane *lane, InSlot *slot, ShmSlot *shm) {
        int r;

        receipt->link = lane->link;
        receipt->slot = slot;
        receipt->shm = shm;
        receipt->generation = slot->generation;
        receipt->chid = lane->channel->chid;
        receipt->channel_flags = lane->channel->flags;
        receipt->scoid = lane->scoid;
        receipt->coid = SHM_LOAD(shm->coid);
        receipt->connection = SHM_LOAD(shm->connection);
        receipt->tid = SHM_LOAD(shm->tid);
        receipt->priority = slot->entry.priority;
        receipt->unblock = receipt->orphan = false;
        receipt->message_bytes = SHM_LOAD(shm->message_bytes);
        receipt->reply_room = SHM_LOAD(shm->reply_room);
        receipt->n_ranges = 0;
        slot->receipt = receipt;
        lane->link->n_receipts++;
        if (receipt->message_bytes > SSIZE_MAX || receipt->reply_room > SSIZE_MAX)
                return -EOVERFLOW;
        r = place_message(receipt, shm, SHM_LOAD(shm->message_at));
        return r < 0 ? r : place_reply(receipt, shm, SHM_LOAD(shm->reply_at));
}

/* What the sender described does not exist: it gets the error, and we look for the next message. */
static void refuse(Receipt *receipt, int error) {
        slot_put_error(receipt->shm, error);
        slot_reply(receipt->shm, receipt->generation);
        receipt_drop_locked(receipt);
        receipt_done_locked(receipt);
}

static int take_message_locked(Reception *rx, InSlot *slot) {
        ShmSlot *shm = slot->shm;
        Receipt *receipt;
        int rcvid, r;

        if (!slot_receive(shm, slot->generation))
                return NOTHING_YET; /* withdrawn */
        FAILPOINT("receive:taken");
        receipts_reclaim_locked();
        if (slot->receipt) /* held still, and sent again: its client cheats */
                receipt_drop_locked(slot->receipt);
        receipt = receipt_new_locked(&rcvid);
        if (!receipt) {
                slot_put_error(shm, EAGAIN);
                slot_reply(shm, slot->generation);
                return NOTHING_YET;
        }
        r = decode(receipt, slot->lane, slot, shm);
        if (r < 0) {
                refuse(receipt, -r);
                return NOTHING_YET;
        }
        if (receipt->message_bytes > SLOT_MESSAGE_ROOM)
                inlink_try_direct_locked(slot->link);
        rx->thread->last_client_core = SHM_LOAD(shm->client_core);
        origin_note_locked(&(Origin){ rcvid, receipt->scoid, receipt->coid, receipt->tid });
        rx->receipt = receipt;
        rx->priority = receipt->priority;
        return rcvid;
}

static size_t smaller(size_t a, size_t b) {
        return a < b ? a : b;
}

/* Copies without the lock. 0, or -errno as receipt_read(). */
static int copy_message(const Reception *rx, Receipt *receipt) {
        size_t n = smaller(rx->room, receipt->message_bytes);

        receipt->received_bytes = n;
        return receipt_read(receipt, rx->iov, rx->parts, n, 0);
}

/*
 * A bad address of the sender is the sender's error and we wait on; one of ours is ours, and the
 * sender learns that the fault was the server's. Where direct reading is refused after all, the
 * sender sends again through shared memory.
 */
static int fail_copy(Receipt *receipt, int r) {
        int error = r == -ESRVRFAULT ? ESRVRFAULT : r == -EPERM ? ERESTART : EFAULT;

        server_lock();
        if (r == -EPERM)
                word_store(&receipt->link->map->direct, 0);
        refuse(receipt, error);
        server_unlock();
        return r == -ESRVRFAULT ? -EFAULT : NOTHING_YET;
}

static bool give_info(const Reception *rx) {
        struct _msg_info info;

        info_fill(&info, rx->receipt, (ssize_t)rx->receipt->received_bytes);
        return copy_bytes(rx->info, &info, sizeof(info));
}

/* Without the lock: nobody else knows the rcvid yet. */
static int finish_message(const Reception *rx, int rcvid) {
        int r;

        FAILPOINT("receive:unlocked");
        r = copy_message(rx, rx->receipt);
        if (r < 0)
                return fail_copy(rx->receipt, r);
        if (rx->info && !give_info(rx))
                return fail_copy(rx->receipt, -ESRVRFAULT);
        receipt_done(rx->receipt);
        return rcvid;
}

/* ---- a pulse ---- */

static int deliver_pulse_locked(Reception *rx, Pulse *pulse) {
        struct _pulse out;
        InLink *from = pulse->from;

        memset(&out, 0, sizeof(out));
        out.type = _PULSE_TYPE;
        out.subtype = _PULSE_SUBTYPE;
        out.code = pulse->code;
        memcpy(&out.value, &pulse->value, sizeof(pulse->value));
        out.scoid = pulse->scoid;
        rx->priority = pulse->entry.priority;
        if (from && word_load_relaxed(&from->ring_backlog))
                collect_ring_locked(from, rx->channel);
        pulse_free_locked(pulse);
        if (rx->room < sizeof(out))
                return -EFAULT; /* the pulse is lost */
        return xfer_scatter(rx->iov, rx->parts, 0, &out, sizeof(out)) ? 0 : -EFAULT;
}

/* ---- looking ---- */

/* The next sleeper takes the next message; and senders must wake those that go on sleeping. */
static void pass_baton_locked(Channel *channel) {
        if (channel->queue.n > 0)
                word_store_relaxed(&channel->queued_hint, 1); /* ends the watch of the one that watches */
        if (channel->sleepers == 0)
                return;
        for (unsigned i = 0; i < channel->n_bells; i++)
                bell_prepare_sleep(channel->bells[i]->map);
        if (channel->queue.n > 0 || channel_has_work(channel))
                bell_wake_one(channel->bells[0]->map);
}

static void publish_core(const Channel *channel) {
        uint32_t core = clock_core() + 1u;

        for (unsigned i = 0; i < channel->n_bells; i++)
                if (word_load_relaxed(&channel->bells[i]->map->core) != core)
                        word_store_relaxed(&channel->bells[i]->map->core, core);
}

static int take_entry_locked(Reception *rx, Entry *entry) {
        if (entry->kind == ENTRY_PULSE)
                return deliver_pulse_locked(rx, (Pulse *)entry);
        return take_message_locked(rx, (InSlot *)entry);
}

static int look_locked(Reception *rx) {
        Entry *entry;

        timers_run_locked(rx->channel);
        channel_collect_locked(rx->channel, false);
        while ((entry = queue_pop(&rx->channel->queue, rx->pulses_only))) {
                int r = take_entry_locked(rx, entry);

                if (r != NOTHING_YET)
                        return r;
        }
        return NOTHING_YET;
}

/* ---- waiting ---- */

static uint64_t spin_limit(const Channel *channel) {
        return (uint64_t)(channel->spin_ns >= 0 ? channel->spin_ns : spin_default());
}

/* While one thread watches, senders need not wake another; pass_baton_locked() takes this back. */
static void call_off_wakes(const Channel *channel) {
        if (channel->sleepers == 0)
                return;
        for (unsigned i = 0; i < channel->n_bells; i++)
                bell_cancel_sleep(channel->bells[i]->map);
}

/* Watches without the lock; at most one thread of a channel does. True when there is something. */
static bool watch_locked(Reception *rx) {
        Channel *channel = rx->channel;
        SpinCredit *credit = &rx->thread->receive_credit;
        Spin spin = spin_begin(spin_limit(channel));
        bool found = false;

        if (channel->watched || thread_is_realtime(rx->thread) ||
            !spin_allowed(credit, rx->thread->last_client_core, spin.limit))
                return false;
        channel->watched = true;
        call_off_wakes(channel);
        spin_end_by(&spin, timers_next_locked(channel));
        server_unlock();
        do
                found = channel_has_regular(channel) ||
                        (spin.turns % LOOK_AROUND == 0 && channel_has_work(channel));
        while (!found && !rx->thread->interrupted && spin_turn(&spin));
        server_lock();
        channel->watched = false;
        if (found)
                spin_paid(credit);
        else
                spin_lost(credit);
        return found;
}

static bool queue_pending(const Reception *rx) {
        return rx->pulses_only ? rx->channel->queue.n_pulses > 0 : rx->channel->queue.n > 0;
}

typedef struct Sleep {
        Reception *rx;
        const Word *words[CHANNEL_BELLS];
        uint32_t values[CHANNEL_BELLS];
        unsigned n;
        Deadline deadline;
} Sleep;

static void announce(Sleep *sleep) {
        Channel *channel = sleep->rx->channel;

        for (sleep->n = 0; sleep->n < channel->n_bells; sleep->n++) {
                ShmBell *bell = channel->bells[sleep->n]->map;

                sleep->words[sleep->n] = &bell->ring;
                sleep->values[sleep->n] = bell_prepare_sleep(bell);
        }
}

static void count_receivers(const Channel *channel, int n) {
        for (unsigned i = 0; i < channel->n_bells; i++)
                word_add(&channel->bells[i]->map->receivers, (uint32_t)n);
}

static void sleep_end_locked(Reception *rx) {
        rx->channel->sleepers--;
        thread_show_crew(rx->thread, STATE_RUNNING);
        if (!rx->pulses_only) {
                rx->channel->message_sleepers--;
                count_receivers(rx->channel, -1);
        }
        rx->thread->listens_to = NULL;
}

static void cancelled(void *argument) {
        Sleep *sleep = argument;
        int old;

        pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old);
        server_lock();
        sleep_end_locked(sleep->rx);
        pass_baton_locked(sleep->rx->channel);
        channel_put_locked(sleep->rx->channel);
        server_unlock();
        thread_show_running(sleep->rx->thread);
        call_leave(sleep->rx->thread);
}

static void sleep_cancellable(Sleep *sleep) {
        int old;

        pthread_cleanup_push(cancelled, sleep);
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
        if (sleep->n == 1)
                futex_wait(sleep->words[0], sleep->values[0], &sleep->deadline);
        else
                futex_wait_many(sleep->words, sleep->values, sleep->n, &sleep->deadline);
        pthread_setcanceltype(old, &old);
        pthread_cleanup_pop(0);
}

/* A timer of the channel ends the sleep as a time-out of the thread's own does. */
static Deadline alarm_of(const Reception *rx) {
        uint64_t retry_at = news_retry_at(), timer_at = timers_next_locked(rx->channel);
        Deadline timer = deadline_at_ns(retry_at < timer_at ? retry_at : timer_at);

        if (!(rx->timeout.flags & _NTO_TIMEOUT_RECEIVE))
                return timer;
        return timer.set ? deadline_nearer(&rx->timeout.deadline, &timer) : rx->timeout.deadline;
}

/* (1) to (4) */
static void sleep_locked(Reception *rx) {
        Channel *channel = rx->channel;
        uint64_t begun;
        Sleep sleep; /* two kilobytes, of which nearly always two words are used */

        sleep.rx = rx;
        sleep.deadline = alarm_of(rx);
        channel_collect_locked(channel, true); /* cold lanes mark themselves, which we see in (2) */
        rx->thread->listens_to = channel->bells[0]->map;
        announce(&sleep); /* (1); after that store, for event.c's unblock() */
        if (queue_pending(rx) || channel_has_work(channel) || rx->thread->interrupted) { /* (2) */
                rx->thread->listens_to = NULL;
                return;
        }
        channel->sleepers++;
        thread_show_crew(rx->thread, STATE_RECEIVE);
        if (!rx->pulses_only) {
                channel->message_sleepers++;
                count_receivers(channel, 1);
        }
        server_unlock();
        begun = clock_now();
        sleep_cancellable(&sleep); /* (3) */
        spin_slept(&rx->thread->receive_credit, clock_now() - begun, spin_limit(channel));
        server_lock();
        sleep_end_locked(rx); /* (4) */
}

static int reason_to_leave(Reception *rx) {
        if (rx->channel->destroyed)
                return ESRCH;
        if (rx->thread->interrupted)
                return rx->thread->interrupted;
        if (!(rx->timeout.flags & _NTO_TIMEOUT_RECEIVE))
                return 0;
        if (!rx->timeout.immediate && !deadline_passed(&rx->timeout.deadline))
                return 0;
        return timeout_ends(&rx->timeout) ? ETIMEDOUT : 0;
}

/*
 * Who wants pulses only may have been woken for a message, and goes back to sleep: then those must wake
 * who take messages. A futex cannot choose among its sleepers, so all look.
 */
static void leave_messages_locked(const Reception *rx) {
        Channel *channel = rx->channel;

        if (!rx->pulses_only || channel->queue.n == 0 || channel->message_sleepers == 0)
                return;
        for (unsigned i = 0; i < channel->n_bells; i++)
                bell_wake_all(channel->bells[i]->map);
}

static int wait_locked(Reception *rx) {
        int error;

        for (;;) {
                int r = rx->channel->destroyed ? NOTHING_YET : look_locked(rx);

                if (r != NOTHING_YET)
                        return r;
                error = reason_to_leave(rx);
                if (error)
                        return -error;
                leave_messages_locked(rx);
                if (!watch_locked(rx))
                        sleep_locked(rx);
        }
}

static int receive_locked(Reception *rx, int chid) {
        int r;

        rx->channel = channel_find_locked(chid);
        if (!rx->channel)
                return -ESRCH;
        rx->channel->waiting++;
        if (rx->thread->channel != rx->channel)
                crew_join_locked(rx->thread, rx->channel);
        thread_show(rx->thread, STATE_RECEIVE, 0, chid, 0, 0);
        publish_core(rx->channel);
        r = wait_locked(rx);
        thread_show_running(rx->thread);
        if (rx->channel->flags & _NTO_CHF_FIXED_PRIORITY)
                rx->priority = 0;
        pass_baton_locked(rx->channel);
        channel_put_locked(rx->channel);
        return r;
}

static void work_at_its_priority(const Reception *rx) {
        if (rx->priority)
                priority_take(rx->thread, rx->priority);
        else
                priority_rest(rx->thread);
}

/* A message whose bytes turn out bad is no message: then the wait begins again. */
static int receive_whole(Reception *rx, int chid) {
        int r;

        do {
                rx->receipt = NULL;
                rx->priority = 0;
                server_lock();
                r = receive_locked(rx, chid);
                server_unlock();
                work_at_its_priority(rx);
                if (rx->receipt)
                        r = finish_message(rx, r);
        } while (r == NOTHING_YET);
        return r;
}

static int leave_channel(Thread *thread) {
        server_lock();
        crew_leave_locked(thread);
        server_unlock();
        priority_rest(thread);
        return 0;
}

static int receive(int chid, const struct iovec *iov, size_t parts, ssize_t room,
                   struct _msg_info *info, bool pulses_only) {
        Reception rx = {
                .iov = iov, .parts = parts, .info = info,
                .pulses_only = pulses_only,
        };
        int r;

        pthread_testcancel();
        rx.thread = call_enter();
        rx.timeout = call_take_timeout(rx.thread);
        if (room == XFER_MEASURE)
                room = xfer_total(iov, parts);
        rx.room = (size_t)room;
        if (room < 0)
                r = (int)room;
        else if (chid == -1)
                r = leave_channel(rx.thread);
        else
                r = receive_whole(&rx, chid);
        call_leave(rx.thread);
        return r;
}

/* ---- the forms ---- */

/* One buffer as an iovec of one part, and how much it takes. */
#define PART(address, bytes)                                                                       \
        &(iov_t){ .iov_base = (address), .iov_len = (bytes) }, 1,                                  \
                (bytes) > SSIZE_MAX ? -EOVERFLOW : (ssize_t)(bytes)

int MsgReceive_r(int chid, void *msg, size_t bytes, struct _msg_info *info) {
        return receive(chid, PART(msg, bytes), info, false);
}

int MsgReceivev_r(int chid, const iov_t *riov, size_t rparts, struct _msg_info *info) {
        return receive(chid, riov, rparts, XFER_MEASURE, info, false);
}

int MsgReceivePulse_r(int chid, void *pulse, size_t bytes, struct _msg_info *info) {
        return receive(chid, PART(pulse, bytes), info, true);
}

int MsgReceivePulsev_r(int chid, const iov_t *piov, size_t parts, struct _msg_info *info) {
        return receive(chid, piov, parts, XFER_MEASURE, info, true);
}

int MsgReceive(int chid, void *msg, size_t bytes, struct _msg_info *info) {
        return (int)plain_value(MsgReceive_r(chid, msg, bytes, info));
}

int MsgReceivev(int chid, const iov_t *riov, size_t rparts, struct _msg_info *info) {
        return (int)plain_value(MsgReceivev_r(chid, riov, rparts, info));
}

int MsgReceivePulse(int chid, void *pulse, size_t bytes, struct _msg_info *info) {
        return (int)plain_value(MsgReceivePulse_r(chid, pulse, bytes, info));
}

int MsgReceivePulsev(int chid, const iov_t *piov, size_t parts, struct _msg_info *info) {
        return (int)plain_value(MsgReceivePulsev_r(chid, piov, parts, info));
}
