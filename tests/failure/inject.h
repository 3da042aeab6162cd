/* SPDX-License-Identifier: MIT */
/*
 * Inject: makes the N-th call of one kind fail, in the thread that asked for it.
 *
 * Programs are linked with --wrap for each call of the list, so what is linked statically goes through here.
 */
#pragma once

#include <stdbool.h>

/* The calls that can be made to fail. */
#define INJECT_CALLS(X)                                                                            \
        X(malloc) X(calloc) X(realloc) X(reallocarray) X(mmap) X(madvise) X(memfd_create)          \
        X(ftruncate) X(fstat) X(fcntl) X(sendmsg) X(recvmsg) X(socket) X(socketpair) X(connect)    \
        X(pipe2) X(epoll_ctl) X(getrandom) X(process_vm_readv) X(syscall)            \
        X(pthread_create)

typedef enum InjectCall {
#define X(name) INJECT_##name,
        INJECT_CALLS(X)
#undef X
        INJECT_CALLS_N
} InjectCall;

/* In place of an errno: recvmsg succeeds, but its descriptors found no room (MSG_CTRUNC). */
#define INJECT_NO_ROOM_FOR_FDS (-1)

/* One way to fail. */
typedef struct Inject {
        InjectCall call;
        int error;
} Inject;

/* Every way that a kernel or a libc has, ended by an entry with error 0. */
extern const Inject inject_ways[];
const char *inject_name(InjectCall call);

/* The @nth call (from 1) of this thread fails; inject_end() says whether it came to that. */
void inject_begin(Inject way, unsigned nth);
bool inject_end(void);

/* Between the two nothing fails and nothing counts: the test's own business. */
void inject_pause(void);
void inject_resume(void);
