/* SPDX-License-Identifier: MIT */
/* <sync.h>: synchronization objects of the kernel calls. */
#pragma once

#include <bits/nuntius-sync.h>
