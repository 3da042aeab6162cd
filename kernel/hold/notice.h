/* SPDX-License-Identifier: MIT */
/*
 * Notice: one datagram of the service manager's notification protocol: lines of NAME=VALUE. Names that we do
 * not know mean nothing to us.
 */
#pragma once

#include "hold/store.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Notice {
        bool is_ready;    /* READY=1 */
        bool is_stopping; /* STOPPING=1 */
        bool stores;      /* FDSTORE=1 */
        bool removes;     /* FDSTOREREMOVE=1 */
        char name[STORE_NAME_MAX + 1]; /* FDNAME=; "stored" where there is none or not a good one */
} Notice;

void notice_parse(Notice *notice, const char *text, size_t n);
