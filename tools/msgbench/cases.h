/* SPDX-License-Identifier: MIT */
/*
 * Cases: what msgbench can measure. Each makes its rows and returns 0, or -errno when it could not.
 */
#pragma once

#include "contest.h"

int case_hot(const Plan *plan, Report *report);
int case_blocked(const Plan *plan, Report *report);
int case_unpinned(const Plan *plan, Report *report);
int case_pulse(const Plan *plan, Report *report);
int case_oversubscribed(const Plan *plan, Report *report);
int case_many(const Plan *plan, Report *report);
int case_copy(const Plan *plan, Report *report);
int case_huge(const Plan *plan, Report *report);
int case_attach(const Plan *plan, Report *report);
int case_wakeup(const Plan *plan, Report *report);
int case_timer(const Plan *plan, Report *report);
int case_inversion(const Plan *plan, Report *report);
int case_memory(const Plan *plan, Report *report);
int case_fairness(const Plan *plan, Report *report);
int case_idle(const Plan *plan, Report *report);
