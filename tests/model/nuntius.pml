/* SPDX-License-Identifier: MIT */
/*
 * Nuntius: two clients that send, two server threads that receive and reply, the daemon that buries the
 * dead, and a world in which clocks run, signals come and waits end for no reason.
 *
 * Written from the list at ShmSlot in kernel/abi/layout.h, docs/design/message.md, neutrino/send.c,
 * receive.c and reply.c, runtime/collect.c, receipt.c and lane.c; names are the same. What is modelled and
 * what is not: docs/design/model.md. tests/model/check runs it with these:
 *
 *   SENDS_0, SENDS_1  how many messages each client sends
 *   UNBLOCK     the channel has _NTO_CHF_UNBLOCK
 *   LEAVES=n    the first n clients may have time-outs, or get a signal, in their first
 *               send; BY_SIGNAL: signals only
 *   CANCELS     nobody reads an outcome: the slot is idle before it is used again
 *   REGULARS    a sender may become the one that the bell expects
 *   WARM        marks of lanes are never cleared
 *   SPURIOUS=n  so many waits end without a reason
 *   WATCHES     a receiver may watch before it sleeps
 *   ONE_RECEIVER  instead of two
 *   DEPENDS     who has the first client's message answers when the second client has been served
 *   RETIRES     a receiver gets a signal and does not come back
 *   SERVER_DIES, SESSION_BREAKS, CLIENT_DIES, DETACHES   what happens at most once, at any moment
 *   MISTAKE_...  a seeded mistake
 *
 * One step is one access to what others write, with whatever is private around it. Every process that can
 * still run has run when World's timeout comes: then everything must be over.
 */
#define CLIENTS  2
#define SERVERS  2
#define RECEIPTS 4
#define PULSES   3

#ifndef SENDS_0
#define SENDS_0 1
#endif
#ifndef SENDS_1
#define SENDS_1 1
#endif
#ifndef SPURIOUS
#define SPURIOUS 0
#endif
#ifndef LEAVES
#define LEAVES 0
#endif

/* ---- what a client knows ---- */

/* Why this send may end before it is answered. POLL: time-outs of 0, with a grace while in SEND. */
#define STAYS    0
#define T_SEND   1
#define T_REPLY  2
#define T_BOTH   3
#define T_POLL   4
#define SIGNAL   5

byte reason[CLIENTS];
bit expired[CLIENTS];     /* its clock has run down */
bit waits_for_clock[CLIENTS]; /* the futex wait has a deadline */
bit interrupted[CLIENTS];
bit signal_due[CLIENTS];
bit asleep_on[CLIENTS];
bit asked[CLIENTS];
bit ended[CLIENTS];
bit client_dead[CLIENTS];
bit connection_dead[CLIENTS];
bit client_gone[CLIENTS];
bit server_gone;

/* ---- what the server knows ---- */

#define FREE  0
#define HELD  1
#define TAKEN 2

typedef Receipt {
        byte state;
        bit dropped;
        bit in_use;      /* its receiver copies */
        bit unblock;
        bit orphan;
        bit error;       /* when nobody uses it any more the client is told that its connection is dead */
        byte generation; /* of the slot */
}

/* Which receipt a message gets makes no difference but to the size of all this: those of slot c are c, c + 2. */
#define SLOT_OF(r) ((r) & 1)

/*
 * An rcvid is a receipt and its generation. Here it is the receipt's number + 1, and becomes STALE
 * wherever somebody has it when that generation ends: a generation that never comes round.
 */
#define STALE 7

Receipt receipts[RECEIPTS];
byte slot_receipt[CLIENTS]; /* number + 1, 0 = none */
byte rcvid[SERVERS];      /* what each thread has received */
byte pulses[PULSES];      /* _PULSE_CODE_UNBLOCK in the queue: rcvids */
bit queued[CLIENTS];      /* messages in the private queue ... */
byte looked_at[CLIENTS];  /* ... of this generation */
byte regular;             /* lane + 1 of the sender that the bell expects, as the server knows it */
byte regular_seen;        /* the generation of its slot that has been looked at */
bit queued_hint;
bit locked;               /* the server lock */
byte sleepers;
bit watched;
bit server_dead;
bit began;                /* a server thread has begun to receive */
bit server_left[SERVERS];
bit server_interrupted[SERVERS];
bit listens[SERVERS];
bit news;                 /* LANE_CLOSE of client 0, died */
bit lane_closed[CLIENTS];
bit detaching;
byte spurious;

