/* SPDX-License-Identifier: MIT */
/*
 * <sys/iofunc.h>: what POSIX says of files, done for a resource manager: attributes, open files,
 * and a default for every
 * handler.
 *
 * Overrides: IOFUNC_ATTR_T and IOFUNC_OCB_T may be defined before this header to structures whose first member is an
 * iofunc_attr_t and an iofunc_ocb_t; then iofunc_ocb_t.attr and the allocators of iofunc_funcs_t have these types.
 *
 * The order of members is that of SDP 7.1. Every function returns EOK or an errno (or _RESMGR_...) as a handler
 * does, unless its comment says otherwise. Rule: QNX 7.1 documentation where no "our choice" stands.
 */
#pragma once

#ifndef IOFUNC_ATTR_T
#define IOFUNC_ATTR_T struct _iofunc_attr
#endif
#ifndef IOFUNC_OCB_T
#define IOFUNC_OCB_T struct _iofunc_ocb
#endif

#include <pthread.h>
#include <stdint.h>
#include <sys/resmgr.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _iofunc_attr iofunc_attr_t;
typedef struct _iofunc_ocb iofunc_ocb_t;
typedef struct _iofunc_mount iofunc_mount_t;
typedef struct _iofunc_mmap_list iofunc_mmap_list_t;
typedef struct _iofunc_lock_list iofunc_lock_list_t;

/* ---------------------------------------------------------------- attributes ----------------- */

/* Recursive, owned by a thread; zero is a free one. */
typedef struct _iofunc_attr_lock {
        pthread_mutex_t mutex;
        uint32_t ready; /* 1 = mutex is initialised */
        int32_t count;
} iofunc_attr_lock_t;

/* iofunc_attr_t.flags */
#define IOFUNC_ATTR_MTIME       0x00000001 /* the time is due to be updated ... */
#define IOFUNC_ATTR_ATIME       0x00000002
#define IOFUNC_ATTR_CTIME       0x00000004
#define IOFUNC_ATTR_DIRTY_SIZE  0x00000010 /* changed since the manager last looked ... */
#define IOFUNC_ATTR_DIRTY_OWNER 0x00000020
#define IOFUNC_ATTR_DIRTY_TIME  0x00000040
#define IOFUNC_ATTR_DIRTY_MODE  0x00000080
#define IOFUNC_ATTR_DIRTY_NLINK 0x00000100
#define IOFUNC_ATTR_DIRTY_RDEV  0x00000200
#define IOFUNC_ATTR_DIRTY_ACL   0x00000400
#define IOFUNC_ATTR_DIRTY_MTIME IOFUNC_ATTR_DIRTY_TIME
#define IOFUNC_ATTR_GROUP_OWNER 0x00004000 /* kept, without effect */
#define IOFUNC_ATTR_SYNTHETIC   0x00008000 /* kept, without effect */
#define IOFUNC_ATTR_PRIVATE     0xffff0000 /* the manager's own */

struct _iofunc_attr {
        iofunc_mount_t *mount;
        iofunc_mmap_list_t *mmap_list;
        iofunc_lock_list_t *lock_list;
        void *acl;
        iofunc_attr_lock_t lock;
        uint32_t flags;  /* IOFUNC_ATTR_... */
        uint16_t count;  /* open files */
        uint16_t rcount; /* ... for reading */
        uint16_t wcount; /* ... for writing */
        uint16_t rlocks; /* ... that forbid others to read */
        uint16_t wlocks; /* ... that forbid others to write */
        uint16_t zero[3];
        off_t nbytes;
        ino_t inode;
        uid_t uid;
        gid_t gid;
        time_t mtime;
        time_t atime;
        time_t ctime;
        uint32_t mtime_ns;
        uint32_t atime_ns;
        uint32_t ctime_ns;
        mode_t mode;
        nlink_t nlink;
        dev_t rdev;
};

/*
 * Fills @attr: @mode with its type, owner from @info (NULL: the manager's own user), or from
 * @dattr, the directory's, where that says so;
 * times now, nlink 1 (a directory: 2), a lock that is free. Nothing is returned.
 */
void iofunc_attr_init(iofunc_attr_t *attr, mode_t mode, iofunc_attr_t *dattr, struct _client_info *info);
void iofunc_attr_init_sized(iofunc_attr_t *attr, mode_t mode, iofunc_attr_t *dattr,
                            struct _client_info *info, size_t bytes);

