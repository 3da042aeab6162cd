/* SPDX-License-Identifier: MIT */
/*
 * <sys/iomsg.h>: the messages between a client and a resource manager, as QNX SDP 7.1 has them.
 *
 * The first 16 bits are the type. A program's own types lie above _IO_MAX, so that its messages are told from
 * these. A message on an open file begins with `type` and `combine_len`. The part of a request is called i, that
 * of an answer o; data of read, write and devctl stands directly behind them.
 *
 * Source: type numbers and order of members from public descriptions of the protocol. Where these are silent
 * (lock, space, mmap, shutdown, power, acl, fdinfo) the members are our choice; nothing but this library sends
 * them. Sizes are in bytes. struct stat, struct flock and O_... are Linux's.
 */
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <sys/neutrino.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#ifdef __cplusplus
extern "C" {
#endif

#define _IO_BASE 0x100
#define _IO_MAX  0x1ff

#define _IO_CONNECT         (_IO_BASE + 0x00)
#define _IO_READ            (_IO_BASE + 0x01)
#define _IO_WRITE           (_IO_BASE + 0x02)
#define _IO_RSVD_CLOSE_OCB  (_IO_BASE + 0x03)
#define _IO_STAT            (_IO_BASE + 0x04)
#define _IO_NOTIFY          (_IO_BASE + 0x05)
#define _IO_DEVCTL          (_IO_BASE + 0x06)
#define _IO_RSVD_UNBLOCK    (_IO_BASE + 0x07)
#define _IO_PATHCONF        (_IO_BASE + 0x08)
#define _IO_LSEEK           (_IO_BASE + 0x09)
#define _IO_CHMOD           (_IO_BASE + 0x0a)
#define _IO_CHOWN           (_IO_BASE + 0x0b)
#define _IO_UTIME           (_IO_BASE + 0x0c)
#define _IO_OPENFD          (_IO_BASE + 0x0d)
#define _IO_FDINFO          (_IO_BASE + 0x0e)
#define _IO_LOCK            (_IO_BASE + 0x0f)
#define _IO_SPACE           (_IO_BASE + 0x10)
#define _IO_SHUTDOWN        (_IO_BASE + 0x11)
#define _IO_MMAP            (_IO_BASE + 0x12)
#define _IO_MSG             (_IO_BASE + 0x13)
#define _IO_DUP             (_IO_BASE + 0x15)
#define _IO_CLOSE           (_IO_BASE + 0x16)
#define _IO_RSVD_LOCK_OCB   (_IO_BASE + 0x17)
#define _IO_RSVD_UNLOCK_OCB (_IO_BASE + 0x18)
#define _IO_SYNC            (_IO_BASE + 0x19)
#define _IO_POWER           (_IO_BASE + 0x1a)
#define _IO_ACL             (_IO_BASE + 0x1b)
#define _IO_RSVD_PAUSE      (_IO_BASE + 0x1c)
#define _IO_RSVD_UNPAUSE    (_IO_BASE + 0x1d)
#define _IO_READ64          (_IO_BASE + 0x1e)
#define _IO_WRITE64         (_IO_BASE + 0x1f)
#define _IO_NOTIFY64        (_IO_BASE + 0x20)
#define _IO_UTIME64         (_IO_BASE + 0x21)

/* ---------------------------------------------------------------- combine -------------------- */

#define _IO_COMBINE_FLAG 0x8000 /* in combine_len: another part follows, combine_len & 0x7fff bytes on */

struct _io_combine {
        uint16_t type;
        uint16_t combine_len;
};
typedef union {
        struct _io_combine i;
} io_combine_t;

/* ---------------------------------------------------------------- connect -------------------- */

#define _IO_CONNECT_COMBINE       0 /* open, then what follows, on the new OCB */
#define _IO_CONNECT_COMBINE_CLOSE 1 /* the same, then close */
#define _IO_CONNECT_OPEN          2
#define _IO_CONNECT_UNLINK        3
#define _IO_CONNECT_RENAME        4
#define _IO_CONNECT_MKNOD         5
#define _IO_CONNECT_READLINK      6
#define _IO_CONNECT_LINK          7
#define _IO_CONNECT_RSVD_UNBLOCK  8
#define _IO_CONNECT_MOUNT         9

#define _IO_CONNECT_EXTRA_NONE         0
#define _IO_CONNECT_EXTRA_LINK         1
#define _IO_CONNECT_EXTRA_SYMLINK      2
#define _IO_CONNECT_EXTRA_MQUEUE       3
#define _IO_CONNECT_EXTRA_PHOTON       4
#define _IO_CONNECT_EXTRA_SOCKET       5
#define _IO_CONNECT_EXTRA_SEM          6
#define _IO_CONNECT_EXTRA_RESMGR_LINK  7
#define _IO_CONNECT_EXTRA_PROC_SYMLINK 8
#define _IO_CONNECT_EXTRA_RENAME       9
#define _IO_CONNECT_EXTRA_MOUNT        10
#define _IO_CONNECT_EXTRA_MOUNT_OCB    11
#define _IO_CONNECT_EXTRA_TYMEM        12

#define _IO_CONNECT_EFLAG_DIR    1 /* the path ended in a slash */
#define _IO_CONNECT_EFLAG_DOT    2 /* ... in "." */
#define _IO_CONNECT_EFLAG_DOTDOT 4 /* ... in ".." */

/* ioflag: the open mode plus one in the low bits, so that each bit is a right; O_... of <fcntl.h> above. */
#define _IO_FLAG_RD   1
#define _IO_FLAG_WR   2
#define _IO_FLAG_EX   4
#define _IO_FLAG_MASK 7

#define _IO_CONNECT_RET_FTYPE     0x00008000
#define _IO_CONNECT_RET_LINK      0x00010000
#define _IO_CONNECT_RET_UMASK     0x00020000
#define _IO_CONNECT_RET_NOCTTY    0x00040000
#define _IO_CONNECT_RET_CHROOT    0x00080000
#define _IO_CONNECT_RET_MSG       0x00100000
#define _IO_CONNECT_RET_TYPE_MASK 0x0001e000
#define _IO_CONNECT_RET_FLAG      0x80000000

struct _io_connect {
        uint16_t type;
        uint16_t subtype;
        uint32_t file_type;
        uint16_t reply_max;
        uint16_t entry_max;
        uint32_t key;
        uint32_t handle; /* which resmgr_attach() */
        uint32_t ioflag;
        uint32_t mode;
        uint16_t sflag;
        uint16_t access;
        uint16_t zero;
        uint16_t path_len; /* with the terminating 0 */
        uint8_t eflag;
        uint8_t extra_type;
        uint16_t extra_len;
        char path[1]; /* what is left of the path; extra data follows, aligned to 8 */
};

struct _io_connect_link_reply {
        uint32_t reserved1;
        uint32_t file_type;
        uint8_t eflag;
        uint8_t reserved2;
        uint16_t chroot_len;
        uint32_t umask;
        uint16_t nentries;
        uint16_t path_len; /* a symbolic link's text follows, with its terminating 0 */
};

struct _io_connect_ftype_reply {
        uint16_t status;
        uint16_t reserved;
        uint32_t file_type;
};

struct _io_connect_entry {
        uint32_t nd;
        int32_t pid;
        int32_t chid;
        uint32_t handle;
        uint32_t key;
        uint32_t file_type;
        uint16_t prefix_len;
        uint16_t zero[3];
};

struct _io_resmgr_link_extra {
        uint32_t nd;
        int32_t pid;
        int32_t chid;
        uint32_t handle;
        uint32_t flags;
        uint32_t file_type;
        uint32_t reserved[2];
};

/* What follows the path of a rename and of a link: the other name, or the file itself. */
typedef union {
        struct _msg_info info; /* LINK: of the file's descriptor */
        void *ocb;
        char path[1]; /* RENAME, SYMLINK */
        struct _io_resmgr_link_extra resmgr_link;
} io_link_extra_t;
typedef union {
        char path[1];
} io_rename_extra_t;

typedef union {
        uint16_t type;
        struct _io_connect connect;
        struct _io_connect_link_reply link_reply;
        struct _io_connect_ftype_reply ftype_reply;
} io_open_t, io_unlink_t, io_mknod_t, io_readlink_t, io_mount_t;
typedef union {
        uint16_t type;
        struct _io_connect connect;
        struct _io_connect_link_reply link_reply;
        struct _io_connect_ftype_reply ftype_reply;
} io_link_t, io_rename_t;

/* ---------------------------------------------------------------- read, write ---------------- */

#define _IO_XTYPE_NONE       0
#define _IO_XTYPE_READCOND   1
#define _IO_XTYPE_MQUEUE     2
#define _IO_XTYPE_TCPIP      3
#define _IO_XTYPE_TCPIP_MSG  4
#define _IO_XTYPE_OFFSET     5 /* pread, pwrite: struct _xtype_offset follows */
#define _IO_XTYPE_REGISTRY   6
#define _IO_XTYPE_TCPIP_MSG2 7
#define _IO_XTYPE_TCPIP_MMSG 8
#define _IO_XTYPE_READDIR    9
#define _IO_XTYPE_MASK       0xff
#define _IO_XFLAG_DIR_EXTRA_HINT 0x0100 /* a struct stat behind each entry would be welcome */
#define _IO_XFLAG_NONBLOCK       0x4000
#define _IO_XFLAG_BLOCK          0x8000

struct _xtype_readcond {
        int32_t min;
        int32_t time; /* tenths of a second */
        int32_t timeout;
};
struct _xtype_offset {
        int64_t offset;
};

struct _io_read {
        uint16_t type;
        uint16_t combine_len;
        uint32_t nbytes;
        uint32_t xtype;
        uint32_t zero; /* upper 32 bits of the length */
};
typedef union {
        struct _io_read i;
} io_read_t;
typedef io_read_t io_read64_t;

struct _io_write {
        uint16_t type;
        uint16_t combine_len;
        uint32_t nbytes;
        uint32_t xtype;
        uint32_t zero;
};
typedef union {
        struct _io_write i;
} io_write_t;
typedef io_write_t io_write64_t;

#define _IO_READ_GET_NBYTES(msg)    ((size_t)(msg)->i.nbytes | (size_t)(msg)->i.zero << 32)
#define _IO_WRITE_GET_NBYTES(msg)   ((size_t)(msg)->i.nbytes | (size_t)(msg)->i.zero << 32)
#define _IO_READ64_GET_NBYTES(msg)  _IO_READ_GET_NBYTES(msg)
#define _IO_WRITE64_GET_NBYTES(msg) _IO_WRITE_GET_NBYTES(msg)

/* ---------------------------------------------------------------- the other io messages ------ */

struct _io_close {
        uint16_t type;
        uint16_t combine_len;
};
typedef union {
        struct _io_close i;
} io_close_t;

struct _io_stat {
        uint16_t type;
        uint16_t combine_len;
        uint32_t zero;
};
typedef union {
        struct _io_stat i;
        struct stat o;
} io_stat_t;

struct _io_notify {
        uint16_t type;
        uint16_t combine_len;
        int32_t action;
        int32_t flags;
        struct sigevent event;
        int32_t mgr[2];
        int32_t flags_extra_mask;
        int32_t flags_exten;
        int32_t nfds;
        int32_t fd_first;
        int32_t nfds_ready;
        int64_t timo;
};
struct _io_notify_reply {
        uint32_t zero;
        uint32_t flags;
        int32_t flags2;
        struct sigevent event;
        int32_t mgr[2];
        int32_t flags_extra_mask;
        int32_t flags_exten;
        int32_t nfds;
        int32_t fd_first;
        int32_t nfds_ready;
        int64_t timo;
};
typedef union {
        struct _io_notify i;
        struct _io_notify_reply o;
} io_notify_t;
typedef io_notify_t io_notify64_t;

struct _io_devctl {
        uint16_t type;
        uint16_t combine_len;
        int32_t dcmd;
        uint32_t nbytes;
        int32_t zero;
};
struct _io_devctl_reply {
        uint32_t zero;
        int32_t ret_val;
        uint32_t nbytes;
        int32_t zero2;
};
typedef union {
        struct _io_devctl i;
        struct _io_devctl_reply o;
} io_devctl_t;

struct _io_pathconf {
        uint16_t type;
        uint16_t combine_len;
        int16_t name; /* _PC_... of <unistd.h> */
        uint16_t zero;
};
typedef union {
        struct _io_pathconf i;
} io_pathconf_t;

struct _io_lseek {
        uint16_t type;
        uint16_t combine_len;
        int16_t whence;
        uint16_t zero;
        uint64_t offset;
};
typedef union {
        struct _io_lseek i;
        uint64_t o;
} io_lseek_t;

struct _io_chmod {
        uint16_t type;
        uint16_t combine_len;
        mode_t mode;
};
typedef union {
        struct _io_chmod i;
} io_chmod_t;

struct _io_chown {
        uint16_t type;
        uint16_t combine_len;
        int32_t gid;
        int32_t uid;
};
typedef union {
        struct _io_chown i;
} io_chown_t;

struct _io_utime {
        uint16_t type;
        uint16_t combine_len;
        int32_t cur_flag; /* 1 = now; the times are to be left alone */
        struct utimbuf times;
};
typedef union {
        struct _io_utime i;
} io_utime_t;

/* With nanoseconds; UTIME_NOW and UTIME_OMIT of <sys/stat.h> are allowed. */
struct _io_utime64 {
        uint16_t type;
        uint16_t combine_len;
        int32_t cur_flag;
        struct timespec actime;
        struct timespec modtime;
};
typedef union {
        struct _io_utime64 i;
} io_utime64_t;

#define _IO_OPENFD_NONE         0
#define _IO_OPENFD_PIPE         1
#define _IO_OPENFD_KQUEUE       2
#define _IO_OPENFD_ACCEPT       3
#define _IO_OPENFD_SCTP_PEELOFF 4

struct _io_openfd {
        uint16_t type;
        uint16_t combine_len;
        uint32_t ioflag;
        uint16_t sflag;
        uint16_t xtype;
        struct _msg_info info;
        uint32_t reserved;
        uint32_t key;
};
typedef union {
        struct _io_openfd i;
} io_openfd_t;

/* What <sys/iomsg.h> calls fdinfo: the state of one open file. The path follows where it is asked for. */
struct _fdinfo {
        uint32_t mode;
        uint32_t ioflag;
        uint64_t offset;
        uint64_t size;
        uint32_t flags;
        uint16_t sflag;
        uint16_t count;
        uint16_t rcount;
        uint16_t wcount;
        uint16_t rlocks;
        uint16_t wlocks;
        uint32_t zero[2];
};
struct _io_fdinfo {
        uint16_t type;
        uint16_t combine_len;
        uint32_t flags; /* _FDINFO_FLAG_LOCALPATH */
        int32_t path_len;
        uint32_t reserved;
};
#define _FDINFO_FLAG_LOCALPATH 1
struct _io_fdinfo_reply {
        uint32_t zero[2];
        struct _fdinfo info;
};
typedef union {
        struct _io_fdinfo i;
        struct _io_fdinfo_reply o;
} io_fdinfo_t;

struct _io_lock {
        uint16_t type;
        uint16_t combine_len;
        int32_t subtype; /* F_GETLK, F_SETLK, F_SETLKW of <fcntl.h> */
        struct flock flock;
};
struct _io_lock_reply {
        uint32_t zero[2];
        struct flock flock;
};
typedef union {
        struct _io_lock i;
        struct _io_lock_reply o;
} io_lock_t;

struct _io_space {
        uint16_t type;
        uint16_t combine_len;
        uint16_t subtype; /* F_ALLOCSP, F_FREESP */
        int16_t whence;
        uint64_t start;
        uint64_t len; /* F_FREESP: 0 = to the end */
};
#ifndef F_ALLOCSP
#define F_ALLOCSP 10000 /* no number of Linux's fcntl(); for _IO_SPACE alone */
#define F_FREESP  10001
#endif
typedef union {
        struct _io_space i;
        uint64_t o;
} io_space_t;

struct _io_shutdown {
        uint16_t type;
        uint16_t combine_len;
        int32_t how;
};
typedef union {
        struct _io_shutdown i;
} io_shutdown_t;

struct _io_mmap {
        uint16_t type;
        uint16_t combine_len;
        uint32_t prot;     /* PROT_... of <sys/mman.h> */
        uint64_t offset;
        struct _msg_info info;
        uint32_t required_prot;
        uint32_t zero[5];
};
struct _io_mmap_reply {
        uint32_t zero;
        uint32_t allowed_prot;
        uint64_t offset;
        int32_t coid;
        int32_t fd; /* a descriptor of the manager that can be mapped (memfd, file) */
};
typedef union {
        struct _io_mmap i;
        struct _io_mmap_reply o;
} io_mmap_t;

struct _io_msg {
        uint16_t type;
        uint16_t combine_len;
        uint16_t mgrid; /* _IOMGR_... of <sys/iomgr.h> */
        uint16_t subtype;
};
typedef union {
        struct _io_msg i;
} io_msg_t;

struct _io_dup {
        uint16_t type;
        uint16_t combine_len;
        struct _msg_info info; /* of the descriptor that was duplicated */
        uint32_t reserved;
        uint32_t key;
};
typedef union {
        struct _io_dup i;
} io_dup_t;

struct _io_sync {
        uint16_t type;
        uint16_t combine_len;
        uint32_t flag; /* O_SYNC, O_DSYNC, or 0 */
};
typedef union {
        struct _io_sync i;
} io_sync_t;

struct _io_power {
        uint16_t type;
        uint16_t combine_len;
        uint16_t subtype;
        uint16_t zero;
};
typedef union {
        struct _io_power i;
} io_power_t;

struct _io_acl {
        uint16_t type;
        uint16_t combine_len;
        uint32_t subtype;
};
typedef union {
        struct _io_acl i;
} io_acl_t;

/* A pulse, as unblock handlers get it. */
typedef union {
        uint16_t type;
        struct _pulse pulse;
        struct _pulse i;
} io_pulse_t;

struct _io_self {
        uint16_t type;
        uint16_t combine_len;
        uint32_t zero;
};
typedef union {
        uint16_t type;
        struct _io_self i;
} io_pause_t;

/* ---------------------------------------------------------------- notification --------------- */

#define _NOTIFY_COND_INPUT  0x10000000u
#define _NOTIFY_COND_OUTPUT 0x20000000u
#define _NOTIFY_COND_OBAND  0x40000000u
#define _NOTIFY_COND_EXTEN  0x80000000u
#define _NOTIFY_COND_MASK   0xf0000000u
#define _NOTIFY_DATA_MASK   0x0fffffffu

/* Bits of flags_exten; Linux's POLL... */
#define _NOTIFY_CONDE_RDNORM 0x0040
#define _NOTIFY_CONDE_WRNORM 0x0100
#define _NOTIFY_CONDE_RDBAND 0x0080
#define _NOTIFY_CONDE_PRI    0x0002
#define _NOTIFY_CONDE_WRBAND 0x0200
#define _NOTIFY_CONDE_ERR    0x0008
#define _NOTIFY_CONDE_HUP    0x0010
#define _NOTIFY_CONDE_NVAL   0x0020

/* Their numbers are not public: our choice, in the order of the documentation. */
#define _NOTIFY_ACTION_POLL    0 /* what is true now */
#define _NOTIFY_ACTION_POLLARM 1 /* what is true now; nothing: tell me when */
#define _NOTIFY_ACTION_TRANARM 2 /* tell me when it becomes true */
#define _NOTIFY_ACTION_CONDARM 3 /* tell me when it is true, now too */

/*
 * What is true of open file @fd of @flags (_NOTIFY_COND_...), and with POLLARM, if nothing is, an
 * event when something becomes true; once. Returns the conditions; -1 and errno: EBADF; ENOSYS: the
 * manager has no notification; EBUSY; EINTR.
 */
int ionotify(int fd, int action, int flags, const struct sigevent *event);

#ifdef __cplusplus
}
#endif
