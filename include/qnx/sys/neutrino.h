/* SPDX-License-Identifier: MIT */
/*
 * <sys/neutrino.h>: channels, connections, messages and pulses, as QNX SDP 7.1 has them.
 *
 * How to read a comment below
 *   Returns   of the plain form. It fails with -1 and the error in errno.
 *   _r forms  leave errno alone and return the error itself: negative where success can be any
 *             number, positive where success is always EOK. Each comment says which.
 *   Blocks    whether and where the call waits, and whether it is a cancellation point.
 *   Rule      "QNX 7.1 documentation" where that documentation says so; "our choice" where it is
 *             silent or contradicts itself (UNCONFIRMED), with the reason.
 *
 * Sizes are in bytes, times in nanoseconds unless a comment says otherwise. Error numbers are Linux's,
 * except those that Linux lacks (<errno.h>). The manual pages are made from these comments.
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/cdefs.h>
#include <sys/iov.h>
#include <sys/nto_version.h>
#include <sys/platform.h>
#include <sys/states.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <bits/nuntius-clock.h>
#include <bits/nuntius-event.h>
#include <bits/nuntius-timer.h>

/* ---------------------------------------------------------------- constants ------------------ */

#define SYSMGR_PID    1 /* the process manager, here the daemon */
#define SYSMGR_CHID   1
#define SYSMGR_COID   _NTO_SIDE_CHANNEL /* a connection to it that every process has */
#define SYSMGR_HANDLE 0

#ifndef ND_LOCAL_NODE
#define ND_LOCAL_NODE 0
#endif

#define _NTO_SIDE_CHANNEL     0x40000000 /* in a coid: it is no file descriptor */
#define _NTO_GLOBAL_CHANNEL   0x40000000 /* in a chid: a global channel; there are none here */
#define _NTO_CONNECTION_SCOID 0x00010000 /* in an scoid: always set */

#define _NTO_READIOV_SEND    0
#define _NTO_READIOV_REPLY   1
#define _NTO_CHO_CUSTOM_EVENT 1
#define _NTO_THREAD_NAME_MAX 100

/* ChannelCreate() */
#define _NTO_CHF_FIXED_PRIORITY   0x0001 /* receivers keep their own priority */
#define _NTO_CHF_UNBLOCK          0x0002 /* ask the server before a client leaves its MsgSend() */
#define _NTO_CHF_THREAD_DEATH     0x0004 /* pulse when a thread of this process ends */
#define _NTO_CHF_DISCONNECT       0x0008 /* pulse when a client process has no connection left */
#define _NTO_CHF_NET_MSG          0x0010 /* kept, without effect */
#define _NTO_CHF_SENDER_LEN       0x0020 /* kept; srcmsglen is always filled in */
#define _NTO_CHF_COID_DISCONNECT  0x0040 /* pulse when the channel behind an own connection has gone */
#define _NTO_CHF_REPLY_LEN        0x0080 /* kept; dstmsglen is always filled in */
#define _NTO_CHF_STICKY           0x0100 /* up to 7.0; kept, without effect */
#define _NTO_CHF_PULSE_POOL       0x0100 /* 7.1; kept, without effect */
#define _NTO_CHF_ASYNC_NONBLOCK   0x0200 /* refused */
#define _NTO_CHF_ASYNC            0x0400 /* refused */
#define _NTO_CHF_GLOBAL           0x0800 /* refused */
#define _NTO_CHF_PRIVATE          0x1000 /* only the process itself may connect */
#define _NTO_CHF_MSG_PAUSING      0x2000 /* MsgPause() is allowed */
#define _NTO_CHF_SIG_RESTART      0x4000 /* up to 7.0; kept, without effect */
#define _NTO_CHF_INHERIT_RUNMASK  0x4000 /* 7.1; kept, without effect */
#define _NTO_CHF_UNBLOCK_TIMER    0x8000 /* kept, without effect */

/* ChannelCtl() */
#define _NTO_CCTL_PULSE_POOL          1
#define _NTO_CCTL_WIDE                2
#define _NTO_CCTL_NOTIFY_SEND         4
#define _NTO_CCTL_SERVER_BOOST_THREAD 5

/* ConnectAttach(), ConnectFlags(), ConnectServerInfo() */
#define _NTO_COF_CLOEXEC      0x0001 /* closed by exec */
#define _NTO_COF_DEAD         0x0002 /* its channel has gone; reported, never given */
#define _NTO_COF_NOSHARE      0x0040 /* an scoid of its own */
#define _NTO_COF_NETCON       0x0080
#define _NTO_COF_NONBLOCK     0x0100
#define _NTO_COF_ASYNC        0x0200
#define _NTO_COF_GLOBAL       0x0400
#define _NTO_COF_NOEVENT      0x0800 /* the server may not deliver events */
#define _NTO_COF_INSECURE     0x1000
#define _NTO_COF_REG_EVENTS   0x2000
#define _NTO_COF_UNREG_EVENTS 0x4000
#define _NTO_COF_MASK         0xffff

