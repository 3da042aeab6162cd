/* SPDX-License-Identifier: MIT */
/*
 * Ability: requests that change one, and what others ask.
 *
 * A process may forbid itself anything, and lock it. What is not locked may be allowed again by root and by
 * the daemon's own user only. Each request stores what is to hold, so that it may be carried out twice.
 */
#include "daemon/ability.h"

#include "base/error.h"
#include "daemon/cred.h"
#include "daemon/lane.h"
#include "daemon/process.h"
#include "daemon/remnant.h"
#include "daemon/request.h"
#include "daemon/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PRIORITY_MAX_ROOT  255u
#define PRIORITY_MAX_OTHER 63u
#define ANCESTORS_MAX      64

/* What any user may do who was told nothing else; the rest is root's. Hardware is not the daemon's to give. */
static const uint8_t everybodys[] = {
        ABILITY_PATHSPACE, 11 /* SESSION */,    12 /* UMASK */,      ABILITY_EVENT,
        20 /* MEM_LOCK */, 21 /* SPAWN */,      22 /* FORK */,       23 /* PROT_EXEC */,
        24 /* WAIT */,     ABILITY_CONNECTION,  39 /* MAP_FIXED */,  38 /* PGRP */,
        43 /* CHILD_NEWAPP */, ABILITY_PUBLIC_CHANNEL, ABILITY_CHANNEL_CONNECT,
};

/* ---- what holds ---- */

static bool has(const uint64_t words[ABILITY_WORDS], uint32_t ability) {
        return words[ability / 64] >> (ability % 64) & 1;
}

static void put(uint64_t words[ABILITY_WORDS], uint32_t ability, bool value) {
        uint64_t bit = 1ull << (ability % 64);
        uint64_t word = words[ability / 64];

        words[ability / 64] = value ? word | bit : word & ~bit;
}

static bool is_everybodys(uint32_t ability) {
        return memchr(everybodys, (int)ability, sizeof(everybodys)) != NULL;
}

static bool holds(const AbilitySet *set, unsigned kind, uint32_t ability) {
        if (has(set->denied, ability))
                return false;
        return has(set->allowed, ability) || kind == ABILITY_SET_ROOT || is_everybodys(ability);
}

/* Only a process of which something was changed is worth a look at /proc. */
static unsigned kind_of(const Process *process) {
        uint32_t uid = process->record->uid;

        if (process->record->abilities.changed)
                (void)cred_euid(process->record->pid, &uid);
        return uid == 0 ? ABILITY_SET_ROOT : ABILITY_SET_NONROOT;
}

bool ability_is_allowed(const Process *process, uint32_t ability) {
        unsigned kind = kind_of(process);

        if (ability >= ABILITIES_N)
                return false;
        return holds(&process->record->abilities.sets[kind], kind, ability);
}

uint32_t ability_priority_max(const Process *process) {
        const Abilities *abilities = &process->record->abilities;
        unsigned kind = kind_of(process);

        if (has(abilities->sets[kind].denied, ABILITY_PRIORITY))
                return PRIORITY_MAX_OTHER;
        if (abilities->priority_max[kind])
                return abilities->priority_max[kind];
        return kind == ABILITY_SET_ROOT || has(abilities->sets[kind].allowed, ABILITY_PRIORITY)
                       ? PRIORITY_MAX_ROOT
                       : PRIORITY_MAX_OTHER;
}

int ability_check_channel(const Process *process, bool is_private) {
        uint64_t limit = process->record->abilities.channels_soft;
        uint64_t n = 0;

        if (!is_private && !ability_is_allowed(process, ABILITY_PUBLIC_CHANNEL))
                return -EPERM;
        if (!limit)
                return 0;
        for (const List *at = process->channels.next; at != &process->channels; at = at->next)
                n++;
        return n < limit - 1 ? 0 : -EAGAIN;
}

/* ---- inheritance ---- */

static void forget_dropped(AbilitySet *set) {
        for (unsigned i = 0; i < ABILITY_WORDS; i++) {
                set->allowed[i] &= ~set->dropped[i];
                set->denied[i] &= ~set->dropped[i];
        }
}

