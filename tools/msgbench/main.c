/* SPDX-License-Identifier: MIT */
/*
 * msgbench: how fast Nuntius passes messages, each case against the least that this machine needs for
 * the same job, measured in the same run. A missed limit is a result; it fails with --strict only.
 */
#include "cases.h"
#include "crew.h"
#include "noise.h"
#include "stats.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 100, EXIT_SYSTEM = 111 };

#define ROUNDS_DEFAULT 7u
#define ROUNDS_QUICK   3u
#define ROUNDS_MOST    100u
#define ROUND_NS       (100 * NSEC_PER_MSEC)
#define ROUND_NS_QUICK (30 * NSEC_PER_MSEC)
#define WARM_PART      5u /* of a round, run before it and dropped */

typedef struct Case {
        const char *name;
        int (*run)(const Plan *plan, Report *report);
        bool quick; /* part of --quick */
        const char *what;
} Case;

static const Case cases[] = {
        { "hot", case_hot, true,
          "8 bytes there and back, two cores, awake; against a cache-line ping-pong" },
        { "blocked", case_blocked, true, "the same, both on one core; against a futex ping-pong there" },
        { "unpinned", case_unpinned, true, "the same, not pinned; against the better of futex and pipe" },
        { "oversubscribed", case_oversubscribed, false,
          "8 client processes, 4 server threads; against seqpacket" },
        { "many", case_many, false, "hot, while 100 processes hold 10,000 connections; against hot" },
        { "copy", case_copy, true, "4 KiB, 64 KiB, 1 MiB sent; against two memcpy and hot" },
        { "huge", case_huge, false, "64 MiB sent; against two memcpy" },
        { "pulse", case_pulse, true, "a pulse to a waiting receiver and one back; against hot" },
        { "attach", case_attach, true, "ConnectAttach, ConnectDetach, already linked; against seqpacket" },
        { "wakeup", case_wakeup, false, "until a receiver runs that slept 100 ms, same core; against futex" },
        { "timer", case_timer, false, "how late pulses of 1 ms are; against clock_nanosleep; and that none is lost" },
        { "inversion", case_inversion, false,
          "a high client wants a busy server while a hog runs, one core; against a PI mutex" },
        { "fairness", case_fairness, false,
          "p99 of attach and message while another user floods; against the same flood elsewhere" },
        { "memory", case_memory, false, "bytes for each link in server, client and daemon" },
        { "idle", case_idle, false, "CPU time of 1,000 blocked clients in 5 s; must be 0" },
};
#define N_CASES (sizeof(cases) / sizeof(cases[0]))

typedef struct Options {
        bool json, quick, strict;
        unsigned rounds; /* 0 = default */
} Options;

static void help(void) {
        printf("Usage: msgbench [--json] [--rounds N] [--quick] [--strict] [CASE...]\n\n"
               "Measures message passing against what the machine needs for the same job.\n"
               "Without CASE all are measured; a case's ratio should stay under its limit.\n\n"
               "  --json      one JSON object a line instead of a table\n"
               "  --rounds N  rounds of each case (default %u); medians are reported\n"
               "  --quick     %u short rounds; without CASE only those marked * below\n"
               "  --strict    exit with 1 when a limit was missed\n"
               "  --help      this text\n"
               "  --version   the version\n\nCases:\n", ROUNDS_DEFAULT, ROUNDS_QUICK);
        for (unsigned i = 0; i < N_CASES; i++)
                printf("%s %-15s %s\n", cases[i].quick ? "*" : " ", cases[i].name, cases[i].what);
        printf("\nExit: 0 measured, 1 limit missed (--strict), 100 wrong usage, 111 could not be measured.\n");
}

static _Noreturn void usage_error(const char *what, const char *which) {
        fprintf(stderr, "msgbench: %s%s; see msgbench --help\n", what, which);
        exit(EXIT_USAGE);
}

