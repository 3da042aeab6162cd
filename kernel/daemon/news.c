/* SPDX-License-Identifier: MIT */
/* News: built at the moment of sending, from the object as it then is. */
#include "daemon/news.h"

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fdmsg.h"
#include "daemon/bell.h"
#include "daemon/booster.h"
#include "daemon/channel.h"
#include "daemon/connection.h"
#include "daemon/extent.h"
#include "daemon/flags.h"
#include "daemon/lane.h"
#include "daemon/link.h"
#include "daemon/session.h"
#include "shm/bell.h"
#include "shm/link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NEWS_AT_ONCE 64
#define NEWS_EVENTS_MAX 1024

struct News {
        List link; /* in Process.news */
        Process *to;
        WireNewsKind kind;
        union {
                Lane *lane;             /* LANE_OPEN, LANE_CLOSE */
                Extent *extent;         /* LINK_EXTENT */
                Link *closed;           /* LINK_CLOSE */
                Connection *connection; /* COID_DEATH */
                WireNews wire;          /* PULSE, EVENT: of no object */
        };
        int32_t ring_chid; /* PULSE: whose first bell to ring, if it is still there */
};

typedef struct NewsRecord {
        WireNews wire;
        int fds[2];
        size_t n_fds;
} NewsRecord;

static void record_fd(NewsRecord *record, uint32_t bit, int fd) {
        record->wire.fds |= bit;
        record->fds[record->n_fds++] = fd;
}

static void build_lane_open(const Lane *lane, NewsRecord *record) {
        const LaneRecord *facts = lane->record;

        record->wire.lane_open = (WireNewsLaneOpen){
                .scoid = facts->scoid,
                .chid = lane->channel->record->chid,
                .bell = lane->bell->record->id,
                .lane = facts->leaf,
                .link = lane->link->record->id,
                .priority_max = lane->client->record->priority_max,
                .client = facts->credentials,
        };
        memcpy(record->wire.lane_open.token, lane->link->record->token, LINK_TOKEN_BYTES);
        if (!lane->link->record->announced)
                record_fd(record, WIRE_NEWS_FD_LINK, lane->link->fd);
        if (!lane->bell->record->announced)
                record_fd(record, WIRE_NEWS_FD_BELL, lane->bell->fd);
}

static void build_link_extent(const Extent *extent, NewsRecord *record) {
        const ExtentRecord *facts = extent->record;

        record->wire.link_extent = (WireNewsExtent){ .link = extent->link->record->id,
                                                     .extent = facts->number,
                                                     .kind = facts->kind,
                                                     .bytes = facts->bytes };
        record_fd(record, WIRE_NEWS_FD_EXTENT, extent->fd);
}

static void build_coid_death(const Connection *connection, NewsRecord *record) {
        record->wire.coid_death = (WireNewsCoidDeath){ .connection = connection->record->id,
                                                       .coid = connection->record->coid };
}

static void build_lane_close(const Lane *lane, NewsRecord *record) {
        record->wire.lane_close = (WireNewsLaneClose){ .scoid = lane->record->scoid,
                                                       .died = lane->record->closed == LANE_DIED };
}

static void news_build(const News *news, NewsRecord *record) {
        *record = (NewsRecord){ .n_fds = 0 };
        switch (news->kind) {
        case WIRE_NEWS_LANE_OPEN:
                build_lane_open(news->lane, record);
                break;
        case WIRE_NEWS_LINK_EXTENT:
                build_link_extent(news->extent, record);
                break;
        case WIRE_NEWS_COID_DEATH:
                build_coid_death(news->connection, record);
                break;
        case WIRE_NEWS_LANE_CLOSE:
                build_lane_close(news->lane, record);
                break;
        case WIRE_NEWS_LINK_CLOSE:
                record->wire.link_close.link = news->closed->record->id;
                break;
        case WIRE_NEWS_PULSE:
        case WIRE_NEWS_EVENT:
        case WIRE_NEWS_FILE_CLOSE:
        case WIRE_NEWS_FILE_LEFT:
                record->wire = news->wire;
                break;
        case WIRE_NEWS_N:
                break;
        }
        record->wire.kind = news->kind;
}

/* None is left of one whose teardown a predecessor has begun. */
static void ring_first_bell(const Channel *channel) {
        if (channel->n_bells > 0)
                bell_wake_all(channel->bells[0]->map);
}

