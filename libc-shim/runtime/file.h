/* SPDX-License-Identifier: MIT */
/*
 * File: which open file a message came on, as a server knows it.
 *
 * A client names the connection it sends by; which file that stands for only the daemon knows (a
 * file may have come to the client
 * by fork, exec or SCM_RIGHTS, and clients lie). The server asks once for each connection, and is told when that
 * connection is closed, and when the file is: then nobody has it any more.
 */
#pragma once

/* What wakes a channel's receivers for a file that was closed; dispatch takes it, below all codes of QNX's. */
#define FILE_PULSE_CLOSED (-102)

#include <stdbool.h>
#include <stdint.h>

/* The file's number, never 0. -EBADF: the message did not come on a descriptor; -ESRCH: no such rcvid. */
int file_of_message(int rcvid, uint64_t *ret_file);

/* News: the connection with this index has gone; the index may come to mean another. */
void file_forget_connection(int32_t scoid, uint32_t index);

/* News: nobody has the file any more. Under the server lock. 0 or -ENOMEM. */
int file_closed_locked(int chid, uint64_t file);
/* One of the files of this channel that have been closed, each once; reads the news first. False: no more. */
bool file_take_closed(int chid, uint64_t *ret_file);

void files_after_fork(void);
