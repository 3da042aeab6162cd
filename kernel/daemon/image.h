/* SPDX-License-Identifier: MIT */
/*
 * Image: the object tables as bytes that somebody left behind, and what must be true of them before a
 * daemon believes anything: each number in its range, each reference to something that is there, nothing twice,
 * and all of it such that rebuilding and tearing down can go wrong nowhere.
 *
 * image_check() needs no daemon around it. It is given bytes that may be anything, of which nobody else
 * changes any meanwhile.
 */
#pragma once

#include "daemon/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ImageTable {
        const void *bytes; /* page-aligned, as mmap() gives them; NULL = there is none, allowed for later nouns */
        size_t n;
} ImageTable;

typedef struct Image {
        ImageTable tables[NOUN_N];
        char why[160]; /* what is wrong, as words for the log */
} Image;

/*
 * 0 when all is as it must be; -EINVAL when it is not, with the first fault in image->why; -ENOMEM. Tables
 * must be of this version: see table_check() and table_carry_over().
 */
int image_check(Image *image);

/* Queries on an image that has been checked, or of which table_check() found each table fine. */
uint32_t image_capacity(const Image *image, Noun noun);
/* NULL when the place is FREE, or BUILDING without a journal that commits it. */
const void *image_at(const Image *image, Noun noun, uint32_t index);
const JournalRecord *image_journal(const Image *image);
