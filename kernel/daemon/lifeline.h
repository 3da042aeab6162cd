/* SPDX-License-Identifier: MIT */
/*
 * Lifeline: what makes a connection a real file descriptor. Programs hold one end of a socketpair, which
 * they may dup, inherit and close as they like; the daemon holds the other and sees it hang up when the
 * last copy has gone. Each process that uses it has a connection of its own; between exec and the first
 * use there is none.
 */
#pragma once

#include "daemon/channel.h"
#include "daemon/kernel.h"

typedef struct Lifeline Lifeline;

struct Lifeline {
        Kernel *kernel;
        User *user;       /* pays, also when the creator has died */
        Process *creator; /* NULL when it has died */
        Channel *channel; /* NULL when it has gone */
        LifelineRecord *record;
        int fd;
        bool is_named;
        bool is_kept; /* by the store */
        List of_creator;
        List of_channel;
        List connections; /* Connection.of_lifeline */
};

/* All of them are watched together. */
int lifeline_watch_start(Kernel *kernel);
void lifeline_watch_stop(Kernel *kernel);
/* Ends all that have hung up until now. */
void lifelines_look(Kernel *kernel);

/* @ret_fd: the end for the program. */
int lifeline_new(Process *creator, Channel *channel, uint32_t flags, Lifeline **ret_lifeline, int *ret_fd);
/* A predecessor's; @fd is taken over. @creator, @channel: NULL when it has gone. */
int lifeline_adopt(Kernel *kernel, Process *creator, Channel *channel, LifelineRecord *record, int fd,
                   Lifeline **ret_lifeline);
/* Its last copy has been closed: so are its connections. */
void lifeline_end(Lifeline *lifeline);
Lifeline *lifeline_free(Lifeline *lifeline);

/* The one whose far end @fd is a copy of, or NULL. */
Lifeline *lifeline_find(Kernel *kernel, int fd);

void lifeline_lose_channel(Lifeline *lifeline);
void lifeline_lose_creator(Lifeline *lifeline);

/* Ends those that only the dead held, when the daemon itself ends. */
void lifeline_end_all(Kernel *kernel);
