/* SPDX-License-Identifier: MIT */
/*
 * Process: a program that has greeted. It is born with GREET and dies by goodbye(), when its pidfd
 * says so or when its request socket closes (which exec does too).
 */
#pragma once

#include "abi/layout.h"
#include "daemon/coids.h"
#include "daemon/kernel.h"

typedef struct Connection Connection;

struct Process {
        Kernel *kernel;
        Session *session;
        User *user;
        ProcessRecord *record;
        bool is_dying;
        bool is_kept; /* its descriptors are in the store */

        int pidfd;
        ev_io death;
        int notice_fd;
        ShmNotice *notice;
        int page_fd;
        ShmProcess *page; /* read only: the process writes what it likes */
        int news_fd;
        ev_io news_io; /* runs while `news` holds something */
        List news;     /* News.link: what did not fit into the socket */
        size_t n_news;

        List boost_rest;       /* Booster.resting */
        uint64_t boost_window; /* which tenth of a second it last asked for boosts in ... */
        unsigned boost_cost;   /* ... and what that has cost */
        enum { NUMBERS_UNKNOWN, NUMBERS_OURS, NUMBERS_FOREIGN } numbers; /* of its threads: PID namespace */
        bool is_heard;         /* the booster reads what it says on its news socket */

        List all;          /* in Kernel.processes */
        List channels;     /* Channel.of_process */
        List client_links; /* Link.of_client */
        List server_links; /* Link.of_server */
        List lanes;        /* Lane.of_client: to other processes' channels, live ones */
        List connections;  /* Connection.of_client */
        List bell_holds;   /* BellHold.of_process */
        List lifelines;    /* Lifeline.of_creator */
        List closed_links; /* Link.of_server: of dead clients, until that is told */
        Coids coids;       /* connections by number */
        struct Watch *watch; /* what it wants to know of the system, or NULL */
        size_t n_fds;      /* descriptors that the daemon holds for its channels, links and lifelines */
};

/* A predecessor's; what is in @memory is taken over. */
typedef struct ProcessMemory {
        int pidfd, notice_fd, page_fd, news_fd;
        ShmNotice *notice;
        ShmProcess *page;
} ProcessMemory;
int process_adopt(Session *session, ProcessRecord *record, const ProcessMemory *memory, Process **ret_process);
/* It is watched from here on. */
void process_start(Process *process);
/* A half-built object is fine for process_free(), which leaves goodbye() to be said before. */
int process_new(Session *session, uint32_t greet_flags, Process **ret_process);
Process *process_free(Process *process);

/* The process with this pid, or @self for 0 and for its own. NULL if there is none. */
Process *process_find(Kernel *kernel, Process *self, int32_t pid);

/*
 * Charges descriptors that the daemon is to hold: to the user, and so that one process can take no
 * more than half of what its user has.
 */
int process_charge_fds(Process *process, size_t n);
void process_charge_fds_anyway(Process *process, size_t n);
void process_discharge_fds(Process *process, size_t n);