/* struct _msg_info: flags */
#define _NTO_MI_ENDIAN_BIG     0x0001
#define _NTO_MI_ENDIAN_DIFF    0x0002
#define _NTO_MI_UNBLOCK_REQ    0x0100 /* the client wants out and waits for the reply */
#define _NTO_MI_NET_CRED_DIRTY 0x0200
#define _NTO_MI_CONSTRAINED    0x0400
#define _NTO_MI_CHROOT         0x0800
#define _NTO_MI_BITS_64        0x1000
#define _NTO_MI_BITS_DIFF      0x2000
#define _NTO_MI_SANDBOX        0x4000

/* struct _client_info: flags */
#define _NTO_CI_ENDIAN_BIG  0x00000001
#define _NTO_CI_BKGND_PGRP  0x00000004
#define _NTO_CI_ORPHAN_PGRP 0x00000008
#define _NTO_CI_STOPPED     0x00000080
#define _NTO_CI_UNABLE      0x00000100
#define _NTO_CI_TYPE_ID     0x00000200
#define _NTO_CI_CHROOT      0x00000800
#define _NTO_CI_BITS_64     0x00001000
#define _NTO_CI_SANDBOX     0x00004000
#define _NTO_CI_LOADER      0x00008000
#define _NTO_CI_FULL_GROUPS 0x80000000

/* ConnectClientInfoExt(), ConnectClientInfoAble() */
#define _NTO_CLIENTINFO_GETGROUPS 1
#define _NTO_CLIENTINFO_GETTYPEID 2

/* Pulses */
#define _PULSE_TYPE    0
#define _PULSE_SUBTYPE 0

#define _PULSE_CODE_UNBLOCK         (-32) /* value: rcvid of the client that wants out */
#define _PULSE_CODE_DISCONNECT      (-33) /* scoid: the client that has gone; ConnectDetach() it */
#define _PULSE_CODE_THREADDEATH     (-34) /* value: number of the thread */
#define _PULSE_CODE_COIDDEATH       (-35) /* value: own connection whose channel has gone */
#define _PULSE_CODE_NET_ACK         (-36)
#define _PULSE_CODE_NET_UNBLOCK     (-37)
#define _PULSE_CODE_NET_DETACH      (-38)
#define _PULSE_CODE_RESTART         (-39) /* value: cookie of MsgPause() */
#define _PULSE_CODE_NORESTART       (-40)
#define _PULSE_CODE_UNBLOCK_RESTART (-41)
#define _PULSE_CODE_UNBLOCK_TIMER   (-42)
#define _PULSE_CODE_MINAVAIL        0   /* programs' own codes: from here */
#define _PULSE_CODE_MAXAVAIL        127 /* to here */

#define _NTO_PULSE_IF_UNIQUE 0x1000
#define _NTO_PULSE_REPLACE   0x2000

/* MsgKeyData() */
#define _NTO_KEYDATA_VERIFY          0
#define _NTO_KEYDATA_CALCULATE       1
#define _NTO_KEYDATA_CALCULATE_REUSE 2
#define _NTO_KEYDATA_PATHSIGN        0x8000
#define _NTO_KEYDATA_VTID            0x80000000

/* TimerTimeout(): one bit for each state that the timeout ends. TIMER_ABSTIME may be or'ed in. */
#define _NTO_TIMEOUT_SEND        (1 << STATE_SEND)
#define _NTO_TIMEOUT_RECEIVE     (1 << STATE_RECEIVE)
#define _NTO_TIMEOUT_REPLY       (1 << STATE_REPLY)
#define _NTO_TIMEOUT_SIGSUSPEND  (1 << STATE_SIGSUSPEND)
#define _NTO_TIMEOUT_SIGWAITINFO (1 << STATE_SIGWAITINFO)
#define _NTO_TIMEOUT_NANOSLEEP   (1 << STATE_NANOSLEEP)
#define _NTO_TIMEOUT_MUTEX       (1 << STATE_MUTEX)
#define _NTO_TIMEOUT_CONDVAR     (1 << STATE_CONDVAR)
#define _NTO_TIMEOUT_JOIN        (1 << STATE_JOIN)
#define _NTO_TIMEOUT_INTR        (1 << STATE_INTR)
#define _NTO_TIMEOUT_SEM         (1 << STATE_SEM)
#define _NTO_TIMEOUT_MASK        ((1 << STATE_MAX) - 1)
#define _NTO_TIMEOUT_ACTIVE      (1 << STATE_MAX)
#define _NTO_TIMEOUT_IMMEDIATE   (1 << (STATE_MAX + 1))

/* ---------------------------------------------------------------- structures ----------------- */

/* Who sent a message. A server keeps it in an int; it is greater than 0 and means nothing else. */
typedef int rcvid_t;

/* What MsgReceive() stores when it returns 0. */
struct _pulse {
        uint16_t type;    /* _PULSE_TYPE */
        uint16_t subtype; /* _PULSE_SUBTYPE */
        int8_t code;      /* _PULSE_CODE_..., or a program's own number */
        uint8_t zero[3];
        union sigval value;
        int32_t scoid; /* the client it came from */
};
typedef struct _pulse _pulse_t;

