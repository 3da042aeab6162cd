/* SPDX-License-Identifier: MIT */
/*
 * UIO: a descriptor that stands for one interrupt. read(2) of it waits, write(2) of 1 or 0 unmasks or masks.
 */
#pragma once

#include <stdbool.h>

/*
 * A descriptor for interrupt @intr: 0, -ENOTSUP when no device has it, -EPERM, or -errno.
 * NUNTIUS_UIO=INTR=FD,... names descriptors that stand for interrupts, for programs that play device
 * to their child; these are not to be closed (@ret_owned).
 */
int uio_open(int intr, int *ret_fd, bool *ret_owned);

/* What the device cannot do (some cannot mask) is nothing to speak of. */
void uio_unmask(int fd, bool unmasked);
