/* SPDX-License-Identifier: MIT */
/*
 * Crowd: more who talk than processors (oversubscribed), and many who could but do not (many).
 */
#include "baseline.h"
#include "cases.h"
#include "crew.h"
#include "server.h"
#include "stats.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- oversubscribed ---- */

#define CLIENTS       8u
#define THREADS       4u
#define START_NS      (5 * NSEC_PER_MSEC) /* all are there by then */
#define CROWD_SECONDS 30u
#define CLOCK_TURNS   4u

typedef struct Crowd Crowd;

/* What a transport has to bring along. */
typedef struct Transport {
        void (*serve)(Crowd *crowd); /* starts THREADS threads, says ready, never returns */
        int (*begin)(Crowd *crowd, unsigned client);
        int (*turn)(Crowd *crowd, unsigned client);
} Transport;

/* What all share. */
typedef struct Score {
        uint64_t begin_ns, end_ns;
        uint64_t turns[CLIENTS];
} Score;

/* What each knows; a copy in every process since the fork. */
struct Crowd {
        const Transport *transport;
        Score *score;
        Address server;
        int coid;                /* client's */
        int sockets[CLIENTS][2]; /* client's end, server's end */
        int ready[2], gate[2];
};

static void *message_thread(void *argument) {
        Crowd *crowd = argument;
        uint64_t buffer;

        server_loop(crowd->server.chid, &buffer, sizeof(buffer));
        return NULL;
}

static void threads_start(void *(*run)(void *), void *argument) {
        for (unsigned i = 0; i < THREADS; i++) {
                pthread_t thread;

                if (pthread_create(&thread, NULL, run, argument))
                        crew_exit(-EAGAIN);
        }
}

static void message_serve(Crowd *crowd) {
        crowd->server = (Address){ getpid(), ChannelCreate(0) };
        if (crowd->server.chid < 0)
                crew_exit(-errno);
        threads_start(message_thread, crowd);
}

static int message_begin(Crowd *crowd, unsigned client) {
        crowd->coid = server_attach(&crowd->server);
        return crowd->coid < 0 ? crowd->coid : 0;
}

static int message_turn(Crowd *crowd, unsigned client) {
        uint64_t question = client, answer;

        return MsgSend(crowd->coid, &question, sizeof(question), &answer, sizeof(answer)) < 0 ? -errno : 0;
}

static const Transport message_transport = { message_serve, message_begin, message_turn };

/*
 * The sockets in the two ways that a good server would use them. Edge-triggered: a client sends
 * its next message only after the answer to the last, so one receive empties a socket.
 */
static void epoll_add(int epoll, int fd) {
        struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = fd };

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
                crew_exit(-errno);
}

static void socket_answer(int fd) {
        uint64_t message;

        if (recv(fd, &message, sizeof(message), MSG_DONTWAIT) == sizeof(message))
                send(fd, &message, sizeof(message), MSG_NOSIGNAL);
}

static void *epoll_thread(void *argument) {
        int epoll = (int)(intptr_t)argument;

        for (;;) {
                struct epoll_event event;

                if (epoll_wait(epoll, &event, 1, -1) == 1)
                        socket_answer(event.data.fd);
        }
        return NULL;
}

static int epoll_new(void) {
        int epoll = epoll_create1(EPOLL_CLOEXEC);

        if (epoll < 0)
                crew_exit(-errno);
        return epoll;
}

/* All threads wait for all sockets. */
static void shared_serve(Crowd *crowd) {
        int epoll = epoll_new();

        for (unsigned i = 0; i < CLIENTS; i++)
                epoll_add(epoll, crowd->sockets[i][1]);
        threads_start(epoll_thread, (void *)(intptr_t)epoll);
}

/* Each thread has its own two sockets. */
static void split_serve(Crowd *crowd) {
        for (unsigned i = 0; i < THREADS; i++) {
                pthread_t thread;
                int epoll = epoll_new();

                for (unsigned k = i; k < CLIENTS; k += THREADS)
                        epoll_add(epoll, crowd->sockets[k][1]);
                if (pthread_create(&thread, NULL, epoll_thread, (void *)(intptr_t)epoll))
                        crew_exit(-EAGAIN);
        }
}

static int socket_begin(Crowd *crowd, unsigned client) {
        return 0;
}

