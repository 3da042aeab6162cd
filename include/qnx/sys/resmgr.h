/* SPDX-License-Identifier: MIT */
/*
 * <sys/resmgr.h>: how a server takes a place in the path space and answers for the files below it.
 *
 * A handler runs with the request in the context's buffer (as much of it as fits) and returns
 *   EOK                 answer with ctp->status and no data
 *   _RESMGR_NPARTS(n)   answer with ctp->status and the first n parts of ctp->iov
 *   _RESMGR_PTR(...)    answer with one part
 *   _RESMGR_NOREPLY     it has answered, or will answer later (keep ctp->rcvid)
 *   _RESMGR_DEFAULT     what the library does by itself: the client gets ENOSYS
 *   an errno            the client's call fails with it
 *
 * Overrides: RESMGR_HANDLE_T and RESMGR_OCB_T may be defined before this header (or <sys/iofunc.h>, or
 * <sys/dispatch.h>, in any order) to what the program keeps for an attached name and for an open file. By default they
 * are iofunc_attr_t and iofunc_ocb_t, or what IOFUNC_ATTR_T and IOFUNC_OCB_T say.
 *
 * Errors are reported by -1 and errno unless a comment says otherwise. Rule: QNX 7.1 documentation where no
 * "our choice" stands.
 */
#pragma once

#include <limits.h>
#include <share.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ftype.h>
#include <sys/iomgr.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef RESMGR_HANDLE_T
#ifdef IOFUNC_ATTR_T
#define RESMGR_HANDLE_T IOFUNC_ATTR_T
#else
#define RESMGR_HANDLE_T struct _iofunc_attr
#endif
#endif
#ifndef RESMGR_OCB_T
#ifdef IOFUNC_OCB_T
#define RESMGR_OCB_T IOFUNC_OCB_T
#else
#define RESMGR_OCB_T struct _iofunc_ocb
#endif
#endif
struct _iofunc_attr;
struct _iofunc_ocb;

typedef struct _dispatch dispatch_t;

/* Everything that may stand at ctp->msg. */
typedef union _resmgr_iomsgs {
        uint16_t type;
        struct _pulse pulse;
        struct _io_connect connect;
        io_combine_t combine;
        io_open_t open;
        io_unlink_t unlink;
        io_rename_t rename;
        io_mknod_t mknod;
        io_readlink_t readlink;
        io_link_t link;
        io_mount_t mount;
        io_close_t close;
        io_read_t read;
        io_write_t write;
        io_stat_t stat;
        io_notify_t notify;
        io_devctl_t devctl;
        io_pathconf_t pathconf;
        io_lseek_t lseek;
        io_chmod_t chmod;
        io_chown_t chown;
        io_utime_t utime;
        io_openfd_t openfd;
        io_fdinfo_t fdinfo;
        io_lock_t lock;
        io_space_t space;
        io_shutdown_t shutdown;
        io_mmap_t mmap;
        io_msg_t msg;
        io_dup_t dup;
        io_sync_t sync;
        io_power_t power;
        io_acl_t acl;
        io_read64_t read64;
        io_write64_t write64;
        io_notify64_t notify64;
        io_utime64_t utime64;
} resmgr_iomsgs_t;

/* The context of one request; message_context_t of <sys/dispatch.h> is the same type. */
typedef struct _resmgr_context {
        int rcvid;               /* 0: a pulse, or a part of a combine message that is not the last */
        struct _msg_info info;
        resmgr_iomsgs_t *msg;    /* the part at hand, in the receive buffer */
        dispatch_t *dpp;
        int id;                  /* of resmgr_attach() */
        void *extra;
        size_t msg_max_size;     /* bytes of the receive buffer */
        long status;             /* what the client's MsgSend() is to return */
        size_t offset;           /* of the part at hand in the whole message */
        size_t size;             /* bytes of the part at hand that are in the buffer */
        iov_t iov[1];            /* nparts_max of them */
} resmgr_context_t;

typedef struct _resmgr_attr {
        unsigned flags;
#define RESMGR_FLAG_NO_DEFAULT_FUNC  1 /* kept, without effect */
#define RESMGR_FLAG_ATTACH_LOCAL     2 /* no name in the path space */
#define RESMGR_FLAG_ATTACH_OTHERFUNC 4 /* other_func gets what no handler wants */
#define RESMGR_FLAG_CROSS_ENDIAN     8 /* kept, without effect */
        unsigned nparts_max;
        size_t msg_max_size;
        int (*other_func)(resmgr_context_t *ctp, void *msg);
        unsigned reserved[4];
} resmgr_attr_t;