static const Abilities *abilities_of(Kernel *kernel, int32_t pid) {
        Process *process = process_find(kernel, NULL, pid);
        Remnant *remnant = process ? NULL : remnant_find(kernel, pid);

        if (process)
                return &process->record->abilities;
        return remnant ? &remnant->abilities : NULL;
}

static const Abilities *abilities_of_ancestor(Kernel *kernel, int32_t pid) {
        const Abilities *found = NULL;

        for (int i = 0; i < ANCESTORS_MAX && !found; i++) {
                if (cred_parent(pid, &pid) || pid <= 1)
                        return NULL;
                found = abilities_of(kernel, pid);
        }
        return found;
}

static void inherit_by_exec(Abilities *abilities, Remnant *remnant) {
        *abilities = remnant->abilities;
        for (unsigned i = 0; i < ABILITY_SETS; i++)
                forget_dropped(&abilities->sets[i]);
        remnant_free(remnant); /* it has come back to life */
}

bool ability_inherit(Process *process) {
        Kernel *kernel = process->kernel;
        ProcessRecord *record = process->record;
        Remnant *remnant = remnant_find_living(kernel, record->pid);
        const Abilities *from = NULL;

        if (remnant)
                inherit_by_exec(&record->abilities, remnant);
        else if (kernel->abilities_changed)
                from = abilities_of_ancestor(kernel, record->pid);
        if (from)
                record->abilities = *from;
        if (record->abilities.changed)
                record->priority_max = ability_priority_max(process);
        return remnant != NULL;
}

/* ---- ABILITY ---- */

static bool is_own(const Session *session, const Process *process) {
        return session->process == process;
}

/* Who may change what others may do: of the same user; or root, the daemon's own user. */
static int find_target(Session *session, int32_t pid, Process **ret_process) {
        Process *process = process_find(session->kernel, session->process, pid);

        if (!process)
                return -ESRCH;
        if (!is_own(session, process) && !kernel_is_trusted(session->kernel, session->uid) &&
            session->uid != process->record->uid)
                return -EPERM;
        if (!is_own(session, process) && !ability_is_allowed(session->process, ABILITY_XPROCESS_ABLE) &&
            session->uid != process->record->uid)
                return -EPERM;
        *ret_process = process;
        return 0;
}

static bool is_listed(const WireAbility *wire, uint32_t ability) {
        return wire->ability == ABILITY_ALL ? !has(wire->listed, ability) : wire->ability == ability;
}

/* Has this change been made already? */
static bool is_so(const AbilitySet *set, uint32_t ability, uint32_t op) {
        return (op & ABILITY_ALLOW && has(set->allowed, ability)) ||
               (op & ABILITY_DENY && has(set->denied, ability));
}

/* Would this change be more than its user may do? */
static int check_one(const Session *session, const AbilitySet *set, unsigned kind, uint32_t ability,
                     uint32_t op) {
        if (is_so(set, ability, op)) /* it may be asked again for a daemon that died over it */
                return 0;
        if (has(set->locked, ability) && op & (ABILITY_ALLOW | ABILITY_DENY))
                return -EPERM;
        if (!(op & ABILITY_ALLOW) || holds(set, kind, ability))
                return 0;
        return kernel_is_trusted(session->kernel, session->uid) ? 0 : -EPERM;
}

static int check_set(const Session *session, const AbilitySet *set, unsigned kind,
                     const WireAbility *wire) {
        bool is_all = wire->ability == ABILITY_ALL;

        for (uint32_t i = 0; i < ABILITIES_N; i++) {
                int r = is_listed(wire, i) ? check_one(session, set, kind, i, wire->op) : 0;

                if (r && !is_all) /* what is locked already stays as it is */
                        return r;
        }
        return 0;
}

static void change_one(AbilitySet *set, uint32_t ability, uint32_t op) {
        if (op & (ABILITY_ALLOW | ABILITY_DENY)) {
                put(set->allowed, ability, op & ABILITY_ALLOW);
                put(set->denied, ability, !(op & ABILITY_ALLOW));
        }
        if (op & (ABILITY_INHERIT_NO | ABILITY_INHERIT_YES))
                put(set->dropped, ability, op & ABILITY_INHERIT_NO);
        if (op & ABILITY_LOCK)
                put(set->locked, ability, true);
}

