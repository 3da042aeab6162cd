/* SPDX-License-Identifier: MIT */
/*
 * Scheduling calls: priorities, processors and names of threads.
 * Programs get them from <sys/neutrino.h>, getprio() and setprio() from <sched.h>.
 */
#pragma once
#pragma GCC system_header

#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

/* ThreadCtl() */
#define _NTO_TCTL_IO_PRIV                     1
#define _NTO_TCTL_THREADS_HOLD                2
#define _NTO_TCTL_THREADS_CONT                3
#define _NTO_TCTL_RUNMASK                     4
#define _NTO_TCTL_ALIGN_FAULT                 5
#define _NTO_TCTL_RUNMASK_GET_AND_SET         6
#define _NTO_TCTL_PERFCOUNT                   7
#define _NTO_TCTL_ONE_THREAD_HOLD             8
#define _NTO_TCTL_ONE_THREAD_CONT             9
#define _NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT 10
#define _NTO_TCTL_NAME                        11
#define _NTO_TCTL_RCM_GET_AND_SET             12
#define _NTO_TCTL_SHR_MUTEX                   13
#define _NTO_TCTL_IO                          14
#define _NTO_TCTL_NET_KIF                     15
#define _NTO_TCTL_LOW_LATENCY                 16
#define _NTO_TCTL_ADD_EXIT_EVENT              17
#define _NTO_TCTL_DEL_EXIT_EVENT              18
#define _NTO_TCTL_IO_LEVEL                    19

/* Masks of processors for _NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT: how many unsigneds, and one bit of them. */
#define RMSK_SIZE(num_cpu)  (((unsigned)(num_cpu) + 31u) / 32u)
#define RMSK_SET(cpu, p)    ((p)[(cpu) / 32] |= 1u << ((cpu) % 32))
#define RMSK_CLR(cpu, p)    ((p)[(cpu) / 32] &= ~(1u << ((cpu) % 32)))
#define RMSK_ISSET(cpu, p)  ((p)[(cpu) / 32] & (1u << ((cpu) % 32)))

struct _sched_info {
        int priority_min;
        int priority_max;
        uint64_t interval;
        int priority_priv;
        int reserved[11];
};


/* ThreadCtl(_NTO_TCTL_NAME) */
struct _thread_name {
        int new_name_len; /* of the new name; 0 takes it away, -1 leaves it */
        int name_buf_len; /* room in name_buf for the old one, with its closing 0 */
        char name_buf[];  /* in: the new name; out: the old one */
};


/*
 * getprio: the priority of a process
 *
 * Priority of the calling thread when `pid` is 0 or the caller's own, else of the first thread of that process.
 *
 * Returns: the priority in force; -1 and errno.
 * Errors:
 *   ESRCH  there is no process `pid`.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: of another process the kernel's view is given, where 10 is any
 *   ordinary thread.
 * See: setprio, SchedGet
 */
int getprio(pid_t pid);

/*
 * setprio: change the priority of a process
 *
 * Sets the calling thread's own priority when `pid` is 0 or the caller's own, else that of the first thread of
 * that process. The policy stays.
 *
 * Returns: the priority before; -1 and errno.
 * Errors:
 *   EINVAL  `priority` is not 1 to 255.
 *   EPERM   the caller may not use that priority, or may not change that process.
 *   ESRCH   there is no process `pid`.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: getprio, SchedSet
 */
int setprio(pid_t pid, int priority);

/*
 * SchedGet: the priority and policy of a thread
 *
 * `pid` 0 is the caller's process, `tid` 0 the calling thread. Of another process only the first
 * thread can be asked for (`tid` 0 or 1).
 *
 * In `param`, sched_priority is the thread's own priority, sched_curpriority the one in force, which
 * differs while it works for a client.
 *
 * Returns: the policy, SCHED_OTHER, SCHED_FIFO or SCHED_RR; -1 and errno. The _r form returns a
 *   negative errno.
 * Errors:
 *   EFAULT  `param` is NULL.
 *   ESRCH   there is no such process, or no such thread that this library knows.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: of another process the kernel's view is given, where 10 is
 *   any ordinary thread, because its own numbers are its own.
 * See: SchedSet, SchedInfo, getprio
 */
int SchedGet(pid_t pid, int tid, struct sched_param *param);
int SchedGet_r(pid_t pid, int tid, struct sched_param *param);