typedef struct _resmgr_connect_funcs {
        unsigned nfuncs; /* _RESMGR_CONNECT_NFUNCS: members that this program was compiled with */
        int (*open)(resmgr_context_t *ctp, io_open_t *msg, RESMGR_HANDLE_T *handle, void *extra);
        int (*unlink)(resmgr_context_t *ctp, io_unlink_t *msg, RESMGR_HANDLE_T *handle, void *reserved);
        int (*rename)(resmgr_context_t *ctp, io_rename_t *msg, RESMGR_HANDLE_T *handle, io_rename_extra_t *extra);
        int (*mknod)(resmgr_context_t *ctp, io_mknod_t *msg, RESMGR_HANDLE_T *handle, void *reserved);
        int (*readlink)(resmgr_context_t *ctp, io_readlink_t *msg, RESMGR_HANDLE_T *handle, void *reserved);
        int (*link)(resmgr_context_t *ctp, io_link_t *msg, RESMGR_HANDLE_T *handle, io_link_extra_t *extra);
        int (*unblock)(resmgr_context_t *ctp, io_pulse_t *msg, RESMGR_HANDLE_T *handle, void *reserved);
        int (*mount)(resmgr_context_t *ctp, io_mount_t *msg, RESMGR_HANDLE_T *handle, void *extra);
} resmgr_connect_funcs_t;
#define _RESMGR_CONNECT_NFUNCS                                                                     \
        ((sizeof(resmgr_connect_funcs_t) - sizeof(void *)) / sizeof(void *))

typedef struct _resmgr_io_funcs {
        unsigned nfuncs; /* _RESMGR_IO_NFUNCS */
        int (*read)(resmgr_context_t *ctp, io_read_t *msg, RESMGR_OCB_T *ocb);
        int (*write)(resmgr_context_t *ctp, io_write_t *msg, RESMGR_OCB_T *ocb);
        int (*close_ocb)(resmgr_context_t *ctp, void *reserved, RESMGR_OCB_T *ocb);
        int (*stat)(resmgr_context_t *ctp, io_stat_t *msg, RESMGR_OCB_T *ocb);
        int (*notify)(resmgr_context_t *ctp, io_notify_t *msg, RESMGR_OCB_T *ocb);
        int (*devctl)(resmgr_context_t *ctp, io_devctl_t *msg, RESMGR_OCB_T *ocb);
        int (*unblock)(resmgr_context_t *ctp, io_pulse_t *msg, RESMGR_OCB_T *ocb);
        int (*pathconf)(resmgr_context_t *ctp, io_pathconf_t *msg, RESMGR_OCB_T *ocb);
        int (*lseek)(resmgr_context_t *ctp, io_lseek_t *msg, RESMGR_OCB_T *ocb);
        int (*chmod)(resmgr_context_t *ctp, io_chmod_t *msg, RESMGR_OCB_T *ocb);
        int (*chown)(resmgr_context_t *ctp, io_chown_t *msg, RESMGR_OCB_T *ocb);
        int (*utime)(resmgr_context_t *ctp, io_utime_t *msg, RESMGR_OCB_T *ocb);
        int (*openfd)(resmgr_context_t *ctp, io_openfd_t *msg, RESMGR_OCB_T *ocb);
        int (*fdinfo)(resmgr_context_t *ctp, io_fdinfo_t *msg, RESMGR_OCB_T *ocb);
        int (*lock)(resmgr_context_t *ctp, io_lock_t *msg, RESMGR_OCB_T *ocb);
        int (*space)(resmgr_context_t *ctp, io_space_t *msg, RESMGR_OCB_T *ocb);
        int (*shutdown)(resmgr_context_t *ctp, io_shutdown_t *msg, RESMGR_OCB_T *ocb);
        int (*mmap)(resmgr_context_t *ctp, io_mmap_t *msg, RESMGR_OCB_T *ocb);
        int (*msg)(resmgr_context_t *ctp, io_msg_t *msg, RESMGR_OCB_T *ocb);
        int (*reserved)(resmgr_context_t *ctp, void *msg, RESMGR_OCB_T *ocb);
        int (*dup)(resmgr_context_t *ctp, io_dup_t *msg, RESMGR_OCB_T *ocb);
        int (*close_dup)(resmgr_context_t *ctp, io_close_t *msg, RESMGR_OCB_T *ocb);
        int (*lock_ocb)(resmgr_context_t *ctp, void *reserved, RESMGR_OCB_T *ocb);
        int (*unlock_ocb)(resmgr_context_t *ctp, void *reserved, RESMGR_OCB_T *ocb);
        int (*sync)(resmgr_context_t *ctp, io_sync_t *msg, RESMGR_OCB_T *ocb);
        int (*power)(resmgr_context_t *ctp, io_power_t *msg, RESMGR_OCB_T *ocb);
        int (*acl)(resmgr_context_t *ctp, io_acl_t *msg, RESMGR_OCB_T *ocb);
        int (*pause)(resmgr_context_t *ctp, io_pause_t *msg, RESMGR_OCB_T *ocb);
        int (*unpause)(resmgr_context_t *ctp, io_pause_t *msg, RESMGR_OCB_T *ocb);
        int (*read64)(resmgr_context_t *ctp, io_read_t *msg, RESMGR_OCB_T *ocb);
        int (*write64)(resmgr_context_t *ctp, io_write_t *msg, RESMGR_OCB_T *ocb);
        int (*notify64)(resmgr_context_t *ctp, io_notify_t *msg, RESMGR_OCB_T *ocb);
        int (*utime64)(resmgr_context_t *ctp, io_utime64_t *msg, RESMGR_OCB_T *ocb);
} resmgr_io_funcs_t;
#define _RESMGR_IO_NFUNCS ((sizeof(resmgr_io_funcs_t) - sizeof(void *)) / sizeof(void *))