/* The dead do not take a step, and what they knew is forgotten. */
#ifdef CLIENT_DIES
#define UNLESS_CLIENT_DIES                                                                         \
        unless { atomic { client_dead[c] -> sent = 0; generation = 0; w = 0; old = 0; out = 0; dead = 0; gone = 0 } }
#else
#define UNLESS_CLIENT_DIES
#endif
#ifdef SERVER_DIES
#define UNLESS_SERVER_DIES unless { server_dead }
#else
#define UNLESS_SERVER_DIES
#endif

#if defined(SERVER_DIES) || defined(SESSION_BREAKS) || defined(DETACHES)
#define CONNECTIONS_DIE
#endif

#include "slot.pml"
#include "bell.pml"

/* ================================================================ client ===================== */

#define DEADLINE(c, state)                                                                         \
        (!asked[c] && ((state) == SLOT_SEND                                                        \
                       -> reason[c] == T_SEND || reason[c] == T_BOTH || reason[c] == T_POLL        \
                       : reason[c] == T_REPLY || reason[c] == T_BOTH || reason[c] == T_POLL))
#define PASSED(c, state)                                                                           \
        (DEADLINE(c, state) && (expired[c] || (reason[c] == T_POLL && (state) == SLOT_REPLY)))
#define WANTS_OUT(c, state) (interrupted[c] || PASSED(c, state))
#define MUST_BE_TOLD(c, w)                                                                         \
        (STATE(w) == SLOT_SEND && !((w) & SLOT_TELL) && (reason[c] == T_REPLY || reason[c] == T_POLL))

/* Where a deadline has passed already, futex(2) does not wait at all. */
inline slot_sleep(c) {
        do
        :: atomic { word[c] != old || PASSED(c, STATE(old)) -> break }
        :: d_step { else -> client_waits[c] = 1; waits_for_clock[c] = DEADLINE(c, STATE(old)) };
           if
           :: atomic { client_waits[c] == 0 -> waits_for_clock[c] = 0; break }
           :: d_step { client_waits[c] == 2 -> client_waits[c] = 0; waits_for_clock[c] = 0 }
           fi
        od
}

/* @out becomes 1 when the client is out. */
inline leave(c) {
        if
        :: STATE(w) == SLOT_SEND ->
                slot_withdraw(c);
                d_step { out = (old != 0); old = 0; w = 0 }
        :: else ->
#ifdef UNBLOCK
                if
                :: gone ->
                        slot_abandon(c);
                        d_step { out = (old != 0); old = 0; w = 0 }
                :: else ->
                slot_unblock(c);
                if
                :: d_step { old != 0 -> asked[c] = 1; old = 0; w = 0 };
#ifndef MISTAKE_UNBLOCK_NOT_RUNG
                   bell_ring(c)
#endif
                :: else -> w = 0
                fi
                fi
#else
                slot_abandon(c);
                if
                :: d_step { old != 0 -> out = 1; old = 0; w = 0 };
                   bell_ring(c)
                :: else -> w = 0
                fi
#endif
        fi
}

/* A handler that came before the announcement woke nothing: look once more. */
inline sleep_once(c) {
        slot_prepare_sleep(c, w);
        if
#ifndef MISTAKE_CLIENT_DOES_NOT_LOOK_AGAIN
        :: old == 0 || (!asked[c] && WANTS_OUT(c, STATE(old)))
#else
        :: old == 0
#endif
        :: else -> slot_sleep(c)
        fi;
        slot_end_sleep(c)
}

/*
 * (3) of send.c, until DONE or until this thread is out.
 *
 * The connection's word is loaded before the slot's, not after: both are loaded before anything is done, and
 * what is done succeeds only if the slot's word is what it was.
 */
