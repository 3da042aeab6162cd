/* SPDX-License-Identifier: MIT */
/* User: charges and limits. */
#include "daemon/user.h"

#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define LOG_LINES_A_SECOND 5u

static const uint64_t default_limits[CHARGE_N] = {
        [CHARGE_PROCESSES] = 16384,
        [CHARGE_CHANNELS] = 65536,
        [CHARGE_CONNECTIONS] = 262144,
        [CHARGE_LINKS] = 65536,
        [CHARGE_BYTES] = 64ull << 30,
        [CHARGE_FDS] = 1u << 20,
        [CHARGE_SESSIONS] = 2048,
        [CHARGE_PATHS] = 2048,
        [CHARGE_SCOIDS] = 131072,
};

const char *charge_name(Charge charge) {
        static const char *const names[CHARGE_N] = {
#define X(name, word) [CHARGE_##name] = #word,
                CHARGES(X)
#undef X
        };

        return names[charge];
}

void user_registry_init(UserRegistry *registry, Table *table, uid_t own_uid) {
        *registry = (UserRegistry){ .table = table, .own_uid = own_uid };
        map_init(&registry->users);
        for (unsigned i = 0; i < CHARGE_N; i++) {
                registry->limits_own[i] = default_limits[i];
                registry->limits_other[i] = default_limits[i] / 2;
        }
}

void user_registry_deinit(UserRegistry *registry) {
        assert(map_size(&registry->users) == 0);
        map_deinit(&registry->users);
}

void user_registry_limit(UserRegistry *registry, Charge charge, uint64_t limit) {
        registry->limits_own[charge] = limit;
        registry->limits_other[charge] = limit;
}

static int user_new(UserRegistry *registry, uid_t uid, User **ret_user) {
        bool is_own = uid == 0 || uid == registry->own_uid;
        User *user;
        int r;

        user = calloc(1, sizeof(*user));
        if (!user)
                return error_fold(-ENOMEM);
        user->registry = registry;
        turn_queue_init(&user->turns);
        user->limits = is_own ? registry->limits_own : registry->limits_other;
        r = table_new(registry->table, &user->record);
        if (r) {
                free(user);
                return error_fold(r);
        }
        user->record->uid = uid;
        r = map_add(&registry->users, uid, user);
        if (r) {
                table_drop(registry->table, user->record);
                free(user);
                return error_fold(r);
        }
        table_publish(user->record);
        *ret_user = user;
        return 0;
}

int user_get(UserRegistry *registry, uid_t uid, User **ret_user) {
        User *user = map_get(&registry->users, uid);
        int r;

        if (!user) {
                r = user_new(registry, uid, &user);
                if (r)
                        return error_fold(r);
        }
        *ret_user = user_ref(user);
        return 0;
}

User *user_ref(User *user) {
        user->references++;
        return user;
}

User *user_unref(User *user) {
        if (!user || --user->references > 0)
                return NULL;
        for (unsigned i = 0; i < CHARGE_N; i++)
                assert(user->record->charges[i] == 0);
        table_retire(user->record);
        map_remove(&user->registry->users, user->record->uid);
        table_drop(user->registry->table, user->record);
        free(user);
        return NULL;
}

void user_log_refusal(User *user, const char *what, uint64_t limit) {
        if (log_rate_ok(&user->rate, LOG_LINES_A_SECOND))
                log_warning("event=quota uid=%u what=%s limit=%llu answer=EAGAIN",
                            user->record->uid, what, (unsigned long long)limit);
}

int user_charge(User *user, Charge charge, uint64_t n) {
        uint64_t held = user->record->charges[charge], limit = user->limits[charge];

        if (n > limit || held > limit - n) {
                user_log_refusal(user, charge_name(charge), limit);
                return -EAGAIN;
        }
        user->record->charges[charge] = held + n;
        return 0;
}

void user_charge_anyway(User *user, Charge charge, uint64_t n) {
        user->record->charges[charge] += n;
}

void user_discharge(User *user, Charge charge, uint64_t n) {
        assert(user->record->charges[charge] >= n);
        user->record->charges[charge] -= n;
}
