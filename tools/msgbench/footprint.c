/* SPDX-License-Identifier: MIT */
/*
 * Footprint: what those who only wait cost, in memory for each link and in processor time.
 */
#include "cases.h"
#include "crew.h"
#include "server.h"
#include "stats.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROCESSES_MAX 64u
#define CREW_SECONDS  60u

/* What a member says when it is there. */
typedef struct Member {
        Address address;
        pid_t daemon;          /* 0 = unknown */
        uint64_t mapped_bytes; /* resident, of what it shares with its peers */
} Member;

/* ---- reading /proc ---- */

/* The sum of a key's "Key:  123 kB" lines in bytes; `name`: only of mappings called so. */
static int64_t proc_sum(pid_t pid, const char *file, const char *key, const char *name) {
        char path[64], line[512];
        bool counts = !name;
        int64_t kib, sum = 0;
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
        f = fopen(path, "re");
        if (!f)
                return -errno;
        while (fgets(line, sizeof(line), f)) {
                /* Keys begin with a capital letter, the line of a mapping with its address. */
                if (name && (line[0] < 'A' || line[0] > 'Z'))
                        counts = strstr(line, name) != NULL;
                else if (counts && !strncmp(line, key, strlen(key)) &&
                         sscanf(line + strlen(key), ": %ld", &kib) == 1)
                        sum += kib;
        }
        fclose(f);
        return sum * 1024;
}

static int64_t proc_resident(pid_t pid) {
        return proc_sum(pid, "smaps_rollup", "Rss", NULL);
}

/* User and system time of all threads, in ticks. */
static int64_t proc_ticks(pid_t pid) {
        char path[64], line[1024];
        unsigned long user, system;
        const char *rest;
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        f = fopen(path, "re");
        if (!f)
                return -errno;
        rest = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
        fclose(f);
        if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                            &user, &system) != 2)
                return -EIO;
        return (int64_t)(user + system);
}

static bool is_daemon(pid_t pid) {
        char path[64], name[32] = "";
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        f = fopen(path, "re");
        if (!f)
                return false;
        if (!fgets(name, sizeof(name), f))
                name[0] = 0;
        fclose(f);
        return !strncmp(name, "nuntiusd", strlen("nuntiusd"));
}

static pid_t socket_peer(int fd) {
        struct ucred peer;
        socklen_t n = sizeof(peer);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) ? 0 : peer.pid;
}

/* The daemon is whoever is at the other end of one of our sockets and is called so; 0 = not found. */
static pid_t daemon_find(void) {
        DIR *dir = opendir("/proc/self/fd");
        struct dirent *entry;
        pid_t found = 0;

        while (dir && !found && (entry = readdir(dir))) {
                pid_t peer = socket_peer(atoi(entry->d_name));

                if (peer > 0 && is_daemon(peer))
                        found = peer;
        }
        if (dir)
                closedir(dir);
        return found;
}

/* ---- members: one server, n clients ---- */

typedef struct Company {
        Member server;
        pid_t server_pid;
        pid_t pids[PROCESSES_MAX];
        unsigned n_clients;
} Company;

typedef struct Part Part;
struct Part {
        int ready[2];
        const Company *company;
        unsigned index;
        void (*play)(Part *part); /* says ready, never returns */
};

static void part_ready(Part *part, int chid) {
        Member member = {
                .address = { getpid(), chid },
                .daemon = daemon_find(),
                .mapped_bytes = (uint64_t)proc_sum(getpid(), "smaps", "Rss", "memfd:nuntius"),
        };

        gate_write(part->ready, &member, sizeof(member));
}

/* Forks a member and waits until it is there. */
static int part_start(Part *part, Member *ret_member, pid_t *ret_pid) {
        pid_t pid;
        int r = gate_new(part->ready);

        if (r)
                return r;
        pid = crew_fork(CREW_ANYWHERE, CREW_SECONDS);
        if (pid == 0) {
                part->play(part);
                crew_exit(-EPIPE);
        }
        r = pid < 0 ? pid : crew_ready(&pid, part->ready, ret_member, sizeof(*ret_member));
        gate_free(part->ready);
        *ret_pid = pid;
        return r;
}

static int company_hire(Company *company, void (*play)(Part *), Member *ret_member) {
        Part part = { .company = company, .index = company->n_clients, .play = play };
        int r = part_start(&part, ret_member, &company->pids[company->n_clients]);

        if (!r)
                company->n_clients++;
        return r;
}

static int company_open(Company *company, void (*serve)(Part *)) {
        Part part = { .company = company, .play = serve };

        return part_start(&part, &company->server, &company->server_pid);
}

static void company_close(Company *company) {
        for (unsigned i = 0; i < company->n_clients; i++)
                crew_end(company->pids[i]);
        crew_end(company->server_pid);
}

/* ---- memory ---- */

#define MEMORY_CLIENTS 50u

static void memory_serve(Part *part) {
        uint64_t buffer;
        int chid = ChannelCreate(0);

        if (chid < 0)
                crew_exit(-errno);
        part_ready(part, chid);
        server_loop(chid, &buffer, sizeof(buffer));
}

