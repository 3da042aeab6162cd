/* SPDX-License-Identifier: MIT */
/*
 * Takes the place of glibc's private header of this name: union sigval gains QNX's sival_long.
 * It keeps glibc's size and the place of its members, so siginfo_t and sigqueue() go on working.
 */
#ifndef ____sigval_t_defined
#define ____sigval_t_defined

union sigval {
        int sival_int;
        void *sival_ptr;
        long sival_long;
};

typedef union sigval __sigval_t;

#endif
