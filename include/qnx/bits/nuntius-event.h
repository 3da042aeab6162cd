/* SPDX-License-Identifier: MIT */
/*
 * Events between processes: MsgDeliverEvent() and its relatives. Programs get them from
 * <sys/neutrino.h>.
 */
#pragma once
#pragma GCC system_header

#include <bits/nuntius-sigevent.h>
#include <sys/cdefs.h>

/* MsgRegisterEvent(): in place of a coid */
#define _NTO_REGEVENT_ALLOW_ANY_SERVER (-1)
#define _NTO_REGEVENT_ALLOW_SELF       (-2)

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * MsgDeliverEvent: deliver an event to a client
 *
 * A client has put `event` into a message; the server, that has received it as `rcvid`, lets it happen
 * in the client: at once or later, before or after the reply, as often as it likes, until the
 * connection is gone. What the event names is the client's: his connection, his thread, his memory.
 * The thread that SIGEV_SIGNAL_THREAD, SIGEV_INTR and SIGEV_UNBLOCK mean is the one that sent the
 * message. `rcvid` 0 is the caller itself.
 *
 * The last 65536 messages that the process has received are known, and the last 16384 that events were
 * delivered to.
 *
 * A signal whose code is the kernel's to choose, from 0 up, arrives with SI_QUEUE.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EACCES   the client's connection has _NTO_COF_NOEVENT; or it has _NTO_COF_REG_EVENTS, and the event
 *            is not registered; or it has _NTO_COF_INSECURE, and the event is a SIGEV_THREAD or
 *            SIGEV_MEMORY; or the event was registered for another server; or it is not registered, the
 *            connection has no _NTO_COF_UNREG_EVENTS, the server is neither root's nor the client's
 *            user's, and it is a signal or a pulse to a third process.
 *   EAGAIN   too many pulses or signals wait already.
 *   EBADF    the client's connection is gone; or the event is a pulse through a connection that is not
 *            there.
 *   EFAULT   `event` is NULL; or, in the caller itself, the address of a SIGEV_MEMORY is bad.
 *   EINVAL   the kind of event is unknown, a priority, code or signal is out of range, or a registered
 *            event is gone.
 *   ENOTSUP  a SIGEV_THREAD, SIGEV_MEMORY, SIGEV_INTR or SIGEV_UNBLOCK, and the client has neither
 *            registered one nor waits for interrupts.
 *   ENXIO    the client is just ending.
 *   EPERM    the priority of the pulse is more than the server may have, or its code is negative.
 *   ESRCH    `rcvid` is unknown, or its thread is gone.
 * Blocks: never. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: EACCES for strangers, so that to connect to a server gives
 *   it no power over the client or in the client's name; ENOTSUP, because such an event needs a thread in the
 *   client that only registering starts.
 * See: MsgRegisterEvent, MsgVerifyEvent, MsgSendPulse
 */
int MsgDeliverEvent(int rcvid, const struct sigevent *event);
int MsgDeliverEvent_r(int rcvid, const struct sigevent *event);

/*
 * MsgVerifyEvent: could an event be delivered?
 *
 * Checks what MsgDeliverEvent() checks, and delivers nothing.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EACCES  as MsgDeliverEvent().
 *   EBADF   the event is a pulse, and the channel behind its connection is gone; or the client's own
 *           connection is gone.
 *   EFAULT  `event` is NULL.
 *   EINVAL  as MsgDeliverEvent().
 *   EPERM   as MsgDeliverEvent().
 *   ESRCH   the event is a pulse through a connection that is not there; or `rcvid` is unknown.
 * Blocks: never. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: the sign of the _r form, on which the documentation
 *   contradicts itself.
 * See: MsgDeliverEvent
 */
int MsgVerifyEvent(int rcvid, const struct sigevent *event);
int MsgVerifyEvent_r(int rcvid, const struct sigevent *event);

/*
 * MsgRegisterEvent: register an event
 *
 * From now on `event`, which is changed, is a handle: only the server behind connection `coid` can
 * deliver it, and only what it was when it was registered. `coid` is _NTO_REGEVENT_ALLOW_ANY_SERVER for
 * any server, _NTO_REGEVENT_ALLOW_SELF for the process itself, SYSMGR_COID for timers and other events
 * that come from the system. With SIGEV_MAKE_UPDATEABLE() the server may choose the value.
 *
 * A connection with _NTO_COF_REG_EVENTS takes no other events.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EAGAIN  the process has registered 512 events.
 *   EBADF   `coid` is no connection.
 *   EFAULT  `event` is NULL.
 *   EINVAL  `event` is none that can be delivered, or a handle already.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: the limit of 512.
 * See: MsgUnregisterEvent, MsgDeliverEvent, ConnectAttach
 */
int MsgRegisterEvent(struct sigevent *event, int coid);
int MsgRegisterEvent_r(struct sigevent *event, int coid);

/*
 * MsgUnregisterEvent: end the registration of an event
 *
 * Its handle can be delivered no more.
 *
 * Returns: EOK; -1 and errno. The _r form returns a positive errno.
 * Errors:
 *   EFAULT  `event` is NULL.
 *   ESRCH   it is not registered.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: the sign of the _r form, on which the documentation
 *   contradicts itself.
 * See: MsgRegisterEvent
 */
int MsgUnregisterEvent(const struct sigevent *event);
int MsgUnregisterEvent_r(const struct sigevent *event);

#pragma GCC visibility pop
__END_DECLS