inline await(c) {
        do
        :: atomic { out -> break }
        :: !out ->
#ifdef CONNECTIONS_DIE
                dead = connection_dead[c];
                gone = server_gone;
#endif
                if
                :: atomic { STATE(word[c]) == SLOT_DONE -> dead = 0; gone = 0; break }
                :: d_step { !asked[c] && WANTS_OUT(c, STATE(word[c])) && STATE(word[c]) != SLOT_DONE ->
                            w = word[c] };
                   leave(c)
                :: d_step { STATE(word[c]) == SLOT_SEND && dead &&
                            !(!asked[c] && WANTS_OUT(c, STATE(word[c]))) ->
                            w = word[c] };
                   leave(c) /* (3D) */
                :: d_step { STATE(word[c]) == SLOT_REPLY && gone &&
                            !(!asked[c] && WANTS_OUT(c, STATE(word[c]))) ->
                            w = word[c] };
                   leave(c) /* (3D), buried already */
                :: d_step { STATE(word[c]) == SLOT_SEND && !dead && MUST_BE_TOLD(c, word[c]) &&
                            !WANTS_OUT(c, STATE(word[c])) ->
                            w = 0 };
                   slot_tell(c);
                   old = 0
                :: d_step { else ->
                            assert(STATE(word[c]) == SLOT_SEND || STATE(word[c]) == SLOT_REPLY);
                            assert(GENERATION(word[c]) == generation);
                            asleep_on[c] = 1;
                            w = word[c] };
                   sleep_once(c)
                fi;
                d_step { dead = 0; gone = 0 }
        od
}

inline choose_reason(c) {
        if
        :: reason[c] = STAYS
#ifndef BY_SIGNAL
        :: c < LEAVES && sent == 1 -> reason[c] = T_SEND
        :: c < LEAVES && sent == 1 -> reason[c] = T_REPLY
        :: c < LEAVES && sent == 1 -> reason[c] = T_BOTH
        :: c < LEAVES && sent == 1 -> reason[c] = T_POLL
#endif
        :: c < LEAVES && sent == 1 -> reason[c] = SIGNAL; signal_due[c] = 1
        fi
}

inline forget_reason(c) {
        reason[c] = STAYS;
        expired[c] = 0;
        interrupted[c] = 0;
        signal_due[c] = 0;
        asked[c] = 0;
        failed[c] = 0
}

/* (4) */
inline outcome(c) {
        assert(failed[c] || answer[c] == sent); /* no reply to the wrong message */
        answer[c] = 0;
#ifdef CANCELS
        slot_finish(c);
#endif
        forget_reason(c);
        generation = 0
}

#define SENDS(c) ((c) == 0 -> SENDS_0 : SENDS_1)

/*
 * A slot that was abandoned is used again when the server has let go of it: that it does is what the
 * waiting here proves. A connection that was detached by the server is attached again.
 */
proctype Client(byte c) {
        byte sent, generation, w, old;
        bit out, dead, gone;

        {
        do
        :: atomic { sent == SENDS(c) || server_gone -> break }
        :: atomic { sent < SENDS(c) && !server_gone && !detaching &&
                    (STATE(word[c]) == SLOT_IDLE || STATE(word[c]) == SLOT_DONE) ->
                    connection_dead[c] = 0;
                    sent++;
                    choose_reason(c);
                    message[c] = sent }; /* (0) */
#ifdef MISTAKE_RINGS_FIRST
                bell_call(c);
                slot_send(c);
#else
                slot_send(c); /* (1) */
                bell_call(c); /* (2) */
#endif
                await(c); /* (3) */
                if
                :: d_step { out -> out = 0; forget_reason(c); generation = 0 }
                :: d_step { else -> outcome(c) } /* (4) */
                fi
        od;
        sent = 0
        } UNLESS_CLIENT_DIES;
        ended[c] = 1
}

/* ================================================================ server ===================== */

#define PULSE_PENDING (pulses[0] != 0)
#define QUEUE_PENDING (queued[0] || queued[1] || PULSE_PENDING)
#ifdef REGULARS
#define REGULAR_IS_HERE                                                                            \
        (regular && STATE(word[(regular - 1) & 1]) == SLOT_SEND &&                                 \
         GENERATION(word[(regular - 1) & 1]) != regular_seen)
