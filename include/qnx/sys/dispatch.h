/* SPDX-License-Identifier: MIT */
/*
 * <sys/dispatch.h>: one loop for messages, pulses, resource managers and descriptors.
 *
 *   dispatch_t *dpp = dispatch_create();
 *   ... resmgr_attach(), message_attach(), pulse_attach(), select_attach() ...
 *   dispatch_context_t *ctp = dispatch_context_alloc(dpp);
 *   for (;;) {
 *           ctp = dispatch_block(ctp);
 *           if (ctp) dispatch_handler(ctp);
 *   }
 *
 * THREAD_POOL_PARAM_T may be defined before this header to the type that a thread pool's functions take
 * (usually dispatch_context_t); by default it is resmgr_context_t.
 *
 * Errors are reported by -1 (or NULL) and errno. Rule: QNX 7.1 documentation where no "our choice" stands.
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/neutrino.h>
#include <sys/resmgr.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef resmgr_context_t message_context_t;
typedef resmgr_context_t select_context_t;

typedef union _dispatch_context {
        resmgr_context_t resmgr_context;
        message_context_t message_context;
        select_context_t select_context;
} dispatch_context_t;

typedef struct _message_attr {
        unsigned flags;
        unsigned nparts_max;
        size_t msg_max_size;
        unsigned reserved[4];
} message_attr_t;

typedef struct _select_attr {
        unsigned flags;
        unsigned reserved[4];
} select_attr_t;

/* message_attach(), pulse_attach(), message_connect() */
#define MSG_FLAG_TYPE_PULSE   0x0001
#define MSG_FLAG_ALLOC_PULSE  0x0002 /* pulse_attach(): choose a free code */
#define MSG_FLAG_TIMEOUT_FUNC 0x0080
#define MSG_FLAG_DEFAULT_FUNC 0x0100 /* message_attach(): for what nobody else wants */
#define MSG_FLAG_SIDE_CHANNEL 0x0200 /* message_connect(): no descriptor */
#define MSG_FLAG_CROSS_ENDIAN 0x0400 /* kept, without effect */

/* select_attach() */
#define SELECT_FLAG_REARM     0x0001 /* again after each call of the function */
#define SELECT_FLAG_SRVEXCEPT 0x0002 /* kept, without effect */
#define SELECT_FLAG_NOREARM   0x0004
#define SELECT_FLAG_READ      _NOTIFY_COND_INPUT
#define SELECT_FLAG_WRITE     _NOTIFY_COND_OUTPUT
#define SELECT_FLAG_EXCEPT    _NOTIFY_COND_OBAND

/* dispatch_create_channel() */
#define DISPATCH_FLAG_NOLOCK      0x00000001 /* one thread only: no lock is taken */
#define DISPATCH_CHANNEL_COIDDEATH 0x40000000 /* _NTO_CHF_COID_DISCONNECT too */

/* ---------------------------------------------------------------- dispatch ------------------- */

/* A handle without a channel; the first attach makes one. NULL: ENOMEM. */
dispatch_t *dispatch_create(void);
/*
 * @chid: a channel of the program's own (with _NTO_CHF_UNBLOCK and _NTO_CHF_DISCONNECT if a resource manager is
 * attached), or -1. NULL: ENOMEM; EINVAL: unknown flags.
 */
dispatch_t *dispatch_create_channel(int chid, unsigned flags);
/*
 * Frees the handle and all that is attached; a channel that it made is destroyed with it (our
 * choice). Contexts must be freed before, and no thread
 * may be inside dispatch_block(). 0; EINVAL.
 */
int dispatch_destroy(dispatch_t *dpp);

/* NULL: ENOMEM; EINVAL: nothing is attached. */
dispatch_context_t *dispatch_context_alloc(dispatch_t *dpp);
void dispatch_context_free(dispatch_context_t *ctp);

/*
 * Waits for a message or a pulse. Returns the context to go on with, which need not be @ctp.
 * NULL: EINTR or another error; @ctp is still good. After a dispatch_timeout(): a context with rcvid -1.
 * Blocks; a cancellation point.
 */
