/* SPDX-License-Identifier: MIT */
/*
 * Extent: memory that a link has grown by: more slots, or a buffer. It lives as long as its link.
 */
#pragma once

#include "abi/layout.h"
#include "daemon/link.h"
#include "daemon/news.h"

struct Extent {
        Link *link;
        ExtentRecord *record;
        int fd;         /* of a buffer: only until the server has it */
        ShmSlot *slots; /* NULL for a buffer: nothing in there concerns the daemon */
        News *news;     /* waiting to be told to the server */
        List of_link;
        uint64_t bytes; /* charged */
        bool has_fd;    /* charged for a descriptor */
        bool is_in_answer; /* its descriptor is, and stays stored until that is sent */
};

/* A predecessor's; @fd and @map, its memory, are taken over; -1 and NULL where there is none any more. */
int extent_adopt(Link *link, ExtentRecord *record, int fd, void *map);
/* Does the daemon hold a descriptor for it? */
bool extent_record_has_fd(const ExtentRecord *record);
Extent *extent_free(Extent *extent);

/* The server has its descriptor. */
void extent_announced(Extent *extent);
/* Gives back a descriptor that nobody needs any more. */
void extent_release(Extent *extent);
