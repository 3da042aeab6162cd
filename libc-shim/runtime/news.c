/* SPDX-License-Identifier: MIT */
#include "runtime/news.h"

#include "runtime/channel.h"
#include "runtime/connection.h"
#include "runtime/event.h"
#include "runtime/file.h"
#include "runtime/lane.h"
#include "runtime/receipt.h"
#include "runtime/session.h"
#include "sys/neutrino.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PULSE_PRIORITY 10 /* of what the system itself sends; QNX documents none */
#define DEATHS         64u

static uint32_t seen;
static uint32_t deaths[DEATHS]; /* connections of which we were told last */
static unsigned n_deaths;
static bool reading; /* lane_close() collects, which would come back here */
static uint64_t retry_at = UINT64_MAX; /* of what there was no room for; what comes after it waits */

#define RETRY_NS 5000000u

bool news_pending(void) {
        if (__builtin_expect(retry_at != UINT64_MAX, 0))
                return clock_now() >= retry_at;
        return session_has_news(seen);
}

/* While news is being read, what we know of lanes may be older than what has rung. */
bool news_unread(void) {
        return reading || retry_at != UINT64_MAX || session_has_news(seen);
}

uint64_t news_retry_at(void) {
        return retry_at;
}

/* Descriptors come in the order of their bits. */
static int fd_of(const WireNews *news, uint32_t bit, const int *fds, size_t n_fds) {
        size_t place = (size_t)__builtin_popcount(news->fds & (bit - 1));

        return (news->fds & bit) && place < n_fds ? fds[place] : -1;
}

static int lane_open(const WireNews *item, const int *fds, size_t n_fds) {
        const WireNewsLaneOpen *news = &item->lane_open;
        int link_fd = fd_of(item, WIRE_NEWS_FD_LINK, fds, n_fds);
        int bell_fd = fd_of(item, WIRE_NEWS_FD_BELL, fds, n_fds);
        Channel *channel = channel_find_even_destroyed_locked(news->chid);
        InLink *link = inlink_find_locked(news->link);
        InBell *bell;
        int r = 0;

        if (lane_find_locked(news->scoid))
                return 0;
        if (!link && link_fd >= 0)
                r = inlink_add_locked(news, link_fd, &link);
        if (r < 0 || !channel || !link)
                return r; /* destroyed meanwhile; its clients have been told */
        bell = channel_bell_locked(channel, news->bell);
        if (!bell && bell_fd >= 0)
                r = channel_add_bell_locked(channel, news->bell, bell_fd, &bell);
        if (r < 0 || !bell)
                return r;
        return lane_open_locked(channel, bell, link, news->scoid, news->lane);
}

static void ask_unblock_locked(Channel *channel, Receipt *receipt) {
        if (receipt->unblock)
                return;
        receipt->unblock = true;
        channel_pulse_locked(channel, _PULSE_CODE_UNBLOCK, (uint64_t)receipt_rcvid(receipt),
                             receipt->scoid, receipt->priority);
}

/* Messages of a dead client that we still hold: with UNBLOCK the server is asked to let go of them. */
static void orphan_receipts_locked(Lane *lane) {
        for (uint32_t i = 0; i < inlink_n_slots(lane->link); i++) {
                InSlot *slot = inlink_slot(lane->link, i);
                Receipt *receipt = slot->receipt;

                if (!receipt || receipt->scoid != lane->scoid)
                        continue;
                receipt->orphan = true;
                if (lane->channel->flags & _NTO_CHF_UNBLOCK)
                        ask_unblock_locked(lane->channel, receipt);
                else
                        receipt_drop_locked(receipt);
        }
}

static int lane_close(const WireNewsLaneClose *news) {
        Lane *lane = lane_find_locked(news->scoid);
        Channel *channel = lane ? lane->channel : NULL;

        if (!lane || lane->closed)
                return 0;
        channel_collect_locked(channel, false); /* what it sent before comes first */
        if (!collect_last_pulses_locked(lane->link, channel))
                return -ENOMEM;
        if (news->died)
                orphan_receipts_locked(lane);
        if (!(channel->flags & _NTO_CHF_DISCONNECT)) {
                lane_free_locked(lane);
                return 0;
        }
        lane_close_locked(lane);
        channel_pulse_locked(channel, _PULSE_CODE_DISCONNECT, 0, news->scoid,
                             queue_priority_behind(&channel->queue, news->scoid, PULSE_PRIORITY));
        return 0;
}

