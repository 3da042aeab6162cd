/* SPDX-License-Identifier: MIT */
/*
 * Notify: clients that want to be told when a file has something for them.
 *
 * Each condition (input, output, ...) has a list. An event in a list is delivered once, when there is as much as its
 * client asked for, and forgotten; the client arms anew. cnt is the least that anybody in the list asked for, so that a
 * manager sees with one comparison whether a trigger is worth while.
 */
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

#include <limits.h>
#include <stdlib.h>

#define CONDITIONS 3

typedef struct _iofunc_notify_event Event;
struct _iofunc_notify_event {
        Event *next;
        int rcvid; /* names the client for MsgDeliverEvent(), also after the reply */
        int scoid;
        int coid;
        int count;
        struct sigevent event;
};

/* For all lists: events are few and short. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static const unsigned conditions[CONDITIONS] = { _NOTIFY_COND_INPUT, _NOTIFY_COND_OUTPUT, _NOTIFY_COND_OBAND };

static void recount_locked(iofunc_notify_t *list) {
        list->cnt = INT_MAX;
        for (const Event *event = list->list; event; event = event->next)
                if (event->count < list->cnt)
                        list->cnt = event->count;
}

/* ---- arm ---- */

typedef bool Match(const Event *event, int scoid, int coid);

static bool is_of_client(const Event *event, int scoid, int coid) {
        (void)coid;
        return event->scoid == scoid;
}

static bool is_of_file(const Event *event, int scoid, int coid) {
        return event->scoid == scoid && event->coid == coid;
}

static void remove_locked(iofunc_notify_t *list, Match *match, int scoid, int coid) {
        Event **at = &list->list;

        while (*at) {
                Event *event = *at;

                if (match && !match(event, scoid, coid)) {
                        at = &event->next;
                        continue;
                }
                *at = event->next;
                free(event);
        }
        recount_locked(list);
}

static int arm_locked(resmgr_context_t *ctp, const io_notify_t *msg, iofunc_notify_t *list, int count) {
        Event *event;

        remove_locked(list, is_of_file, ctp->info.scoid, ctp->info.coid);
        event = calloc(1, sizeof(*event));
        if (!event)
                return ENOMEM;
        *event = (Event){ .next = list->list,
                          .rcvid = context_of(ctp)->rcvid,
                          .scoid = ctp->info.scoid,
                          .coid = ctp->info.coid,
                          .count = count,
                          .event = msg->i.event };
        list->list = event;
        recount_locked(list);
        return EOK;
}

static int arm_all(resmgr_context_t *ctp, const io_notify_t *msg, iofunc_notify_t *nop, const int *counts) {
        unsigned wanted = (unsigned)msg->i.flags;
        int r = EOK;

        pthread_mutex_lock(&mutex);
        for (int i = 0; i < CONDITIONS && r == EOK; i++)
                if (wanted & conditions[i])
                        r = arm_locked(ctp, msg, &nop[i], counts ? counts[i] : 1);
        pthread_mutex_unlock(&mutex);
        return r;
}

/* True now and wanted: then nothing waits, except where only a change is of interest. */
static bool must_arm(int action, unsigned true_now) {
        switch (action) {
        case _NOTIFY_ACTION_POLLARM:
        case _NOTIFY_ACTION_CONDARM:
                return true_now == 0;
        case _NOTIFY_ACTION_TRANARM:
                return true;
        default:
                return false;
        }
}

PUBLIC int iofunc_notify(resmgr_context_t *ctp, io_notify_t *msg, iofunc_notify_t *nop, int trig,
                         const int *notifycounts, int *armed) {
        unsigned true_now = (unsigned)trig & (unsigned)msg->i.flags & _NOTIFY_COND_MASK;
        int action = msg->i.action, is_armed = 0, r;

        if (action < _NOTIFY_ACTION_POLL || action > _NOTIFY_ACTION_CONDARM)
                return EINVAL;
        if (must_arm(action, true_now)) {
                r = arm_all(ctp, msg, nop, notifycounts);
                if (r != EOK)
                        return r;
                is_armed = 1;
                true_now = 0;
        }
        if (action == _NOTIFY_ACTION_CONDARM && true_now)
                MsgDeliverEvent_r(context_of(ctp)->rcvid, &msg->i.event);
        if (armed)
                *armed = is_armed;
        msg->o = (struct _io_notify_reply){ .flags = true_now };
        _RESMGR_STATUS(ctp, (long)true_now);
        return _RESMGR_PTR(ctp, &msg->o, sizeof(msg->o));
}

/* A manager that gives no array has nothing that could ever change: all is always ready. */
PUBLIC int iofunc_notify_default(resmgr_context_t *ctp, io_notify_t *msg, iofunc_ocb_t *ocb) {
        iofunc_notify_t nobody[CONDITIONS];

        (void)ocb;
        IOFUNC_NOTIFY_INIT(nobody);
        if (msg->i.action == _NOTIFY_ACTION_TRANARM)
                return ENOSYS;
        return iofunc_notify(ctp, msg, nobody, (int)(_NOTIFY_COND_INPUT | _NOTIFY_COND_OUTPUT), NULL, NULL);
}

/* ---- trigger, remove ---- */

static Event *take_due_locked(iofunc_notify_t *list, int count) {
        Event **at = &list->list, *due = NULL;

        while (*at) {
                Event *event = *at;

                if (event->count > count) {
                        at = &event->next;
                        continue;
                }
                *at = event->next;
                event->next = due;
                due = event;
        }
        recount_locked(list);
        return due;
}

/* Low bits of an index may carry flags of the caller's; there are three lists at least. */
static void trigger(iofunc_notify_t *nop, int count, int index) {
        Event *due, *next;

        if (!nop || index < 0 || index >= CONDITIONS)
                return;
        pthread_mutex_lock(&mutex);
        due = take_due_locked(&nop[index], count);
        pthread_mutex_unlock(&mutex);
        for (; due; due = next) {
                next = due->next;
                MsgDeliverEvent_r(due->rcvid, &due->event);
                free(due);
        }
}

PUBLIC void iofunc_notify_trigger(iofunc_notify_t *nop, int cnt, int index) {
        trigger(nop, cnt, index);
}

PUBLIC void iofunc_notify_trigger_strict(resmgr_context_t *ctp, iofunc_notify_t *nop, int cnt, int index) {
        (void)ctp;
        trigger(nop, cnt, index);
}

static void remove_all(iofunc_notify_t *nop, Match *match, int scoid, int coid) {
        pthread_mutex_lock(&mutex);
        for (int i = 0; i < CONDITIONS; i++)
                remove_locked(&nop[i], match, scoid, coid);
        pthread_mutex_unlock(&mutex);
}

PUBLIC void iofunc_notify_remove(resmgr_context_t *ctp, iofunc_notify_t *nop) {
        if (ctp)
                remove_all(nop, is_of_client, ctp->info.scoid, 0);
        else
                remove_all(nop, NULL, 0, 0);
}

PUBLIC void iofunc_notify_remove_strict(resmgr_context_t *ctp, iofunc_notify_t *nop) {
        if (ctp)
                remove_all(nop, is_of_file, ctp->info.scoid, ctp->info.coid);
        else
                remove_all(nop, NULL, 0, 0);
}