/* Who sent a message, and how much. ConnectServerInfo() describes a connection with it. */
struct _msg_info {
        uint32_t nd;    /* always ND_LOCAL_NODE here */
        uint32_t srcnd; /* likewise */
        pid_t pid;      /* the client */
        int32_t tid;    /* the client's thread */
        int32_t chid;   /* the channel that received it */
        int32_t scoid;  /* the client as the server knows it */
        int32_t coid;   /* the connection as the client knows it */
        int16_t priority;
        int16_t flags;       /* _NTO_MI_...; _NTO_COF_... from ConnectServerInfo() */
        ssize_t msglen;      /* bytes that the receive copied */
        ssize_t srcmsglen;   /* bytes that the client sends */
        ssize_t dstmsglen;   /* bytes that the client can take back */
        uint32_t type_id;    /* 0 */
        uint32_t reserved;
};
#define _msg_info64  _msg_info
#define _server_info _msg_info

struct _cred_info {
        uid_t ruid;
        uid_t euid;
        uid_t suid;
        gid_t rgid;
        gid_t egid;
        gid_t sgid;
        uint32_t ngroups;
        gid_t grouplist[8];
};

struct _client_info {
        uint32_t nd;
        pid_t pid;
        pid_t sid;
        uint32_t flags; /* _NTO_CI_... */
        struct _cred_info cred;
};

struct _client_able {
        uint32_t ability;
        uint32_t flags;
        uint64_t range_lo;
        uint64_t range_hi;
};

struct nto_channel_config {
        struct sigevent event;
        unsigned num_pulses;
        unsigned rearm_threshold;
        unsigned options;
        unsigned reserved[3];
};

union _channel_connect_attr;

__BEGIN_DECLS
#pragma GCC visibility push(default)

/* ---------------------------------------------------------------- channels ------------------- */

/*
 * ChannelCreate: create a channel
 *
 * A channel belongs to the process; each of its threads may receive on it. `flags` is 0 or
 * _NTO_CHF_... bits. The first channel of a process is number 1, the next ones go up; a number
 * that became free comes again only after all higher ones.
 *
 * _NTO_CHF_FIXED_PRIORITY: receiving does not change the receiver's priority.
 *
 * _NTO_CHF_UNBLOCK: a client that the server has received but not replied to does not leave its
 * MsgSend() for a signal, a timeout, a cancellation or its death; the server gets a pulse
 * _PULSE_CODE_UNBLOCK with the rcvid as its value, and the client waits for the reply. A second
 * request while one is pending makes no second pulse. The server must check with MsgInfo() that
 * _NTO_MI_UNBLOCK_REQ is still set, because it may have replied meanwhile.
 *
 * _NTO_CHF_DISCONNECT: a pulse _PULSE_CODE_DISCONNECT when a client process has detached its last
 * connection or died. Its scoid stays in use until the server detaches it with ConnectDetach(). The
 * pulse comes after the messages and pulses that were queued from that client.
 *
 * _NTO_CHF_THREAD_DEATH: a pulse _PULSE_CODE_THREADDEATH with the thread's number when a thread of
 * the process that owns the channel ends.
 *
 * _NTO_CHF_COID_DISCONNECT: a pulse _PULSE_CODE_COIDDEATH with the coid when the channel behind one
 * of this process's connections has gone. The coid stays, dead, until ConnectDetach(). Each channel
 * with this flag gets the pulse.
 *
 * _NTO_CHF_PRIVATE: only this process may connect.
 *
 * _NTO_CHF_MSG_PAUSING: MsgPause() is allowed.
 *
 * Threads that wait on a channel are served in no particular order.
 *
 * Returns: the channel's number, chid; -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   EAGAIN   no channel is left (the daemon's limits, nuntiusd(8)).
 *   ENOMEM   there is no memory.
 *   EMFILE   no file descriptor is left, which is needed for a moment.
 *   ENOTSUP  `flags` has an unknown bit, or one of _NTO_CHF_ASYNC, _NTO_CHF_ASYNC_NONBLOCK,
 *            _NTO_CHF_GLOBAL.
 *   ECONNREFUSED  there is no daemon and none could be started (nuntius(7)).
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: ENOTSUP, because a flag that is ignored silently would
 *   break its user later; THREAD_DEATH means the owner's threads, because the documentation's
 *   wording differs between releases; COID_DISCONNECT on any number of channels, so that no library
 *   takes it from its program; one pulse for each unblock request, because a second one would say
 *   nothing new; the place of the DISCONNECT pulse, so that a server never sees a message after it;
 *   the order of waiting threads, so that the one that is awake can go first.
 * See: ChannelDestroy, ConnectAttach, MsgReceive
 */
int ChannelCreate(unsigned flags);
int ChannelCreate_r(unsigned flags);

/*
 * ChannelCreateExt: create a channel, with the arguments of asynchronous channels
 *
 * ChannelCreate(`flags`). The other arguments serve asynchronous and global channels only, which do
 * not exist here; they are not looked at.
 *
 * Returns: the channel's number; -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   ENOTSUP  `flags` asks for an asynchronous or global channel.
 *   EAGAIN   as for ChannelCreate().
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: ENOTSUP; QNX 8.0 has dropped these channels.
 * See: ChannelCreate
 */
