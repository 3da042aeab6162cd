/* SPDX-License-Identifier: MIT */
/*
 * Bell: how a client says "my lane has something", and how receivers wait for it: kernel/shm/bell.c.
 *
 * Two lanes under one mid word and one top bit, one slot a lane. A mark that is read first and set only
 * when it is not set is one step: nobody can tell the difference.
 *
 * The counter in ring is here what a waiter sees of it: has it moved since this thread read it? That is a
 * counter that never comes round.
 */
bit leaf[CLIENTS];
#ifdef WARM /* the lanes are busy: their marks stand and nobody clears them */
byte mid = 3;
bit top = 1;
#else
byte mid;
bit top;
#endif
bit bell_asleep;          /* ring: BELL_ASLEEP */
bit bell_same[SERVERS];   /* ring: not counted up since this receiver has prepared its sleep */
byte expected;            /* lane + 1 of the sender at whose slot the server looks by itself; 0 = nobody */
byte server_waits[SERVERS]; /* in futex(2): 1 waits, 2 a handler ran: the value is compared again */

inline advance() {
        bell_same[0] = 0;
        bell_same[1] = 0
}

/* The kernel's order among waiters is not relied upon. */
inline wake_one_server() {
        if
        :: d_step { server_waits[0] -> server_waits[0] = 0 }
        :: d_step { server_waits[1] -> server_waits[1] = 0 }
        :: !server_waits[0] && !server_waits[1]
        fi
}

inline wake_all_servers() {
        d_step { server_waits[0] = 0; server_waits[1] = 0 }
}

/* ---- sender ---- */

inline mark_lane(l) {
#ifndef WARM
        mid = mid | (1 << l);
        top = 1
#else
        skip
#endif
}

inline wake_announced() {
        if
        :: d_step { bell_asleep -> bell_asleep = 0; advance() };
           wake_one_server()
        :: d_step { else }
        fi
}

inline bell_ring(l) {
#ifdef MISTAKE_LEAF_OVERTAKEN
        /* the store of the leaf waits in the processor while the loads after it are done */
        if
        :: bell_asleep -> leaf[l] = 1; mark_lane(l); wake_announced()
        :: else -> leaf[l] = 1; mark_lane(l)
        fi
#else
        leaf[l] = 1;
        mark_lane(l);
        wake_announced()
#endif
}

/* A message: whoever finds itself expected sets no mark. */
inline bell_call(l) {
#ifdef REGULARS
        if
        :: expected == l + 1 -> wake_announced()
        :: else -> bell_ring(l)
        fi
#else
        bell_ring(l)
#endif
}

/* ---- receivers and daemon ---- */

inline bell_wake_one() {
#ifndef MISTAKE_BELL_NOT_ADVANCED
        d_step { advance() };
#endif
        wake_one_server()
}

inline bell_wake_all() {
        d_step { advance() };
        wake_all_servers()
}

/*
 * top, mid and leaf of a lane are read one after the other. As long as nobody clears marks meanwhile (the
 * reader has the server lock, senders only set), that is the same as reading them at one moment: what was
 * found clear was clear then, what was found set is set still. The same holds from lane to lane.
 */
#define IS_MARKED(l) (top && ((mid >> (l)) & 1))
#define BELL_HAS_WORK ((IS_MARKED(0) && leaf[0]) || (IS_MARKED(1) && leaf[1]))

inline cool_lane(l) {
        mid = mid & (255 - (1 << l));
#ifndef MISTAKE_COOL_WITHOUT_LOOK
        if
        :: leaf[l] -> mark_lane(l)
        :: else ->
#endif
                if
                :: mid
                :: else ->
                        top = 0;
#ifndef MISTAKE_COOL_TOP_WITHOUT_LOOK
                        if
                        :: mid -> top = 1
                        :: else
                        fi
#endif
                fi
#ifndef MISTAKE_COOL_WITHOUT_LOOK
        fi
#endif
}

inline bell_prepare_sleep(me) {
        d_step { bell_asleep = 1; bell_same[me] = 1 }
}

/* By a thread that does not sleep itself: it keeps the mark up for those that do. */
inline bell_announce_again() {
        bell_asleep = 1
}

inline bell_cancel_sleep() {
        bell_asleep = 0
}

inline bell_sleep(me) {
        do
        :: atomic { !bell_same[me] || !bell_asleep -> bell_same[me] = 0; break }
        :: d_step { else -> server_waits[me] = 1 };
           if
           :: atomic { server_waits[me] == 0 -> bell_same[me] = 0; break }
           :: d_step { server_waits[me] == 2 -> server_waits[me] = 0 }
           fi
        od
}
