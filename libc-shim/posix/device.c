/* SPDX-License-Identifier: MIT */
/*
 * Device: physical memory through /dev/mem, ports, and where memory lies.
 */
#include "posix/ports.h"
#include "sys/mman.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_FRAME   ((1ull << 55) - 1)

static int open_memory(int prot) {
        int fd = open("/dev/mem", (prot & PROT_WRITE ? O_RDWR : O_RDONLY) | O_SYNC | O_CLOEXEC);

        if (fd < 0)
                errno = errno == EACCES || errno == EPERM ? EPERM : ENXIO;
        return fd;
}

void *mmap_device_memory(void *addr, size_t len, int prot, int flags, uint64_t physical) {
        size_t inside = physical % (uint64_t)sysconf(_SC_PAGESIZE);
        void *map;
        int fd, saved;

        if (len == 0) {
                errno = EINVAL;
                return MAP_FAILED;
        }
        fd = open_memory(prot);
        if (fd < 0)
                return MAP_FAILED;
        map = mmap(addr, len + inside, prot, (flags & MAP_FIXED) | MAP_SHARED, fd,
                   (off_t)(physical - inside));
        saved = errno;
        close(fd);
        errno = saved;
        return map == MAP_FAILED ? map : (char *)map + inside;
}

int munmap_device_memory(void *addr, size_t len) {
        size_t inside = (uintptr_t)addr % (size_t)sysconf(_SC_PAGESIZE);

        return munmap((char *)addr - inside, len + inside);
}

#if defined(__x86_64__) || defined(__i386__)

uintptr_t mmap_device_io(size_t len, uint64_t port) {
        if (len > 0 && port < 65536 && ports_are_allowed())
                return (uintptr_t)port;
        errno = len > 0 && port < 65536 ? EPERM : EINVAL;
        return MAP_DEVICE_FAILED;
}

int munmap_device_io(uintptr_t port, size_t len) {
        return 0;
}

#else

uintptr_t mmap_device_io(size_t len, uint64_t port) {
        return (uintptr_t)mmap_device_memory(NULL, len, PROT_READ | PROT_WRITE, 0, port);
}

int munmap_device_io(uintptr_t port, size_t len) {
        return munmap_device_memory((void *)port, len);
}

#endif

/* ---- mem_offset ---- */

/* 0, EFAULT, EPERM. */
static int frame_of(int pagemap, uintptr_t addr, size_t page, uint64_t *ret_frame) {
        uint64_t entry;

        if (pread(pagemap, &entry, sizeof(entry), (off_t)(addr / page * sizeof(entry))) != sizeof(entry))
                return EFAULT;
        if (!(entry & PAGEMAP_PRESENT))
                return EFAULT;
        *ret_frame = entry & PAGEMAP_FRAME;
        return *ret_frame ? 0 : EPERM;
}

static int find_physical(int pagemap, uintptr_t addr, size_t length, int64_t *offset, size_t *contiguous) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE), run = page - addr % page;
        uint64_t first, next;
        int r;

        r = frame_of(pagemap, addr, page, &first);
        if (r)
                return r;
        *offset = (int64_t)(first * page + addr % page);
        for (uint64_t i = 1; run < length; i++, run += page)
                if (frame_of(pagemap, addr + i * page, page, &next) || next != first + i)
                        break;
        if (contiguous)
                *contiguous = run < length ? run : length;
        return 0;
}

int mem_offset64(const void *addr, int fd, size_t length, int64_t *offset, size_t *contiguous) {
        int pagemap, r;

        if (fd != NOFD) {
                errno = ENOTSUP;
                return -1;
        }
        pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
        if (pagemap < 0) {
                errno = EPERM;
                return -1;
        }
        r = find_physical(pagemap, (uintptr_t)addr, length, offset, contiguous);
        close(pagemap);
        if (!r)
                return 0;
        errno = r;
        return -1;
}

int mem_offset(const void *addr, int fd, size_t length, int64_t *offset, size_t *contiguous) {
        return mem_offset64(addr, fd, length, offset, contiguous);
}
