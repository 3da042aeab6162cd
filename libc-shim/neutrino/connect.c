/* SPDX-License-Identifier: MIT */
/*
 * Connection calls: from the client's side by coid, from the server's by scoid.
 */
#include "abi/wire.h"
#include "neutrino/result.h"
#include "runtime/connection.h"
#include "runtime/lane.h"
#include "runtime/session.h"
#include "shm/copy.h"
#include "sys/neutrino.h"

#include <stdlib.h>
#include <string.h>

static bool is_scoid(int id) {
        return id > 0 && !(id & _NTO_SIDE_CHANNEL) && (id & _NTO_CONNECTION_SCOID);
}

/* ---- ConnectAttach, ConnectDetach ---- */

static int attach(uint32_t nd, pid_t pid, int chid, unsigned index, int flags) {
        if (nd != ND_LOCAL_NODE)
                return -ESRCH;
        if ((unsigned)flags & ~(unsigned)_NTO_COF_MASK || (flags & _NTO_COF_DEAD))
                return -EINVAL;
        if (pid == SYSMGR_PID && chid == SYSMGR_CHID)
                return SYSMGR_COID;
        return connection_attach(pid, chid, index, (unsigned)flags);
}

int ConnectAttach_r(uint32_t nd, pid_t pid, int chid, unsigned index, int flags) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = attach(nd, pid, chid, index, flags);
        call_leave(thread);
        return r;
}

int ConnectAttach(uint32_t nd, pid_t pid, int chid, unsigned index, int flags) {
        return (int)plain_value(ConnectAttach_r(nd, pid, chid, index, flags));
}

static int detach(int coid) {
        Connection *connection;
        int r;

        if (coid == SYSMGR_COID)
                return -EPERM;
        if (is_scoid(coid) && lane_detach(coid) == 0)
                return 0;
        r = connection_look_up(coid, &connection);
        if (r < 0)
                return r == -EBADF ? -EINVAL : r;
        return connection_detach(coid);
}

int ConnectDetach_r(int coid) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = positive(detach(coid));
        call_leave(thread);
        return r;
}

int ConnectDetach(int coid) {
        return plain_status(ConnectDetach_r(coid));
}

/* ---- ConnectFlags ---- */

static int remote_flags(pid_t pid, int coid, unsigned mask, unsigned bits) {
        WireRequest request = {
                .op = WIRE_CONNECT_FLAGS,
                .connect_flags = { .pid = pid, .coid = coid, .mask = mask, .bits = bits },
        };
        WireReply reply;
        int fds[SESSION_FDS];
        int r = session_ask(&request, -1, &reply, fds);

        return r < 0 ? r : (int)reply.flags.flags;
}

static bool is_self(pid_t pid) {
        return pid == 0 || pid == getpid() || pid == session_pid();
}

static int flags_of(pid_t pid, int coid, unsigned mask, unsigned bits) {
        int r;

        if ((mask & ~(unsigned)_NTO_COF_MASK) || (mask & _NTO_COF_DEAD))
                return -EINVAL;
        if (!is_self(pid))
                return remote_flags(pid, coid, mask, bits);
        r = connection_set_flags(coid, mask, bits);
        if (r >= 0 && mask)
                remote_flags(0, coid, mask, bits); /* so that tools and other processes see it */
        return r;
}

int ConnectFlags_r(pid_t pid, int coid, unsigned mask, unsigned bits) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = flags_of(pid, coid, mask, bits);
        call_leave(thread);
        return r;
}

int ConnectFlags(pid_t pid, int coid, unsigned mask, unsigned bits) {
        return (int)plain_value(ConnectFlags_r(pid, coid, mask, bits));
}

/* ---- ConnectServerInfo ---- */

static int describe_system(struct _server_info *info) {
        if (info)
                *info = (struct _server_info){
                        .pid = SYSMGR_PID, .chid = SYSMGR_CHID, .coid = SYSMGR_COID, .scoid = -1,
                };
        return SYSMGR_COID;
}

static int describe(const Connection *connection, struct _server_info *info) {
        unsigned flags = connection->flags;

        if (!connection_is_live(connection))
                flags |= _NTO_COF_DEAD;
        if (info)
                *info = (struct _server_info){
                        .nd = ND_LOCAL_NODE,
                        .srcnd = ND_LOCAL_NODE,
                        .pid = connection->server_pid,
                        .chid = connection->chid,
                        .scoid = connection->scoid,
                        .coid = connection->coid,
                        .flags = (int16_t)flags,
                };
        return connection->coid;
}

/* SYSMGR_COID exists in every process, between descriptors and the rest of the side channel. */
static int own_server_info(int coid, struct _server_info *info) {
        Connection *connection;

        if (coid < 0)
                return -EINVAL;
        if (!(coid & _NTO_SIDE_CHANNEL))
                connection_find(coid); /* adopts an inherited descriptor */
        connection = connection_next(coid, info != NULL);
        if (coid <= SYSMGR_COID && (!connection || connection->coid > SYSMGR_COID))
                return describe_system(info);
        return connection ? describe(connection, info) : -EINVAL;
}

static int remote_server_info(pid_t pid, int coid, struct _server_info *info) {
        WireRequest request = {
                .op = WIRE_SERVER_INFO,
                .server_info = { .pid = pid, .coid = coid, .dead = info != NULL },
        };
        WireReply reply;
        int fds[SESSION_FDS];
        int r = session_ask(&request, -1, &reply, fds);

        if (r < 0)
                return r;
        if (info)
                *info = (struct _server_info){
                        .pid = reply.server_info.pid,
                        .chid = reply.server_info.chid,
                        .scoid = reply.server_info.scoid,
                        .coid = reply.server_info.coid,
                        .flags = (int16_t)reply.server_info.flags,
                };
        return reply.server_info.coid;
}

