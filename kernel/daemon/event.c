/* SPDX-License-Identifier: MIT */
/*
 * Event: MsgDeliverEvent to another process: may this server deliver this event to that client, and what
 * does it mean there?
 *
 * An event names things of its receiver: his connection, his thread, his memory. A pulse is told to who
 * owns the channel that his connection leads to, a signal is sent, and the rest he must do himself. What he
 * has registered stands in his process page; nobody else can write there.
 *
 * Nothing of this is kept: a request that a daemon was killed over is carried out again by the next one, so
 * an event may then happen twice; one that could not be told yet, because its receiver does not read, is lost.
 */
#include "daemon/channel.h"
#include "daemon/connection.h"
#include "daemon/flags.h"
#include "daemon/lane.h"
#include "daemon/news.h"
#include "daemon/request.h"
#include "daemon/session.h"
#include "shm/word.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct Delivery {
        const Request *request;
        const Answer *answer;
        Process *server;
        Process *client;
        uint32_t flags; /* of the connection that the event came by */
        uint32_t tid;
        uint8_t priority; /* of the server */
        bool verify;
        bool is_registered;
        WireEvent event;
} Delivery;

static int type_of(const WireEvent *event) {
        return event->notify & EVENT_TYPE_MASK;
}

/* ---- by which connection it came ---- */

/* The server says which; a number that means something else by now is any of the client's to this server. */
static const Connection *connection_behind(const Delivery *delivery, const Lane *lane, int32_t coid) {
        const Connection *connection = coids_get(&delivery->client->coids, coid);

        if (connection && connection->lane && connection->lane->channel->process == delivery->server)
                return connection;
        return LIST_FIRST((List *)&lane->connections, Connection, of_lane);
}

static int find_client(Delivery *delivery, const WireEventDeliver *wire) {
        const Lane *lane = lane_find(delivery->server, wire->scoid);
        const Connection *connection;

        if (!lane)
                return -ESRCH;
        if (!lane->client || lane->client->is_dying)
                return -EBADF;
        delivery->client = lane->client;
        connection = connection_behind(delivery, lane, wire->coid);
        if (!connection)
                return -EBADF;
        delivery->flags = connection->record->flags;
        return 0;
}

/* ---- may it be delivered? ---- */

/* The process may be writing there right now: copied once, and its handle looked at before and after. */
static int find_registered(Delivery *delivery) {
        uint32_t handle = (uint32_t)delivery->event.what;
        const ShmEvent *entry = &delivery->client->page->events[handle % PROCESS_EVENTS];
        WireEvent registered;
        int32_t server_pid;

        if (handle == 0 || word_load(&entry->handle) != handle)
                return -EINVAL;
        memcpy(&registered, entry->event, sizeof(registered));
        server_pid = entry->server_pid;
        if (word_load(&entry->handle) != handle)
                return -EINVAL;
        if (server_pid != EVENT_ANY_SERVER && server_pid != delivery->server->record->pid)
                return -EACCES;
        if (registered.notify & EVENT_FLAG_UPDATEABLE)
                registered.value = delivery->event.value;
        delivery->event = registered;
        delivery->is_registered = true;
        return 0;
}

/* Could the server do it to the client by itself? A signal by kill(), a pulse to a third by its own right. */
static bool has_power(const Delivery *delivery) {
        uint32_t uid = delivery->server->record->uid;

        if (uid == 0 || uid == delivery->client->record->uid)
                return true;
        return delivery->flags & CONNECT_UNREG_EVENTS;
}

/* Through the client's connections a stranger would speak to others in its name. */
static bool is_own_pulse(const Delivery *delivery) {
        const Connection *target = coids_get(&delivery->client->coids, (int32_t)delivery->event.what);

        return !target || !target->lane || target->lane->channel->process == delivery->client ||
               target->lane->channel->process == delivery->server;
}

static int check_unregistered(const Delivery *delivery) {
        uint32_t flags = delivery->flags;

        if ((flags & CONNECT_REG_EVENTS) && !(flags & CONNECT_UNREG_EVENTS))
                return -EACCES;
        switch (type_of(&delivery->event)) {
        case EVENT_MEMORY:
        case EVENT_THREAD:
                return flags & CONNECT_INSECURE ? -EACCES : 0;
        case EVENT_SIGNAL:
        case EVENT_SIGNAL_CODE:
        case EVENT_SIGNAL_THREAD:
                return has_power(delivery) ? 0 : -EACCES;
        case EVENT_PULSE:
                return is_own_pulse(delivery) || has_power(delivery) ? 0 : -EACCES;
        }
        return 0;
}

static int check_allowed(Delivery *delivery) {
        if (delivery->flags & CONNECT_NOEVENT)
                return -EACCES;
        if (delivery->event.notify & EVENT_FLAG_HANDLE)
                return find_registered(delivery);
        return check_unregistered(delivery);
}

/* ---- what it means there ---- */

/* The point of no return: it is told once, whoever dies meanwhile. */
static int tell_once(const Delivery *delivery, Process *to, const WireNews *news, int32_t ring_chid) {
        if (!news_has_room(to))
                return -EAGAIN;
        journal_news(to->kernel, to->record, news, ring_chid);

        request_commit(delivery->server, delivery->request, delivery->answer);
        news_once(to, news, ring_chid);
        return 0;
}

