/* SPDX-License-Identifier: MIT */
/* Which QNX release these headers follow: SDP 7.1. */
#pragma once

#define _NTO_VERSION 710
