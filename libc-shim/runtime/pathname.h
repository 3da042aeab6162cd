/* SPDX-License-Identifier: MIT */
/*
 * Pathname: the path space. Names are taken and given up through the daemon; where a path leads is read
 * from the summary that the daemon keeps beside its socket, without asking.
 *
 * A path below that the summary does not know belongs to Linux. Paths are compared as text, after "." and ".."
 * and doubled slashes have been taken out; symbolic links of Linux's file systems are not followed.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATHNAME_UNIQUE 0x80000000u /* pathname_attach(): -EEXIST if anybody has this very name */
#define PATHNAME_HITS   16

typedef struct PathnameHit {
        uint32_t id;
        int pid;
        int chid;
        uint32_t handle;
        int type;
        unsigned flags;       /* _RESMGR_FLAG_... */
        size_t prefix_length; /* of the path that was asked for; what is left begins behind its slash */
} PathnameHit;

/* @path: absolute. -EINVAL, -ENAMETOOLONG, -EEXIST, -EPERM, -EAGAIN. */
int pathname_attach(const char *path, int chid, uint32_t handle, int type, unsigned flags, uint32_t *ret_id);
int pathname_detach(uint32_t id);

/* Takes "." and "..", doubled and closing slashes out. -ENAMETOOLONG; -EINVAL: it is not absolute. */
int pathname_normalise(const char *path, char whole[PATH_MAX]);

/* Does anything serve anything? */
bool pathname_any(void);

/* Is it Linux's for sure? @path as the program gave it, absolute. Some nanoseconds. */
bool pathname_is_foreign(const char *path);

/* Who serves @whole, in the order in which they are to be asked: longest prefix first. The number. */
int pathname_resolve(const char *whole, PathnameHit hits[PATHNAME_HITS]);

/* Is it on the way to something that is served? Such a directory exists, whether Linux has it or not. */
bool pathname_is_above(const char *whole);

/*
 * Names directly below directory @whole: the next one is copied to @name (NAME_MAX + 1 bytes). Names may come twice.
 * *at starts at 0. False: no more.
 */
bool pathname_next_name(const char *whole, uint32_t *at, char *name, bool *ret_is_directory);

/* A name of name_attach(), by its path. -ENOENT. */
int pathname_find_name(const char *whole, PathnameHit *ret_hit);
