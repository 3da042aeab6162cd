/* SPDX-License-Identifier: MIT */
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

const Inject inject_ways[] = {
        { INJECT_malloc, ENOMEM },
        { INJECT_calloc, ENOMEM },
        { INJECT_realloc, ENOMEM },
        { INJECT_reallocarray, ENOMEM },
        { INJECT_mmap, ENOMEM },
        { INJECT_madvise, ENOMEM },
        { INJECT_memfd_create, EMFILE },
        { INJECT_memfd_create, ENOMEM },
        { INJECT_ftruncate, ENOSPC },
        { INJECT_fstat, ENOMEM },
        { INJECT_fcntl, EMFILE },
        { INJECT_sendmsg, EINTR },
        { INJECT_sendmsg, ENOBUFS },
        { INJECT_sendmsg, ENOMEM },
        { INJECT_recvmsg, EINTR },
        { INJECT_recvmsg, ENOMEM },
        { INJECT_recvmsg, INJECT_NO_ROOM_FOR_FDS },
        { INJECT_socket, EMFILE },
        { INJECT_socketpair, ENFILE },
        { INJECT_connect, EINTR },
        { INJECT_pipe2, EMFILE },
        { INJECT_epoll_ctl, ENOSPC },
        { INJECT_getrandom, EINTR },
        { INJECT_process_vm_readv, ENOMEM },
        { INJECT_syscall, ENOMEM },
        { INJECT_pthread_create, EAGAIN },
        { 0, 0 },
};

static __thread Inject wanted;
static __thread unsigned left; /* 0 = nothing is to fail */
static __thread bool fired, paused;

const char *inject_name(InjectCall call) {
        static const char *const names[] = {
#define X(name) #name,
                INJECT_CALLS(X)
#undef X
        };

        return names[call];
}

void inject_begin(Inject way, unsigned nth) {
        wanted = way;
        fired = false;
        left = nth;
        paused = false;
}

bool inject_end(void) {
        left = 0;
        return fired;
}

void inject_pause(void) {
        paused = true;
}

void inject_resume(void) {
        paused = false;
}

/* True when this one fails; errno is set then. */
static bool fails(InjectCall call) {
        if (left == 0 || paused || wanted.call != call || --left > 0)
                return false;
        fired = true;
        if (wanted.error > 0)
                errno = wanted.error;
        return true;
}

#define WRAP(result, name, parameters, arguments, failure)                                         \
        result __real_##name parameters;                                                           \
        result __wrap_##name parameters;                                                           \
        result __wrap_##name parameters {                                                          \
                if (fails(INJECT_##name))                                                          \
                        return failure;                                                            \
                return __real_##name arguments;                                                    \
        }

WRAP(void *, malloc, (size_t n), (n), NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, (void *old, size_t n), (old, n), NULL)
WRAP(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size), NULL)
WRAP(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t offset),
     (at, n, prot, flags, fd, offset), MAP_FAILED)
WRAP(int, madvise, (void *at, size_t n, int advice), (at, n, advice), -1)
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1)
WRAP(int, ftruncate, (int fd, off_t n), (fd, n), -1)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), -1)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), -1)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
WRAP(int, socketpair, (int domain, int type, int protocol, int ends[2]),
     (domain, type, protocol, ends), -1)
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t n), (fd, address, n), -1)
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags), -1)
WRAP(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event), (epoll, op, fd, event), -1)
WRAP(ssize_t, getrandom, (void *to, size_t n, unsigned flags), (to, n, flags), -1)
WRAP(ssize_t, process_vm_readv, (pid_t pid, const struct iovec *local, unsigned long n_local,
                                 const struct iovec *remote, unsigned long n_remote, unsigned long flags),
     (pid, local, n_local, remote, n_remote, flags), -1)
WRAP(int, pthread_create, (pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                           void *argument), (thread, attributes, run, argument), EAGAIN)

/* Only what makes a descriptor: the rest cannot fail. */
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...) {
        va_list arguments;
        long argument;

        va_start(arguments, command);
        argument = va_arg(arguments, long);
        va_end(arguments);
        if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && fails(INJECT_fcntl))
                return -1;
        return __real_fcntl(fd, command, argument);
}

/* What really came is closed, as the kernel does with what finds no room. */
static void lose_fds(struct msghdr *message) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
                for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
                        close(fd);
                }
        message->msg_flags |= MSG_CTRUNC;
        message->msg_controllen = 0;
}

ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags) {
        bool is_lossy = wanted.error == INJECT_NO_ROOM_FOR_FDS;
        ssize_t n;

        if (!is_lossy && fails(INJECT_recvmsg))
                return -1;
        n = __real_recvmsg(fd, message, flags);
        if (is_lossy && n > 0 && message->msg_controllen > 0 && fails(INJECT_recvmsg))
                lose_fds(message);
        return n;
}

/* Of the bare system calls the one that may want memory. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
        va_list arguments;
        long a[6];

        va_start(arguments, number);
        for (int i = 0; i < 6; i++)
                a[i] = va_arg(arguments, long);
        va_end(arguments);
        if (number == SYS_membarrier && a[0] == MEMBARRIER_CMD_PRIVATE_EXPEDITED && fails(INJECT_syscall))
                return -1;
        return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
