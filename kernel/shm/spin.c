/* SPDX-License-Identifier: MIT */
#include "shm/spin.h"

static uint64_t default_limit = SPIN_BUDGET_NS;
static bool many_cores;

static bool usable_cores_are_many(void) {
        cpu_set_t set;

        return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) > 1 : false;
}

void spin_configure(long microseconds) {
        default_limit = microseconds < 0 ? SPIN_BUDGET_NS : (uint64_t)microseconds * 1000;
        many_cores = usable_cores_are_many();
}

long spin_default(void) {
        return (long)default_limit;
}

bool spin_allowed(const SpinCredit *credit, int peer_core, uint64_t limit_ns) {
        if (limit_ns == 0 || !many_cores || credit->credit <= 0)
                return false;
        return peer_core != clock_core();
}

bool spin_expired(Spin *spin) {
        uint64_t now = clock_now();

        if (spin->until == 0)
                spin->until = now + spin->limit;
        return now >= spin->until;
}

void spin_paid(SpinCredit *credit) {
        if (credit->credit < SPIN_CREDIT_MAX)
                credit->credit++;
}

void spin_lost(SpinCredit *credit) {
        credit->credit = credit->credit > 8 ? credit->credit - 8 : 0;
}

void spin_slept(SpinCredit *credit, uint64_t ns, uint64_t limit_ns) {
        if (ns >= 2 * limit_ns)
                return;
        spin_paid(credit);
        spin_paid(credit);
}
