/* SPDX-License-Identifier: MIT */
/*
 * <sys/procmgr.h>: the process manager's services: daemons, abilities, events of the system.
 *
 * What abilities bind here: the daemon asks for those of which it gives something away (a public channel, a
 * connection, a path, an event, a priority). The others are recorded, inherited, and told to servers
 * (ConnectClientInfoAble()); Linux's own rights decide the rest.
 */
#pragma once

#include <stdint.h>
#include <sys/cdefs.h>
#include <sys/types.h>

/* procmgr_daemon() */
#define PROCMGR_DAEMON_NOCHDIR   0x00000001 /* do not change to "/" */
#define PROCMGR_DAEMON_NOCLOSE   0x00000002 /* leave descriptors above 2 open */
#define PROCMGR_DAEMON_NODEVNULL 0x00000004 /* leave 0, 1 and 2 as they are */
#define PROCMGR_DAEMON_KEEPUMASK 0x00000008 /* leave the umask as it is */

/* procmgr_event_notify() */
#define PROCMGR_EVENT_SYNC              0x00000001 /* procmgr_event_trigger() only */
#define PROCMGR_EVENT_PATHSPACE         0x00000002 /* a server attached or detached a path */
#define PROCMGR_EVENT_TOD               0x00000004 /* somebody set the clock */
#define PROCMGR_EVENT_SYSCONF           0x00010000 /* procmgr_event_trigger() only */
#define PROCMGR_EVENT_CONFSTR           0x00020000 /* procmgr_event_trigger() only */
#define PROCMGR_EVENT_DAEMON_DEATH      0x00040000 /* a process that called procmgr_daemon() ended */
#define PROCMGR_EVENT_CONTIG_ALLOC_FAIL 0x00080000 /* procmgr_event_trigger() only */
#define PROCMGR_EVENT_PROCESS_DEATH     0x00100000 /* a process ended */
#define PROCMGR_EVENT_APS_BANKRUPTCY    0x00200000 /* procmgr_event_trigger() only */
#define PROCMGR_EVENT_PROCESS_CREATE    0x00400000 /* a process began */

/* procmgr_ability(): what to do */
#define PROCMGR_AOP_DENY        0x00010000u
#define PROCMGR_AOP_ALLOW       0x00020000u
#define PROCMGR_AOP_SUBRANGE    0x00040000u /* two uint64_t follow: lowest, highest */
#define PROCMGR_AOP_LOCK        0x00080000u /* nobody changes it any more */
#define PROCMGR_AOP_INHERIT_YES 0x00400000u /* the default */
#define PROCMGR_AOP_INHERIT_NO  0x00800000u /* a program that is executed does not have this change */

/* ... while the process's effective user is root, while it is not; both may be given */
#define PROCMGR_ADN_ROOT    0x10000000u
#define PROCMGR_ADN_NONROOT 0x20000000u

