/* SPDX-License-Identifier: MIT */
/*
 * Attack: the scene of every hostile test. An honest server as one user, an honest client as another (the
 * other), an honest client as the attacker's own user (the mate), and the attackers.
 *
 * The other must get exact answers, and soon, all the time. The mate may be delayed: its user could
 * kill it anyway; but it too never gets a wrong byte. The server must be alive in the end and serve a
 * newcomer.
 */
#pragma once

#include "party.h"
#include "rig.h"

typedef struct Bystander {
        Party *party;
        _Atomic uint32_t *ends;
        _Atomic uint32_t ready;
        _Atomic uint32_t orders;
        _Atomic uint64_t slowest; /* ns */
        pid_t pid;
} Bystander;

typedef struct Stage {
        Party party;
        Bystander other;
        Bystander mate;
        _Atomic uint32_t ends; /* for the honest */
        _Atomic uint32_t attacks; /* that were really carried out, as the attackers count */
        pid_t server;
} Stage;

/* Everybody honest is there and talking when it returns. */
Stage *stage_open(unsigned channel_flags);
/* The verdict. */
void stage_close(Stage *stage);

/* Runs @attack with @argument as the hostile user for @milliseconds, then kills it. */
void stage_attack(Stage *stage, void (*attack)(void *argument), void *argument, unsigned milliseconds);

/* ---- what an attacker finds in its own memory ---- */

typedef struct Region {
        uint8_t *map;
        size_t bytes;
        bool writable;
        char name[32]; /* link, bell, page, notice ... */
} Region;

#define REGIONS_MAX 256

/* The regions that the library mapped. */
unsigned regions_find(Region regions[REGIONS_MAX]);
/* The first writable one of that name, or NULL. */
void *regions_get(const char *name);

uint64_t attack_chance(void); /* a fresh state, from the seed and the pid */
