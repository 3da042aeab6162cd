/* SPDX-License-Identifier: MIT */
/*
 * Ability: what a process may do, as the daemon keeps it. The library translates <sys/procmgr.h> to this; a test
 * of the public interface compares the numbers.
 *
 * There are two sets for each process, one that counts while its effective user is root and one for any other.
 */
#pragma once

#include <stdint.h>

#define ABILITIES_N     256u /* numbers: QNX's own from 0 up ... */
#define ABILITY_CUSTOM  128u /* ... those made by name from here up */
#define ABILITY_WORDS   (ABILITIES_N / 64u)
#define ABILITY_NAME    44u /* bytes of a name, with its end */

/* Those that the daemon itself looks at. */
#define ABILITY_PATHSPACE       5u
#define ABILITY_EVENT           13u
#define ABILITY_RLIMIT          14u
#define ABILITY_PRIORITY        33u
#define ABILITY_CONNECTION      34u
#define ABILITY_TIMER           37u
#define ABILITY_PUBLIC_CHANNEL  44u
#define ABILITY_ABLE_CREATE     46u
#define ABILITY_CHANNEL_CONNECT 58u
#define ABILITY_XPROCESS_ABLE   62u
#define ABILITY_ALL             0xffffu /* all but those listed with it */

/* What to do with one, or'ed. */
#define ABILITY_DENY        0x00010000u
#define ABILITY_ALLOW       0x00020000u
#define ABILITY_SUBRANGE    0x00040000u
#define ABILITY_LOCK        0x00080000u
#define ABILITY_INHERIT_YES 0x00400000u
#define ABILITY_INHERIT_NO  0x00800000u
#define ABILITY_ROOT        0x10000000u
#define ABILITY_NONROOT     0x20000000u
#define ABILITY_OPS         0x30cf0000u

/* Bits of each ability. A bit in `denied` beats one in `allowed`; with neither the user's kind decides. */
typedef struct AbilitySet {
        uint64_t allowed[ABILITY_WORDS];
        uint64_t denied[ABILITY_WORDS];
        uint64_t locked[ABILITY_WORDS];
        uint64_t dropped[ABILITY_WORDS]; /* what was changed is forgotten by exec */
} AbilitySet;

enum { ABILITY_SET_ROOT = 0, ABILITY_SET_NONROOT = 1, ABILITY_SETS = 2 };

/* What a child inherits by fork, and a program by exec. All 0: nothing was ever changed. */
typedef struct Abilities {
        AbilitySet sets[ABILITY_SETS];
        uint32_t priority_max[ABILITY_SETS]; /* from a subrange; 0 = none given */
        uint32_t changed;                    /* 1 = it is not all 0 */
        uint32_t pad;
        uint64_t channels_soft; /* RLIMIT_CHANNELS_NP, plus one; 0 = no limit */
        uint64_t channels_hard;
} Abilities;