int ChannelCreateExt(unsigned flags, mode_t mode, size_t bufsize, unsigned maxnumbuf,
                     const struct sigevent *event, struct _cred_info *cred);
int ChannelCreateExt_r(unsigned flags, mode_t mode, size_t bufsize, unsigned maxnumbuf,
                       const struct sigevent *event, struct _cred_info *cred);

/*
 * ChannelCreatePulsePool: create a channel with its own stock of pulses
 *
 * ChannelCreate(`flags`). Every pair of client and server process has a stock of at least 1024
 * pulses here, so the numbers in `config` have no effect, and its event is never sent.
 *
 * Returns: the channel's number; -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   EINVAL   `config` is NULL.
 *   EAGAIN, ENOTSUP  as for ChannelCreate().
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: accepted, because a program that asks for more pulses runs as well without.
 * See: ChannelCreate, MsgSendPulse
 */
int ChannelCreatePulsePool(unsigned flags, const struct nto_channel_config *config);
int ChannelCreatePulsePool_r(unsigned flags, const struct nto_channel_config *config);

/*
 * ChannelDestroy: destroy a channel
 *
 * Threads blocked on the channel, receiving or sending, fail with ESRCH. Clients' connections to it
 * are dead from now on: they exist until ConnectDetach(), and sending fails with EBADF.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  the process has no channel `chid`.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: ESRCH for the clients blocked at that moment, which is
 *   what MsgSend() gives for a server that died.
 * See: ChannelCreate
 */
int ChannelDestroy(int chid);
int ChannelDestroy_r(int chid);

/*
 * ChannelCtl: change a property of a channel
 *
 * A QNX 8.0 call. None of its commands exists here yet.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  `cmd` is none of _NTO_CCTL_....
 *   ESRCH   the process has no channel `chid`.
 *   ENOSYS  the command is known, and not supported.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 8.0 documentation. Our choice: ENOSYS for all commands.
 * See: ChannelCreate
 */
int ChannelCtl(int chid, int cmd, void *data);
int ChannelCtl_r(int chid, int cmd, void *data);

/*
 * ChannelConnectAttr: read and change the attributes of a channel or connection
 *
 * Not supported; always fails.
 *
 * Returns: -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   ENOTSUP  always.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: its attributes tune memory that does not exist here.
 * See: ChannelCreate
 */
int ChannelConnectAttr(unsigned id, union _channel_connect_attr *old_attr,
                       union _channel_connect_attr *new_attr, unsigned flags);
int ChannelConnectAttr_r(unsigned id, union _channel_connect_attr *old_attr,
                         union _channel_connect_attr *new_attr, unsigned flags);

/* ---------------------------------------------------------------- connections ---------------- */

/*
 * ConnectAttach: connect to a channel
 *
 * Connects the process to channel `chid` of process `pid` (0 = the caller) on node `nd` (0 = this
 * machine). Involves no thread of the server.
 *
 * With _NTO_SIDE_CHANNEL in `index`, the coid is 0x40000001 or higher. Without, the coid is a file
 * descriptor, the lowest free one not below `index`: close(), dup(), fork() and exec() act on it as
 * on any other. Such a coid can be 0, 1 or 2 in a process that has closed these: use
 * _NTO_SIDE_CHANNEL for what is not a file. The child of a fork() has its parent's descriptors, and is
 * a client of its own; it has none of the side channel.
 *
 * `flags` is 0 or _NTO_COF_CLOEXEC, _NTO_COF_NOSHARE and the event bits. Connections of one process
 * to one channel share one scoid unless _NTO_COF_NOSHARE is given.
 *
 * Returns: the connection's number, coid; -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   ESRCH   there is no such node, process or channel.
 *   EPERM   the channel is private and belongs to another process.
 *   EINVAL  `flags` has bits outside _NTO_COF_MASK, or _NTO_COF_DEAD.
 *   EAGAIN  no connection is left (the daemon's limits, nuntiusd(8)).
 *   EMFILE  no file descriptor is left.
 *   ENOMEM  there is no memory.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation; its list of errors is not complete in public. Our choice: ESRCH,
 *   EPERM, EINVAL as above, by the meaning of their names; after fork() and exec() what the kernel does with
 *   descriptors.
 * See: ConnectDetach, MsgSend, ConnectFlags
 */
int ConnectAttach(uint32_t nd, pid_t pid, int chid, unsigned index, int flags);
int ConnectAttach_r(uint32_t nd, pid_t pid, int chid, unsigned index, int flags);

/*
 * ConnectDetach: break a connection
 *
 * A client's thread that is SEND-blocked on the connection fails with EBADF. One that is
 * REPLY-blocked fails with EBADF too, unless the channel has _NTO_CHF_UNBLOCK: then the server gets
 * an unblock pulse and the thread waits for the reply.
 *
 * A server gives an scoid instead of a coid: the client's threads that are blocked on the channel
 * fail with ESRCH, its later sends with EBADF, and the scoid is free.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  the process has no such connection.
 *   EPERM   `coid` is SYSMGR_COID.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX documentation (7.1; unblock pulse and EPERM: 8.0). Our choice: EBADF, the error that
 *   the connection gives from then on; ESRCH for a detached scoid, as for a server that died.
 * See: ConnectAttach, ChannelCreate
 */