int ConnectServerInfo_r(pid_t pid, int coid, struct _server_info *info) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = is_self(pid) ? own_server_info(coid, info) : remote_server_info(pid, coid, info);
        call_leave(thread);
        return r;
}

int ConnectServerInfo(pid_t pid, int coid, struct _server_info *info) {
        return (int)plain_value(ConnectServerInfo_r(pid, coid, info));
}

/* ---- ConnectClientInfo ---- */

#define GROUPS_IN_INFO 8u

static int ask_client(int scoid, WireCredentials *ret_client) {
        WireRequest request = { .op = WIRE_CLIENT_INFO, .client_info = { .scoid = scoid } };
        WireReply reply;
        int fds[SESSION_FDS];
        int r = session_ask(&request, -1, &reply, fds);

        if (r == 0)
                *ret_client = reply.client_info;
        return r;
}

static unsigned smaller(unsigned a, unsigned b) {
        return a < b ? a : b;
}

static void fill(struct _client_info *info, const WireCredentials *client, unsigned n_listed) {
        memset(info, 0, sizeof(*info));
        info->nd = ND_LOCAL_NODE;
        info->pid = client->pid;
        info->sid = client->sid;
        info->flags = _NTO_CI_BITS_64;
        info->cred.ruid = client->ruid;
        info->cred.euid = client->euid;
        info->cred.suid = client->suid;
        info->cred.rgid = client->rgid;
        info->cred.egid = client->egid;
        info->cred.sgid = client->sgid;
        info->cred.ngroups = client->n_groups;
        for (unsigned i = 0; i < n_listed; i++)
                info->cred.grouplist[i] = client->groups[i];
}

static int client_info(int scoid, struct _client_info *info, int ngroups) {
        WireCredentials client;
        struct _client_info copy;
        unsigned listed;
        int r;

        if (!info)
                return -EFAULT;
        if (ngroups < 0)
                return -EINVAL;
        r = ask_client(scoid, &client);
        if (r < 0)
                return r;
        listed = smaller(smaller((unsigned)ngroups, client.n_groups), GROUPS_IN_INFO);
        fill(&copy, &client, listed);
        return copy_bytes(info, &copy, sizeof(copy)) ? 0 : -EFAULT;
}

int ConnectClientInfo_r(int scoid, struct _client_info *info, int ngroups) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = positive(client_info(scoid, info, ngroups));
        call_leave(thread);
        return r;
}

int ConnectClientInfo(int scoid, struct _client_info *info, int ngroups) {
        return plain_status(ConnectClientInfo_r(scoid, info, ngroups));
}

/* Room for all groups behind the structure, whose list is its last member but for padding. */
static int client_info_ext(int scoid, struct _client_info **ret_info, int flags) {
        const int known = _NTO_CLIENTINFO_GETGROUPS | _NTO_CLIENTINFO_GETTYPEID;
        WireCredentials client;
        struct _client_info *info;
        unsigned listed;
        int r;

        if (!ret_info)
                return -EFAULT;
        if (flags & ~known)
                return -EINVAL;
        r = ask_client(scoid, &client);
        if (r < 0)
                return r;
        listed = smaller(client.n_groups, WIRE_GROUPS_MAX);
        info = malloc(sizeof(*info) + listed * sizeof(gid_t));
        if (!info)
                return -ENOMEM;
        fill(info, &client, flags & _NTO_CLIENTINFO_GETGROUPS ? listed : 0);
        *ret_info = info;
        return 0;
}

int ConnectClientInfoExt_r(int scoid, struct _client_info **info, int flags) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = positive(client_info_ext(scoid, info, flags));
        call_leave(thread);
        return r;
}

int ConnectClientInfoExt(int scoid, struct _client_info **info, int flags) {
        return plain_status(ConnectClientInfoExt_r(scoid, info, flags));
}

/* The daemon knows what the client may do. */
static bool is_able(int scoid, const struct _client_able *able) {
        WireRequest request = {
                .op = WIRE_ABLE,
                .able = { .scoid = scoid, .ability = able->ability & 0xffff, .lo = able->range_lo,
                          .hi = able->range_hi },
        };
        Thread *thread = call_enter();
        int fds[SESSION_FDS];
        WireReply reply;
        int r = session_ask(&request, -1, &reply, fds);

        call_leave(thread);
        return r == 0;
}

int ConnectClientInfoAble_r(int scoid, struct _client_info **info, int flags,
                            struct _client_able *abilities, int nable) {
        int r;

        if (nable < 0 || (nable > 0 && !abilities))
                return EINVAL;
        r = ConnectClientInfoExt_r(scoid, info, flags);
        for (int i = 0; r == EOK && i < nable; i++)
                if (!is_able(scoid, &abilities[i]))
                        (*info)->flags |= _NTO_CI_UNABLE;
        return r;
}

int ConnectClientInfoAble(int scoid, struct _client_info **info, int flags,
                          struct _client_able *abilities, int nable) {
        return plain_status(ConnectClientInfoAble_r(scoid, info, flags, abilities, nable));
}

int ClientInfoExtFree(struct _client_info **info) {
        if (info) {
                free(*info);
                *info = NULL;
        }
        return EOK;
}
