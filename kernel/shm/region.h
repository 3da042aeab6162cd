/* SPDX-License-Identifier: MIT */
/*
 * Region: one memfd that two processes share.
 *
 * Only the daemon creates regions; it seals them before anybody else sees the descriptor, so a peer
 * can neither truncate one under a reader (SIGBUS) nor make it grow past what was charged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A zeroed region of @bytes, sealed against shrinking, growing and further seals. 0 or -errno. */
int region_create(const char *name, size_t bytes, int *ret_fd);

/*
 * Another descriptor for the region in @fd, which can be mapped for reading only: for somebody who is to
 * look and not to write. Who could open it anew for writing is decided by the mode of @fd's file.
 */
int region_reopen_read_only(int fd, int *ret_fd);

/* Maps a region that came over the socket. -EPROTO when its size or its seals are not what was promised. */
int region_map(int fd, size_t bytes, bool writable, void **ret_map);

/* As region_map(), but the mapping is not inherited by a forked child. */
int region_map_private_to_process(int fd, size_t bytes, bool writable, void **ret_map);

void region_unmap(void *map, size_t bytes);