/* ... and which. Numbers 25, 26, 28 and 30 changed their meaning between releases and have no name here. */
#define PROCMGR_AID_SPAWN_SETUID            0
#define PROCMGR_AID_SPAWN_SETGID            1
#define PROCMGR_AID_SETUID                  2
#define PROCMGR_AID_SETGID                  3
#define PROCMGR_AID_GETID                   4
#define PROCMGR_AID_PATHSPACE               5
#define PROCMGR_AID_REBOOT                  6
#define PROCMGR_AID_CPUMODE                 7
#define PROCMGR_AID_RUNSTATE                8
#define PROCMGR_AID_CONFSET                 9
#define PROCMGR_AID_RSRCDBMGR               10
#define PROCMGR_AID_SESSION                 11
#define PROCMGR_AID_UMASK                   12
#define PROCMGR_AID_EVENT                   13
#define PROCMGR_AID_RLIMIT                  14
#define PROCMGR_AID_MEM_ADD                 15
#define PROCMGR_AID_MEM_PHYS                16
#define PROCMGR_AID_MEM_SPECIAL             17
#define PROCMGR_AID_MEM_GLOBAL              18
#define PROCMGR_AID_MEM_PEER                19
#define PROCMGR_AID_MEM_LOCK                20
#define PROCMGR_AID_SPAWN                   21
#define PROCMGR_AID_FORK                    22
#define PROCMGR_AID_PROT_EXEC               23
#define PROCMGR_AID_WAIT                    24
#define PROCMGR_AID_CLOCKSET                27
#define PROCMGR_AID_INTERRUPT               29
#define PROCMGR_AID_IO                      31
#define PROCMGR_AID_TRACE                   32
#define PROCMGR_AID_PRIORITY                33
#define PROCMGR_AID_CONNECTION              34
#define PROCMGR_AID_SCHEDULE                35
#define PROCMGR_AID_SIGNAL                  36
#define PROCMGR_AID_TIMER                   37
#define PROCMGR_AID_PGRP                    38
#define PROCMGR_AID_MAP_FIXED               39
#define PROCMGR_AID_PATH_TRUST              40
#define PROCMGR_AID_SWAP                    41
#define PROCMGR_AID_RCONSTRAINT             42
#define PROCMGR_AID_CHILD_NEWAPP            43
#define PROCMGR_AID_PUBLIC_CHANNEL          44
#define PROCMGR_AID_APS_ROOT                45
#define PROCMGR_AID_ABLE_CREATE             46
#define PROCMGR_AID_RUNSTATE_BURST          47
#define PROCMGR_AID_DEFAULT_TIMER_TOLERANCE 48
#define PROCMGR_AID_XPROCESS_QUERY          50
#define PROCMGR_AID_CHROOT                  51
#define PROCMGR_AID_POWER                   52
#define PROCMGR_AID_PROT_WRITE_AND_EXEC     53
#define PROCMGR_AID_SRANDOM                 54
#define PROCMGR_AID_HYP                     56
#define PROCMGR_AID_RLIMIT_PEER             57
#define PROCMGR_AID_CHANNEL_CONNECT         58
#define PROCMGR_AID_MAC_POLICY              59
#define PROCMGR_AID_SETTYPEID               60
#define PROCMGR_AID_ABLE_PRIV               61
#define PROCMGR_AID_XPROCESS_ABLE           62
#define PROCMGR_AID_XPROCESS_DEBUG          64
#define PROCMGR_AID_XPROCESS_MEM_READ       65
#define PROCMGR_AID_HIGH_RES_TIMER          66
#define PROCMGR_AID_UNTRUSTED_EXEC          67
#define PROCMGR_AID_SERVER_MONITOR          68
#define PROCMGR_AID_SIGEV_THREAD            69
#define PROCMGR_AID_EOL                     0x0000ffff

/* procmgr_session(). Our choice of values. */
#define PROCMGR_SESSION_TCSETSID      1
#define PROCMGR_SESSION_SETSID        2
#define PROCMGR_SESSION_SETPGRP       3
#define PROCMGR_SESSION_SIGNAL_PID    4
#define PROCMGR_SESSION_SIGNAL_PGRP   5
#define PROCMGR_SESSION_SIGNAL_LEADER 6

__BEGIN_DECLS
#pragma GCC visibility push(default)

struct sigevent;

/*
 * procmgr_daemon: become a daemon
 *
 * The process gets a session of its own, changes to "/", closes its descriptors but 0, 1 and 2, which become
 * /dev/null, and its umask becomes 0; `flags`, PROCMGR_DAEMON_... bits, leave one or the other out. Its pid,
 * channels and side-channel connections stay. Connections that are descriptors are closed with the others.
 *
 * Returns: 0; -1 and errno.
 * Errors:
 *   EINVAL  `flags` has an unknown bit.
 *   ENXIO   /dev/null cannot be opened.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: nobody is told `status`, because on Linux only a process's end
 *   tells its parent something, and a fork would change the pid. A process that leads its group (as
 *   the shell starts it) keeps its session, and gives up its terminal instead.
 * See: procmgr_event_notify
 */
int procmgr_daemon(int status, unsigned flags);

/*
 * procmgr_ability: allow or forbid a process something
 *
 * Each argument after `pid` is PROCMGR_ADN_... (one or both), PROCMGR_AOP_... and PROCMGR_AID_... or'ed;
 * after one with PROCMGR_AOP_SUBRANGE follow two uint64_t. The list ends with PROCMGR_AID_EOL. Operations
 * or'ed to that are done to all abilities that the list has not named. `pid` 0 is the caller.
 *
 * Changes are inherited by fork and exec. The process may forbid and lock; only root and the daemon's own user
 * may allow what is not allowed.
 *
 * Returns: EOK, or an error number; errno is left alone.
 * Errors:
 *   EINVAL  an argument makes no sense.
 *   EPERM   it is locked, or the caller may not allow it, or not to this process.
 *   ESRCH   the daemon knows no process `pid`.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: of subranges only PROCMGR_AID_PRIORITY's has an effect, for new
 *   connections; who may allow; inheritance is the default.
 * See: procmgr_ability_create, ConnectClientInfoAble
 */
