/* SPDX-License-Identifier: MIT */
/*
 * Json: see json.h. Everything rests on value_end(), which finds where a value stops.
 */
#include "json.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *space_end(const char *at) {
        while (at && isspace((unsigned char) *at))
                at++;
        return at;
}

static const char *string_end(const char *at) {
        for (at++; *at != '"'; at++) {
                if (*at == '\\')
                        at++;
                if (!*at)
                        return NULL;
        }
        return at + 1;
}

static const char *value_end(const char *at);

static const char *member_end(const char *at) {
        if (*at != '"')
                return NULL;
        at = space_end(string_end(at));
        if (!at || *at != ':')
                return NULL;
        return value_end(space_end(at + 1));
}

static const char *list_end(const char *at, char close) {
        at = space_end(at + 1);
        if (*at == close)
                return at + 1;
        for (;;) {
                at = space_end(close == '}' ? member_end(at) : value_end(at));
                if (!at)
                        return NULL;
                if (*at == close)
                        return at + 1;
                if (*at != ',')
                        return NULL;
                at = space_end(at + 1);
        }
}

static const char *value_end(const char *at) {
        if (!at || !*at)
                return NULL;
        if (*at == '"')
                return string_end(at);
        if (*at == '{')
                return list_end(at, '}');
        if (*at == '[')
                return list_end(at, ']');
        size_t n = strspn(at, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");
        return n ? at + n : NULL;
}

static bool string_is(const char *at, const char *string) {
        size_t n = strlen(string);
        return *at == '"' && strncmp(at + 1, string, n) == 0 && at[1 + n] == '"';
}

const char *json_member(const char *object, const char *key) {
        const char *at = space_end(object);
        if (!at || *at != '{')
                return NULL;
        for (at = space_end(at + 1); at && *at == '"';) {
                const char *value = space_end(string_end(at));
                if (!value || *value != ':')
                        return NULL;
                value = space_end(value + 1);
                if (string_is(at, key))
                        return value;
                at = space_end(value_end(value));
                if (at && *at == ',')
                        at = space_end(at + 1);
        }
        return NULL;
}

const char *json_first(const char *array) {
        const char *at = space_end(array);
        if (!at || *at != '[')
                return NULL;
        at = space_end(at + 1);
        return *at == ']' ? NULL : at;
}

const char *json_next(const char *element) {
        const char *at = space_end(value_end(element));
        return at && *at == ',' ? space_end(at + 1) : NULL;
}

int json_count(const char *array) {
        int n = 0;
        for (const char *at = json_first(array); at; at = json_next(at))
                n++;
        return n;
}

long json_number(const char *value, long otherwise) {
        if (!value)
                return otherwise;
        char *end;
        long number = strtol(value, &end, 10);
        return end == value ? otherwise : number;
}

bool json_is(const char *value, const char *string) {
        return value && string_is(value, string);
}

bool json_is_valid(const char *value) {
        const char *end = space_end(value_end(space_end(value)));
        return end && !*end;
}
