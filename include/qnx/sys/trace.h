/* SPDX-License-Identifier: MIT */
/*
 * <sys/trace.h>: what a program says to the kernel's tracer. On Linux the events of a program go to ftrace's
 * trace_marker, where trace-cmd and perfetto read them; filters of the kernel's own events are not QNX's to set.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>

/* TraceEvent(): commands, with what follows each. Our choice of values. */
#define _NTO_TRACE_START             1 /* - */
#define _NTO_TRACE_STARTNOSTATE      2 /* - */
#define _NTO_TRACE_STOP              3 /* - */
#define _NTO_TRACE_FLUSHBUFFER       4 /* -, kept, without effect */
#define _NTO_TRACE_INSERTEVENT       5 /* head, stamp, data0, data1: uint32_t */
#define _NTO_TRACE_INSERTSUSEREVENT  6 /* event, data0, data1: int */
#define _NTO_TRACE_INSERTCUSEREVENT  7 /* event: int, buffer: void *, bytes: unsigned */
#define _NTO_TRACE_INSERTUSRSTREVENT 8 /* event: int, text: const char * */
#define _NTO_TRACE_ADDALLCLASSES     9
#define _NTO_TRACE_DELALLCLASSES     10
#define _NTO_TRACE_ADDCLASS          11
#define _NTO_TRACE_DELCLASS          12
#define _NTO_TRACE_ADDEVENT          13
#define _NTO_TRACE_DELEVENT          14
#define _NTO_TRACE_SETALLCLASSESFAST 15
#define _NTO_TRACE_SETALLCLASSESWIDE 16
#define _NTO_TRACE_SETCLASSFAST      17
#define _NTO_TRACE_SETCLASSWIDE      18
#define _NTO_TRACE_SETEVENTFAST      19
#define _NTO_TRACE_SETEVENTWIDE      20
#define _NTO_TRACE_SETCLASSPID       21
#define _NTO_TRACE_CLRCLASSPID       22
#define _NTO_TRACE_SETCLASSTID       23
#define _NTO_TRACE_CLRCLASSTID       24
#define _NTO_TRACE_SETEVENTPID       25
#define _NTO_TRACE_CLREVENTPID       26
#define _NTO_TRACE_SETEVENTTID       27
#define _NTO_TRACE_CLREVENTTID       28
#define _NTO_TRACE_ADDEVENTHANDLER   29
#define _NTO_TRACE_DELEVENTHANDLER   30
#define _NTO_TRACE_ALLOCBUFFER       31
#define _NTO_TRACE_DEALLOCBUFFER     32
#define _NTO_TRACE_SETRINGMODE       33
#define _NTO_TRACE_SETLINEARMODE     34

/* Numbers that programs choose for their events. */
#define _NTO_TRACE_USERFIRST 0
#define _NTO_TRACE_USERLAST  0x3ff

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * TraceEvent: speak to the tracer
 *
 * _NTO_TRACE_INSERT... write an event of the program's. _NTO_TRACE_START and _NTO_TRACE_STOP turn tracing on
 * and off for the whole machine. What follows `command` stands in <sys/trace.h>.
 *
 * Returns: 0; -1 and errno. TraceEvent_r(): a negative errno.
 * Errors:
 *   EFAULT   a text or buffer is NULL.
 *   EINVAL   `command` is unknown, or the event's number is not in _NTO_TRACE_USERFIRST to _USERLAST.
 *   ENOTSUP  this kernel does not trace, or `command` is for the kernel's own events.
 *   EPERM    the caller may not write to the tracer's files.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: ENOTSUP, as on QNX's kernel without instrumentation.
 * See: trace_logf
 */
int TraceEvent(int command, ...);
int TraceEvent_r(int command, ...);

/*
 * trace_logf: write a text to the tracer
 *
 * trace_logf() and trace_vnlogf() format as printf() does, the latter at most `max` bytes; trace_logi() writes
 * two numbers, trace_logb() bytes. `event` is the program's own number.
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EFAULT, EINVAL, ENOTSUP, EPERM  as for TraceEvent().
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: TraceEvent
 */
int trace_logf(int event, const char *format, ...) __attribute__((format(printf, 2, 3)));
int trace_vnlogf(int event, int max, const char *format, va_list arguments);
int trace_logi(int event, unsigned data0, unsigned data1);
int trace_logb(int event, const void *buffer, size_t bytes);

#pragma GCC visibility pop
__END_DECLS
