/* SPDX-License-Identifier: MIT */
#include "shm/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

static int sized_memfd(const char *name, size_t bytes) {
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t)bytes) == 0)
                return fd;
        r = -errno;
        close(fd);
        return r;
}

static int seal(int fd, int seals) {
        return fcntl(fd, F_ADD_SEALS, seals | F_SEAL_SEAL) < 0 ? -errno : 0;
}

int region_create(const char *name, size_t bytes, int *ret_fd) {
        int fd = sized_memfd(name, bytes);
        int r;

        if (fd < 0)
                return fd;
        r = seal(fd, SEALS);
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

int region_reopen_read_only(int fd, int *ret_fd) {
        char path[32];
        int opened;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        opened = open(path, O_RDONLY | O_CLOEXEC);
        if (opened < 0)
                return -errno;
        *ret_fd = opened;
        return 0;
}

/* A region that could shrink under us would kill us with SIGBUS, so the promise is checked, once. */
static int region_check(int fd, size_t bytes) {
        struct stat st;
        int seals = fcntl(fd, F_GET_SEALS);

        if (seals < 0 || (seals & SEALS) != SEALS)
                return -EPROTO;
        if (fstat(fd, &st) < 0)
                return -errno;
        return (size_t)st.st_size == bytes ? 0 : -EPROTO;
}

int region_map(int fd, size_t bytes, bool writable, void **ret_map) {
        int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
        void *map;
        int r = region_check(fd, bytes);

        if (r < 0)
                return r;
        map = mmap(NULL, bytes, protection, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
                return -errno;
        *ret_map = map;
        return 0;
}

int region_map_private_to_process(int fd, size_t bytes, bool writable, void **ret_map) {
        void *map;
        int r = region_map(fd, bytes, writable, &map);

        if (r < 0)
                return r;
        if (madvise(map, bytes, MADV_DONTFORK) < 0) {
                r = -errno;
                munmap(map, bytes);
                return r;
        }
        *ret_map = map;
        return 0;
}

void region_unmap(void *map, size_t bytes) {
        if (map)
                munmap(map, bytes);
}