static int socket_turn(Crowd *crowd, unsigned client) {
        uint64_t message = client;
        int fd = crowd->sockets[client][0];

        if (send(fd, &message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
                return -EPIPE;
        return recv(fd, &message, sizeof(message), 0) == sizeof(message) ? 0 : -EPIPE;
}

static const Transport shared_transport = { shared_serve, socket_begin, socket_turn };
static const Transport split_transport = { split_serve, socket_begin, socket_turn };

/* Turns that begin in the window count; until then everybody runs as well, or it would not be crowded. */
static int client_turns(Crowd *crowd, unsigned client) {
        Score *score = crowd->score;
        uint64_t now, done = 0;
        int r = 0;

        while (!r && (now = now_ns()) < score->end_ns)
                for (unsigned i = 0; !r && i < CLOCK_TURNS; i++) {
                        r = crowd->transport->turn(crowd, client);
                        done += now >= score->begin_ns;
                }
        score->turns[client] = done;
        return r;
}

static _Noreturn void client_main(Crowd *crowd, unsigned client) {
        int r;

        gate_wait(crowd->gate);
        r = crowd->transport->begin(crowd, client);
        crew_exit(r ? r : client_turns(crowd, client));
}

static _Noreturn void crowd_serve(Crowd *crowd) {
        gate_free(crowd->gate); /* or the clients' would never end */
        crowd->transport->serve(crowd);
        gate_write(crowd->ready, &crowd->server, sizeof(crowd->server));
        for (;;)
                pause();
}

static void crowd_close(Crowd *crowd) {
        for (unsigned i = 0; i < CLIENTS; i++)
                gate_free(crowd->sockets[i]);
        gate_free(crowd->ready);
        gate_free(crowd->gate);
}

static int crowd_open(Crowd *crowd) {
        int r = gate_new(crowd->ready);

        if (!r)
                r = gate_new(crowd->gate);
        for (unsigned i = 0; !r && i < CLIENTS; i++)
                if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, crowd->sockets[i]))
                        r = -errno;
        return r;
}

static void crowd_start(Crowd *crowd, const Plan *plan) {
        crowd->score->begin_ns = now_ns() + START_NS + plan->warm_ns;
        crowd->score->end_ns = crowd->score->begin_ns + plan->run_ns;
        gate_free(crowd->gate);
}

static int clients_fork(Crowd *crowd, pid_t *pids) {
        for (unsigned i = 0; i < CLIENTS; i++) {
                pids[i] = crew_fork(CREW_ANYWHERE, CROWD_SECONDS);
                if (pids[i] == 0)
                        client_main(crowd, i);
                if (pids[i] < 0)
                        return pids[i];
        }
        return 0;
}

static int clients_join(pid_t *pids) {
        int result = 0;

        for (unsigned i = 0; i < CLIENTS; i++) {
                int r = crew_join(pids[i]);

                pids[i] = 0;
                if (r)
                        result = r;
        }
        return result;
}

static int crowd_play(Crowd *crowd, const Plan *plan) {
        pid_t pids[CLIENTS] = { 0 };
        pid_t server = crew_fork(CREW_ANYWHERE, CROWD_SECONDS);
        int r;

        if (server == 0)
                crowd_serve(crowd);
        r = server < 0 ? server : crew_ready(&server, crowd->ready, &crowd->server, sizeof(crowd->server));
        if (!r)
                r = clients_fork(crowd, pids);
        if (!r) {
                crowd_start(crowd, plan);
                r = clients_join(pids);
        }
        for (unsigned i = 0; i < CLIENTS; i++)
                crew_end(pids[i]);
        crew_end(server);
        return r;
}

static double crowd_turn_ns(const Crowd *crowd, const Plan *plan) {
        uint64_t turns = 0;

        for (unsigned i = 0; i < CLIENTS; i++)
                turns += crowd->score->turns[i];
        return turns ? (double)plan->run_ns / (double)turns : (double)plan->run_ns;
}

static int crowd_run(const Transport *transport, const Plan *plan, double *ret_ns) {
        Crowd crowd;
        int r;

        memset(&crowd, 0xff, sizeof(crowd)); /* no descriptor is open */
        crowd.transport = transport;
        crowd.score = crew_memory(sizeof(Score));
        if (!crowd.score)
                return -ENOMEM;
        r = crowd_open(&crowd);
        if (!r)
                r = crowd_play(&crowd, plan);
        *ret_ns = crowd_turn_ns(&crowd, plan);
        crowd_close(&crowd);
        munmap(crowd.score, sizeof(Score));
        return r;
}

static int oversubscribed(const Contest *contest, const Plan *plan, double *ret_ns) {
        return crowd_run(&message_transport, plan, ret_ns);
}