int ConnectDetach(int coid);
int ConnectDetach_r(int coid);

/*
 * ConnectFlags: read and change the flags of a connection
 *
 * Replaces the flags in `mask` by those in `bits`, for connection `coid` of process `pid` (0 = the
 * caller). `mask` 0 only reads.
 *
 * Returns: the flags before; -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   EBADF   there is no such connection.
 *   EPERM   the process belongs to another user.
 *   ESRCH   there is no such process.
 *   EINVAL  `mask` has bits outside _NTO_COF_MASK, or _NTO_COF_DEAD.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: EINVAL.
 * See: ConnectAttach
 */
int ConnectFlags(pid_t pid, int coid, unsigned mask, unsigned bits);
int ConnectFlags_r(pid_t pid, int coid, unsigned mask, unsigned bits);

/*
 * ConnectServerInfo: describe a connection, or the next one
 *
 * Looks in process `pid` (0 = the caller) for connection `coid`, or the one with the next higher
 * number, and stores nd, srcnd, pid, chid, scoid, coid and flags (_NTO_COF_...) in `info`. Compare
 * the result with `coid` to know which; start from 0 and go on from the result plus 1 to see all.
 * With `info` NULL dead connections are passed over, otherwise they carry _NTO_COF_DEAD.
 *
 * Returns: the coid found; -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   EINVAL  there is no connection `coid` and no higher one.
 *   ESRCH   there is no such process.
 *   EPERM   the process belongs to another user.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: EINVAL past the last; the documentation names no error.
 * See: ConnectAttach, ConnectClientInfo
 */
int ConnectServerInfo(pid_t pid, int coid, struct _server_info *info);
int ConnectServerInfo_r(pid_t pid, int coid, struct _server_info *info);

/*
 * ConnectClientInfo: who is a client
 *
 * Stores the process, session and credentials of the client `scoid` (-1 = the caller itself) in
 * `info`. At most `ngroups` supplementary groups, and at most 8, are stored in cred.grouplist;
 * cred.ngroups says how many the client has. The kernel vouches for the credentials, as they were
 * when the client first used Nuntius.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  the process has no client `scoid`.
 *   EFAULT  `info` is NULL.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: ConnectClientInfoExt, MsgInfo
 */
int ConnectClientInfo(int scoid, struct _client_info *info, int ngroups);
int ConnectClientInfo_r(int scoid, struct _client_info *info, int ngroups);

/*
 * ConnectClientInfoExt: who is a client, in memory as large as needed
 *
 * As ConnectClientInfo(), but stores in `info` the address of memory that ClientInfoExtFree()
 * frees. With _NTO_CLIENTINFO_GETGROUPS in `flags` up to 24 groups are there, also past the eighth
 * element of grouplist. With _NTO_CLIENTINFO_GETTYPEID nothing is added: type ids do not exist
 * here.
 *
 * ConnectClientInfoAble() also looks at `nable` abilities: a client that runs as root has all of
 * them, any other client has none. One that lacks any gets _NTO_CI_UNABLE in its flags.
 *
 * Returns: EOK; -1 and errno. The _r forms return a positive errno. ClientInfoExtFree() of NULL, or
 *   of a NULL pointer, does nothing and is EOK.
 * Errors:
 *   EINVAL  the process has no client `scoid`, or `flags` or `nable` is bad.
 *   EFAULT  `info` is NULL.
 *   ENOMEM  there is no memory.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: abilities follow the user, because Linux has none by
 *   these names.
 * See: ConnectClientInfo
 */
int ConnectClientInfoExt(int scoid, struct _client_info **info, int flags);
int ConnectClientInfoExt_r(int scoid, struct _client_info **info, int flags);
int ConnectClientInfoAble(int scoid, struct _client_info **info, int flags,
                          struct _client_able *abilities, int nable);
int ConnectClientInfoAble_r(int scoid, struct _client_info **info, int flags,
                            struct _client_able *abilities, int nable);
int ClientInfoExtFree(struct _client_info **info);

/* ---------------------------------------------------------------- sending -------------------- */

/*
 * MsgSend: send a message and wait for the reply
 *
 * Sends `sbytes` bytes to the channel behind `coid` and blocks until a thread of the server has
 * received and answered them; at most `rbytes` bytes of the answer are stored in `rmsg`. No size is
 * too small: 0 bytes may be sent and taken back. Clients of equal priority are served in the order
 * in which they sent.
 *
 * The letters say what is a list of parts (iov_t) instead of one buffer: sv the reply, vs the
 * message, v both. The forms with nc at the end are no cancellation points.
 *
 * Returns: the status that the server gave to MsgReply(); -1 and errno, which is what the server
 *   gave to MsgError() or one of those below. The _r forms return a negative errno, so a server
 *   that replies with a negative status cannot be told from an error.
 * Errors:
 *   EAGAIN     the server holds as many messages as it can, or the daemon's limits leave no memory for a
 *              message of this size.
 *   EBADF      `coid` is no connection, or its channel has gone.
 *   EFAULT     a fault in the caller's buffers.
 *   EINTR      a signal was handled, also by a handler with SA_RESTART, while the thread was blocked
 *              and the server had not received the message, or had received it on a channel without
 *              _NTO_CHF_UNBLOCK.
 *   ENOMEM     there is no memory to carry a message of this size.
 *   EOVERFLOW  the parts sum up to more than SSIZE_MAX.
 *   ESRCH      the server died, destroyed the channel or detached this client while the thread was
 *              blocked.
 *   ESRVRFAULT a fault in the server's buffers.
 *   ETIMEDOUT  the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_SEND until the message is received, in STATE_REPLY until it is answered. A
 *   cancellation point, except the nc forms. While a server holds the message of a channel with
 *   _NTO_CHF_UNBLOCK, signals, timeouts and cancellation wait for its reply.
 * Rule: QNX 7.1 documentation. Our choice: ESRCH for a destroyed channel (ChannelDestroy()); EAGAIN
 *   and ENOMEM, because memory of the program's own carries the bytes.
 * See: MsgReceive, MsgReply, MsgError, TimerTimeout, MsgSendPulse
 */
