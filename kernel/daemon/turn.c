/* SPDX-License-Identifier: MIT */
/* Turn: a ring of users, each with a queue of sessions. */
#include "daemon/turn.h"

void turns_init(Turns *turns) {
        list_init(&turns->queues);
}

void turn_queue_init(TurnQueue *queue) {
        list_init(&queue->link);
        list_init(&queue->waiting);
}

void turn_init(Turn *turn, TurnQueue *queue) {
        list_init(&turn->link);
        turn->queue = queue;
}

bool turn_enter(Turns *turns, Turn *turn) {
        TurnQueue *queue = turn->queue;

        if (list_is_empty(&turn->link)) {
                if (list_is_empty(&queue->waiting))
                        list_append(&turns->queues, &queue->link);
                list_append(&queue->waiting, &turn->link);
        }
        return list_first(&queue->waiting) == &turn->link;
}

void turn_leave(Turn *turn) {
        list_unlink(&turn->link);
        if (turn->queue && list_is_empty(&turn->queue->waiting))
                list_unlink(&turn->queue->link);
}

Turn *turns_next(Turns *turns) {
        TurnQueue *queue = LIST_FIRST(&turns->queues, TurnQueue, link);
        Turn *turn;

        if (!queue)
                return NULL;
        turn = LIST_FIRST(&queue->waiting, Turn, link);
        list_unlink(&queue->link);
        list_append(&turns->queues, &queue->link);
        turn_leave(turn);
        return turn;
}

size_t turns_count(const Turns *turns) {
        size_t n = 0;

        for (const List *at = turns->queues.next; at != &turns->queues; at = at->next)
                n++;
        return n;
}