static void memory_client(Part *part) {
        uint64_t question = 1, answer;
        int coid = server_attach(&part->company->server.address);

        if (coid < 0)
                crew_exit(coid);
        if (MsgSend(coid, &question, sizeof(question), &answer, sizeof(answer)) < 0)
                crew_exit(-errno);
        part_ready(part, 0);
        for (;;)
                pause();
}

static void memory_report(const char *name, double bytes, const char *note, Report *report) {
        report_row(report, &(Row){ .name = name, .bytes = bytes > 0 ? (uint64_t)bytes : 0, .note = note });
}

/* The first client is a rehearsal: it makes the server touch what it needs for any number of links. */
static int memory_measure(Company *company, Report *report) {
        int64_t server, keeper;
        uint64_t client = 0;
        Member member;
        int r = company_hire(company, memory_client, &member);

        server = proc_resident(company->server_pid);
        keeper = proc_resident(company->server.daemon);
        for (unsigned i = 0; !r && i < MEMORY_CLIENTS; i++) {
                r = company_hire(company, memory_client, &member);
                client += r ? 0 : member.mapped_bytes;
        }
        if (r)
                return r;
        server = proc_resident(company->server_pid) - server;
        keeper = keeper < 0 ? keeper : proc_resident(company->server.daemon) - keeper;
        memory_report("memory-server", (double)server / MEMORY_CLIENTS, "resident, for each link", report);
        memory_report("memory-client", (double)client / MEMORY_CLIENTS, "shared and resident, for each link",
                      report);
        memory_report("memory-daemon", (double)keeper / MEMORY_CLIENTS,
                      keeper < 0 ? "could not be read" : "resident, for each link", report);
        return 0;
}

int case_memory(const Plan *plan, Report *report) {
        Company company = { 0 };
        int r = company_open(&company, memory_serve);

        if (!r)
                r = memory_measure(&company, report);
        company_close(&company);
        return r;
}

/* ---- idle ---- */

#define IDLE_PROCESSES 20u
#define IDLE_THREADS   50u /* for each process */
#define SETTLE_NS      (1500 * NSEC_PER_MSEC)
#define IDLE_NS        (5 * NSEC_PER_SEC)

/*
 * The server has two channels: what comes to the first is received and never answered, nobody ever
 * receives on the second. So half of the clients are REPLY-blocked, half SEND-blocked, and the server
 * is RECEIVE-blocked. Chids of one process follow one another.
 */
static void idle_serve(Part *part) {
        uint64_t buffer;
        int chid = ChannelCreate(0);

        if (chid < 0 || ChannelCreate(0) != chid + 1)
                crew_exit(chid < 0 ? -errno : -EPROTO);
        part_ready(part, chid);
        while (MsgReceive(chid, &buffer, sizeof(buffer), NULL) >= 0)
                ;
        crew_exit(-errno);
}

static void *idle_thread(void *argument) {
        int coid = (int)(intptr_t)argument;
        uint64_t question = 1, answer;

        MsgSend(coid, &question, sizeof(question), &answer, sizeof(answer));
        crew_exit(-errno); /* nobody answers: something broke */
}

static void idle_client(Part *part) {
        Address address = part->company->server.address;
        pthread_t thread;
        int coid;

        address.chid += (int)(part->index % 2);
        coid = server_attach(&address);
        if (coid < 0)
                crew_exit(coid);
        for (unsigned i = 1; i < IDLE_THREADS; i++)
                if (pthread_create(&thread, NULL, idle_thread, (void *)(intptr_t)coid))
                        crew_exit(-EAGAIN);
        part_ready(part, 0);
        idle_thread((void *)(intptr_t)coid);
}

static int64_t company_ticks(const Company *company) {
        int64_t sum = proc_ticks(company->server_pid);
        int64_t keeper = company->server.daemon ? proc_ticks(company->server.daemon) : 0;

        if (sum < 0 || keeper < 0)
                return -ESRCH;
        sum += keeper;
        for (unsigned i = 0; i < company->n_clients; i++) {
                int64_t ticks = proc_ticks(company->pids[i]);

                if (ticks < 0)
                        return ticks;
                sum += ticks;
        }
        return sum;
}

static int idle_measure(Company *company, Report *report) {
        int64_t before, after;
        double tick_ns = (double)NSEC_PER_SEC / (double)sysconf(_SC_CLK_TCK);

        sleep_until(now_ns() + SETTLE_NS);
        before = company_ticks(company);
        sleep_until(now_ns() + IDLE_NS);
        after = company_ticks(company);
        if (before < 0 || after < 0)
                return before < 0 ? (int)before : (int)after;
        report_row(report, &(Row){
                .name = "idle", .ns = (double)(after - before) * tick_ns, .has_limit = true,
                .note = company->server.daemon ? "CPU time of 1,000 blocked clients, server and daemon, 5 s" :
                        "CPU time of 1,000 blocked clients and server, 5 s; the daemon was not found",
        });
        return 0;
}

int case_idle(const Plan *plan, Report *report) {
        Company company = { 0 };
        Member member;
        int r = company_open(&company, idle_serve);

        for (unsigned i = 0; !r && i < IDLE_PROCESSES; i++)
                r = company_hire(&company, idle_client, &member);
        if (!r)
                r = idle_measure(&company, report);
        company_close(&company);
        return r;
}