long MsgSend(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes);
long MsgSend_r(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes);
long MsgSendnc(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes);
long MsgSendnc_r(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes);
long MsgSendsv(int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts);
long MsgSendsv_r(int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts);
long MsgSendsvnc(int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts);
long MsgSendsvnc_r(int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts);
long MsgSendvs(int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes);
long MsgSendvs_r(int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes);
long MsgSendvsnc(int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes);
long MsgSendvsnc_r(int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes);
long MsgSendv(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts);
long MsgSendv_r(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts);
long MsgSendvnc(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts);
long MsgSendvnc_r(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts);

/*
 * MsgSendPulse: send a pulse
 *
 * Queues a pulse on the channel behind `coid`, between the messages, by its priority: 1 to 255, 0
 * becomes 1, -1 is the caller's own. `code` is 0 to 127. A negative code is the system's; a process
 * may send one to its own channels. A pulse stays queued when its sender ends.
 *
 * Returns: EOK; -1 and errno. The _r forms return a positive errno.
 * Errors:
 *   EAGAIN  the queue between the two processes, of at least 1024 pulses, is full.
 *   EBADF   `coid` is no connection, or its channel has gone.
 *   EINVAL  `priority` is below -1 or above 255, or `code` does not fit 8 bits with a sign.
 *   EPERM   `code` is negative and the channel belongs to another process.
 * Blocks: never. Not a cancellation point. May be called from a signal handler.
 * Rule: QNX 7.1 documentation. Our choice: EPERM, so that no client can imitate the system's
 *   pulses; EBADF, EINVAL and the rest of the list, which is not complete in public.
 * See: MsgReceive, MsgReceivePulse
 */
int MsgSendPulse(int coid, int priority, int code, int value);
int MsgSendPulse_r(int coid, int priority, int code, int value);
int MsgSendPulsePtr(int coid, int priority, int code, void *value);
int MsgSendPulsePtr_r(int coid, int priority, int code, void *value);

/* ---------------------------------------------------------------- receiving ------------------ */

/*
 * MsgReceive: receive a message or a pulse
 *
 * Takes the message or pulse with the highest priority from channel `chid`, the oldest among
 * equals, and blocks while there is none. At most `bytes` bytes are stored in `msg`; MsgRead() gets
 * the rest of a message. `info` may be NULL. The caller takes over the sender's priority, unless
 * the channel has _NTO_CHF_FIXED_PRIORITY, and keeps it until it receives again.
 *
 * For a pulse, `info` is not touched, and there is nothing to reply to.
 *
 * Any number of threads may wait on one channel, a thread may hold any number of messages, and any
 * thread of the process may reply.
 *
 * `chid` -1 receives nothing: it ends the caller's association with the channel it last received
 * on.
 *
 * Returns: the rcvid, greater than 0, for a message; 0 for a pulse; -1 and errno. The _r forms
 *   return a negative errno.
 * Errors:
 *   EFAULT     a fault in the caller's buffers, or they are smaller than a pulse and a pulse came;
 *              it is lost. After a fault the client of the message fails with ESRVRFAULT.
 *   EINTR      a signal was handled, also by a handler with SA_RESTART, while the thread was blocked.
 *   EOVERFLOW  the parts sum up to more than SSIZE_MAX.
 *   ESRCH      the process has no channel `chid`, or it was destroyed meanwhile.
 *   ETIMEDOUT  the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_RECEIVE. A cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: waiting threads are served in no particular order, which
 *   the documentation leaves open.
 * See: MsgReceivePulse, MsgReply, MsgRead, MsgInfo, ChannelCreate
 */
int MsgReceive(int chid, void *msg, size_t bytes, struct _msg_info *info);
int MsgReceive_r(int chid, void *msg, size_t bytes, struct _msg_info *info);
int MsgReceivev(int chid, const iov_t *riov, size_t rparts, struct _msg_info *info);
int MsgReceivev_r(int chid, const iov_t *riov, size_t rparts, struct _msg_info *info);

