/* SPDX-License-Identifier: MIT */
/*
 * Turn: whose request is next. Users take turns, one request each; within a user first come, first served.
 *
 * A session's Turn:
 *   AWAY    -> WAITING  turn_enter()  (its socket has something to read)
 *   WAITING -> AWAY     turns_next()  (it is served now)
 *   WAITING -> AWAY     turn_leave()  (it ends)
 *
 * A user's TurnQueue is in Turns.queues exactly while a session of it is WAITING. It goes to the end when it is
 * served, so that whoever comes waits for one request of each other user, however many sessions those have.
 */
#pragma once

#include "base/list.h"

typedef struct TurnQueue {
        List link;    /* in Turns.queues */
        List waiting; /* Turn.link */
} TurnQueue;

typedef struct Turn {
        List link; /* in TurnQueue.waiting */
        TurnQueue *queue;
} Turn;

typedef struct Turns {
        List queues; /* TurnQueue.link */
} Turns;

void turns_init(Turns *turns);
void turn_queue_init(TurnQueue *queue);
void turn_init(Turn *turn, TurnQueue *queue);

/* Nothing when it waits already. True when it is the next of its user's. */
bool turn_enter(Turns *turns, Turn *turn);
void turn_leave(Turn *turn);

/* NULL when nobody waits. */
Turn *turns_next(Turns *turns);
/* How many users wait. */
size_t turns_count(const Turns *turns);