int procmgr_ability(pid_t pid, unsigned ability, ...);

/*
 * procmgr_ability_create: make an ability of a server's own
 *
 * procmgr_ability_create() makes an ability with a name, or finds it; procmgr_ability_lookup() only
 * finds it. Its number is good for procmgr_ability() and ConnectClientInfoAble(). At first root has it and
 * nobody else. `flags` is not used.
 *
 * Returns: the number; a negative errno, and errno is left alone.
 * Errors:
 *   EAGAIN  there are 128 already.
 *   EINVAL  the name is empty or longer than 43 bytes.
 *   ENOENT  there is none of that name (procmgr_ability_lookup()).
 *   EPERM   the caller lacks PROCMGR_AID_ABLE_CREATE.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: the limits.
 * See: procmgr_ability, ConnectClientInfoAble
 */
int procmgr_ability_create(const char *name, unsigned flags);
int procmgr_ability_lookup(const char *name);

/*
 * procmgr_event_notify: be told of what happens to the system
 *
 * Delivers `event` each time that one of `flags`, PROCMGR_EVENT_... bits, happens. The process has one
 * such request; a further call replaces it, `flags` 0 ends it. procmgr_event_notify_add() makes further ones,
 * which procmgr_event_notify_delete() ends by the number it returned. procmgr_event_trigger() makes
 * events happen.
 *
 * With SIGEV_MAKE_UPDATEABLE() the event's value is the number of the process that it is about: that which
 * ended or began, or which called procmgr_event_trigger().
 *
 * PROCMGR_EVENT_PROCESS_CREATE and _DEATH tell of processes that use this library.
 *
 * Returns: procmgr_event_notify_add(): a number greater than 0. The others: EOK. -1 and errno.
 * Errors:
 *   EAGAIN  no thread or memory is left.
 *   EFAULT  `event` is NULL.
 *   EINVAL  `flags` or `event` cannot be, `flags` are not to be triggered, or there is no such number.
 *   EPERM   the caller lacks PROCMGR_AID_EVENT; procmgr_event_trigger(): it is neither root nor the
 *           daemon's own user.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: the processes that are told of; deaths and births cannot be
 *   triggered.
 * See: procmgr_ability, procmgr_daemon
 */
int procmgr_event_notify(unsigned flags, const struct sigevent *event);
int procmgr_event_notify_add(unsigned flags, const struct sigevent *event);
int procmgr_event_notify_delete(int id);
int procmgr_event_trigger(unsigned flags);

/*
 * procmgr_session: change a session, or signal it
 *
 * PROCMGR_SESSION_SETSID makes the caller the leader of a new session, PROCMGR_SESSION_SETPGRP puts it in
 * process group `id`. PROCMGR_SESSION_SIGNAL_PID, _PGRP and _LEADER send signal `id` to process `sid`, to
 * process group `sid` and to the leader of session `sid`.
 *
 * Returns: EOK; -1 and errno.
 * Errors:
 *   EINVAL   `event` or `id` cannot be.
 *   ENOTSUP  `event` is PROCMGR_SESSION_TCSETSID: Linux has TIOCSCTTY for the terminal's descriptor.
 *   EPERM    the caller may not.
 *   ESRCH    there is no such process, or `nd` is not ND_LOCAL_NODE.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: what the arguments mean to each event is not public.
 * See: procmgr_daemon
 */
int procmgr_session(uint32_t nd, pid_t sid, int id, unsigned event);

/*
 * procmgr_guardian: name who inherits the caller's children
 *
 * Not supported; always fails.
 *
 * Returns: -1 and errno.
 * Errors:
 *   ENOSYS  always.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: on Linux a guardian must ask for it itself (PR_SET_CHILD_SUBREAPER).
 * See: procmgr_daemon
 */
int procmgr_guardian(pid_t pid);

#pragma GCC visibility pop
__END_DECLS