/*
 * MsgReceivePulse: receive a pulse, passing over messages
 *
 * As MsgReceive(), but messages stay queued. `info` is not touched.
 *
 * Returns: EOK; -1 and errno. The _r forms return a negative errno.
 * Errors:
 *   EFAULT     a fault in the caller's buffers, or they are smaller than a pulse; it is lost.
 *   EINTR      a signal was handled, also by a handler with SA_RESTART, while the thread was blocked.
 *   EOVERFLOW  the parts sum up to more than SSIZE_MAX.
 *   ESRCH      the process has no channel `chid`, or it was destroyed meanwhile.
 *   ETIMEDOUT  the timeout of TimerTimeout() was reached.
 * Blocks: in STATE_RECEIVE. A cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: MsgReceive, MsgSendPulse
 */
int MsgReceivePulse(int chid, void *pulse, size_t bytes, struct _msg_info *info);
int MsgReceivePulse_r(int chid, void *pulse, size_t bytes, struct _msg_info *info);
int MsgReceivePulsev(int chid, const iov_t *piov, size_t parts, struct _msg_info *info);
int MsgReceivePulsev_r(int chid, const iov_t *piov, size_t parts, struct _msg_info *info);

/* ---------------------------------------------------------------- answering ------------------ */

/*
 * MsgReply: answer a message
 *
 * The client's MsgSend() returns `status`. At most as many bytes are copied as the client can take
 * back. Any thread of the process that received the message may reply, once.
 *
 * Returns: EOK; -1 and errno. The _r forms return a positive errno.
 * Errors:
 *   EFAULT      a fault in the client's reply buffer; its MsgSend() fails with EFAULT as well.
 *   ESRCH       the client is no longer blocked on this message: it was answered, withdrawn, or its
 *               process is dead.
 *   EOVERFLOW   the parts sum up to more than SSIZE_MAX.
 *   ESRVRFAULT  a fault in the caller's buffers.
 * Blocks: no; but while other threads are copying in MsgRead() or MsgWrite() of the same message, until these
 *   copies are done. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: a rcvid is never mistaken for a later message of the
 *   same client (on QNX 7.1 it can be), so a late reply always gives ESRCH.
 * See: MsgError, MsgReceive, MsgWrite
 */
int MsgReply(int rcvid, long status, const void *msg, size_t bytes);
int MsgReply_r(int rcvid, long status, const void *msg, size_t bytes);
int MsgReplyv(int rcvid, long status, const iov_t *riov, size_t rparts);
int MsgReplyv_r(int rcvid, long status, const iov_t *riov, size_t rparts);

/*
 * MsgError: answer a message with an error
 *
 * The client's MsgSend() fails with errno `error`. EOK makes it return 0; ERESTART makes it send
 * the message again; -1 gives it the reason of its unblock request, EINTR or ETIMEDOUT.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  `error` is below -1.
 *   ESRCH   the client is no longer blocked on this message.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: EINVAL; -1 without an unblock request gives EINTR.
 * See: MsgReply
 */
int MsgError(int rcvid, int error);
int MsgError_r(int rcvid, int error);

/*
 * MsgRead: read more of a client's message
 *
 * Copies from the message, starting `offset` bytes into it. May be repeated; does not change the
 * client's state. From any thread of the process that received the message.
 *
 * Returns: the bytes copied, fewer than asked for at the message's end, 0 past it; -1 and errno.
 *   The _r forms return a negative errno.
 * Errors:
 *   EFAULT      a fault in the client's buffer.
 *   ESRCH       the client is no longer blocked on this message.
 *   EOVERFLOW   the parts sum up to more than SSIZE_MAX.
 *   ESRVRFAULT  a fault in the caller's buffers.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: MsgReceive, MsgWrite
 */
ssize_t MsgRead(int rcvid, void *msg, size_t bytes, size_t offset);
ssize_t MsgRead_r(int rcvid, void *msg, size_t bytes, size_t offset);
ssize_t MsgReadv(int rcvid, const iov_t *iov, size_t parts, size_t offset);
ssize_t MsgReadv_r(int rcvid, const iov_t *iov, size_t parts, size_t offset);

/*
 * MsgReadiov: read a client's list of parts
 *
 * Not supported; always fails.
 *
 * Returns: -1 and errno. The _r form returns a negative errno.
 * Errors:
 *   ENOTSUP  always.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: it shows addresses of another process, which only QNX's process manager can
 *   use.
 * See: MsgRead
 */
ssize_t MsgReadiov(int rcvid, const iov_t *iov, size_t parts, size_t offset, int flags);
ssize_t MsgReadiov_r(int rcvid, const iov_t *iov, size_t parts, size_t offset, int flags);

/*
 * MsgWrite: write a part of the reply
 *
 * Copies into the client's reply area, starting `offset` bytes into it, as far as it reaches. The
 * client stays blocked. A later MsgReply() with data starts at offset 0 again, so end with one of 0
 * bytes.
 *
 * Returns: the bytes copied; -1 and errno. The _r forms return a negative errno.
 * Errors:
 *   EFAULT      a fault in the client's reply buffer.
 *   ESRCH       the client is no longer blocked on this message.
 *   EOVERFLOW   the parts sum up to more than SSIZE_MAX.
 *   ESRVRFAULT  a fault in the caller's buffers.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: MsgReply, MsgRead
 */
