/* SPDX-License-Identifier: MIT */
/*
 * Calls that cannot exist on Linux, or whose meaning is not public. docs/CAVEATS.md says why.
 */
#include "neutrino/result.h"
#include "sys/neutrino.h"

ssize_t MsgReadiov_r(int rcvid, const iov_t *iov, size_t parts, size_t offset, int flags) {
        return -ENOTSUP;
}

ssize_t MsgReadiov(int rcvid, const iov_t *iov, size_t parts, size_t offset, int flags) {
        return plain_value(-ENOTSUP);
}

int MsgKeyData_r(int rcvid, int oper, uint32_t key, uint32_t *newkey, const iov_t *iov, int parts) {
        return ENOTSUP;
}

int MsgKeyData(int rcvid, int oper, uint32_t key, uint32_t *newkey, const iov_t *iov, int parts) {
        return plain_status(ENOTSUP);
}