#else
#define REGULAR_IS_HERE false
#endif
#define HAS_WORK      (queued_hint || news || REGULAR_IS_HERE || BELL_HAS_WORK)

/* ---- receipts ---- */

inline free_receipt(r) {
        slot_receipt[SLOT_OF(r)] = (slot_receipt[SLOT_OF(r)] == r + 1 -> 0 : slot_receipt[SLOT_OF(r)]);
        receipts[r].state = FREE;
        receipts[r].dropped = 0;
        receipts[r].unblock = 0;
        receipts[r].orphan = 0;
        receipts[r].error = 0;
        receipts[r].generation = 0
}

#ifdef MISTAKE_RCVID_WITHOUT_GENERATION
#define GROW_STALE(x, r) skip
#else
#define GROW_STALE(x, r) x = ((x) == (r) + 1 -> STALE : x)
#endif

inline end_generation(r) {
        GROW_STALE(rcvid[0], r);
        GROW_STALE(rcvid[1], r);
        GROW_STALE(pulses[0], r);
        GROW_STALE(pulses[1], r);
        GROW_STALE(pulses[2], r)
}

inline finish_drop(r) {
        if
        :: d_step { receipts[r].error -> failed[SLOT_OF(r)] = 1 };
           slot_reply(SLOT_OF(r), receipts[r].generation)
        :: else
        fi;
        slot_release(SLOT_OF(r), receipts[r].generation);
        d_step { old = 0; end_generation(r); free_receipt(r) }
}

/* The client gave up, or is told. Whoever has taken it, or copies, does the rest. */
inline receipt_drop(r) {
        if
        :: d_step { receipts[r].state == HELD && !receipts[r].dropped && !receipts[r].in_use ->
                    receipts[r].dropped = 1 };
           finish_drop(r)
        :: d_step { receipts[r].state == HELD && !receipts[r].dropped && receipts[r].in_use ->
                    receipts[r].dropped = 1 }
#ifdef MISTAKE_RELEASES_WHILE_COPYING
           ; slot_release(SLOT_OF(r), receipts[r].generation)
#endif
#ifdef MISTAKE_DROPS_TWICE
           ; if
           :: !receipts[r].in_use -> finish_drop(r)
           :: else
           fi
#endif
        :: else
        fi
}

/* ---- pulses ---- */

inline push_pulse(value) {
        assert(!pulses[2]);
        if
        :: !pulses[0] -> pulses[0] = value
        :: else ->
                if
                :: !pulses[1] -> pulses[1] = value
                :: else -> pulses[2] = value
                fi
        fi;
        queued_hint = 1
}

inline pop_pulse() {
        rcvid[me] = pulses[0];
        pulses[0] = pulses[1];
        pulses[1] = pulses[2];
        pulses[2] = 0
}

inline push_unblock(r) {
        receipts[r].unblock = 1;
        push_pulse(r + 1)
}

inline wake_for_pulse() {
        if
        :: sleepers > 0 -> bell_wake_one()
        :: else
        fi
}

/* ---- collect ---- */

/* What is private to the server happens under its lock. @r becomes 1 when it was a message. */
inline take_slot(l) {
        if
        :: d_step { STATE(word[l]) == SLOT_SEND ->
                    queued[l] = 1; looked_at[l] = GENERATION(word[l]); r = 1 }
        :: d_step { STATE(word[l]) == SLOT_REPLY && (word[l] & SLOT_UNBLOCK) && slot_receipt[l] &&
                    !receipts[(slot_receipt[l] - 1) & 3].unblock ->
                    r = slot_receipt[l] - 1; push_unblock(r); r = 0 };
           wake_for_pulse()
        :: d_step { STATE(word[l]) == SLOT_GONE && slot_receipt[l] -> r = slot_receipt[l] - 1 };
           receipt_drop(r);
           r = 0
        :: d_step { STATE(word[l]) == SLOT_GONE && !slot_receipt[l] -> seen = word[l] };
           slot_release(l, GENERATION(seen));
           d_step { old = 0; seen = 0 }
        :: else
        fi
}

/*
 * Who came by its leaf may become the regular, at any time here (regular.h counts to four). Then its predecessor,
 * who may have come without ringing, is looked at once more.
 */