ssize_t MsgWrite(int rcvid, const void *msg, size_t bytes, size_t offset);
ssize_t MsgWrite_r(int rcvid, const void *msg, size_t bytes, size_t offset);
ssize_t MsgWritev(int rcvid, const iov_t *iov, size_t parts, size_t offset);
ssize_t MsgWritev_r(int rcvid, const iov_t *iov, size_t parts, size_t offset);

/*
 * MsgInfo: who sent a message, and what he wants
 *
 * Fills `info` in again. _NTO_MI_UNBLOCK_REQ in its flags says that the client wants out and waits
 * for the reply.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT  `info` is NULL.
 *   ESRCH   the client is no longer blocked on this message.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation.
 * See: MsgReceive, ConnectClientInfo
 */
int MsgInfo(int rcvid, struct _msg_info *info);
int MsgInfo_r(int rcvid, struct _msg_info *info);

/*
 * MsgCurrent: work at a client's priority
 *
 * Gives the calling thread the priority of the client behind `rcvid`, for servers that hold several
 * messages.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   ESRCH  the client is no longer blocked on this message.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: ESRCH, the error of every other call with a stale rcvid.
 * See: MsgReceive
 */
int MsgCurrent(int rcvid);
int MsgCurrent_r(int rcvid);

/*
 * MsgPause: put a message aside and be told when to go on
 *
 * On a channel with _NTO_CHF_MSG_PAUSING the server gets a pulse _PULSE_CODE_RESTART with `cookie`
 * as its value, at once. The client stays blocked.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EAGAIN   the pulse cannot be queued.
 *   ENOTSUP  the channel was created without _NTO_CHF_MSG_PAUSING.
 *   ESRCH    the client is no longer blocked on this message.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: the pulse comes at once, because nothing here makes a message wait for
 *   resources.
 * See: ChannelCreate, MsgReceive
 */
int MsgPause(int rcvid, unsigned cookie);
int MsgPause_r(int rcvid, unsigned cookie);

/*
 * MsgKeyData: sign the data that goes through a client
 *
 * Not supported; always fails.
 *
 * Returns: -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   ENOTSUP  always.
 * Blocks: no. Not a cancellation point.
 * Rule: our choice: its semantics are not public.
 * See: MsgReceive
 */
int MsgKeyData(int rcvid, int oper, uint32_t key, uint32_t *newkey, const iov_t *iov, int parts);
int MsgKeyData_r(int rcvid, int oper, uint32_t key, uint32_t *newkey, const iov_t *iov, int parts);

/* ---------------------------------------------------------------- timeouts ------------------- */

/*
 * TimerTimeout: limit how long the next blocking call may block
 *
 * Arms a timeout for the next call of this thread that blocks in one of the states of `flags`,
 * _NTO_TIMEOUT_... bits. That call fails with ETIMEDOUT. `timeout` is in nanoseconds, from now, or
 * absolute on clock `id` when TIMER_ABSTIME is or'ed into `flags`; NULL means not to block at all,
 * though a server that is waiting still gets the time to take a message. A relative time does not
 * care about changes of the clock. The timeout is forgotten when any of this library's calls returns,
 * whether it blocked or not.
 *
 * `event` NULL or SIGEV_UNBLOCK ends the call. Any other event is delivered when the time has come,
 * and the call goes on.
 *
 * The states and the calls: SEND and REPLY MsgSend(); RECEIVE MsgReceive(); MUTEX
 * pthread_mutex_lock(); CONDVAR pthread_cond_wait(); SEM sem_wait(); JOIN pthread_join(); NANOSLEEP
 * nanosleep(), clock_nanosleep(), usleep(), sleep() and delay(); SIGWAITINFO sigwaitinfo() and
 * sigwait(); SIGSUSPEND sigsuspend(); INTR InterruptWait(). A mutex or semaphore that is free is
 * taken without forgetting the timeout. `remaining`, if not NULL, gets what a sleep in NANOSLEEP had
 * left when it ended.
 *
 * For MsgSend() give _NTO_TIMEOUT_SEND and _NTO_TIMEOUT_REPLY together. On a channel with
 * _NTO_CHF_UNBLOCK a timeout in STATE_REPLY asks the server (ChannelCreate()) and the client waits
 * for its reply.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EINVAL  `id` is neither CLOCK_REALTIME nor CLOCK_MONOTONIC, or `event` is none that can be
 *           delivered.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. TIMER_ABSTIME has Linux's value, which is no _NTO_TIMEOUT_... bit.
 * See: timer_timeout, MsgSend, MsgReceive
 */
int TimerTimeout(clockid_t id, int flags, const struct sigevent *event, const uint64_t *timeout,
                 uint64_t *remaining);
int TimerTimeout_r(clockid_t id, int flags, const struct sigevent *event, const uint64_t *timeout,
                   uint64_t *remaining);

#pragma GCC visibility pop
__END_DECLS

#include <bits/nuntius-interrupt.h>
#include <bits/nuntius-sched.h>
#include <bits/nuntius-signal.h>
#include <bits/nuntius-sync.h>
#include <bits/nuntius-thread.h>
