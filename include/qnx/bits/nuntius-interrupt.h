/* SPDX-License-Identifier: MIT */
/*
 * Interrupt calls: on Linux's user-space drivers (UIO), where the machine has such a device.
 * Programs get them from <sys/neutrino.h>.
 *
 * Interrupt `intr` is the Linux interrupt of that number (/proc/interrupts) for which there is a /dev/uioN.
 * Reading that device waits for the interrupt, which the kernel leaves masked until 1 is written to it.
 */
#pragma once
#pragma GCC system_header

#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

struct sigevent;

#define _NTO_INTR_FLAGS_END       0x01 /* kept, without effect: it is the only one */
#define _NTO_INTR_FLAGS_NO_UNMASK 0x02 /* leave it masked until InterruptUnmask() */
#define _NTO_INTR_FLAGS_PROCESS   0x04 /* kept, without effect: it is always the process's */
#define _NTO_INTR_FLAGS_TRK_MSK   0x08 /* kept, without effect: masks are always tracked */
#define _NTO_INTR_FLAGS_ARRAY     0x10 /* refused */
#define _NTO_INTR_FLAGS_EXCLUSIVE 0x20 /* kept, without effect: it always is */
#define _NTO_INTR_FLAGS_FPU       0x40 /* kept, without effect */

#define _NTO_INTR_CLASS_EXTERNAL  0x00000000u
#define _NTO_INTR_CLASS_SYNTHETIC 0x7fff0000u
#define _NTO_INTR_SPARE           0x7fffffff

/* InterruptWait(). QNX 8.0; our choice of values. */
#define _NTO_INTR_WAIT_FLAGS_FAST   0x01 /* kept, without effect */
#define _NTO_INTR_WAIT_FLAGS_UNMASK 0x02 /* first unmask what InterruptAttachThread() gave this thread */

typedef struct intrspin {
        volatile unsigned value; /* 0 = free */
} intrspin_t;

/*
 * InterruptAttachEvent: have an event delivered for each interrupt
 *
 * Each interrupt delivers `event` and is masked then, until InterruptUnmask(). SIGEV_INTR wakes the
 * calling thread from InterruptWait(). The second call, of QNX 8.0, attaches the calling thread itself.
 *
 * Returns: a number for the other calls, greater than 0; -1 and errno. The _r forms return a negative
 *   errno.
 * Errors:
 *   EAGAIN   no thread, memory or descriptor is left.
 *   EFAULT   `event` is NULL.
 *   EINVAL   `flags` or `event` cannot be, or `intr` is negative.
 *   ENOTSUP  there is no UIO device for interrupt `intr`.
 *   EPERM    the caller may not open it.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: ENOTSUP; rights are those of the device file.
 * See: InterruptUnmask, InterruptWait, InterruptDetach, InterruptAttach
 */
int InterruptAttachEvent(int intr, const struct sigevent *event, unsigned flags);
int InterruptAttachEvent_r(int intr, const struct sigevent *event, unsigned flags);
int InterruptAttachThread(int intr, unsigned flags);
int InterruptAttachThread_r(int intr, unsigned flags);

/*
 * InterruptAttach: have a function called for each interrupt
 *
 * `handler(area, id)` runs in a thread of the library. The event that it returns, if any, is delivered to
 * the caller of InterruptAttach(). The interrupt is unmasked when it returns, unless it has called
 * InterruptMask(). InterruptAttachArray() always fails.
 *
 * Returns: a number for the other calls, greater than 0; -1 and errno. The _r forms return a negative
 *   errno.
 * Errors:
 *   EAGAIN   no thread, memory or descriptor is left.
 *   EFAULT   `handler` is NULL.
 *   EINVAL   `flags` cannot be, or `intr` is negative.
 *   ENOTSUP  there is no UIO device for interrupt `intr`; InterruptAttachArray() always.
 *   EPERM    the caller may not open it.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: the handler is ordinary code in a thread, so it may be late and
 *   may call anything but InterruptDetach() of its own.
 * See: InterruptAttachEvent, InterruptMask, InterruptDetach
 */
int InterruptAttach(int intr, const struct sigevent *(*handler)(void *area, int id), const void *area,
                    int size, unsigned flags);
