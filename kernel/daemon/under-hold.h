/* SPDX-License-Identifier: MIT */
/*
 * Under-hold: a private daemon that nobody keeps descriptors for becomes nuntius-hold, which starts it again
 * as its child. The process that was started stays, with its id and its descriptor for readiness.
 */
#pragma once

/*
 * Returns only when there is no nuntius-hold, after a sentence on stderr. @socket: absolute path that takes the
 * place of what @argv says, or NULL. @ready_fd: -1 = none.
 */
void under_hold_run(int argc, char **argv, const char *socket, int ready_fd);