static void change_set(const Session *session, AbilitySet *set, unsigned kind, const WireAbility *wire) {
        for (uint32_t i = 0; i < ABILITIES_N; i++)
                if (is_listed(wire, i) && check_one(session, set, kind, i, wire->op) == 0)
                        change_one(set, i, wire->op);
}

/* Of the subranges only that of PRIORITY is looked at by anybody: allowed up to hi, or forbidden from lo. */
static uint32_t range_end(const WireAbility *wire) {
        uint64_t end = wire->op & ABILITY_ALLOW ? wire->range[1] : wire->range[0] - 1;

        return end >= 1 && end <= PRIORITY_MAX_ROOT ? (uint32_t)end : PRIORITY_MAX_ROOT;
}

static int check_range(const Session *session, const Abilities *abilities, unsigned kind,
                       const WireAbility *wire) {
        uint32_t now = abilities->priority_max[kind] ? abilities->priority_max[kind] : PRIORITY_MAX_ROOT;

        if (has(abilities->sets[kind].locked, wire->ability))
                return -EPERM;
        if (wire->ability == ABILITY_PRIORITY && range_end(wire) > now &&
            !kernel_is_trusted(session->kernel, session->uid))
                return -EPERM;
        return 0;
}

/* A range that is forbidden leaves the rest allowed, so only the range is kept then. */
static void change_range(Abilities *abilities, unsigned kind, const WireAbility *wire) {
        AbilitySet *set = &abilities->sets[kind];

        if (wire->ability == ABILITY_PRIORITY)
                abilities->priority_max[kind] = range_end(wire);
        change_one(set, wire->ability, wire->op & ~(wire->op & ABILITY_ALLOW ? 0 : ABILITY_DENY));
}

static bool wire_ability_is_sound(const WireAbility *wire) {
        uint32_t both = ABILITY_ALLOW | ABILITY_DENY;

        if (wire->op & ~ABILITY_OPS || !(wire->op & (ABILITY_ROOT | ABILITY_NONROOT)))
                return false;
        if ((wire->op & both) == both)
                return false;
        if (wire->op & ABILITY_SUBRANGE)
                return wire->ability < ABILITIES_N && wire->range[0] <= wire->range[1];
        return wire->ability < ABILITIES_N || wire->ability == ABILITY_ALL;
}

static int check_kind(Session *session, Process *process, unsigned kind, const WireAbility *wire) {
        const Abilities *abilities = &process->record->abilities;

        if (wire->op & ABILITY_SUBRANGE)
                return check_range(session, abilities, kind, wire);
        return check_set(session, &abilities->sets[kind], kind, wire);
}

static void change_kind(Session *session, Process *process, unsigned kind, const WireAbility *wire) {
        Abilities *abilities = &process->record->abilities;

        if (wire->op & ABILITY_SUBRANGE)
                change_range(abilities, kind, wire);
        else
                change_set(session, &abilities->sets[kind], kind, wire);
}

int request_ability(Session *session, Request *request, Answer *answer) {
        static const uint32_t bits[ABILITY_SETS] = { ABILITY_ROOT, ABILITY_NONROOT };
        const WireAbility *wire = &request->wire.ability;
        Process *process;
        int r;

        if (!wire_ability_is_sound(wire))
                return -EINVAL;
        r = find_target(session, wire->pid, &process);
        for (unsigned kind = 0; !r && kind < ABILITY_SETS; kind++)
                if (wire->op & bits[kind])
                        r = check_kind(session, process, kind, wire);
        if (r)
                return r;

        /* point of no return */
        for (unsigned kind = 0; kind < ABILITY_SETS; kind++)
                if (wire->op & bits[kind])
                        change_kind(session, process, kind, wire);
        process->record->abilities.changed = 1;
        session->kernel->abilities_changed = true;
        process->record->priority_max = ability_priority_max(process);
        answer->reply.ability.priority_max = process->record->priority_max;
        return 0;
}

/* ---- ABLE ---- */

/* A timer's pulses to processes of the same user need no ability. */
static bool is_for_own_user(const Session *session, const WireAble *wire) {
        Process *target;

        if (wire->scoid != -1 || wire->ability != ABILITY_TIMER || wire->lo == 0 || wire->lo > INT32_MAX)
                return false;
        target = process_find(session->kernel, session->process, (int32_t)wire->lo);
        return target && target->record->uid == session->process->record->uid;
}

