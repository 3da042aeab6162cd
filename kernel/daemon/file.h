/* SPDX-License-Identifier: MIT */
/*
 * File: an open file as a server sees it: a lifeline, which many processes may hold. A server that keeps
 * something for it (an OCB) binds it, and is told when a process has it no more, and when nobody has.
 */
#pragma once

#include "daemon/connection.h"

/* Never 0; not used again for a long time. */
uint64_t file_number(const Lifeline *lifeline);

/* The connection, or the lifeline, is about to end: tell a server that has bound it. */
void file_connection_ends(const Connection *connection);
void file_lifeline_ends(const Lifeline *lifeline);
