/* SPDX-License-Identifier: MIT */
/*
 * Memory of devices, and shared memory that is handed over: QNX's additions to <sys/mman.h>.
 */
#pragma once
#pragma GCC system_header

#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

#define MAP_DEVICE_FAILED ((uintptr_t)-1)
#define PROT_NOCACHE      0 /* mmap_device_memory() never caches */
#ifndef NOFD
#define NOFD (-1)
#endif

/* shm_open(): an object without a name. */
#define SHM_ANON ((const char *)1)

/* Names an object of shared memory for another process; goes into messages. */
typedef uint64_t shm_handle_t;

/*
 * mmap_device_memory: map the memory of a device
 *
 * Maps `len` bytes of physical memory at `physical`, uncached, through /dev/mem. `addr`, `prot` and `flags` as
 * for mmap(). munmap_device_memory() ends it.
 *
 * Returns: the address; MAP_FAILED and errno. munmap_device_memory(): 0; -1 and errno.
 * Errors:
 *   EINVAL  `len` is 0.
 *   ENXIO   there is no such memory, or no /dev/mem.
 *   EPERM   the caller may not, or the kernel gives such memory to nobody.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: mmap_device_io
 */
void *mmap_device_memory(void *addr, size_t len, int prot, int flags, uint64_t physical);
int munmap_device_memory(void *addr, size_t len);

/*
 * mmap_device_io: get access to ports
 *
 * On x86 returns `port`, when the calling thread may use the processor's ports; elsewhere maps device memory.
 * munmap_device_io() ends it.
 *
 * Returns: what in8() takes; MAP_DEVICE_FAILED and errno. munmap_device_io(): 0; -1 and errno.
 * Errors:
 *   EINVAL  `len` is 0.
 *   EPERM   the caller may not.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: in8, mmap_device_memory
 */
uintptr_t mmap_device_io(size_t len, uint64_t port);
int munmap_device_io(uintptr_t port, size_t len);

/*
 * mem_offset64: find the physical address of memory
 *
 * Stores the address of the page that `addr` lies in, plus the offset in it, at `offset`, and how many bytes of
 * `length` lie behind each other from there at `contiguous`, which may be NULL. `fd` is NOFD.
 * mem_offset() is the same.
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EFAULT   `addr` is not mapped, or not in memory.
 *   ENOTSUP  `fd` is not NOFD.
 *   EPERM    the caller may not know (CAP_SYS_ADMIN).
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: ENOTSUP; lock the memory (mlock()), or Linux may move it.
 * See: mmap_device_memory
 */
int mem_offset64(const void *addr, int fd, size_t length, int64_t *offset, size_t *contiguous);
int mem_offset(const void *addr, int fd, size_t length, int64_t *offset, size_t *contiguous);

/*
 * shm_create_handle: name shared memory for another process
 *
 * Makes a handle for the object behind `fd`, for process `pid`, which may open it with `flags` (O_RDONLY,
 * O_RDWR): shm_open_handle() returns a descriptor of its own. The object stays while the caller lives, though
 * `fd` be closed, or until its maker calls shm_delete_handle(). `options` is 0.
 *
 * Returns: shm_open_handle(): a descriptor. The others: 0. -1 and errno.
 * Errors:
 *   EACCES  the opener may not look into the process that made the handle (another user), or the object
 *           does not allow these `flags`.
 *   EBADF   `fd` is no descriptor.
 *   EINVAL  `handle` is NULL or is none, `options` is not 0, or there is no process `pid`.
 *   EMFILE  there are too many descriptors.
 *   ENOENT  the process that made it has ended.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: any process of the maker's user may open it; Linux checks no
 *   further.
 * See: MsgSend
 */
int shm_create_handle(int fd, pid_t pid, int flags, shm_handle_t *handle, unsigned options);
int shm_open_handle(shm_handle_t handle, int flags);
int shm_delete_handle(shm_handle_t handle);

#pragma GCC visibility pop
__END_DECLS
