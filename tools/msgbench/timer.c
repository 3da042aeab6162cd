/* SPDX-License-Identifier: MIT */
/*
 * Timer: how late the pulses of a timer are, and whether any is lost.
 *
 * Lateness: a timer of 1 ms, received by one thread, against clock_nanosleep() to the same kind of
 * instants in the same thread. The two take turns of TURN_TICKS, so both see the same machine.
 *
 * Ticks: ten timers of different periods on one channel for a minute. Each pulse is counted against the
 * timer's own schedule: one too few is lost, one before its time is too early.
 */
#include "cases.h"
#include "crew.h"
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS     NSEC_PER_MSEC
#define TURN_TICKS    50u
#define ROUND_TURNS   10u
#define TIMERS        10u
#define TICKS_NS      (60 * NSEC_PER_SEC)
#define TICKS_NS_QUICK (10 * NSEC_PER_SEC)
#define SECONDS_MOST  120u

typedef struct Lateness {
        Samples pulse, sleep;
} Lateness;

typedef struct Clockwork {
        int chid;
        int coid;
        int timer;
} Clockwork;

static int clockwork_new(Clockwork *work) {
        struct sigevent event;

        work->chid = ChannelCreate(0);
        work->coid = work->chid < 0 ? -1 : ConnectAttach(0, 0, work->chid, _NTO_SIDE_CHANNEL, 0);
        if (work->coid < 0)
                return -errno;
        SIGEV_PULSE_INIT(&event, work->coid, SIGEV_PULSE_PRIO_INHERIT, 1, 0);
        work->timer = TimerCreate(CLOCK_MONOTONIC, &event);
        return work->timer < 0 ? -errno : 0;
}

static int receive_code(int chid) {
        struct _pulse pulse;

        return MsgReceivePulse(chid, &pulse, sizeof(pulse), NULL) < 0 ? -errno : pulse.code;
}

static int set_timer(int timer, uint64_t first, uint64_t interval) {
        struct _itimer times = { .nsec = first, .interval_nsec = interval };

        return TimerSettime(timer, TIMER_ABSTIME, &times, NULL) < 0 ? -errno : 0;
}

/* The first of each turn is not counted: what was before it had the processor for other work. */
static int pulse_turn(const Clockwork *work, Samples *late) {
        uint64_t due = now_ns() + PERIOD_NS;
        int r = set_timer(work->timer, due, PERIOD_NS);

        for (unsigned i = 0; r == 0 && i <= TURN_TICKS; i++, due += PERIOD_NS) {
                r = receive_code(work->chid);
                if (r < 0)
                        return r;
                r = 0;
                if (i > 0)
                        samples_add(late, (double)(now_ns() - due));
        }
        return r ? r : set_timer(work->timer, 0, 0);
}

static void sleep_turn(Samples *late) {
        uint64_t due = now_ns() + PERIOD_NS;

        for (unsigned i = 0; i <= TURN_TICKS; i++, due += PERIOD_NS) {
                sleep_until(due);
                if (i > 0)
                        samples_add(late, (double)(now_ns() - due));
        }
}

static int measure_lateness(Lateness *late) {
        Clockwork work;
        int r = clockwork_new(&work);

        for (unsigned i = 0; r == 0 && i < ROUND_TURNS; i++) {
                if (i % 2)
                        sleep_turn(&late->sleep);
                r = pulse_turn(&work, &late->pulse);
                if (i % 2 == 0)
                        sleep_turn(&late->sleep);
        }
        return r;
}

static int lateness_round(Lateness *late) {
        Seats seats;
        pid_t child;
        int r = seats_together(&seats);

        if (r)
                return r;
        late->pulse.n = late->sleep.n = 0;
        child = crew_fork(seats.client, SECONDS_MOST);
        if (child == 0)
                crew_exit(measure_lateness(late));
        return child < 0 ? child : crew_join(child);
}