/* What a handler returns */
#define _RESMGR_NOREPLY     INT_MIN
#define _RESMGR_DEFAULT     (INT_MIN + 1)
#define _RESMGR_DELAY_CLOSE (INT_MIN + 2) /* obsolete; as EOK */
#define _RESMGR_NPARTS(n)   (-(n))
#define _RESMGR_ERRNO(e)    (e)
#define _RESMGR_STATUS(ctp, n) ((ctp)->status = (n))
#define _RESMGR_PTR(ctp, addr, len)                                                                \
        (SETIOV(&(ctp)->iov[0], (addr), (len)), _RESMGR_NPARTS(1))

#define _IO_SET_CONNECT_RET(ctp, ret)       ((ctp)->status = (long)((ret) | _IO_CONNECT_RET_FLAG))
#define _IO_SET_READ_NBYTES(ctp, nbytes)    ((ctp)->status = (long)(nbytes))
#define _IO_SET_WRITE_NBYTES(ctp, nbytes)   ((ctp)->status = (long)(nbytes))
#define _IO_SET_READ64_NBYTES(ctp, nbytes)  ((ctp)->status = (long)(nbytes))
#define _IO_SET_WRITE64_NBYTES(ctp, nbytes) ((ctp)->status = (long)(nbytes))
#define _IO_SET_PATHCONF_VALUE(ctp, value)  ((ctp)->status = (long)(value))

/* resmgr_attach() */
#define _RESMGR_FLAG_BEFORE     0x00000001 /* comes before those that are there already */
#define _RESMGR_FLAG_AFTER      0x00000002 /* comes after all others */
#define _RESMGR_FLAG_OPAQUE     0x00000004 /* nothing with a shorter prefix is asked */
#define _RESMGR_FLAG_FTYPEONLY  0x00000008 /* only requests of this very file type */
#define _RESMGR_FLAG_FTYPEALL   0x00000010 /* requests of every file type */
#define _RESMGR_FLAG_DIR        0x00000100 /* everything below the path too */
#define _RESMGR_FLAG_SELF       0x00000200 /* the process's own requests too */
#define _RESMGR_FLAG_DETACH_CTP 0x80000000
#define _RESMGR_FLAG_MASK       0x0000031f

/* resmgr_detach() */
#define _RESMGR_DETACH_ALL      0x0000 /* name and bindings */
#define _RESMGR_DETACH_PATHNAME 0x0001 /* the name only: files that are open go on */
#define _RESMGR_DETACH_CLOSE    0x8000 /* with PATHNAME: ... */

