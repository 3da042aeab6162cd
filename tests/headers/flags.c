/* SPDX-License-Identifier: MIT */
/* The daemon's names of the bits that it acts on, and the public ones, are the same numbers. */
#include "daemon/flags.h"

#include <assert.h>
#include <sys/neutrino.h>

static_assert(CHANNEL_DISCONNECT == _NTO_CHF_DISCONNECT, "disconnect");
static_assert(CHANNEL_COID_DISCONNECT == _NTO_CHF_COID_DISCONNECT, "coid disconnect");
static_assert(CHANNEL_PRIVATE == _NTO_CHF_PRIVATE, "private");
static_assert((CHANNEL_FLAGS & _NTO_CHF_UNBLOCK_TIMER) == _NTO_CHF_UNBLOCK_TIMER, "the highest that there is");
static_assert(CONNECT_DEAD == _NTO_COF_DEAD, "dead");
static_assert(CONNECT_NOSHARE == _NTO_COF_NOSHARE, "noshare");
static_assert(CONNECT_FLAGS == _NTO_COF_MASK, "connection flags");
static_assert(COID_SIDE_FIRST == _NTO_SIDE_CHANNEL + 1, "the first coid of the side channel");
static_assert(SYSMGR_COID < COID_SIDE_FIRST, "the daemon's own comes before");
static_assert(SCOID_BIT == _NTO_CONNECTION_SCOID, "scoid");

int main(void) {
        return 0;
}