inline note_visit(l) {
#ifdef REGULARS
        if
        :: d_step { r && regular != l + 1 ->
                    r = regular; regular = l + 1; regular_seen = looked_at[l]; expected = l + 1 };
#ifndef MISTAKE_FORMER_FORGOTTEN
           if
           :: r -> r = 0; take_slot(1 - l)
           :: else
           fi;
#endif
           r = 0
        :: r = 0
        fi
#else
        r = 0
#endif
}

inline collect_lane(l, cool) {
        if
#ifdef MISTAKE_CLEARS_AFTER_READING
        :: IS_MARKED(l) && leaf[l] && !lane_closed[l] ->
           take_slot(l);
           leaf[l] = 0;
           note_visit(l)
#else
        :: d_step { IS_MARKED(l) && leaf[l] && !lane_closed[l] -> leaf[l] = 0 };
           take_slot(l);
           note_visit(l)
#endif
        :: d_step { IS_MARKED(l) && leaf[l] && lane_closed[l] -> leaf[l] = 0 }
#ifndef WARM
        :: IS_MARKED(l) && !leaf[l] && cool -> cool_lane(l)
#endif
        :: else
        fi
}

inline collect_regular_of(l) {
        if
        :: d_step { regular == l + 1 && REGULAR_IS_HERE -> regular_seen = GENERATION(word[l]) };
           take_slot(l);
           r = 0
        :: else
        fi
}

/* Nobody is expected any more: its lane goes. */
inline unexpect(l) {
        if
        :: d_step { regular == l + 1 -> regular = 0; regular_seen = 0; expected = 0 }
        :: else
        fi
}

/* LANE_CLOSE of a client that died. */
inline close_lane(l) {
        d_step { lane_closed[l] = 1; queued[l] = 0; looked_at[l] = 0; r = slot_receipt[l] };
        if
#ifdef UNBLOCK
        :: d_step { r && !receipts[(r - 1) & 3].unblock ->
                    r--; receipts[r].orphan = 1; push_unblock(r); r = 0 };
           wake_for_pulse()
        :: d_step { r && receipts[(r - 1) & 3].unblock -> r--; receipts[r].orphan = 1; r = 0 }
#else
        :: d_step { r -> r--; receipts[r].orphan = 1 };
           receipt_drop(r);
           r = 0
#endif
        :: else
        fi;
        unexpect(l)
}

inline collect(cool) {
#ifdef CLIENT_DIES
        if
        :: d_step { news -> news = 0; queued_hint = 0 };
           close_lane(0)
        :: d_step { else -> queued_hint = 0 }
        fi;
#else
        queued_hint = 0;
#endif
#ifdef REGULARS
        collect_regular_of(0);
        collect_regular_of(1);
#endif
        collect_lane(0, cool);
        collect_lane(1, cool)
}

/* ---- take ---- */

inline use_receipt(c, its_generation, r) {
        receipts[r].state = HELD;
        receipts[r].in_use = 1;
        receipts[r].generation = its_generation;
        slot_receipt[c] = r + 1;
        rcvid[me] = r + 1
}

inline new_receipt(c, its_generation) {
        assert(!slot_receipt[c] || receipts[slot_receipt[c] - 1].state == TAKEN);
        if
        :: receipts[c].state == FREE -> use_receipt(c, its_generation, c)
        :: else -> assert(receipts[c + 2].state == FREE); use_receipt(c, its_generation, c + 2)
        fi
}

inline take_message(c) {
        slot_receive(c, looked_at[c]);
        if
        :: d_step { old != 0 -> new_receipt(c, looked_at[c]); has = 1; old = 0; looked_at[c] = 0 }
        :: d_step { else -> looked_at[c] = 0 }
        fi
}

/* @has: 1 a message, 2 a pulse. Any order of priorities is possible. */
inline look() {
        collect(0);
        do
        :: atomic { PULSE_PENDING -> pop_pulse(); has = 2; break }
        :: queued[0] ->
           queued[0] = 0;
           take_message(0);
           if
           :: has -> break
           :: else
           fi
        :: queued[1] ->
           queued[1] = 0;
           take_message(1);
           if
           :: has -> break
           :: else
           fi
        :: atomic { !QUEUE_PENDING -> break }
        od
}