/* For the thread that calls, as often as it likes. EOK; trylock: EBUSY. */
int iofunc_attr_lock(iofunc_attr_t *attr);
int iofunc_attr_trylock(iofunc_attr_t *attr);
int iofunc_attr_unlock(iofunc_attr_t *attr);
/* Two at once, in one order for everybody (our choice: by address). */
int iofunc_attr_lock_two(iofunc_attr_t *attr1, iofunc_attr_t *attr2);
int iofunc_attr_unlock_two(iofunc_attr_t *attr1, iofunc_attr_t *attr2);

/* ---------------------------------------------------------------- open files ----------------- */

#define IOFUNC_OCB_PRIVILEGED 0x0001 /* opened by root */
#define IOFUNC_OCB_MMAP       0x0002 /* opened for a mapping alone */
#define IOFUNC_OCB_PRIVATE    0xf000 /* the manager's own */

struct _iofunc_ocb {
        IOFUNC_ATTR_T *attr;
        int32_t ioflag; /* _IO_FLAG_... and O_... */
        off_t offset;
        uint16_t sflag;
        uint16_t flags; /* IOFUNC_OCB_... */
        void *reserved;
};

typedef struct _iofunc_funcs {
        unsigned nfuncs; /* _IOFUNC_NFUNCS */
        IOFUNC_OCB_T *(*ocb_calloc)(resmgr_context_t *ctp, IOFUNC_ATTR_T *attr);
        void (*ocb_free)(IOFUNC_OCB_T *ocb);
        int (*attr_lock)(IOFUNC_ATTR_T *attr);
        int (*attr_unlock)(IOFUNC_ATTR_T *attr);
        int (*attr_trylock)(IOFUNC_ATTR_T *attr);
} iofunc_funcs_t;
#define _IOFUNC_NFUNCS ((sizeof(iofunc_funcs_t) - sizeof(void *)) / sizeof(void *))

struct _iofunc_mount {
        uint32_t flags; /* MS_RDONLY of <sys/mount.h>: EROFS to writers; IOFUNC_MOUNT_... */
        uint32_t conf;  /* IOFUNC_PC_... */
        dev_t dev;
        int32_t blocksize;
        iofunc_funcs_t *funcs;
        void *power;
        size_t size;
        uint32_t ext_flags;
        struct timespec timeres;
        uint32_t reserved[4];
};
#define IOFUNC_MOUNT_32BIT         0x00000100
#define IOFUNC_MOUNT_FLAGS_PRIVATE 0xff000000
#define IOFUNC_PC_CHOWN_RESTRICTED 0x0001
#define IOFUNC_PC_NO_TRUNC         0x0002
#define IOFUNC_PC_SYNC_IO          0x0004
#define IOFUNC_PC_LINK_DIR         0x0008
#define IOFUNC_PC_ACL              0x0010

/* Zeroes @mount and takes a device number for it. 0; -1 and ENOMEM. */
int iofunc_mount_init(iofunc_mount_t *mount, size_t bytes);
/* The resolution of its times. 0; -1 and EINVAL. */
int iofunc_mount_set_time(iofunc_mount_t *mount, const struct timespec *resolution);

/* NULL and ENOMEM. */
iofunc_ocb_t *iofunc_ocb_calloc(resmgr_context_t *ctp, IOFUNC_ATTR_T *attr);
void iofunc_ocb_free(iofunc_ocb_t *ocb);
/*
 * Ties ocb, attributes and the client's file together; counts. @ocb NULL: it is allocated. EOK;
 * ENOSPC; ENOMEM; EBADF.
 */
int iofunc_ocb_attach(resmgr_context_t *ctp, io_open_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr,
                      const resmgr_io_funcs_t *io_funcs);
/* Uncounts. IOFUNC_OCB_LAST_... : what came to an end with it. */
int iofunc_ocb_detach(resmgr_context_t *ctp, iofunc_ocb_t *ocb);
#define IOFUNC_OCB_LAST_INUSE  0x0001
#define IOFUNC_OCB_LAST_READER 0x0002
#define IOFUNC_OCB_LAST_WRITER 0x0004
#define IOFUNC_OCB_LAST_RDLOCK 0x0008
#define IOFUNC_OCB_LAST_WRLOCK 0x0010

/* ---------------------------------------------------------------- tables --------------------- */

/*
 * Fills the tables: connect: open; io: read, write, close_ocb, stat, devctl, unblock, pathconf,
 * lseek, chmod, chown, utime,
 * openfd, fdinfo, mmap, close_dup, lock_ocb, unlock_ocb, sync, power, acl. The rest stays NULL: ENOSYS.
 */
