/* SPDX-License-Identifier: MIT */
/*
 * Ability: procmgr_ability(), one request to the daemon for each argument.
 */
#include "abi/ability.h"

#include "neutrino/limit.h"
#include "neutrino/result.h"
#include "runtime/session.h"
#include "sys/procmgr.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define AID(ability) ((ability) & 0xffffu)

static int ask(WireRequest *request, WireReply *ret_reply) {
        int fds[SESSION_FDS];
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = session_ask(request, -1, ret_reply, fds);
        call_leave(thread);
        return r;
}

static int change(WireRequest *request) {
        int32_t pid = request->ability.pid;
        WireReply reply;
        int r = ask(request, &reply);

        if (!r && (pid == 0 || pid == session_pid()))
                session_use_priority_max(reply.ability.priority_max);
        return positive(r);
}

static int change_one(pid_t pid, unsigned ability, const uint64_t range[2]) {
        WireRequest request = {
                .op = WIRE_ABILITY,
                .ability = { .pid = pid, .ability = AID(ability), .op = ability & ~0xffffu },
        };

        if (range)
                memcpy(request.ability.range, range, sizeof(request.ability.range));
        return change(&request);
}

static int change_rest(pid_t pid, unsigned ability, const uint64_t listed[ABILITY_WORDS]) {
        WireRequest request = {
                .op = WIRE_ABILITY,
                .ability = { .pid = pid, .ability = ABILITY_ALL, .op = ability & ~0xffffu },
        };

        memcpy(request.ability.listed, listed, sizeof(request.ability.listed));
        return change(&request);
}

static void list(uint64_t listed[ABILITY_WORDS], unsigned aid) {
        if (aid < ABILITIES_N)
                listed[aid / 64] |= 1ull << (aid % 64);
}

static int change_all(pid_t pid, unsigned ability, va_list *more) {
        uint64_t listed[ABILITY_WORDS] = { 0 };
        uint64_t range[2];
        int r = EOK;

        for (; AID(ability) != PROCMGR_AID_EOL && r == EOK; ability = va_arg(*more, unsigned)) {
                bool has_range = ability & PROCMGR_AOP_SUBRANGE;

                for (int i = 0; has_range && i < 2; i++)
                        range[i] = va_arg(*more, uint64_t);
                list(listed, AID(ability));
                r = change_one(pid, ability, has_range ? range : NULL);
        }
        if (r == EOK && ability & ~0xffffu)
                r = change_rest(pid, ability, listed);
        return r;
}

int procmgr_ability(pid_t pid, unsigned ability, ...) {
        va_list more;
        int saved = errno;
        int r;

        va_start(more, ability);
        r = change_all(pid, ability, &more);
        va_end(more);
        errno = saved;
        return r;
}

static int named(const char *name, uint32_t create) {
        WireRequest request = { .op = WIRE_ABILITY_NAME, .ability_name.create = create };
        int saved = errno;
        WireReply reply;
        int r;

        if (!name || strlen(name) >= ABILITY_NAME)
                return -EINVAL;
        strcpy(request.ability_name.name, name);
        r = ask(&request, &reply);
        errno = saved;
        return r < 0 ? r : reply.ability_name.ability;
}

int procmgr_ability_create(const char *name, unsigned flags) {
        return named(name, 1);
}

int procmgr_ability_lookup(const char *name) {
        return named(name, 0);
}