inline pass_baton_and_unlock() {
#ifdef MISTAKE_NO_BATON
        locked = 0
#else
        if
        :: d_step { sleepers > 0 -> queued_hint = (QUEUE_PENDING -> 1 : queued_hint) };
#ifndef MISTAKE_WAKES_CALLED_OFF
           bell_announce_again();
#endif
           if
           :: QUEUE_PENDING || HAS_WORK -> bell_wake_one()
           :: else
           fi;
           locked = 0
        :: d_step { else -> queued_hint = (QUEUE_PENDING -> 1 : queued_hint); locked = 0 }
        fi
#endif
}

/* ---- wait ---- */

/*
 * However long it watches: it sees something at some moment, or gives up at some moment. Others may clear
 * marks meanwhile; a look that misses something for that is a watch that gives up.
 */
inline watch() {
        if
        :: sleepers > 0 -> bell_cancel_sleep()
        :: else
        fi;
        locked = 0;
        if
        :: HAS_WORK -> work = 1
        :: true
        fi;
        d_step { !locked -> locked = 1; watched = 0 }
}

inline sleep() {
        collect(1);
        bell_prepare_sleep(me); /* (1) */
        if
#ifdef MISTAKE_SERVER_DOES_NOT_LOOK_AGAIN
        :: server_interrupted[me]
#else
        :: QUEUE_PENDING || HAS_WORK || server_interrupted[me] /* (2) */
#endif
           -> bell_same[me] = 0
        :: d_step { else -> sleepers++; listens[me] = 1; locked = 0 };
           bell_sleep(me); /* (3) */
           atomic { !locked -> locked = 1; sleepers--; listens[me] = 0 }
        fi
}

/* receive_locked(): leaves with @has, or 0 when this thread has been interrupted. */
inline receive() {
        d_step { !locked -> locked = 1; began = 1 };
        do
        :: look();
           if
           :: has -> break
           :: !has ->
#ifdef RETIRES
           if
           :: server_interrupted[me] -> break
           :: else
           fi;
#endif
           if
#ifdef WATCHES
           :: d_step { !watched -> watched = 1 };
              watch();
              if
              :: work -> work = 0
              :: else -> sleep()
              fi
#endif
           :: sleep()
           fi
           fi
        od;
        pass_baton_and_unlock()
}

/* ---- copy ---- */

/*
 * Bytes are read out of the slot without the lock; they must be those of the message that was taken, up to
 * the last one.
 */
inline finish_message() {
        if
        :: d_step { !receipts[rcvid[me] - 1].dropped ->
                    r = rcvid[me] - 1;
                    assert(message[SLOT_OF(r)] == receipts[r].generation >> SLOT_GENERATION_SHIFT);
                    receipts[r].in_use = 0;
                    mine = message[SLOT_OF(r)];
                    r = 0 }
        :: d_step { else ->
                    r = rcvid[me] - 1;
                    assert(message[SLOT_OF(r)] == receipts[r].generation >> SLOT_GENERATION_SHIFT);
                    receipts[r].in_use = 0;
                    mine = message[SLOT_OF(r)] };
           d_step { !locked -> locked = 1 };
           finish_drop(r);
           d_step { locked = 0; r = 0 }
        fi
}

/* ---- reply ---- */

inline complete(r, is_error) {
        d_step {
                !receipts[r].in_use ->
                answer[SLOT_OF(r)] = mine;
                failed[SLOT_OF(r)] = is_error;
                if
                :: receipts[r].orphan || client_gone[SLOT_OF(r)] -> has = 0
                :: else -> has = 1
                fi
        };
        if
        :: has -> slot_reply(SLOT_OF(r), receipts[r].generation)
        :: else
        fi;
        if
        :: old == 0 -> slot_release(SLOT_OF(r), receipts[r].generation)
        :: else
        fi;
        d_step { old = 0; end_generation(r); free_receipt(r); r = 0; has = 0; mine = 0 }
}

