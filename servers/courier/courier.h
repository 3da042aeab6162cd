/* SPDX-License-Identifier: MIT */
/*
 * Courier: what the client and the server of this example say to each other.
 *
 * A file goes in messages COURIER_OPEN, any number of COURIER_DATA, COURIER_CLOSE. Each begins with a
 * CourierHeader; in COURIER_DATA the bytes of the file follow it. The answer is a CourierAnswer, or an
 * error from MsgError(). Several clients may send at once: a connection carries one file at a time.
 */
#pragma once

#include <stdint.h>

#define COURIER_CHUNK    (1u << 20) /* most bytes of a file in one message */
#define COURIER_NAME_MAX 128u

/* Types of messages; those below 0x200 belong to resource managers. */
enum {
        COURIER_OPEN = 0x200,
        COURIER_DATA,
        COURIER_CLOSE,
};

typedef struct CourierHeader {
        uint16_t type;
        uint16_t pad;
        uint32_t bytes; /* COURIER_DATA: of the file, in this message */
        char name[COURIER_NAME_MAX]; /* COURIER_OPEN: no directory in it, ends in '\0' */
} CourierHeader;

typedef struct CourierAnswer {
        uint64_t stored; /* bytes of this file so far */
} CourierAnswer;