static int oversubscribed_shared(const Contest *contest, const Plan *plan, double *ret_ns) {
        return crowd_run(&shared_transport, plan, ret_ns);
}

static int oversubscribed_split(const Contest *contest, const Plan *plan, double *ret_ns) {
        return crowd_run(&split_transport, plan, ret_ns);
}

int case_oversubscribed(const Plan *plan, Report *report) {
        return contest_run(&(Contest){
                .name = "oversubscribed", .bytes = 8, .limit = 0.6, .probe = oversubscribed,
                .baselines = { { "seqpacket", oversubscribed_shared },
                               { "seqpacket", oversubscribed_split } },
        }, plan, report);
}

/* ---- many ---- */

#define HOLDERS         100u
#define HOLDER_COIDS    100u
#define HOLDERS_SECONDS 120u

typedef struct Holders {
        int core;            /* the server's, and ... */
        int client_core;     /* ... of the one client that talks */
        Address server;
        pid_t server_pid;
        pid_t pids[HOLDERS];
        int ready[2], gate[2];
} Holders;

static _Noreturn void holders_serve(Holders *holders) {
        uint64_t buffer;
        Address address = { getpid(), ChannelCreate(0) };

        if (address.chid < 0)
                crew_exit(-errno);
        gate_write(holders->ready, &address, sizeof(address));
        server_loop(address.chid, &buffer, sizeof(buffer));
}

/* One message each, so that the link has been used; then nothing but holding on. */
static _Noreturn void holder_main(Holders *holders) {
        uint64_t question = 1, answer;
        int coid = -1;

        gate_free(holders->ready);
        for (unsigned i = 0; i < HOLDER_COIDS; i++) {
                coid = server_attach(&holders->server);
                if (coid < 0)
                        crew_exit(coid);
        }
        if (MsgSend(coid, &question, sizeof(question), &answer, sizeof(answer)) < 0)
                crew_exit(-errno);
        gate_write(holders->gate, "", 1);
        for (;;)
                pause();
}

/* One after the other: a crowd at the daemon's door is not what is measured. */
static int holder_start(Holders *holders, pid_t *ret_pid) {
        pid_t pid;
        int r = gate_new(holders->gate);

        if (r)
                return r;
        pid = crew_fork(CREW_ANYWHERE, HOLDERS_SECONDS);
        if (pid == 0)
                holder_main(holders);
        r = pid < 0 ? pid : crew_ready(&pid, holders->gate, &(char){ 0 }, 1);
        gate_free(holders->gate);
        *ret_pid = pid;
        return r;
}

static int holders_start(Holders *holders) {
        int r = gate_new(holders->ready);

        if (r)
                return r;
        holders->server_pid = crew_fork(holders->core, HOLDERS_SECONDS);
        if (holders->server_pid == 0)
                holders_serve(holders);
        r = holders->server_pid < 0 ? holders->server_pid :
            crew_ready(&holders->server_pid, holders->ready, &holders->server, sizeof(holders->server));
        for (unsigned i = 0; !r && i < HOLDERS; i++)
                r = holder_start(holders, &holders->pids[i]);
        return r;
}

static void holders_end(Holders *holders) {
        for (unsigned i = 0; i < HOLDERS; i++)
                crew_end(holders->pids[i]);
        crew_end(holders->server_pid);
        gate_free(holders->ready);
}

static int many(const Contest *contest, const Plan *plan, double *ret_ns) {
        const Holders *holders = contest->context;

        return duet_join(&server_duet, holders->client_core, plan, &holders->server, ret_ns);
}

static int many_hot(const Contest *contest, const Plan *plan, double *ret_ns) {
        const Holders *holders = contest->context;
        Seats seats = { .server = holders->core, .client = holders->client_core };

        return duet_run(&server_duet, &seats, plan, 8, ret_ns);
}

int case_many(const Plan *plan, Report *report) {
        Holders holders = { .ready = { -1, -1 }, .gate = { -1, -1 } };
        Seats seats;
        int r = seats_apart(&seats);

        if (r)
                return r;
        holders.core = seats.server;
        holders.client_core = seats.client;
        r = holders_start(&holders);
        if (!r)
                r = contest_run(&(Contest){
                        .name = "many", .bytes = 8, .limit = 1.2, .probe = many,
                        .baselines = { { "hot", many_hot } }, .context = &holders,
                }, plan, report);
        holders_end(&holders);
        return r;
}
