/* SPDX-License-Identifier: MIT */
/*
 * User: who pays. Everything the daemon holds is charged to the user id that caused it, so that one
 * user at its limit gets EAGAIN and the others notice nothing.
 */
#pragma once

#include "base/log.h"
#include "base/map.h"
#include "daemon/record.h"
#include "daemon/turn.h"

#include <stdint.h>
#include <sys/types.h>

typedef struct User User;
typedef struct UserRegistry UserRegistry;

struct UserRegistry {
        Map users; /* uid -> User */
        Table *table;
        uid_t own_uid;
        uint64_t limits_own[CHARGE_N];   /* root, and the daemon's own user */
        uint64_t limits_other[CHARGE_N]; /* everybody else */
};

struct User {
        UserRegistry *registry;
        UserRecord *record;
        const uint64_t *limits;
        unsigned references;
        TurnQueue turns; /* of its sessions */
        LogRate rate;
};

const char *charge_name(Charge charge);

void user_registry_init(UserRegistry *registry, Table *table, uid_t own_uid);
void user_registry_deinit(UserRegistry *registry);
/* The same limit for every user. */
void user_registry_limit(UserRegistry *registry, Charge charge, uint64_t limit);

/* Finds or makes; the caller gets a reference. */
int user_get(UserRegistry *registry, uid_t uid, User **ret_user);
User *user_ref(User *user);
/* Forgets the user with its last reference; nothing may be charged to it then. Returns NULL. */
User *user_unref(User *user);

/* 0 or -EAGAIN, which is logged. */
int user_charge(User *user, Charge charge, uint64_t n);
/* What was charged by a predecessor is charged again, whatever the limit is now. */
void user_charge_anyway(User *user, Charge charge, uint64_t n);
void user_discharge(User *user, Charge charge, uint64_t n);
void user_log_refusal(User *user, const char *what, uint64_t limit);
