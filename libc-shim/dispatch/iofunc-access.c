/* SPDX-License-Identifier: MIT */
/* Access: who the client is, and what it may do. */
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

int client_read(resmgr_context_t *ctp, struct _client_info *info) {
        int r = ConnectClientInfo_r(ctp->info.scoid, info, NGROUPS_MAX);

        return r < 0 ? -r : r;
}

bool client_owns(const struct _client_info *info, const iofunc_attr_t *attr) {
        return info->cred.euid == 0 || info->cred.euid == attr->uid;
}

bool client_is_of_group(const struct _client_info *info, gid_t gid) {
        if (info->cred.egid == gid)
                return true;
        for (uint32_t i = 0; i < info->cred.ngroups && i < sizeof(info->cred.grouplist) / sizeof(gid_t); i++)
                if (info->cred.grouplist[i] == gid)
                        return true;
        return false;
}

/* Rights of exactly one class count, as for any file. S_IREAD and kin are the owner's bits. */
static mode_t rights_of(const iofunc_attr_t *attr, const struct _client_info *info) {
        if (info->cred.euid == attr->uid)
                return attr->mode;
        if (client_is_of_group(info, attr->gid))
                return attr->mode << 3;
        return attr->mode << 6;
}

/* Root may do all, except execute what nobody may. */
static bool root_may(const iofunc_attr_t *attr, mode_t mode) {
        return !(mode & S_IEXEC) || S_ISDIR(attr->mode) || attr->mode & (S_IXUSR | S_IXGRP | S_IXOTH);
}

PUBLIC int iofunc_check_access(resmgr_context_t *ctp, const iofunc_attr_t *attr, mode_t checkmode,
                               const struct _client_info *info) {
        mode_t wanted = checkmode & (S_IREAD | S_IWRITE | S_IEXEC);
        struct _client_info asked;
        int r;

        if (!info) {
                r = client_read(ctp, &asked);
                if (r != EOK)
                        return r;
                info = &asked;
        }
        if (checkmode & S_ISUID && !client_owns(info, attr))
                return EPERM;
        if (checkmode & S_ISGID && info->cred.euid != 0 && !client_is_of_group(info, attr->gid))
                return EPERM;
        if (info->cred.euid == 0)
                return root_may(attr, wanted) ? EOK : EACCES;
        return (rights_of(attr, info) & wanted) == wanted ? EOK : EACCES;
}

PUBLIC int iofunc_client_info(resmgr_context_t *ctp, int ioflag, struct _client_info *info) {
        (void)ioflag;
        return info ? client_read(ctp, info) : EINVAL;
}

PUBLIC int iofunc_client_info_ext(resmgr_context_t *ctp, int ioflag, struct _client_info **info, int flags) {
        int r;

        (void)ioflag;
        if (!info)
                return EINVAL;
        r = ConnectClientInfoExt_r(ctp->info.scoid, info, flags);
        return r < 0 ? -r : r;
}

PUBLIC int iofunc_client_info_ext_free(struct _client_info **info) {
        return ClientInfoExtFree(info) == -1 ? errno : EOK;
}

PUBLIC int iofunc_client_info_able(resmgr_context_t *ctp, int ioflag, struct _client_info **info, int flags,
                                   struct _client_able *abilities, int nable) {
        int r;

        (void)ioflag;
        if (!info)
                return EINVAL;
        r = ConnectClientInfoAble_r(ctp->info.scoid, info, flags, abilities, nable);
        return r < 0 ? -r : r;
}
