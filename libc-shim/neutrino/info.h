/* SPDX-License-Identifier: MIT */
/*
 * Info: what struct _msg_info says of a receipt.
 */
#pragma once

#include "runtime/receipt.h"
#include "sys/neutrino.h"

void info_fill(struct _msg_info *info, const Receipt *receipt, ssize_t copied);