dispatch_context_t *dispatch_block(dispatch_context_t *ctp);
/* Calls what is attached for it. 0; -1: nothing is: a message has been answered with ENOSYS. */
int dispatch_handler(dispatch_context_t *ctp);
/* Makes one thread that is blocked in dispatch_block() on this handle return NULL with EINTR. */
void dispatch_unblock(dispatch_context_t *ctp);
/* From now on each dispatch_block() waits at most @reltime; NULL: for ever. 0; EINVAL. */
int dispatch_timeout(dispatch_t *dpp, struct timespec *reltime);
/* Buckets of the table of open files; kept, without effect. 0; EINVAL. */
int dispatch_set_hash_size(dispatch_t *dpp, unsigned nbuckets);

/* ---------------------------------------------------------------- messages, pulses ----------- */

/*
 * @func gets messages whose first 16 bits lie in [low, high], and must answer them itself.
 * 0; EINVAL: a range that is empty, or that overlaps another, or a context is allocated and
 * @attr wants more; ENOMEM.
 */
int message_attach(dispatch_t *dpp, message_attr_t *attr, int low, int high,
                   int (*func)(message_context_t *ctp, int code, unsigned flags, void *handle), void *handle);
/* 0; EINVAL: nothing is attached to this very range. */
int message_detach(dispatch_t *dpp, int low, int high, unsigned flags);
/* A connection to the handle's own channel: its coid. EAGAIN; EINVAL: it has no channel. */
int message_connect(dispatch_t *dpp, int flags);

/* @func gets pulses of @code; with MSG_FLAG_ALLOC_PULSE of a code that is chosen. The code; EINVAL; EAGAIN; ENOMEM. */
int pulse_attach(dispatch_t *dpp, int flags, int code,
                 int (*func)(message_context_t *ctp, int code, unsigned flags, void *handle), void *handle);
int pulse_detach(dispatch_t *dpp, int code, int flags);

/* ---------------------------------------------------------------- descriptors ---------------- */

/*
 * @func is called in a thread of the loop when descriptor @fd (any of Linux's, or an open file of a resource manager)
 * is ready for what SELECT_FLAG_... in @flags say; once, unless SELECT_FLAG_REARM.
 * 0; EINVAL; EBADF; EEXIST: it is attached already (our choice); ENOMEM.
 */
int select_attach(dispatch_t *dpp, select_attr_t *attr, int fd, unsigned flags,
                  int (*func)(select_context_t *ctp, int fd, unsigned flags, void *handle), void *handle);
int select_detach(dispatch_t *dpp, int fd);
/* In @func: which conditions are true. The flags; -1. */
int select_query(select_context_t *ctp, int *fd, unsigned *flags,
                 int (**func)(select_context_t *, int, unsigned, void *), void **handle);
/* Watches @fd again. 0; EINVAL. */
int select_rearm(dispatch_t *dpp, int fd);

/* ---------------------------------------------------------------- names ---------------------- */

typedef struct _name_attach {
        dispatch_t *dpp;
        int chid;
        int mntid;
        int zero[2];
} name_attach_t;

#define NAME_FLAG_ATTACH_LOCAL   0x0000
#define NAME_FLAG_DETACH_SAVEDPP 0x0001
#define NAME_FLAG_ATTACH_GLOBAL  0x0002 /* there is one node: the same as local, in a name space of its own */
#define _NAME_FLAG_COF_SHIFT     4      /* name_open(): _NTO_COF_... << 4 */
#define _NAME_FLAG_COF_CLOEXEC   (_NTO_COF_CLOEXEC << _NAME_FLAG_COF_SHIFT)

/*
 * Registers @path (no leading slash, no "..") for clients that name_open() it. @dpp NULL: a handle
 * of its own, whose channel has
 * _NTO_CHF_UNBLOCK, _NTO_CHF_DISCONNECT and _NTO_CHF_COID_DISCONNECT.
 * NULL: EEXIST: the name is taken; EINVAL; EACCES; EPERM; ENOMEM; EAGAIN.
 */
