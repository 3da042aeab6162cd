/* SPDX-License-Identifier: MIT */
/* <sys/netmgr.h>: node descriptors. There is one node here, the local one. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>

#define ND_LOCAL_NODE 0

/* 0 when both name one node, else the sign of the order, as strcmp() has it. */
#define ND_NODE_CMP(a, b) (((uint32_t)(a) > (uint32_t)(b)) - ((uint32_t)(a) < (uint32_t)(b)))

/* netmgr_ndtostr(): flags. Their values are our choice. */
#define ND2S_DEFAULT     0x0000
#define ND2S_DIR_SHOW    0x0001 /* with "/net/" before it */
#define ND2S_DIR_HIDE    0x0002
#define ND2S_QOS_SHOW    0x0004 /* there is none to show */
#define ND2S_QOS_HIDE    0x0008
#define ND2S_NAME_SHOW   0x0010
#define ND2S_NAME_HIDE   0x0020 /* without the name */
#define ND2S_DOMAIN_SHOW 0x0040 /* the name as the system has it */
#define ND2S_DOMAIN_HIDE 0x0080 /* up to its first dot */
#define ND2S_SEP_FORCE   0x0100 /* with a "/" after it */
#define ND2S_LOCAL_STR   0x0200 /* the local node is named in full, as it is without */

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * netmgr_strtond: the node of a name
 *
 * `name` is the name of this machine, with "/net/" before it or not, or empty. `endstr`, if not NULL,
 * gets the place after it.
 *
 * Returns: ND_LOCAL_NODE; -1 and errno.
 * Errors:
 *   EFAULT   `name` is NULL.
 *   ENOTSUP  it is another node: there is no network of nodes.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation, of a machine without Qnet.
 * See: netmgr_ndtostr
 */
int netmgr_strtond(const char *name, char **endstr);

/*
 * netmgr_ndtostr: the name of a node
 *
 * Stores it in `buf`, which has `maxbuf` bytes. `flags` are ND2S_... bits.
 *
 * Returns: its length with the 0 at the end; -1 and errno.
 * Errors:
 *   EINVAL   `nd` is another node than the local one.
 *   ENOSPC   `buf` is too small.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: the length counts the 0, as the size of a buffer does.
 * See: netmgr_strtond
 */
int netmgr_ndtostr(unsigned flags, int nd, char *buf, size_t maxbuf);

/*
 * netmgr_remote_nd: a node as another node knows it
 *
 * Returns: ND_LOCAL_NODE; -1 and errno.
 * Errors:
 *   ENOTSUP  one of them is not the local node.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation, of a machine without Qnet.
 * See: netmgr_strtond
 */
int netmgr_remote_nd(int remote_nd, int local_nd);

#pragma GCC visibility pop
__END_DECLS
