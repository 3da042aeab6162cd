/* SPDX-License-Identifier: MIT */
/*
 * Duet: a server process and a client process, made anew for each round, and the client's loop under
 * the clock. The baselines and the cases differ only in the functions they put in here, so that both
 * are treated alike.
 */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How long a round lasts; the same for a case and its baseline. */
typedef struct Plan {
        unsigned rounds;
        uint64_t warm_ns; /* dropped */
        uint64_t run_ns;
} Plan;

typedef struct Address {
        pid_t pid;
        int chid;
} Address;

/* What the two share; ping and pong are on lines of their own. */
typedef struct Board {
        double ns; /* result */
        alignas(256) volatile uint32_t ping;
        alignas(256) volatile uint32_t pong;
        alignas(256) uint8_t end[1];
} Board;

/* Stage: what each knows; a copy in every process since the fork. */
typedef struct Stage {
        Board *board;
        uint64_t bytes;
        const Plan *plan;
        bool pinned;
        int ready[2];   /* the server says where it is */
        int there[2], back[2]; /* descriptors of a baseline: client to server, server to client */
        Address server;
        int coid;       /* client's */
        int chid;       /* client's, for what comes back by pulse */
        void *buffers[3];
} Stage;

typedef struct Duet {
        int (*prepare)(Stage *stage); /* before the fork; optional */
        void (*serve)(Stage *stage);  /* never returns of its own accord; NULL: no server process */
        int (*begin)(Stage *stage);   /* in the client; optional */
        int (*turn)(Stage *stage);    /* in the client: what is measured; 0 or -errno */
        unsigned batch;               /* turns between two looks at the clock; 0 = 32, or 1 from 1 MiB on */
} Duet;

/*
 * Where the two run. On fixed seats the clock takes the median of many short slices, so that another
 * program that takes a core away for a while is not counted; on free ones it takes everything, for
 * there the moments in which the kernel places the two badly are part of the answer.
 */
typedef struct Seats {
        int server, client; /* processor, or CREW_ANYWHERE */
} Seats;

int seats_apart(Seats *ret);
int seats_together(Seats *ret);
int seats_free(Seats *ret);

/* Nanoseconds a turn. */
int duet_run(const Duet *duet, const Seats *seats, const Plan *plan, uint64_t bytes, double *ret_ns);

/* The client's half alone, against a server that is there already. */
int duet_join(const Duet *duet, int core, const Plan *plan, const Address *server, double *ret_ns);

/* The server's side: say where the channel is. */
void stage_ready(Stage *stage, int chid);
