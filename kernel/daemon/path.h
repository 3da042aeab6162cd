/* SPDX-License-Identifier: MIT */
/*
 * Path: a name of the path space that leads to a channel. It dies with its channel.
 *
 * What root and the daemon's own user attach is there for everybody; what any other user attaches is
 * seen by that user's processes alone, so nobody can put a file of his own in another's way.
 *
 * Of several at one text the order is: BEFORE, then plain ones, then AFTER; within each, later before earlier.
 */
#pragma once

#include "daemon/channel.h"
#include "daemon/kernel.h"

typedef struct Path Path;

struct Path {
        Channel *channel;
        PathRecord *record;
        List all;        /* in Kernel.paths, in their order */
        List of_channel; /* in Channel.paths */
        bool is_charged;
};

/* One of a daemon before us; one whose end had begun ends here. 0 or -errno. */
int path_adopt(Channel *channel, PathRecord *record);

/* "" or "/a/b", nothing empty, no dots; @text ends in 0. */
bool path_text_is_normal(const char *text, size_t n);

/* Its channel closes. The summary follows before the loop sleeps. */
Path *path_free(Path *path);

/* The summary that all processes read, a file at @path. 0 or -errno: then there is none, and no path space. */
int path_summary_open(Kernel *kernel, const char *path);
void path_summary_close(Kernel *kernel);
/* Writes it if something has changed. */
void path_summary_update(Kernel *kernel);
