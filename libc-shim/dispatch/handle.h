/* SPDX-License-Identifier: MIT */
/*
 * Handle: what a dispatch_t and a context are inside.
 *
 * A handle owns tables of what is attached; a context is one thread's receive buffer and answer. What is public
 * of a context (dispatch_context_t) lies at its end, because its iov[] goes on behind it.
 */
#pragma once

#include "base/list.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/dispatch.h>

typedef struct Binding Binding;

/* Pulses of the library to itself, below those that the system sends. */
enum {
        PULSE_WAKE = -100,        /* dispatch_unblock() */
        PULSE_SELECT = -101,      /* value: number of a descriptor that is ready */
};

#define PULSE_CODE_FIRST (-128)
#define PULSE_CODES 256
#define MSG_SIZE_MIN 4352 /* an open with the longest path fits */

typedef int MessageFunction(message_context_t *ctp, int code, unsigned flags, void *handle);

typedef struct PulseEntry {
        MessageFunction *function; /* NULL: free */
        void *handle;
        int flags;
} PulseEntry;

struct _dispatch {
        pthread_mutex_t mutex; /* tables; not taken with DISPATCH_FLAG_NOLOCK */
        unsigned flags;
        int chid;              /* -1: none yet */
        bool owns_channel;
        int self_coid;         /* to chid; -1: none yet */
        bool has_contexts;     /* sizes are fixed from here on */
        size_t msg_max_size;
        unsigned nparts_max;
        bool has_timeout;
        uint64_t timeout;      /* nanoseconds */
        List ranges;           /* Range.link */
        MessageFunction *fallback; /* MSG_FLAG_DEFAULT_FUNC */
        void *fallback_handle;
        PulseEntry pulses[PULSE_CODES];
        bool serves_files;     /* a resource manager was attached */
        List selects;          /* Select.link */
};

typedef struct Context {
        dispatch_t *dpp;
        Binding *temporary; /* of a combine message that opens and closes */
        bool opens_for_good; /* an open binds to the client's file */
        int rcvid; /* of the whole message; ctp->rcvid is 0 in its earlier parts */
        bool is_pulse;
        dispatch_context_t public; /* last: iov[] follows */
} Context;

static inline Context *context_of(void *ctp) {
        return (Context *)((char *)ctp - offsetof(Context, public));
}

void dispatch_lock(dispatch_t *dpp);
void dispatch_unlock(dispatch_t *dpp);

/* Makes the channel if there is none. 0 or -errno. Under the lock. */
int dispatch_need_channel_locked(dispatch_t *dpp);
/* A connection to its own channel, made once. The coid or -errno. Under the lock. */
int dispatch_self_locked(dispatch_t *dpp);
/* Room for what is attached now; -EINVAL when contexts are smaller already. Under the lock. */
int dispatch_fit_locked(dispatch_t *dpp, size_t msg_max_size, unsigned nparts_max);