static int pulse_priority(const Delivery *delivery) {
        int priority = delivery->event.priority;

        if (priority < -1 || priority > UINT8_MAX)
                return -EINVAL;
        if (priority == -1)
                priority = delivery->priority;
        if ((uint32_t)priority > delivery->server->record->priority_max)
                return -EPERM;
        return priority ? priority : 1;
}

static int deliver_pulse(const Delivery *delivery) {
        const WireEvent *event = &delivery->event;
        const Connection *target = coids_get(&delivery->client->coids, (int32_t)event->what);
        WireNews news = { .kind = WIRE_NEWS_PULSE };
        int priority = pulse_priority(delivery);

        if (priority < 0 || event->code < INT8_MIN || event->code > INT8_MAX)
                return priority < 0 ? priority : -EINVAL;
        if (!target)
                return delivery->verify ? -ESRCH : -EBADF;
        if (!target->lane)
                return -EBADF;
        if (event->code < 0)
                return -EPERM;
        if (delivery->verify)
                return 0;
        news.pulse = (WireNewsPulse){ .chid = target->record->chid,
                                      .scoid = target->record->scoid,
                                      .value = event->value,
                                      .code = (int8_t)event->code,
                                      .priority = (uint8_t)priority };
        return tell_once(delivery, target->lane->channel->process, &news, target->record->chid);
}

/* The kernel lets nobody but the process itself choose a code from 0 up. */
static int signal_code(const WireEvent *event) {
        if (type_of(event) == EVENT_SIGNAL || event->code >= 0 || event->code == SI_TKILL)
                return SI_QUEUE;
        return event->code;
}

static bool is_alive(const Process *process) {
        struct pollfd poll_for = { .fd = process->pidfd, .events = POLLIN };

        return poll(&poll_for, 1, 0) == 0;
}

/* Of the client's thread, by what it says of itself: it can only name threads of its own. */
static uint32_t linux_tid_of(const Process *process, uint32_t tid) {
        for (unsigned i = 0; i < PROCESS_THREADS; i++)
                if (word_load(&process->page->threads[i].tid) == tid)
                        return process->page->threads[i].linux_tid;
        return 0;
}

static int send_to_thread(const Delivery *delivery, int signo, siginfo_t *info) {
        uint32_t tid = linux_tid_of(delivery->client, delivery->tid);

        if (tid == 0)
                return -ESRCH;
        return syscall(SYS_rt_tgsigqueueinfo, delivery->client->record->pid, tid, signo, info) < 0 ? -errno : 0;
}

static int deliver_signal(const Delivery *delivery) {
        int signo = (int)(uint32_t)delivery->event.what;
        siginfo_t info;

        if (signo <= 0 || signo >= NSIG)
                return -EINVAL;
        if (delivery->verify)
                return 0;
        if (!is_alive(delivery->client))
                return -ENXIO;
        memset(&info, 0, sizeof(info));
        info.si_signo = signo;
        info.si_code = signal_code(&delivery->event);
        info.si_pid = delivery->server->record->pid;
        info.si_uid = delivery->server->record->uid;
        memcpy(&info.si_value, &delivery->event.value, sizeof(info.si_value));
        if (type_of(&delivery->event) == EVENT_SIGNAL_THREAD)
                return send_to_thread(delivery, signo, &info);
        return syscall(SYS_pidfd_send_signal, delivery->client->pidfd, signo, &info, 0) < 0 ? -errno : 0;
}

/* Nobody but the client can touch its memory or start its threads. */
static int deliver_news(const Delivery *delivery) {
        WireNews news = { .kind = WIRE_NEWS_EVENT };

        if (!word_load(&delivery->client->page->hears_events))
                return -ENOTSUP;
        if (delivery->verify)
                return 0;
        news.event = (WireNewsEvent){ .tid = delivery->tid, .event = delivery->event };
        return tell_once(delivery, delivery->client, &news, 0);
}

static int deliver(const Delivery *delivery) {
        switch (type_of(&delivery->event)) {
        case EVENT_NONE:
                return 0;
        case EVENT_PULSE:
                return deliver_pulse(delivery);
        case EVENT_SIGNAL:
        case EVENT_SIGNAL_CODE:
        case EVENT_SIGNAL_THREAD:
                return deliver_signal(delivery);
        case EVENT_UNBLOCK:
        case EVENT_INTR:
        case EVENT_THREAD:
        case EVENT_MEMORY:
                return deliver_news(delivery);
        }
        return -EINVAL;
}

int request_event_deliver(Session *session, Request *request, Answer *answer) {
        const WireEventDeliver *wire = &request->wire.event_deliver;
        Delivery delivery = {
                .request = request,
                .answer = answer,
                .server = session->process,
                .tid = wire->tid,
                .priority = wire->priority,
                .verify = wire->verify,
                .event = wire->event,
        };
        int r;

        r = find_client(&delivery, wire);
        if (r)
                return r;
        r = check_allowed(&delivery);
        return r ? r : deliver(&delivery);
}