/* A client that has died may do nothing any more. */
int request_able(Session *session, Request *request, Answer *answer) {
        const WireAble *wire = &request->wire.able;
        const Process *process = session->process;
        Lane *lane;

        (void)answer;
        if (wire->scoid != -1) {
                lane = lane_find(session->process, wire->scoid);
                if (!lane)
                        return -EINVAL;
                process = lane->client;
        }
        if (is_for_own_user(session, wire))
                return 0;
        if (!process || !ability_is_allowed(process, wire->ability))
                return -EPERM;
        if (wire->ability == ABILITY_PRIORITY && wire->hi > ability_priority_max(process))
                return -EPERM;
        return 0;
}

/* ---- ABILITY_NAME ---- */

static uint32_t name_hash(const char *name) {
        uint32_t hash = 2166136261u;

        for (; *name; name++)
                hash = (hash ^ (uint8_t)*name) * 16777619u;
        return hash;
}

/* Its number follows from its name, as far as the numbers of others allow: also in the next daemon. */
static uint32_t name_place(Kernel *kernel, const char *name, bool *ret_found) {
        uint32_t n = ABILITIES_N - ABILITY_CUSTOM;
        uint32_t first = name_hash(name) % n;

        for (uint32_t i = 0; i < n; i++) {
                uint32_t at = (first + i) % n;
                char *there = kernel->ability_names[at];

                *ret_found = there && strcmp(there, name) == 0;
                if (!there || *ret_found)
                        return at;
        }
        *ret_found = false;
        return n;
}

/* The same name gives the same number, whoever makes it. */
static int name_create(Session *session, const char *name, uint32_t at) {
        if (!ability_is_allowed(session->process, ABILITY_ABLE_CREATE) &&
            !kernel_is_trusted(session->kernel, session->uid))
                return -EPERM;
        if (at == ABILITIES_N - ABILITY_CUSTOM)
                return -EAGAIN;
        session->kernel->ability_names[at] = strdup(name);
        return session->kernel->ability_names[at] ? 0 : -ENOMEM;
}

int request_ability_name(Session *session, Request *request, Answer *answer) {
        WireAbilityName *wire = &request->wire.ability_name;
        uint32_t at;
        bool found;
        int r = 0;

        if (strnlen(wire->name, ABILITY_NAME) == ABILITY_NAME || !wire->name[0])
                return -EINVAL;
        at = name_place(session->kernel, wire->name, &found);
        if (!found)
                r = wire->create ? name_create(session, wire->name, at) : -ENOENT;
        if (r)
                return r;
        answer->reply.ability_name.ability = (int32_t)(ABILITY_CUSTOM + at);
        return 0;
}

void ability_names_deinit(Kernel *kernel) {
        for (unsigned i = 0; i < ABILITIES_N - ABILITY_CUSTOM; i++)
                free(kernel->ability_names[i]);
}

/* ---- LIMIT ---- */

/* RLIM_INFINITY is "no limit", which is 0 here. */
static uint64_t kept(uint64_t limit) {
        return limit == UINT64_MAX ? 0 : limit + 1;
}

static uint64_t given(uint64_t limit) {
        return limit - 1; /* 0 becomes UINT64_MAX */
}

static int check_limit(const Session *session, const Process *process, const WireLimit *wire) {
        uint64_t hard = given(process->record->abilities.channels_hard);

        if (wire->soft > wire->hard)
                return -EINVAL;
        if (wire->hard > hard && !kernel_is_trusted(session->kernel, session->uid))
                return -EPERM;
        return 0;
}

int request_limit(Session *session, Request *request, Answer *answer) {
        const WireLimit *wire = &request->wire.limit;
        Abilities *abilities;
        Process *process;
        int r;

        r = find_target(session, wire->pid, &process);
        if (!r && wire->set)
                r = check_limit(session, process, wire);
        if (r)
                return r;
        abilities = &process->record->abilities;
        answer->reply.limit.soft = given(abilities->channels_soft);
        answer->reply.limit.hard = given(abilities->channels_hard);
        if (!wire->set)
                return 0;

        /* point of no return */
        abilities->channels_hard = kept(wire->hard);
        abilities->channels_soft = kept(wire->soft);
        abilities->changed = 1;
        session->kernel->abilities_changed = true;
        return 0;
}
