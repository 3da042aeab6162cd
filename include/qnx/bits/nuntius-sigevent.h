/* SPDX-License-Identifier: MIT */
/*
 * struct sigevent as QNX 7.1 has it on 64-bit machines, and the macros that fill it.
 * Programs get it from <signal.h>, <sys/siginfo.h> or <sys/neutrino.h>.
 *
 *   offset  member
 *        0  sigev_notify     SIGEV_..., with SIGEV_FLAG_... or'ed in
 *        8  sigev_signo | sigev_coid | sigev_id | sigev_notify_function | sigev_addr | sigev_handle
 *       16  sigev_value
 *       24  sigev_code, sigev_priority | sigev_notify_attributes | sigev_memop
 *       32  end
 */
#pragma once
/* C++ has no anonymous struct inside a union except as an extension that every compiler has. */
#pragma GCC system_header

#include <bits/types.h>
#include <bits/pthreadtypes.h>
#include <bits/types/__sigval_t.h>

#ifndef __sigval_t_defined
#define __sigval_t_defined
typedef __sigval_t sigval_t;
#endif

struct sigevent {
        int sigev_notify;
        union {
                int sigev_signo;
                int sigev_coid;
                int sigev_id;
                void (*sigev_notify_function)(union sigval);
                volatile unsigned *sigev_addr;
                void *sigev_handle;
        };
        union sigval sigev_value;
        union {
                struct {
                        short sigev_code;
                        short sigev_priority;
                };
                pthread_attr_t *sigev_notify_attributes;
                int sigev_memop;
        };
};
typedef struct sigevent sigevent_t;

/* Kinds of event. Source: the published 7.x 64-bit values, the base number with 0x80 or'ed in. */
#define SIGEV_NONE          0    /* nothing happens */
#define SIGEV_SIGNAL        0x81 /* signal sigev_signo to the process */
#define SIGEV_SIGNAL_CODE   0x82 /* the same with sigev_code (8 bits) and sigev_value */
#define SIGEV_SIGNAL_THREAD 0x83 /* the same to one thread */
#define SIGEV_PULSE         0x84 /* pulse through sigev_coid, a connection of the event's receiver */
#define SIGEV_UNBLOCK       0x85 /* end the thread's blocking call with ETIMEDOUT; kernel timeouts only */
#define SIGEV_INTR          0x86 /* wake InterruptWait() */
#define SIGEV_THREAD        0x87 /* start a thread */
#define SIGEV_MEMORY        0x88 /* change the word at sigev_addr */

/* Bits beside the kind. CRITICAL is QNX's value; the others have none in public: our choice. */
#define SIGEV_TYPE_MASK       0x000000ff
#define SIGEV_FLAG_CRITICAL   0x00000100
#define SIGEV_FLAG_UPDATEABLE 0x00000200
#define SIGEV_FLAG_HANDLE     0x00000400

/* sigev_memop. Neither names nor values are certain in public: our choice, after the documented effects. */
#define SIGEV_MEM_ASSIGN 1 /* *sigev_addr = the value's sival_int */
#define SIGEV_MEM_ADD    2 /* += */
#define SIGEV_MEM_SUB    3 /* -= */
#define SIGEV_MEM_BITSET 4 /* |= */
#define SIGEV_MEM_BITCLR 5 /* &= ~ */
#define SIGEV_MEM_TOGGLE 6 /* ^= */

/* sigev_priority: the priority is the receiver's. */
#define SIGEV_PULSE_PRIO_INHERIT (-1)

#define SIGEV_GET_TYPE(event)       ((event)->sigev_notify & SIGEV_TYPE_MASK)
#define SIGEV_SET_TYPE(event, type) \
        ((event)->sigev_notify = ((event)->sigev_notify & ~SIGEV_TYPE_MASK) | (type))