void iofunc_func_init(unsigned nconnect, resmgr_connect_funcs_t *connect, unsigned nio, resmgr_io_funcs_t *io);

/* The defaults. */
int iofunc_acl_default(resmgr_context_t *ctp, io_acl_t *msg, iofunc_ocb_t *ocb);
int iofunc_chmod_default(resmgr_context_t *ctp, io_chmod_t *msg, iofunc_ocb_t *ocb);
int iofunc_chown_default(resmgr_context_t *ctp, io_chown_t *msg, iofunc_ocb_t *ocb);
int iofunc_close_dup_default(resmgr_context_t *ctp, io_close_t *msg, iofunc_ocb_t *ocb);
int iofunc_close_ocb_default(resmgr_context_t *ctp, void *reserved, iofunc_ocb_t *ocb);
int iofunc_devctl_default(resmgr_context_t *ctp, io_devctl_t *msg, iofunc_ocb_t *ocb);
int iofunc_fdinfo_default(resmgr_context_t *ctp, io_fdinfo_t *msg, iofunc_ocb_t *ocb);
int iofunc_link_default(resmgr_context_t *ctp, io_link_t *msg, iofunc_attr_t *dattr, io_link_extra_t *extra);
int iofunc_lock_default(resmgr_context_t *ctp, io_lock_t *msg, iofunc_ocb_t *ocb);
int iofunc_lock_ocb_default(resmgr_context_t *ctp, void *reserved, iofunc_ocb_t *ocb);
int iofunc_lseek_default(resmgr_context_t *ctp, io_lseek_t *msg, iofunc_ocb_t *ocb);
int iofunc_mknod_default(resmgr_context_t *ctp, io_mknod_t *msg, iofunc_attr_t *dattr, void *reserved);
int iofunc_mmap_default(resmgr_context_t *ctp, io_mmap_t *msg, iofunc_ocb_t *ocb);
int iofunc_notify_default(resmgr_context_t *ctp, io_notify_t *msg, iofunc_ocb_t *ocb);
int iofunc_open_default(resmgr_context_t *ctp, io_open_t *msg, iofunc_attr_t *attr, void *extra);
int iofunc_openfd_default(resmgr_context_t *ctp, io_openfd_t *msg, iofunc_ocb_t *ocb);
int iofunc_pathconf_default(resmgr_context_t *ctp, io_pathconf_t *msg, iofunc_ocb_t *ocb);
int iofunc_power_default(resmgr_context_t *ctp, io_power_t *msg, iofunc_ocb_t *ocb);
int iofunc_read_default(resmgr_context_t *ctp, io_read_t *msg, iofunc_ocb_t *ocb);
int iofunc_readlink_default(resmgr_context_t *ctp, io_readlink_t *msg, iofunc_attr_t *attr, void *reserved);
int iofunc_rename_default(resmgr_context_t *ctp, io_rename_t *msg, iofunc_attr_t *dattr, io_rename_extra_t *extra);
int iofunc_space_default(resmgr_context_t *ctp, io_space_t *msg, iofunc_ocb_t *ocb);
int iofunc_stat_default(resmgr_context_t *ctp, io_stat_t *msg, iofunc_ocb_t *ocb);
int iofunc_sync_default(resmgr_context_t *ctp, io_sync_t *msg, iofunc_ocb_t *ocb);
int iofunc_unblock_default(resmgr_context_t *ctp, io_pulse_t *msg, iofunc_ocb_t *ocb);
int iofunc_unlink_default(resmgr_context_t *ctp, io_unlink_t *msg, iofunc_attr_t *attr, void *reserved);
int iofunc_unlock_ocb_default(resmgr_context_t *ctp, void *reserved, iofunc_ocb_t *ocb);
int iofunc_utime_default(resmgr_context_t *ctp, io_utime_t *msg, iofunc_ocb_t *ocb);
int iofunc_utime64_default(resmgr_context_t *ctp, io_utime64_t *msg, iofunc_ocb_t *ocb);
int iofunc_write_default(resmgr_context_t *ctp, io_write_t *msg, iofunc_ocb_t *ocb);

/* ---------------------------------------------------------------- helpers -------------------- */

/*
 * Rights of a new or an old file: EACCES, EEXIST, EISDIR, ELOOP, ENOTDIR, EPERM, EROFS, ETXTBSY:
 * see the manual page.
 */
int iofunc_open(resmgr_context_t *ctp, io_open_t *msg, iofunc_attr_t *attr, iofunc_attr_t *dattr,
                struct _client_info *info);
