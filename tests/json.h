/* SPDX-License-Identifier: MIT */
/*
 * Json: just enough to look at what the tools print. A value is a pointer to its first character
 * in a text that ends in 0; NULL is "not there", and every function takes it.
 */
#pragma once

#include <stdbool.h>

/* The value of a member of an object. */
const char *json_member(const char *object, const char *key);

/* The elements of an array: the first, and the one after. NULL at the end. */
const char *json_first(const char *array);
const char *json_next(const char *element);

int json_count(const char *array);
long json_number(const char *value, long otherwise);
bool json_is(const char *value, const char *string);

/* Whether it is well formed up to its end. */
bool json_is_valid(const char *value);