static void ring_channels(const Process *process, uint32_t flags) {
        Channel *channel;

        LIST_FOREACH(channel, &process->channels, Channel, of_process)
                if ((channel->record->flags & flags) == flags)
                        ring_first_bell(channel);
}

/*
 * A lane that opens needs no ringing: its first message rings. Unless receivers must begin to wait on
 * a further bell, or that message may have rung before its news could be read.
 */
static void ring_lane_open(const News *news, const NewsRecord *record, bool was_late) {
        if (was_late || record->wire.fds & WIRE_NEWS_FD_BELL)
                ring_first_bell(news->lane->channel);
}

static void ring_lane_close(const Lane *lane) {
        if (lane->channel->record->flags & CHANNEL_DISCONNECT || lane->record->closed == LANE_DIED)
                ring_first_bell(lane->channel);
}

/* The lane last: it is announced again by a successor, which says then that the server has these two. */
static void lane_is_announced(const Lane *lane) {
        lane->link->record->announced = 1;
        FAILPOINT("daemon-link-announced");
        lane->bell->record->announced = 1;
        lane->record->announced = 1;
        FAILPOINT("daemon-lane-announced");
}

static void ring_pulse(const News *news) {
        Channel *channel = channel_find(news->to, news->ring_chid);

        if (channel)
                ring_first_bell(channel);
}

/* The process has it: remember what it need not be sent again, count, ring. */
static void news_sent(const News *news, const NewsRecord *record, bool was_late) {
        notice_count(news->to->notice);
        FAILPOINT("daemon-news-counted");
        switch (news->kind) {
        case WIRE_NEWS_LANE_OPEN:
                lane_is_announced(news->lane);
                ring_lane_open(news, record, was_late);
                break;
        case WIRE_NEWS_LANE_CLOSE:
                news->lane->record->told = 1;
                ring_lane_close(news->lane);
                break;
        case WIRE_NEWS_LINK_EXTENT:
                extent_announced(news->extent);
                if (was_late)
                        ring_channels(news->to, 0);
                break;
        case WIRE_NEWS_COID_DEATH:
                news->connection->record->told = 1;
                ring_channels(news->to, CHANNEL_COID_DISCONNECT);
                break;
        case WIRE_NEWS_PULSE:
        case WIRE_NEWS_FILE_CLOSE:
                ring_pulse(news);
                break;
        case WIRE_NEWS_EVENT:
                ring_channels(news->to, 0);
                break;
        case WIRE_NEWS_LINK_CLOSE:
        case WIRE_NEWS_FILE_LEFT:
        case WIRE_NEWS_N:
                break;
        }
}

/* 0, -EAGAIN when the socket is full, or -errno when it will never be read again. */
static int news_send(const News *news, bool was_late) {
        NewsRecord record;
        int r;

        news_build(news, &record);
        FAILPOINT("daemon-news-built");
        r = fdmsg_send(news->to->news_fd, &record.wire, sizeof(record.wire), record.fds, record.n_fds,
                       MSG_DONTWAIT);
        if (!r && (news->kind == WIRE_NEWS_PULSE || news->kind == WIRE_NEWS_EVENT))
                journal_news_sent(news->to->kernel);
        FAILPOINT("daemon-news-sent");
        if (r) /* the kernel's shortage passes like that of the socket */
                return r == -ENOBUFS || r == -ENOMEM ? -EAGAIN : r;
        news_sent(news, &record, was_late);
        return 0;
}

static News **news_owner(const News *news) {
        switch (news->kind) {
        case WIRE_NEWS_LANE_OPEN:
        case WIRE_NEWS_LANE_CLOSE:
                return &news->lane->news;
        case WIRE_NEWS_LINK_EXTENT:
                return &news->extent->news;
        case WIRE_NEWS_COID_DEATH:
                return &news->connection->news;
        case WIRE_NEWS_LINK_CLOSE:
                return &news->closed->news;
        case WIRE_NEWS_PULSE:
        case WIRE_NEWS_EVENT:
        case WIRE_NEWS_FILE_CLOSE:
        case WIRE_NEWS_FILE_LEFT:
        case WIRE_NEWS_N:
                break;
        }
        return NULL;
}

static void news_drop(News *news) {
        News **owner = news_owner(news);

        if (owner)
                *owner = NULL;
        list_unlink(&news->link);
        news->to->n_news--;
        free(news);
}