/*
 * SchedSet: change the priority and policy of a thread
 *
 * Sets the thread's own priority, 1 to 255, from sched_priority of `param`. While it works for a
 * client, that client's priority stays in force. `policy` is SCHED_FIFO, SCHED_RR, SCHED_OTHER or
 * SCHED_NOCHANGE. `pid` and `tid` are as in SchedGet().
 *
 * Priorities above 10 are real-time priorities of Linux, of the same number up to 99. Where the
 * kernel refuses them, the call succeeds all the same: the priority then orders queues and is
 * inherited, but gives no processor, and the library says so once on standard error.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT  `param` is NULL.
 *   EINVAL  the priority is not 1 to 255, or the policy is another one, SCHED_SPORADIC for example.
 *   EPERM   the priority is above what the process may use (63, or 255 for root), or the other
 *           process belongs to another user.
 *   ESRCH   there is no such process, or no such thread that this library knows.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: success without the kernel's right, so that a program that
 *   needs no more than order runs everywhere.
 * See: SchedGet, SchedInfo, setprio
 */
int SchedSet(pid_t pid, int tid, int policy, const struct sched_param *param);
int SchedSet_r(pid_t pid, int tid, int policy, const struct sched_param *param);

/*
 * SchedInfo: the priorities of a policy
 *
 * Fills in priority_min (1), priority_max (255), priority_priv (64: the first that only a privileged
 * process may use) and interval, the time slice of SCHED_RR in nanoseconds.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT  `info` is NULL.
 *   EINVAL  `policy` is none that SchedSet() takes.
 *   ESRCH   there is no process `pid`.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: SchedSet
 */
int SchedInfo(pid_t pid, int policy, struct _sched_info *info);
int SchedInfo_r(pid_t pid, int policy, struct _sched_info *info);

/*
 * SchedYield: let others of the same priority run
 *
 * Returns: EOK. It does not fail.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: SchedSet
 */
int SchedYield(void);
int SchedYield_r(void);

/*
 * SchedGetCpuNum: the processor that the caller runs on
 *
 * Returns: its number, from 0. It does not fail.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: ThreadCtl
 */
unsigned SchedGetCpuNum(void);

/*
 * SchedCtl: control adaptive partitions
 *
 * Not supported; always fails.
 *
 * Returns: -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   ENOSYS  always.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation: the error where the scheduler with partitions is not installed.
 * See: SchedSet
 */
int SchedCtl(int cmd, void *data, size_t length);
int SchedCtl_r(int cmd, void *data, size_t length);

/*
 * ThreadCtl: control the calling thread
 *
 * `cmd` is one of
 *
 * _NTO_TCTL_NAME: `data` is a struct _thread_name. Gives the thread the name in name_buf, or none for
 * new_name_len 0, and leaves it for new_name_len -1; then stores the name before, of at most
 * name_buf_len bytes with the closing 0. Linux keeps the first 15 bytes.
 *
 * _NTO_TCTL_RUNMASK: `data` is a mask of processors, in the pointer itself, that the thread may run on.
 * _NTO_TCTL_RUNMASK_GET_AND_SET: `data` points to an unsigned; that mask is set unless it is 0, and the
 * one before is stored there.
 * _NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT: `data` points to an int size, followed by the mask and the mask
 * that new threads inherit, of `size` unsigneds each (RMSK_SET() and its kin set them). Each is set
 * unless it is 0, and replaced by the one before.
 *
 * _NTO_TCTL_IO, _NTO_TCTL_IO_PRIV, _NTO_TCTL_IO_LEVEL: ask for the right to touch hardware. Nothing
 * changes; the call says whether the process could be given it.
 *
 * _NTO_TCTL_ALIGN_FAULT, _NTO_TCTL_LOW_LATENCY: accepted, without effect.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT   `data` is NULL or bad.
 *   EINVAL   `cmd` is unknown; the mask has no processor that exists; a length is negative.
 *   ENOTSUP  `cmd` cannot be done: threads are neither held nor continued here, there are no
 *            performance counters and no shared mutexes to control.
 *   EPERM    the hardware: the process has not the capability CAP_SYS_RAWIO.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: CAP_SYS_RAWIO for the ability PROCMGR_AID_IO.
 * See: ThreadCtlExt, SchedGetCpuNum
 */
int ThreadCtl(int cmd, void *data);
int ThreadCtl_r(int cmd, void *data);

/*
 * ThreadCtlExt: control a thread
 *
 * As ThreadCtl(), for thread `tid` of the caller's process; 0 is the caller. `pid` is 0 or the
 * caller's own. _NTO_TCTL_NAME and the masks of the thread itself work for other threads.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL   as ThreadCtl().
 *   ENOTSUP  as ThreadCtl(), or `cmd` works for the caller only.
 *   EPERM    `pid` is another process.
 *   ESRCH    there is no thread `tid` that this library knows.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: EPERM for every other process.
 * See: ThreadCtl
 */
int ThreadCtlExt(pid_t pid, int tid, int cmd, void *data);
int ThreadCtlExt_r(pid_t pid, int tid, int cmd, void *data);

#pragma GCC visibility pop
__END_DECLS