/* One answers; whoever comes later finds the rcvid stale. */
inline reply(is_error) {
        if
        :: d_step { rcvid[me] != STALE && receipts[(rcvid[me] - 1) & 3].state == HELD &&
                    !receipts[(rcvid[me] - 1) & 3].dropped ->
                    r = rcvid[me] - 1; rcvid[me] = 0; receipts[r].state = TAKEN };
           complete(r, is_error)
        :: d_step { else -> rcvid[me] = 0; has = 0; mine = 0 }
        fi
}

/* A server may sit on a message for ever when its client will want out of REPLY, or has been told already. */
#define MAY_HOLD(c)                                                                                \
        (reason[c] == T_REPLY || reason[c] == T_BOTH || reason[c] == T_POLL || reason[c] == SIGNAL)

proctype Server(byte me) {
        byte seen, old, r, has, mine;
        bit work;

        /* The threads are alike: that the first is the first to begin is no loss. */
        {
        if
        :: me == 0
        :: me != 0 -> (began)
        fi;
        do
        :: receive();
           if
           :: has == 1 ->
                finish_message();
#ifdef DEPENDS
                if
                :: rcvid[me] == 1 -> (ended[1])
                :: else
                fi;
#endif
                if
                :: reply(0)
                :: d_step { rcvid[me] != STALE && (server_gone || MAY_HOLD(SLOT_OF(rcvid[me] - 1))) ->
                            rcvid[me] = 0; has = 0; mine = 0 }
                fi
           :: has == 2 -> reply(1)
           :: else -> break
           fi
        od
        } UNLESS_SERVER_DIES;
        server_left[me] = 1
}

/* ConnectDetach(scoid) by a third thread of the server: what the client has sent is failed. */
inline fail_held(r) {
#ifdef MISTAKE_FAILS_WHAT_IS_TAKEN
        failed[0] = 1;
        slot_reply(0, receipts[r].generation);
        if
        :: old != 0 -> old = 0; receipt_drop(r)
        :: else
        fi
#else
        receipts[r].error = 1;
        receipt_drop(r)
#endif
}

inline fail_waiting() {
        slot_receive(0, looked_at[0]);
        if
        :: d_step { old != 0 -> failed[0] = 1; old = 0 };
           slot_reply(0, looked_at[0])
        :: else
        fi
}

proctype Detacher() {
        byte seen, old, r, me;

        {
        d_step { !server_gone && !client_gone[0] -> detaching = 1; connection_dead[0] = 1 };
        d_step { !locked -> locked = 1 };
        collect(0);
        r = slot_receipt[0];
        if
        :: r -> fail_held(r - 1)
        :: else
        fi;
#ifdef MISTAKE_FAILS_HELD_OR_QUEUED
        if
        :: !r && queued[0] -> fail_waiting()
        :: else
        fi;
#else
        if
        :: queued[0] -> fail_waiting()
        :: else
        fi;
#endif
        unexpect(0);
        d_step { queued[0] = 0; looked_at[0] = 0; old = 0; seen = 0; r = 0; locked = 0; detaching = 0 }
        } UNLESS_SERVER_DIES
}

/* ================================================================ daemon ===================== */

inline bury_server() {
#ifdef MISTAKE_FAILS_SLOTS_FIRST
        slot_fail(0);
        slot_fail(1);
#endif
        d_step { server_gone = 1; connection_dead[0] = 1 };
        connection_dead[1] = 1;
#ifndef MISTAKE_FAILS_SLOTS_FIRST
        slot_fail(0);
        slot_fail(1)
#endif
}

inline bury_client(c) {
        client_gone[c] = 1;
        news = 1;
#ifndef MISTAKE_DEATH_NOT_RUNG
        bell_wake_all()
#endif
}

inline forget_receipt(r) {
        free_receipt(r);
        slot_receipt[SLOT_OF(r)] = 0
}

inline forget_server() {
        server_waits[0] = 0;
        server_waits[1] = 0;
        bell_same[0] = 0;
        bell_same[1] = 0;
        queued[0] = 0;
        queued[1] = 0;
        looked_at[0] = 0;
        looked_at[1] = 0;
        regular = 0;
        regular_seen = 0;
        pulses[0] = 0;
        pulses[1] = 0;
        pulses[2] = 0;
        rcvid[0] = 0;
        rcvid[1] = 0;
        forget_receipt(0);
        forget_receipt(1);
        forget_receipt(2);
        forget_receipt(3);
        queued_hint = 0;
        sleepers = 0;
        watched = 0;
        locked = 0;
        listens[0] = 0;
        listens[1] = 0
}