/* What stayed only to be told of may go. */
static void news_done(News *news) {
        const News done = *news;

        news_drop(news);
        if (done.kind == WIRE_NEWS_LANE_CLOSE)
                lane_was_told(done.lane);
        if (done.kind == WIRE_NEWS_LINK_CLOSE)
                link_was_told(done.closed);
}

/* A process that is about to end closes its sockets one by one: nothing to speak of. */
static void news_give_up(Process *process, int r) {
        bool is_closed = r == -EPIPE || r == -ECONNRESET;

        session_doom(process->session, is_closed ? NULL : "its news cannot be sent");
}

static void news_on_writable(struct ev_loop *loop, ev_io *io, int events) {
        Process *process = io->data;
        int r = 0;

        (void)events;
        for (int i = 0; i < NEWS_AT_ONCE && !list_is_empty(&process->news); i++) {
                News *news = LIST_FIRST(&process->news, News, link);

                r = news_send(news, true);
                if (r)
                        break;
                news_done(news);
        }
        if (r && r != -EAGAIN)
                news_give_up(process, r);
        if ((r && r != -EAGAIN) || list_is_empty(&process->news))
                ev_io_stop(loop, io);
}

static int news_keep(const News *news) {
        Process *to = news->to;
        News **owner;
        News *kept;

        kept = malloc(sizeof(*kept));
        if (!kept)
                return -ENOMEM;
        *kept = *news;
        list_append(&to->news, &kept->link);
        to->n_news++;
        owner = news_owner(kept);
        if (owner)
                *owner = kept;
        ev_io_start(to->kernel->loop, &to->news_io);
        return 0;
}

/* @news may live on the stack. */
static void news_push(const News *news) {
        int r = -EAGAIN;

        if (news->to->is_dying)
                return;
        if (list_is_empty(&news->to->news))
                r = news_send(news, false);
        if (r == -EAGAIN)
                r = news_keep(news);
        if (r)
                news_give_up(news->to, r);
}

void news_lane_open(Lane *lane) {
        news_push(&(News){ .to = lane->channel->process, .kind = WIRE_NEWS_LANE_OPEN, .lane = lane });
}

void news_lane_close(Lane *lane) {
        news_push(&(News){ .to = lane->channel->process, .kind = WIRE_NEWS_LANE_CLOSE, .lane = lane });
}

void news_link_extent(Extent *extent) {
        news_push(&(News){ .to = extent->link->server, .kind = WIRE_NEWS_LINK_EXTENT,
                           .extent = extent });
}

void news_link_close(Link *link) {
        news_push(&(News){ .to = link->server, .kind = WIRE_NEWS_LINK_CLOSE, .closed = link });
}

void news_coid_death(Connection *connection) {
        news_push(&(News){ .to = connection->client, .kind = WIRE_NEWS_COID_DEATH,
                           .connection = connection });
}

void news_file_close(Channel *channel, uint64_t file) {
        News news = { .to = channel->process, .kind = WIRE_NEWS_FILE_CLOSE,
                      .ring_chid = channel->record->chid };

        news.wire.file_close = (WireNewsFileClose){ .file = file, .chid = channel->record->chid };
        news_push(&news);
}

void news_file_left(Lane *lane, uint32_t index) {
        News news = { .to = lane->channel->process, .kind = WIRE_NEWS_FILE_LEFT };

        news.wire.file_left = (WireNewsFileLeft){ .scoid = lane->record->scoid, .index = index };
        news_push(&news);
}

/*
 * Nobody has paid for these but the process that does not read. What waits of them is in no record: who may be
 * followed by another daemon lets none wait.
 */
bool news_has_room(const Process *process) {
        return process->n_news < (process->kernel->journal.is_on ? 1 : NEWS_EVENTS_MAX);
}

void news_once(Process *to, const WireNews *news, int32_t ring_chid) {
        news_push(&(News){ .to = to, .kind = news->kind, .ring_chid = ring_chid, .wire = *news });
}

News *news_cancel(News *news) {
        if (news)
                news_drop(news);
        return NULL;
}

void news_attach(Process *process) {
        ev_io_init(&process->news_io, news_on_writable, process->news_fd, EV_WRITE);
        process->news_io.data = process;
        booster_listen(process);
}

void news_detach(Process *process) {
        if (process->news_fd < 0)
                return;
        booster_forget(process);
        ev_io_stop(process->kernel->loop, &process->news_io);
        while (!list_is_empty(&process->news))
                news_drop(LIST_FIRST(&process->news, News, link));
        assert(process->n_news == 0);
}