name_attach_t *name_attach(dispatch_t *dpp, const char *path, unsigned flags);
/* 0; EINVAL. */
int name_detach(name_attach_t *attach, unsigned flags);
/* A connection (side channel) to the server of @name. ENOENT; EACCES; ENAMETOOLONG; EAGAIN. */
int name_open(const char *name, int flags);
int name_close(int coid);

/* ---------------------------------------------------------------- thread pools --------------- */

#ifndef THREAD_POOL_PARAM_T
#define THREAD_POOL_PARAM_T resmgr_context_t
#endif
#ifndef THREAD_POOL_HANDLE_T
#define THREAD_POOL_HANDLE_T dispatch_t
#endif

typedef struct _thread_pool thread_pool_t;

typedef struct _thread_pool_attr {
        THREAD_POOL_HANDLE_T *handle;
        THREAD_POOL_PARAM_T *(*block_func)(THREAD_POOL_PARAM_T *ctp);
        void (*unblock_func)(THREAD_POOL_PARAM_T *ctp);
        int (*handler_func)(THREAD_POOL_PARAM_T *ctp);
        THREAD_POOL_PARAM_T *(*context_alloc)(THREAD_POOL_HANDLE_T *handle);
        void (*context_free)(THREAD_POOL_PARAM_T *ctp);
        pthread_attr_t *attr;
        unsigned short lo_water;  /* threads that wait in block_func, at least */
        unsigned short increment; /* made at a time */
        unsigned short hi_water;  /* threads that wait, at most: more of them end */
        unsigned short maximum;   /* threads in all */
        const char *tid_name;     /* of the threads, or NULL */
        void (*error_func)(THREAD_POOL_PARAM_T *ctp, int error, int where);
        unsigned reserved[6];
} thread_pool_attr_t;

#define POOL_FLAG_EXIT_SELF        0x01 /* thread_pool_start(): the calling thread ends */
#define POOL_FLAG_USE_SELF         0x02 /* thread_pool_start(): the calling thread joins; returns when the pool ends */
#define POOL_FLAG_EXITING          0x04
#define POOL_FLAG_CHANGING         0x08
#define POOL_FLAG_RESERVE          0x10
#define POOL_FLAG_ERROR            0x20
#define POOL_FLAG_CALL_BLOCK_ERRF  0x40 /* error_func when block_func returns NULL */
#define POOL_FLAG_CALL_HANDLE_ERRF 0x80 /* error_func when handler_func returns other than 0 */

#define POOL_ERROR_BLOCK   1
#define POOL_ERROR_HANDLER 2
#define POOL_ERROR_CONTEXT 4

#define THREAD_POOL_CONTROL_HIWATER   0x0001
#define THREAD_POOL_CONTROL_LOWATER   0x0002
#define THREAD_POOL_CONTROL_MAXIMUM   0x0004
#define THREAD_POOL_CONTROL_INCREMENT 0x0008
#define THREAD_POOL_CONTROL_NONBLOCK  0x4000

/* @attr is copied. NULL: EINVAL: water marks that contradict each other, functions missing; ENOMEM. */
thread_pool_t *thread_pool_create(thread_pool_attr_t *attr, unsigned flags);
/* 0; -1: EAGAIN and what pthread_create(3) says. */
int thread_pool_start(void *pool);
/* Ends the pool's threads as they come back, waits for them, frees it. 0. */
int thread_pool_destroy(thread_pool_t *pool);
/*
 * Changes the marks that @flags name; blocks until it is so, unless NONBLOCK. 0; EINVAL: lo_water
 * > hi_water; EAGAIN.
 */
int thread_pool_control(thread_pool_t *pool, thread_pool_attr_t *attr, uint16_t lower, uint16_t upper, unsigned flags);
/* The marks: -1 leaves one as it is. 0; EINVAL; EAGAIN. */
int thread_pool_limits(thread_pool_t *pool, int lowater, int hiwater, int maximum, int increment, unsigned flags);

#ifdef __cplusplus
}
#endif
