/* SPDX-License-Identifier: MIT */
/*
 * Ability: what processes have been allowed or forbidden by procmgr_ability(), and their limit of channels.
 *
 * Inherited by exec through what remains of the process (remnant.h), and by fork from the nearest ancestor that
 * anything is known of. It binds programs that use the library; it is no sandbox: who closes his socket and
 * has no living ancestor begins anew.
 */
#pragma once

#include "abi/ability.h"
#include "daemon/kernel.h"

/* May the process do it, as the user that it is now? */
bool ability_is_allowed(const Process *process, uint32_t ability);

/* The highest priority it may use, as the user that it is now. */
uint32_t ability_priority_max(const Process *process);

/* -EAGAIN when it has as many channels as its limit allows, -EPERM when it may have none that is public. */
int ability_check_channel(const Process *process, bool is_private);

/* At GREET: from what the process was, or whose child it is. True when it was another program before. */
bool ability_inherit(Process *process);

/* Names of abilities that programs have made. */
void ability_names_deinit(Kernel *kernel);
