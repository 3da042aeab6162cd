/* SPDX-License-Identifier: MIT */
/*
 * <devctl.h>: commands to a device that are neither read nor write.
 *
 * A command is one int: direction, size of the data, class, number. The direction bits stand where Linux's _IOR and
 * _IOW have them, not where QNX has them, so that a command made with __DIO... or with _IO... of <sys/ioctl.h> is
 * one and the same number and passes ioctl() unchanged. Only the numbers differ from QNX, never the names.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/iov.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define _POSIX_DEVDIR_NONE   0
#define _POSIX_DEVDIR_TO     0x40000000          /* the client gives data to the device */
#define _POSIX_DEVDIR_FROM   ((int)0x80000000)   /* the client gets data from the device */
#define _POSIX_DEVDIR_TOFROM (_POSIX_DEVDIR_TO | _POSIX_DEVDIR_FROM)
#define _POSIX_DEVDIR_CMD(size, class, cmd, direction)                                             \
        ((int)(((unsigned)(size) << 16) + ((unsigned)(class) << 8) + (unsigned)(cmd) + (unsigned)(direction)))

#define __DION(class, cmd)        _POSIX_DEVDIR_CMD(0, class, cmd, _POSIX_DEVDIR_NONE)
#define __DIOF(class, cmd, data)  _POSIX_DEVDIR_CMD(sizeof(data), class, cmd, _POSIX_DEVDIR_FROM)
#define __DIOT(class, cmd, data)  _POSIX_DEVDIR_CMD(sizeof(data), class, cmd, _POSIX_DEVDIR_TO)
#define __DIOTF(class, cmd, data) _POSIX_DEVDIR_CMD(sizeof(data), class, cmd, _POSIX_DEVDIR_TOFROM)

#define get_device_command(cmd)        ((cmd) & 0xffff)
#define get_device_direction(cmd)      ((cmd) & _POSIX_DEVDIR_TOFROM)
#define set_device_direction(cmd, dir) (((cmd) & ~_POSIX_DEVDIR_TOFROM) | (dir))

#define _DCMD_ALL       0x01
#define _DCMD_FSYS      0x02
#define _DCMD_BLK       0x02
#define _DCMD_CHR       0x03
#define _DCMD_NET       0x04
#define _DCMD_MISC      0x05
#define _DCMD_IP        0x06
#define _DCMD_MIXER     0x07
#define _DCMD_PROC      0x08
#define _DCMD_MEM       0x09
#define _DCMD_INPUT     0x0a
#define _DCMD_PHOTON    0x0b
#define _DCMD_CAM       0x0c
#define _DCMD_USB       0x0d
#define _DCMD_MEDIA     0x0e
#define _DCMD_CAM_SIM   0x0f
#define _DCMD_MEMCLASS  0x10
#define _DCMD_PARTITION 0x11

/* For iofunc_devctl_verify() */
#define _DEVCTL_FLAG_NORETVAL 1
#define _DEVCTL_FLAG_NOTTY    2
#define _DEVCTL_FLAG_NOCANCEL 4

/* Data directly behind the header of an io_devctl_t: _DEVCTL_DATA(msg->i), _DEVCTL_DATA(msg->o). */
#define _DEVCTL_DATA(header) ((void *)((char *)&(header) + sizeof(header)))

/*
 * Sends command @dcmd with @nbytes of data at @data (what comes back is put there too) on open file @fd.
 * @dev_info: the device's own result, or NULL.
 * Returns EOK or the error itself; errno is left alone. ENOTTY: the device has no such command; EBADF;
 * EINTR; EINVAL; EPERM; whatever the manager answers.
 * Blocks until the manager has answered; a cancellation point.
 * Rule: QNX 7.1 documentation. On a descriptor of Linux's own it is ioctl() with the same number.
 */
int devctl(int fd, int dcmd, void *data, size_t nbytes, int *dev_info);

/* The same with @sparts parts to send and @rparts parts for what comes back. */
int devctlv(int fd, int dcmd, int sparts, int rparts, const iov_t *sv, const iov_t *rv, int *dev_info);

#ifdef __cplusplus
}
#endif