static void link_close(const WireNewsLinkClose *news) {
        InLink *link = inlink_find_locked(news->link);

        if (link)
                inlink_close_locked(link);
}

/*
 * A daemon that was killed between telling us and noting it leaves that to the next one. What is told
 * twice was the last that this daemon told, or one of some that it told at once; ids are never used twice.
 */
static bool is_told_again(uint32_t connection) {
        for (unsigned i = 0; i < DEATHS; i++)
                if (deaths[i] == connection)
                        return true;
        deaths[n_deaths++ % DEATHS] = connection;
        return false;
}

/* The daemon may not have heard yet which number a descriptor got: we know it. */
static void coid_death(const WireNewsCoidDeath *news) {
        int coid = connection_number_of(news->connection);

        if (is_told_again(news->connection))
                return;
        if (coid < 0)
                coid = news->coid;
        for (Channel *channel = channels_first(); channel; channel = channel->next)
                if ((channel->flags & _NTO_CHF_COID_DISCONNECT) && !channel->destroyed)
                        channel_pulse_locked(channel, _PULSE_CODE_COIDDEATH, (uint64_t)coid, -1,
                                             PULSE_PRIORITY);
}

/* An event of another process's that ends at a channel of ours. */
static void pulse(const WireNewsPulse *news) {
        Channel *channel = channel_find_locked(news->chid);

        if (channel)
                channel_pulse_locked(channel, news->code, news->value, news->scoid, news->priority);
}

/* One that only we can carry out; who sent it has been checked, what it names is our own. */
static void event(const WireNewsEvent *news) {
        struct sigevent event;

        memcpy(&event, &news->event, sizeof(event));
        if (event_check(&event) == 0)
                (void)event_deliver_self(&event, SI_QUEUE, news->tid);
}

/* 0 or -errno. */
static int apply(const WireNews *news, const int *fds, size_t n_fds) {
        switch ((WireNewsKind)news->kind) {
        case WIRE_NEWS_LANE_OPEN:
                return lane_open(news, fds, n_fds);
        case WIRE_NEWS_LANE_CLOSE:
                return lane_close(&news->lane_close);
        case WIRE_NEWS_LINK_EXTENT:
                return inlink_extent_locked(&news->link_extent,
                                            fd_of(news, WIRE_NEWS_FD_EXTENT, fds, n_fds));
        case WIRE_NEWS_LINK_CLOSE:
                link_close(&news->link_close);
                return 0;
        case WIRE_NEWS_COID_DEATH:
                coid_death(&news->coid_death);
                return 0;
        case WIRE_NEWS_PULSE:
                pulse(&news->pulse);
                return 0;
        case WIRE_NEWS_EVENT:
                event(&news->event);
                return 0;
        case WIRE_NEWS_FILE_CLOSE:
                return file_closed_locked(news->file_close.chid, news->file_close.file);
        case WIRE_NEWS_FILE_LEFT:
                file_forget_connection(news->file_left.scoid, news->file_left.index);
                return 0;
        case WIRE_NEWS_N:
                return 0;
        }
        return 0;
}

static bool is_shortage(int r) {
        return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -ENOBUFS;
}

/* True when there may be more. */
static bool read_next(void) {
        WireNews news;
        size_t n_fds;
        int fds[2];
        int r = session_peek_news(&news, fds, &n_fds);

        if (r > 0) {
                r = apply(&news, fds, n_fds);
                for (size_t i = 0; i < n_fds; i++)
                        session_close(fds[i]);
                if (!is_shortage(r)) {
                        session_drop_news();
                        return true;
                }
        }
        if (r < 0)
                retry_at = clock_now() + RETRY_NS;
        return false;
}

/*
 * The daemon sends, then counts: what was counted when we look is there to be read. What there is no room for
 * stays where it is, and all that follows, which may be about it.
 */
void news_read_locked(void) {
        int old;

        if (reading)
                return;
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        reading = true;
        retry_at = UINT64_MAX;
        receipts_reclaim_locked();
        seen = session_news();
        while (read_next())
                ;
        reading = false;
        pthread_setcancelstate(old, &old);
}

void news_after_fork(void) {
        reading = false;
        retry_at = UINT64_MAX;
        seen = 0;
        memset(deaths, 0, sizeof(deaths));
}
