/* SPDX-License-Identifier: MIT */
/*
 * Connection: a coid.
 *
 * Two tables: descriptors (0 ..) and the side channel (0x40000000 ..). Reading them takes no lock.
 * A record that is detached goes through retire(): a sender that found it just before may use it until
 * it leaves its call.
 */
#pragma once

#include "runtime/outlink.h"

#include <stdbool.h>
#include <sys/types.h>

#define SIDE_CHANNEL       0x40000000
#define COID_SYSTEM        SIDE_CHANNEL /* SYSMGR_COID: the daemon itself */
#define CONNECTION_CLOEXEC 0x0001u      /* _NTO_COF_CLOEXEC */
#define CONNECTION_IS_DEAD 0x0002u      /* _NTO_COF_DEAD */

typedef struct Connection Connection;
struct Connection {
        int coid;
        uint32_t id;         /* the daemon's */
        uint32_t index;      /* its word in the link */
        uint32_t lane;       /* its leaf in the bell */
        OutLink *link;
        ShmBell *bell;
        int server_pid;
        int chid;
        int scoid;
        uint32_t channel_flags;
        uint32_t flags;
        bool is_file;        /* a manager's open file */
        ino_t inode;         /* descriptors: what the number must still be */
        Connection *next;    /* descriptors that share one daemon connection (dup); a ring */
};

/* NULL: no such coid. A descriptor that we do not know but the daemon does is adopted. */
Connection *connection_find(int coid);
/* The same with a reason: 0, -EBADF, or -EAGAIN, -ENOMEM when it cannot be adopted now. */
int connection_look_up(int coid, Connection **ret_connection);

/* Is it still connected? */
bool connection_is_live(const Connection *connection);

/* Does @coid still mean the daemon's connection @id, and is that connected? No lock. */
bool connection_is_still(int coid, uint32_t id);

/* Has this process itself detached it? Racy: for a sender that is just leaving. */
bool connection_is_detached(const Connection *connection);

/* For a descriptor that an open has been sent on. */
void connection_is_now_file(int coid);

/* ConnectAttach. The new coid or -errno. */
int connection_attach(int pid, int chid, unsigned index, unsigned flags);

/* ConnectDetach of a coid; a descriptor is closed. */
int connection_detach(int coid);

/* The lowest coid >= @from, or NULL. */
Connection *connection_next(int from, bool dead_too);

/* The lowest number of the daemon's connection @id in this process; -1 when it has none any more. */
int connection_number_of(uint32_t id);

/* _NTO_COF_... : the flags before the change, or -errno. */
int connection_set_flags(int coid, unsigned mask, unsigned bits);

/* For close(), dup() and their kin: is it a descriptor that we know as a connection? No lock. */
bool connection_is_descriptor(int fd);
/* This one came from another process, and may be a connection. */
void connection_inherit(int fd);
void connection_forget(int fd);
/* The program duplicated a descriptor. */
void connection_duplicated(int from, int to);

void connection_after_fork(void);