proctype Daemon() {
        byte seen, old;

        if
#ifdef SERVER_DIES
        :: server_dead = 1;
           d_step { server_left[0] && server_left[1] -> forget_server() };
           bury_server()
#endif
#ifdef SESSION_BREAKS
        :: bury_server()
#endif
#ifdef CLIENT_DIES
        :: client_dead[0] = 1;
           d_step { ended[0] -> forget_reason(0); client_waits[0] = 0; waits_for_clock[0] = 0; asleep_on[0] = 0 };
           bury_client(0)
#endif
        :: skip
        fi
}

/* ================================================================ world ====================== */

#define CLOCK_RUNS(c) (reason[c] != STAYS && reason[c] != SIGNAL && !expired[c] && !client_dead[c])

inline expire(c) {
        expired[c] = 1;
        if
        :: waits_for_clock[c] -> client_waits[c] = 0
        :: else
        fi
}

/* The handler runs in the client's thread: between two of its steps, all at once. SA_RESTART. */
inline interrupt(c) {
        signal_due[c] = 0;
        interrupted[c] = 1;
        if
        :: asleep_on[c] -> slot_nudge(c)
        :: else
        fi;
        if
        :: client_waits[c] -> client_waits[c] = 2
        :: else
        fi
}

inline interrupt_server(t) {
        server_interrupted[t] = 1;
        if
        :: listens[t] -> advance()
        :: else
        fi;
        if
        :: server_waits[t] -> server_waits[t] = 2
        :: else
        fi
}

/* Nothing can run any more. */
inline check_quiet(c) {
        assert(ended[c] || client_dead[c]); /* every send ends */
        if
        :: !server_dead && !client_dead[c] && !server_gone ->
                assert(STATE(word[c]) == SLOT_IDLE || STATE(word[c]) == SLOT_DONE); /* no slot is kept */
                assert(!leaf[c]) /* nobody rang without being heard */
        :: else
        fi
}

inline check_server() {
        if
        :: !server_dead ->
                assert(!locked && !detaching && !QUEUE_PENDING);
                assert((server_left[0] || server_waits[0]) && (server_left[1] || server_waits[1]));
                assert(server_gone || (receipts[0].state == FREE && receipts[1].state == FREE &&
                                       receipts[2].state == FREE && receipts[3].state == FREE))
        :: else
        fi
}

active proctype World() {
        atomic {
#if SPURIOUS > 0
                if
                :: spurious = 0
                :: spurious = SPURIOUS
                fi;
#endif
#ifdef DETACHES
                run Detacher();
#endif
#if defined(SERVER_DIES) || defined(SESSION_BREAKS) || defined(CLIENT_DIES)
                run Daemon();
#endif
                run Client(0);
                run Client(1);
                run Server(0);
#ifndef ONE_RECEIVER
                run Server(1)
#else
                server_left[1] = 1
#endif
        };
        do
#if LEAVES > 0
        :: d_step { CLOCK_RUNS(0) -> expire(0) }
        :: d_step { CLOCK_RUNS(1) -> expire(1) }
        :: d_step { signal_due[0] -> interrupt(0) }
        :: d_step { signal_due[1] -> interrupt(1) }
#endif
#ifdef RETIRES
        :: d_step { !server_interrupted[1] && !server_dead -> interrupt_server(1) }
#endif
#if SPURIOUS > 0
        :: d_step { spurious > 0 && client_waits[0] == 1 -> spurious--; client_waits[0] = 0 }
        :: d_step { spurious > 0 && client_waits[1] == 1 -> spurious--; client_waits[1] = 0 }
        :: d_step { spurious > 0 && server_waits[0] == 1 -> spurious--; server_waits[0] = 0 }
        :: d_step { spurious > 0 && server_waits[1] == 1 -> spurious--; server_waits[1] = 0 }
#endif
        :: timeout -> d_step { check_quiet(0); check_quiet(1); check_server() }; break
        od
}