static int lateness_rows(const Plan *plan, Lateness *late, Report *report) {
        static Samples pulse, pulse_99, slept, slept_99;
        int r = 0;

        pulse.n = pulse_99.n = slept.n = slept_99.n = 0;
        for (unsigned i = 0; r == 0 && i < plan->rounds; i++) {
                r = lateness_round(late);
                samples_add(&pulse, samples_median(&late->pulse));
                samples_add(&slept, samples_median(&late->sleep));
                samples_add(&pulse_99, samples_percentile(&late->pulse, 99));
                samples_add(&slept_99, samples_percentile(&late->sleep, 99));
        }
        if (r)
                return r;
        contest_report(&(Contest){ .name = "timer", .bytes = 0, .limit = 1.2 }, "nanosleep", &pulse, &slept,
                       report);
        contest_report(&(Contest){ .name = "timer-99", .bytes = 0, .limit = 1.2 }, "nanosleep", &pulse_99,
                       &slept_99, report);
        return 0;
}

/* ---- ticks ---- */

static const unsigned periods_us[TIMERS] = { 1000, 1700, 2300, 3100, 5000,
                                             7900, 13000, 20000, 37000, 100000 };

typedef struct Ticks {
        uint64_t counts[TIMERS];
        uint64_t begun;
        uint64_t wrong; /* lost or too early */
} Ticks;

static int start_timers(const Clockwork *work, Ticks *ticks) {
        ticks->begun = now_ns();
        for (unsigned i = 0; i < TIMERS; i++) {
                struct sigevent event;
                int timer;

                SIGEV_PULSE_INIT(&event, work->coid, SIGEV_PULSE_PRIO_INHERIT, (int)i, 0);
                timer = TimerCreate(CLOCK_MONOTONIC, &event);
                if (timer < 0)
                        return -errno;
                if (set_timer(timer, ticks->begun + periods_us[i] * 1000ull, periods_us[i] * 1000ull) < 0)
                        return -errno;
        }
        return 0;
}

/* Every one that was due by then must be there: a second of further ticks has come since. */
static void count_lost(Ticks *ticks, uint64_t until) {
        for (unsigned i = 0; i < TIMERS; i++) {
                uint64_t expected = (until - ticks->begun) / (periods_us[i] * 1000ull);

                if (ticks->counts[i] < expected)
                        ticks->wrong += expected - ticks->counts[i];
        }
}

static int measure_ticks(Ticks *ticks, uint64_t run_ns) {
        Clockwork work;
        uint64_t until;
        int r = clockwork_new(&work);

        if (r == 0)
                r = start_timers(&work, ticks);
        until = ticks->begun + run_ns;
        while (r == 0 && now_ns() < until + NSEC_PER_SEC) {
                int code = receive_code(work.chid);

                if (code < 0 || code >= (int)TIMERS)
                        return code < 0 ? code : -EPROTO;
                if (now_ns() < ticks->begun + ++ticks->counts[code] * periods_us[code] * 1000ull)
                        ticks->wrong++;
        }
        count_lost(ticks, until);
        return r;
}

static int ticks_row(const Plan *plan, Ticks *ticks, Report *report) {
        bool quick = plan->run_ns < 100 * NSEC_PER_MSEC;
        pid_t child = crew_fork(CREW_ANYWHERE, SECONDS_MOST);
        int r;

        if (child == 0)
                crew_exit(measure_ticks(ticks, quick ? TICKS_NS_QUICK : TICKS_NS));
        r = child < 0 ? child : crew_join(child);
        if (r)
                return r;
        report_row(report, &(Row){
                .name = "timer-ticks", .ns = (double)ticks->wrong, .has_limit = true,
                .note = quick ? "lost or early pulses of ten timers in 10 s"
                              : "lost or early pulses of ten timers in 60 s",
        });
        return 0;
}

int case_timer(const Plan *plan, Report *report) {
        Lateness *late = crew_memory(sizeof(*late));
        Ticks *ticks = crew_memory(sizeof(*ticks));
        int r = late && ticks ? 0 : -ENOMEM;

        if (r == 0)
                r = lateness_rows(plan, late, report);
        if (r == 0)
                r = ticks_row(plan, ticks, report);
        if (late)
                munmap(late, sizeof(*late));
        if (ticks)
                munmap(ticks, sizeof(*ticks));
        return r;
}
