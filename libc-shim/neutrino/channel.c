/* SPDX-License-Identifier: MIT */
/*
 * Channel calls.
 */
#include "runtime/channel.h"

#include "neutrino/result.h"
#include "nuntius.h"
#include "sys/neutrino.h"

/* Flags that mean something here, and those that QNX 7.1 accepts and that change nothing. */
#define FLAGS_KEPT                                                                                 \
        (_NTO_CHF_FIXED_PRIORITY | _NTO_CHF_UNBLOCK | _NTO_CHF_THREAD_DEATH | _NTO_CHF_DISCONNECT | \
         _NTO_CHF_COID_DISCONNECT | _NTO_CHF_PRIVATE | _NTO_CHF_SENDER_LEN | _NTO_CHF_REPLY_LEN |   \
         _NTO_CHF_MSG_PAUSING)
#define FLAGS_IDLE                                                                                 \
        (_NTO_CHF_NET_MSG | _NTO_CHF_PULSE_POOL | _NTO_CHF_INHERIT_RUNMASK | _NTO_CHF_UNBLOCK_TIMER)

static int create(unsigned flags) {
        Thread *thread = call_enter();
        int r = -ENOTSUP;

        call_take_timeout(thread);
        if (!(flags & ~(unsigned)(FLAGS_KEPT | FLAGS_IDLE)))
                r = channel_create(flags);
        call_leave(thread);
        return r;
}

int ChannelCreate_r(unsigned flags) {
        return create(flags);
}

int ChannelCreate(unsigned flags) {
        return (int)plain_value(create(flags));
}

int ChannelCreateExt_r(unsigned flags, mode_t mode, size_t bufsize, unsigned maxnumbuf,
                       const struct sigevent *event, struct _cred_info *cred) {
        return create(flags);
}

int ChannelCreateExt(unsigned flags, mode_t mode, size_t bufsize, unsigned maxnumbuf,
                     const struct sigevent *event, struct _cred_info *cred) {
        return (int)plain_value(create(flags));
}

int ChannelCreatePulsePool_r(unsigned flags, const struct nto_channel_config *config) {
        return config ? create(flags | _NTO_CHF_PULSE_POOL) : -EINVAL;
}

int ChannelCreatePulsePool(unsigned flags, const struct nto_channel_config *config) {
        return (int)plain_value(ChannelCreatePulsePool_r(flags, config));
}

int ChannelDestroy_r(int chid) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = positive(channel_destroy(chid));
        call_leave(thread);
        return r;
}

int ChannelDestroy(int chid) {
        return plain_status(ChannelDestroy_r(chid));
}

static bool exists(int chid) {
        Channel *channel;

        server_lock();
        channel = channel_find_locked(chid);
        server_unlock();
        return channel != NULL;
}

static bool is_channel_command(int cmd) {
        return cmd == _NTO_CCTL_PULSE_POOL || cmd == _NTO_CCTL_WIDE || cmd == _NTO_CCTL_NOTIFY_SEND ||
               cmd == _NTO_CCTL_SERVER_BOOST_THREAD;
}

int ChannelCtl_r(int chid, int cmd, void *data) {
        Thread *thread = call_enter();
        int r = ENOSYS;

        call_take_timeout(thread);
        if (!is_channel_command(cmd))
                r = EINVAL;
        else if (!exists(chid))
                r = ESRCH;
        call_leave(thread);
        return r;
}

int ChannelCtl(int chid, int cmd, void *data) {
        return plain_status(ChannelCtl_r(chid, cmd, data));
}

int ChannelConnectAttr_r(unsigned id, union _channel_connect_attr *old_attr,
                         union _channel_connect_attr *new_attr, unsigned flags) {
        return ENOTSUP;
}

int ChannelConnectAttr(unsigned id, union _channel_connect_attr *old_attr,
                       union _channel_connect_attr *new_attr, unsigned flags) {
        return plain_status(ENOTSUP);
}

static int set_spin(int chid, long microseconds) {
        Channel *channel;

        if (microseconds < -1 || microseconds > 1000000)
                return EINVAL;
        server_lock();
        channel = channel_find_locked(chid);
        if (channel)
                channel->spin_ns = microseconds < 0 ? -1 : microseconds * 1000;
        server_unlock();
        return channel ? EOK : ESRCH;
}

int nuntius_spin(int chid, long microseconds) {
        Thread *thread = call_enter();
        int r = set_spin(chid, microseconds);

        call_leave(thread);
        return plain_status(r);
}
