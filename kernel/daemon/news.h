/* SPDX-License-Identifier: MIT */
/*
 * News: what the daemon tells a process unasked. Sent at once where the socket has room; else kept as
 * an item that points to its object, so that what has become untrue meanwhile is never sent, and what
 * is kept is bounded by objects that somebody has paid for. A process that does not read costs itself.
 *
 * What has been sent stands in the object's record (announced, told). So what is due follows from the
 * records, and a successor of this daemon sends it; an object whose end is to be told stays for that.
 */
#pragma once

#include "abi/wire.h"
#include "base/list.h"
#include "daemon/process.h"

typedef struct Channel Channel;
typedef struct Channel Channel;
typedef struct Extent Extent;
typedef struct Lane Lane;
typedef struct Link Link;
typedef struct News News;

/* Life of a process's outgoing news; news_fd is there. */
void news_attach(Process *process);
void news_detach(Process *process);

/*
 * Each tells the process it concerns. An object must cancel before it dies: the item that may be
 * waiting is stored in its `news` member.
 */
void news_lane_open(Lane *lane);
void news_lane_close(Lane *lane); /* lane_was_told() follows when it had to wait */
void news_link_extent(Extent *extent);
void news_link_close(Link *link); /* likewise link_was_told() */
void news_coid_death(Connection *connection);
void news_file_close(Channel *channel, uint64_t file);
void news_file_left(Lane *lane, uint32_t index);

/*
 * What belongs to no object, PULSE and EVENT: told once, by us or by a successor (journal_news). @ring_chid:
 * the channel of a pulse. There is no room when the process has left too many unread.
 */
bool news_has_room(const Process *process);
void news_once(Process *to, const WireNews *news, int32_t ring_chid);

/* NULL is fine. Returns NULL, to be stored back. */
News *news_cancel(News *news);