/*
 * Takes @path (NULL: no name, only an id; relative: from the current directory) for the channel of @dpp, which is made
 * now if it has none. Names on the way to it that do not exist appear as directories. The tables and @attr are not
 * copied: they must stay. @handle is given to the connect functions.
 * Returns the id, 0 or more. EINVAL: something of a larger msg_max_size or nparts_max after the first
 * dispatch_context_alloc(), a path that is too long or has "..", flags unknown; ENOMEM; EAGAIN: quota;
 * EPERM: the process lacks PROCMGR_AID_PATHSPACE; ENOTSUP: an @ft that cannot be attached.
 * Blocks for one round trip to the daemon.
 */
int resmgr_attach(dispatch_t *dpp, resmgr_attr_t *attr, const char *path, enum _file_type ft, unsigned flags,
                  const resmgr_connect_funcs_t *connect_funcs, const resmgr_io_funcs_t *io_funcs,
                  RESMGR_HANDLE_T *handle);
/* The same; the policy type is not used. */
int secpol_resmgr_attach(void *policy, dispatch_t *dpp, resmgr_attr_t *attr, const char *path,
                         enum _file_type ft, unsigned flags, const resmgr_connect_funcs_t *connect_funcs,
                         const resmgr_io_funcs_t *io_funcs, RESMGR_HANDLE_T *handle, int *how);

/*
 * Gives the place of attach @id up. Waits until no connect function uses its handle.
 * Returns 0. EINVAL: no such id, or another thread detaches it already.
 */
int resmgr_detach(dispatch_t *dpp, int id, unsigned flags);

/* The path of attach @id, or its length where @path is NULL. EINVAL; ERANGE: @maxbuf is too small (our choice). */
int resmgr_pathname(int id, unsigned flags, char *path, int maxbuf);
/* Numbers for st_dev and st_ino that are unique in this process. 0; EINVAL. */
int resmgr_devino(int id, dev_t *pdevno, ino_t *pino);

/*
 * Binds @ocb to the client's open file, so that io messages on it find @ocb and @funcs.
 * Returns 0. ENOMEM; EBADF: the client did not send on a descriptor, or has gone.
 */
int resmgr_open_bind(resmgr_context_t *ctp, void *ocb, const resmgr_io_funcs_t *funcs);
/* Unbinds it again without close_ocb. 0; EINVAL: nothing is bound. */
int resmgr_unbind(resmgr_context_t *ctp);
/* What is bound to the file that the message came on; NULL if nothing is. */
void *resmgr_ocb(resmgr_context_t *ctp);
/* Other io functions for it. The functions before, or NULL. */
const resmgr_io_funcs_t *resmgr_iofuncs(resmgr_context_t *ctp, const resmgr_io_funcs_t *funcs);

/* MsgRead() and kin, with the offset of the part at hand added. Bytes, or -1 and errno. */
ssize_t resmgr_msgread(resmgr_context_t *ctp, void *msg, size_t nbytes, size_t offset);
ssize_t resmgr_msgreadv(resmgr_context_t *ctp, iov_t *rmsg, int rparts, size_t offset);
/* The same, but what is in the receive buffer is taken from there. */
ssize_t resmgr_msgget(resmgr_context_t *ctp, void *msg, size_t nbytes, size_t offset);
ssize_t resmgr_msggetv(resmgr_context_t *ctp, iov_t *rmsg, int rparts, size_t offset);
size_t resmgr_msggetsize(resmgr_context_t *ctp);
ssize_t resmgr_msgwrite(resmgr_context_t *ctp, const void *msg, size_t nbytes, size_t offset);
ssize_t resmgr_msgwritev(resmgr_context_t *ctp, const iov_t *smsg, int sparts, size_t offset);
/* MsgReply() with ctp->status. */
int resmgr_msgreply(resmgr_context_t *ctp, const void *msg, size_t nbytes);
int resmgr_msgreplyv(resmgr_context_t *ctp, const iov_t *smsg, int sparts);
/* Reads the message of @rcvid, which was held back, into @ctp again and runs its handler. 0; -1. */
int resmgr_msg_again(resmgr_context_t *ctp, int rcvid);

/* The loop without <sys/dispatch.h>'s other messages; dispatch_block() and kin under older names. */
resmgr_context_t *resmgr_context_alloc(dispatch_t *dpp);
void resmgr_context_free(resmgr_context_t *ctp);
resmgr_context_t *resmgr_block(resmgr_context_t *ctp);
int resmgr_handler(resmgr_context_t *ctp);
void resmgr_unblock(resmgr_context_t *ctp);

/* A message of the other byte order cannot come on Linux: 0. */
int resmgr_endian(resmgr_context_t *ctp, void *msg);

#ifdef __cplusplus
}
#endif