static unsigned rounds_parse(const char *text) {
        char *end;
        unsigned long n = strtoul(text, &end, 10);

        if (*end || n < 1 || n > ROUNDS_MOST)
                usage_error("--rounds needs a number from 1 to 100, not ", text);
        return (unsigned)n;
}

static void options_parse(int argc, char **argv, Options *options) {
        static const struct option known[] = {
                { "json", no_argument, NULL, 'j' },   { "rounds", required_argument, NULL, 'r' },
                { "quick", no_argument, NULL, 'q' },  { "strict", no_argument, NULL, 's' },
                { "help", no_argument, NULL, 'h' },   { "version", no_argument, NULL, 'v' },
                { NULL },
        };
        int c;

        while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
                switch (c) {
                case 'j': options->json = true; break;
                case 'r': options->rounds = rounds_parse(optarg); break;
                case 'q': options->quick = true; break;
                case 's': options->strict = true; break;
                case 'h': help(); exit(EXIT_DONE);
                case 'v': printf("msgbench %s\n", NUNTIUS_VERSION); exit(EXIT_DONE);
                default: exit(EXIT_USAGE);
                }
}

static const Case *case_find(const char *name) {
        for (unsigned i = 0; i < N_CASES; i++)
                if (!strcmp(cases[i].name, name))
                        return &cases[i];
        return NULL;
}

/*
 * A process that keeps the daemon alive from the first case to the last. It starts it, too, if need
 * be: a daemon started by a pinned process would be pinned itself.
 */
static int keeper_start(pid_t *ret_pid) {
        int gate[2];
        pid_t pid;
        int r = gate_new(gate);

        if (r)
                return r;
        pid = crew_fork(CREW_ANYWHERE, 0);
        if (pid == 0) {
                if (ChannelCreate(0) < 0)
                        crew_exit(-errno);
                gate_write(gate, "", 1);
                for (;;)
                        pause();
        }
        r = pid < 0 ? pid : crew_ready(&pid, gate, &(char){ 0 }, 1);
        gate_free(gate);
        *ret_pid = pid;
        return r;
}

static unsigned case_run(const Case *which, const Plan *plan, Report *report) {
        int r = which->run(plan, report);

        if (r)
                report_failure(report, which->name, r);
        return r != 0;
}

static unsigned cases_run(char **names, const Options *options, const Plan *plan, Report *report) {
        unsigned failed = 0;

        for (char **name = names; *name; name++)
                failed += case_run(case_find(*name), plan, report);
        for (unsigned i = 0; !*names && i < N_CASES; i++)
                if (cases[i].quick || !options->quick)
                        failed += case_run(&cases[i], plan, report);
        return failed;
}

static Plan plan_make(const Options *options) {
        unsigned rounds = options->quick ? ROUNDS_QUICK : ROUNDS_DEFAULT;
        uint64_t ns = options->quick ? ROUND_NS_QUICK : ROUND_NS;

        return (Plan){
                .rounds = options->rounds ? options->rounds : rounds,
                .run_ns = ns, .warm_ns = ns / WARM_PART,
        };
}

int main(int argc, char **argv) {
        Options options = { 0 };
        Noise before, after;
        pid_t keeper = 0;
        Report report;
        unsigned failed;
        Plan plan;
        int r;

        options_parse(argc, argv, &options);
        for (char **name = argv + optind; *name; name++)
                if (!case_find(*name))
                        usage_error("there is no case ", *name);
        r = keeper_start(&keeper);
        if (r) {
                fprintf(stderr, "msgbench: no channel manager: %s\n", strerror(-r));
                return EXIT_SYSTEM;
        }

        plan = plan_make(&options);
        report = (Report){ .json = options.json };
        noise_read(&before);
        failed = cases_run(argv + optind, &options, &plan, &report);
        crew_end(keeper);
        noise_read(&after);
        report_end(&report, noise_others(&before, &after), noise_stolen(&before, &after));
        if (failed)
                return EXIT_SYSTEM;
        return options.strict && report.n_missed ? EXIT_NO : EXIT_DONE;
}
