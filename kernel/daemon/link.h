/* SPDX-License-Identifier: MIT */
/*
 * Link: the memory between one client process and one server process. Made with the first connection
 * between the two, it lives until either dies, so later connections cost no mapping. A process may be
 * linked to itself.
 */
#pragma once

#include "abi/layout.h"
#include "daemon/kernel.h"

typedef struct Link Link;
typedef struct News News;

struct Link {
        Process *client; /* NULL when it has died and only that has still to be told */
        Process *server;
        LinkRecord *record;
        int fd;
        ShmLink *map;
        bool client_has_fd;
        News *news; /* LINK_CLOSE that waits to be told */
        bool is_charged;
        bool is_named; /* in links_by_pair */
        List of_client;
        List of_server;
        List connections; /* Connection.of_link: those that have an index, dead ones too */
        List extents;     /* Extent.of_link */
        uint32_t n_extents;
        uint32_t n_connections;
        uint64_t indexes[LINK_CONNECTIONS / 64]; /* bit set = taken */
};

/* A predecessor's; @fd and @map, its memory, are taken over. */
int link_adopt(Process *client, Process *server, LinkRecord *record, int fd, ShmLink *map, Link **ret_link);
/* One whose client has died, which the server has still to be told; it has no memory. */
int link_adopt_closed(Process *server, LinkRecord *record, Link **ret_link);
int link_new(Process *client, Process *server, Link **ret_link);
/* Its connections no longer have an index, and nobody is told. */
Link *link_free(Link *link);

Link *link_find(const Process *client, const Process *server);
Link *link_find_id(Kernel *kernel, uint32_t id);

/* Its client dies: all goes but what the server has to be told. */
void link_close(Link *link);
/* The server has been told. */
void link_was_told(Link *link);

/* Its client has been given the descriptor, or could not keep it and needs it again. */
void link_client_has_fd(Link *link, bool has);

/* Ends every wait on a server that has died. */
void link_fail(Link *link, int error);

/* The lowest free index; -EAGAIN when all are taken. */
int link_take_index(Link *link, uint32_t *ret_index);
void link_claim_index(Link *link, uint32_t index);
void link_give_index(Link *link, uint32_t index);
