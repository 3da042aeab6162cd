/* SPDX-License-Identifier: MIT */
/*
 * Remnant: what is kept of a process whose sockets are closed, until it greets again (it has executed another
 * program) or dies. There is one only where somebody cares: abilities that the next program inherits, or a
 * death to be told (watch.h).
 *
 *   -        -> WAITING  goodbye(), the process may be alive
 *   WAITING  -> -        GREET of the same process: ability_inherit()
 *   WAITING  -> -        its pidfd says that it is dead: the watchers are told
 */
#pragma once

#include "abi/ability.h"
#include "daemon/kernel.h"

typedef struct Remnant {
        Kernel *kernel;
        List link; /* Kernel.remnants */
        User *user; /* who is charged for its descriptor */
        int32_t pid;
        int pidfd;
        bool is_daemon;
        Abilities abilities;
        ev_io death;
} Remnant;

/* At goodbye(). Where no memory is left, nothing remains. */
void remnant_keep(Process *process);
Remnant *remnant_find(Kernel *kernel, int32_t pid);
/* One that has died, which we have not yet looked at, is ended first: its number may be another's now. */
Remnant *remnant_find_living(Kernel *kernel, int32_t pid);
/* Returns NULL. */
Remnant *remnant_free(Remnant *remnant);
void remnants_free(Kernel *kernel);
