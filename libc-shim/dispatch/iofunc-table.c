/* SPDX-License-Identifier: MIT */
/* Table: a default for every handler that has one. */
#include "dispatch/iofunc.h"
#include "dispatch/public.h"

#include <string.h>

static const resmgr_connect_funcs_t connect_defaults = {
        .open = iofunc_open_default,
};

static const resmgr_io_funcs_t io_defaults = {
        .read = iofunc_read_default,
        .write = iofunc_write_default,
        .close_ocb = iofunc_close_ocb_default,
        .stat = iofunc_stat_default,
        .devctl = iofunc_devctl_default,
        .unblock = iofunc_unblock_default,
        .pathconf = iofunc_pathconf_default,
        .lseek = iofunc_lseek_default,
        .chmod = iofunc_chmod_default,
        .chown = iofunc_chown_default,
        .utime = iofunc_utime_default,
        .openfd = iofunc_openfd_default,
        .fdinfo = iofunc_fdinfo_default,
        .mmap = iofunc_mmap_default,
        .close_dup = iofunc_close_dup_default,
        .lock_ocb = iofunc_lock_ocb_default,
        .unlock_ocb = iofunc_unlock_ocb_default,
        .sync = iofunc_sync_default,
        .power = iofunc_power_default,
        .acl = iofunc_acl_default,
        .utime64 = iofunc_utime64_default,
};

/* The program's table may be shorter than ours, or longer. */
static void fill(void *table, const void *defaults, unsigned n, unsigned n_defaults) {
        void **to = (void **)table + 1;
        void *const *from = (void *const *)defaults + 1;

        for (unsigned i = 0; i < n; i++)
                to[i] = i < n_defaults ? from[i] : NULL;
        *(unsigned *)table = n;
}

PUBLIC void iofunc_func_init(unsigned nconnect, resmgr_connect_funcs_t *connect, unsigned nio,
                             resmgr_io_funcs_t *io) {
        if (connect)
                fill(connect, &connect_defaults, nconnect, _RESMGR_CONNECT_NFUNCS);
        if (io)
                fill(io, &io_defaults, nio, _RESMGR_IO_NFUNCS);
}