int InterruptAttach_r(int intr, const struct sigevent *(*handler)(void *area, int id),
                      const void *area, int size, unsigned flags);
int InterruptAttachArray(int intr, const struct sigevent *const *(*handler)(void *area, int id),
                         const void *area, int size, unsigned flags);
int InterruptAttachArray_r(int intr, const struct sigevent *const *(*handler)(void *area, int id),
                           const void *area, int size, unsigned flags);

/*
 * InterruptDetach: end what an attach call began
 *
 * When it returns, no handler runs any more.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EDEADLK  the caller is this interrupt's handler.
 *   EINVAL   there is no such number.
 * Blocks: until a handler that runs has returned. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: EDEADLK.
 * See: InterruptAttach, InterruptAttachEvent
 */
int InterruptDetach(int id);
int InterruptDetach_r(int id);

/*
 * InterruptWait: wait for a SIGEV_INTR
 *
 * Returns at once if one has come to the calling thread since its last InterruptWait(). `timeout` is not
 * used, see TimerTimeout(). `flags` is 0 or _NTO_INTR_WAIT_FLAGS_...
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINTR      a signal was handled.
 *   EINVAL     `flags` cannot be.
 *   ETIMEDOUT  the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_INTR. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: InterruptAttachEvent, InterruptUnmask, TimerTimeout
 */
int InterruptWait(int flags, const uint64_t *timeout);
int InterruptWait_r(int flags, const uint64_t *timeout);

/*
 * InterruptMask: mask an interrupt, or unmask it
 *
 * Masks count: it is unmasked with as many InterruptUnmask() as it was masked, of which its arrival is
 * one (InterruptAttachEvent()). `id` is what the attach call returned, `intr` is not looked at then; or
 * `id` is -1 and `intr` the interrupt.
 *
 * Returns: how often it is masked now; -1 and errno.
 * Errors:
 *   EINVAL  the process has attached no such interrupt.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: unmasking what is not masked returns 0.
 * See: InterruptAttachEvent
 */
int InterruptMask(int intr, int id);
int InterruptUnmask(int intr, int id);

/*
 * InterruptDisable: keep all interrupts from the processor
 *
 * InterruptDisable() and InterruptEnable() always fail: no Linux program can. InterruptStatus() says
 * whether interrupts are enabled, which they are.
 *
 * Returns: InterruptStatus(): 1. The others: -1 and errno.
 * Errors:
 *   EPERM  always.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: EPERM, as a thread without I/O privileges on QNX 7.1 has no right to it.
 * See: InterruptLock, InterruptMask
 */
int InterruptDisable(void);
int InterruptEnable(void);
int InterruptStatus(void);

/*
 * InterruptLock: lock a spinlock between threads and interrupt handlers
 *
 * Handlers are threads here, so this is a spinlock and no more; `spin` begins as 0. InterruptUnlock()
 * unlocks it.
 *
 * Returns: EOK.
 * Blocks: while another thread has it; it gives up the processor after a while. Not a cancellation
 *   point.
 * Rule: QNX 7.1 documentation. Our choice: other interrupts are not disabled.
 * See: InterruptAttach, InterruptDisable
 */
int InterruptLock(intrspin_t *spin);
int InterruptUnlock(intrspin_t *spin);

struct _idle_hook;
struct qtime_entry;
struct syspage_entry;

/*
 * InterruptHookTrace: have the kernel call a function
 *
 * Not supported; these always fail, as InterruptCharacteristic() does.
 *
 * Returns: -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   ENOSYS  always.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: nothing of the program's runs in Linux's kernel.
 * See: InterruptAttach
 */
int InterruptHookTrace(const struct sigevent *(*handler)(int info), unsigned flags);
int InterruptHookIdle(void (*handler)(uint64_t *time, struct qtime_entry *qtime), unsigned flags);
int InterruptHookIdle2(void (*handler)(unsigned cmd, struct syspage_entry *page, struct _idle_hook *hook),
                       unsigned flags);
int InterruptHookOverdriveEvent(const struct sigevent *event, unsigned flags);
int InterruptCharacteristic(int type, int id, unsigned *new_value, unsigned *old_value);
int InterruptCharacteristic_r(int type, int id, unsigned *new_value, unsigned *old_value);

#pragma GCC visibility pop
__END_DECLS