#define SIGEV_MAKE_CRITICAL(event)     ((event)->sigev_notify |= SIGEV_FLAG_CRITICAL)
#define SIGEV_CLEAR_CRITICAL(event)    ((event)->sigev_notify &= ~SIGEV_FLAG_CRITICAL)
#define SIGEV_MAKE_UPDATEABLE(event)   ((event)->sigev_notify |= SIGEV_FLAG_UPDATEABLE)
#define SIGEV_CLEAR_UPDATEABLE(event)  ((event)->sigev_notify &= ~SIGEV_FLAG_UPDATEABLE)

/* An int and a pointer are both accepted as a value, NULL too, so it goes through an integer. */
#define __SIGEV_PTR(value) ((void *)(unsigned long)(value))

#define SIGEV_NONE_INIT(event)    ((void)((event)->sigev_notify = SIGEV_NONE))
#define SIGEV_UNBLOCK_INIT(event) ((void)((event)->sigev_notify = SIGEV_UNBLOCK))
#define SIGEV_INTR_INIT(event)    ((void)((event)->sigev_notify = SIGEV_INTR))

#define SIGEV_SIGNAL_INIT(event, signo) \
        ((void)((event)->sigev_notify = SIGEV_SIGNAL, (event)->sigev_signo = (signo)))
#define SIGEV_SIGNAL_VALUE_INIT(event, signo, value) \
        ((void)((event)->sigev_notify = SIGEV_SIGNAL, (event)->sigev_signo = (signo), \
                (event)->sigev_value.sival_ptr = __SIGEV_PTR(value)))
#define __SIGEV_CODE_INIT(event, type, signo, value, code) \
        ((void)((event)->sigev_notify = (type), (event)->sigev_signo = (signo), \
                (event)->sigev_code = (short)(code), (event)->sigev_priority = 0, \
                (event)->sigev_value.sival_ptr = __SIGEV_PTR(value)))
#define SIGEV_SIGNAL_CODE_INIT(event, signo, value, code) \
        __SIGEV_CODE_INIT(event, SIGEV_SIGNAL_CODE, signo, value, code)
#define SIGEV_SIGNAL_CODE_INT_INIT(event, signo, value, code) \
        __SIGEV_CODE_INIT(event, SIGEV_SIGNAL_CODE, signo, (int)(value), code)
#define SIGEV_SIGNAL_CODE_PTR_INIT(event, signo, value, code) \
        SIGEV_SIGNAL_CODE_INIT(event, signo, value, code)
#define SIGEV_SIGNAL_THREAD_INIT(event, signo, value, code) \
        __SIGEV_CODE_INIT(event, SIGEV_SIGNAL_THREAD, signo, value, code)

#define SIGEV_PULSE_INIT(event, coid, priority, code, value) \
        ((void)((event)->sigev_notify = SIGEV_PULSE, (event)->sigev_coid = (coid), \
                (event)->sigev_priority = (short)(priority), (event)->sigev_code = (short)(code), \
                (event)->sigev_value.sival_ptr = __SIGEV_PTR(value)))
#define SIGEV_PULSE_PTR_INIT(event, coid, priority, code, value) \
        SIGEV_PULSE_INIT(event, coid, priority, code, value)
#define SIGEV_PULSE_INT_INIT(event, coid, priority, code, value) \
        SIGEV_PULSE_INIT(event, coid, priority, code, (int)(value))

#define SIGEV_THREAD_INIT(event, function, value, attributes) \
        ((void)((event)->sigev_notify = SIGEV_THREAD, (event)->sigev_notify_function = (function), \
                (event)->sigev_value.sival_ptr = __SIGEV_PTR(value), \
                (event)->sigev_notify_attributes = (attributes)))
#define SIGEV_MEMORY_INIT(event, addr, op, value) \
        ((void)((event)->sigev_notify = SIGEV_MEMORY, (event)->sigev_addr = (addr), \
                (event)->sigev_memop = (op), (event)->sigev_value.sival_ptr = __SIGEV_PTR(value)))