int iofunc_chmod(resmgr_context_t *ctp, io_chmod_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_chown(resmgr_context_t *ctp, io_chown_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_close_dup(resmgr_context_t *ctp, io_close_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_close_ocb(resmgr_context_t *ctp, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_devctl(resmgr_context_t *ctp, io_devctl_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_fdinfo(resmgr_context_t *ctp, iofunc_ocb_t *ocb, iofunc_attr_t *attr, struct _fdinfo *info);
int iofunc_link(resmgr_context_t *ctp, io_link_t *msg, iofunc_attr_t *attr, iofunc_attr_t *dattr,
                struct _client_info *info);
int iofunc_lock(resmgr_context_t *ctp, io_lock_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_lseek(resmgr_context_t *ctp, io_lseek_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_mknod(resmgr_context_t *ctp, io_mknod_t *msg, iofunc_attr_t *attr, iofunc_attr_t *dattr,
                 struct _client_info *info);
int iofunc_mmap(resmgr_context_t *ctp, io_mmap_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_openfd(resmgr_context_t *ctp, io_openfd_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_pathconf(resmgr_context_t *ctp, io_pathconf_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_readlink(resmgr_context_t *ctp, io_readlink_t *msg, iofunc_attr_t *attr, struct _client_info *info);
int iofunc_rename(resmgr_context_t *ctp, io_rename_t *msg, iofunc_attr_t *oldattr, iofunc_attr_t *olddattr,
                  iofunc_attr_t *newattr, iofunc_attr_t *newdattr, struct _client_info *info);
int iofunc_stat(resmgr_context_t *ctp, iofunc_attr_t *attr, struct stat *stat);
int iofunc_stat_format(resmgr_context_t *ctp, iofunc_attr_t *attr, void *buffer, size_t *bytes, uint32_t format);
int iofunc_sync(resmgr_context_t *ctp, io_sync_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
int iofunc_unblock(resmgr_context_t *ctp, iofunc_attr_t *attr);
int iofunc_unlink(resmgr_context_t *ctp, io_unlink_t *msg, iofunc_attr_t *attr, iofunc_attr_t *dattr,
                  struct _client_info *info);
int iofunc_utime(resmgr_context_t *ctp, io_utime_t *msg, iofunc_ocb_t *ocb, iofunc_attr_t *attr);
/* Writes times that are due into the attributes. EOK. */
int iofunc_time_update(iofunc_attr_t *attr);

/* EBADF: not opened for reading; EISDIR. *nonblock: O_NONBLOCK or 0; NULL is fine. */
int iofunc_read_verify(resmgr_context_t *ctp, io_read_t *msg, iofunc_ocb_t *ocb, int *nonblock);
int iofunc_read64_verify(resmgr_context_t *ctp, io_read_t *msg, iofunc_ocb_t *ocb, int *nonblock);
/* EBADF: not opened for writing; EROFS; EINVAL: the client sends less than it says. */
int iofunc_write_verify(resmgr_context_t *ctp, io_write_t *msg, iofunc_ocb_t *ocb, int *nonblock);
int iofunc_write64_verify(resmgr_context_t *ctp, io_write_t *msg, iofunc_ocb_t *ocb, int *nonblock);
/* EINVAL: length or direction; EACCES, EPERM: see _IO_DEVCTL_VERIFY_...; EBADMSG: shorter than it says. */
int iofunc_devctl_verify(resmgr_context_t *ctp, io_devctl_t *msg, iofunc_ocb_t *ocb, unsigned flags);
#define _IO_DEVCTL_VERIFY_LEN        0x0001
#define _IO_DEVCTL_VERIFY_DIR        0x0002
#define _IO_DEVCTL_VERIFY_PRIV       0x0004
#define _IO_DEVCTL_VERIFY_OCB_READ   0x0008
#define _IO_DEVCTL_VERIFY_OCB_WRITE  0x0010
#define _IO_DEVCTL_VERIFY_ACC_ISUID  0x0020
#define _IO_DEVCTL_VERIFY_ACC_ISGID  0x0040
#define _IO_DEVCTL_VERIFY_ACC_IREAD  0x0080
#define _IO_DEVCTL_VERIFY_ACC_IWRITE 0x0100
#define _IO_DEVCTL_VERIFY_ACC_IEXEC  0x0200
#define _IO_DEVCTL_VERIFY_MSG_LEN    0x0400
#define _IO_DEVCTL_VERIFY_ACC_MASK   0x03e0
int iofunc_space_verify(resmgr_context_t *ctp, io_space_t *msg, iofunc_ocb_t *ocb, int *nonblock);
int iofunc_sync_verify(resmgr_context_t *ctp, io_sync_t *msg, iofunc_ocb_t *ocb);

/*
 * May the client of @ctp do all of @checkmode (S_IREAD, S_IWRITE, S_IEXEC; S_ISUID: it owns the
 * file; S_ISGID: it is of its group) with
 * @attr? EOK; EACCES; EPERM (S_ISUID, S_ISGID). Root may.
 */
int iofunc_check_access(resmgr_context_t *ctp, const iofunc_attr_t *attr, mode_t checkmode,
                        const struct _client_info *info);
/* Who the client is. EOK; EINVAL. ioflag is kept, without effect. */
int iofunc_client_info(resmgr_context_t *ctp, int ioflag, struct _client_info *info);
int iofunc_client_info_ext(resmgr_context_t *ctp, int ioflag, struct _client_info **info, int flags);
int iofunc_client_info_ext_free(struct _client_info **info);
int iofunc_client_info_able(resmgr_context_t *ctp, int ioflag, struct _client_info **info, int flags,
                            struct _client_able *abilities, int nable);

/* Locks of fcntl(); a manager may put its own allocator in their place. */
iofunc_lock_list_t *iofunc_lock_calloc(resmgr_context_t *ctp, iofunc_attr_t *attr, size_t bytes);
void iofunc_lock_free(iofunc_lock_list_t *lock, size_t bytes);

/* ---------------------------------------------------------------- notification --------------- */

struct _iofunc_notify_event;
typedef struct _iofunc_notify {
        int cnt; /* what a waiter asked for at least; INT_MAX: nobody waits */
        struct _iofunc_notify_event *list;
} iofunc_notify_t;

/* Indexes into an array of iofunc_notify_t: three of them, or IOFUNC_NOTIFY_EXTEN_N. */
#define IOFUNC_NOTIFY_INPUT  0
#define IOFUNC_NOTIFY_OUTPUT 1
#define IOFUNC_NOTIFY_OBAND  2
#define IOFUNC_NOTIFY_EVENT_INPUT_EXT IOFUNC_NOTIFY_INPUT
#define IOFUNC_NOTIFY_PRI    3
#define IOFUNC_NOTIFY_WRBAND 4
#define IOFUNC_NOTIFY_ERR    5
#define IOFUNC_NOTIFY_HUP    6
#define IOFUNC_NOTIFY_NVAL   12

#define IOFUNC_NOTIFY_INIT(nop)                                                                    \
        do {                                                                                       \
                for (int _nuntius_i = 0; _nuntius_i < 3; _nuntius_i++) {                           \
                        (nop)[_nuntius_i].cnt = INT_MAX;                                           \
                        (nop)[_nuntius_i].list = NULL;                                             \
                }                                                                                  \
        } while (0)
#define IOFUNC_NOTIFY_INPUT_CHECK(nop, amount, flush)  ((nop)[IOFUNC_NOTIFY_INPUT].cnt <= (amount) || (flush))
#define IOFUNC_NOTIFY_OUTPUT_CHECK(nop, amount, flush) ((nop)[IOFUNC_NOTIFY_OUTPUT].cnt <= (amount) || (flush))
#define IOFUNC_NOTIFY_OBAND_CHECK(nop, amount, flush)  ((nop)[IOFUNC_NOTIFY_OBAND].cnt <= (amount) || (flush))

/*
 * Does what an _IO_NOTIFY asks: @trig says what is true now (_NOTIFY_COND_...), @notifycounts how
 * much of each there must be (NULL: 1),
 * *armed becomes 1 when the client's event now waits in @nop. Returns _RESMGR_NPARTS(1) with the answer, or an errno:
 * EBUSY: one is armed already on this file for this (our choice: it is replaced instead); ENOMEM.
 */
int iofunc_notify(resmgr_context_t *ctp, io_notify_t *msg, iofunc_notify_t *nop, int trig,
                  const int *notifycounts, int *armed);
/* There are @cnt of what index says: delivers the events of those who wait for as much, once. */
void iofunc_notify_trigger(iofunc_notify_t *nop, int cnt, int index);
void iofunc_notify_trigger_strict(resmgr_context_t *ctp, iofunc_notify_t *nop, int cnt, int index);
/* Forgets the events of the client that closes; NULL ctp: of all. */
void iofunc_notify_remove(resmgr_context_t *ctp, iofunc_notify_t *nop);
void iofunc_notify_remove_strict(resmgr_context_t *ctp, iofunc_notify_t *nop);

#ifdef __cplusplus
}
#endif
