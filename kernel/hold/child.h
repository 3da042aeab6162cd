/* SPDX-License-Identifier: MIT */
/*
 * Child: the daemon's process, and what it finds around it: descriptors from LISTEN_FDS_START up, and the variables
 * that name them.
 */
#pragma once

#include "hold/store.h"

#include <sys/types.h>

/*
 * Runs @command with what is in @store. Its pid, or -errno. Names that are too many for the environment stand in
 * a memfd, whose number is in NUNTIUS_FDNAMES, instead of in LISTEN_FDNAMES.
 */
pid_t child_start(char *const *command, const Store *store, const char *notify_socket);
